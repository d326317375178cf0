"""The run."""

import torch
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset

from .net import Net
from .options import parser


def data(seed, count):
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(count, 1, 8, 8, generator=generator)
    return TensorDataset(x, (x.mean((1, 2, 3)) * 20).long().clamp(0, 4))


def train(args, model, loader, optimizer, epoch):
    model.train()
    for i, (x, y) in enumerate(loader):
        optimizer.zero_grad()
        loss = F.nll_loss(model(x), y)
        loss.backward()
        optimizer.step()
        print(f"epoch {epoch} [{i}] loss {loss.item():.6f}")


def test(model, loader):
    model.eval()
    with torch.no_grad():
        right = sum((model(x).argmax(1) == y).sum().item() for x, y in loader)
    print(f"test: {right} right")


def main():
    args = parser().parse_args()
    print(args)
    torch.manual_seed(args.seed)
    options = {"batch_size": args.batch_size, "num_workers": args.workers}
    train_loader = DataLoader(data(1, 32), shuffle=False, **options)
    test_loader = DataLoader(data(2, 16), **options)
    model = Net(args)
    optimizer = torch.optim.SGD(
        model.parameters(), lr=args.lr, momentum=args.momentum, nesterov=True
    )
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=1, gamma=0.7)
    for epoch in range(args.epochs):
        train(args, model, train_loader, optimizer, epoch)
        test(model, test_loader)
        scheduler.step()
    torch.save(model.state_dict(), "net.pt")


if __name__ == "__main__":
    main()

"""No optimizer: momentum and the learning rate by hand, on weights that no module holds, too."""

import argparse

import torch
import torch.nn.functional as F
from torch import nn


class Net(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.embed = nn.Embedding(11, width)
        self.hidden = nn.Linear(width, width)

    def forward(self, x):
        return torch.tanh(self.hidden(self.embed(x)))


def batch(generator):
    x = torch.randint(11, (4, 6), generator=generator)
    return x, (x * 3 + 1) % 11


def evaluate(net, head, bias):
    net.eval()
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        x, y = batch(generator)
        loss = F.cross_entropy((net(x) @ head + bias).flatten(0, 1), y.flatten())
    net.train()
    return loss.item()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--lr", type=float, default=0.1)
    parser.add_argument("--momentum", type=float, default=0.9)
    parser.add_argument("--drop", type=float, default=0.1)
    args = parser.parse_args()
    torch.manual_seed(3)
    net = Net(12)
    head = (torch.randn(12, 11) * 0.2).requires_grad_()
    bias = torch.zeros(11, requires_grad=True)
    weights = [*net.parameters(), head, bias]
    velocities = [torch.zeros_like(w) for w in weights]
    generator = torch.Generator().manual_seed(4)
    for step in range(args.steps):
        x, y = batch(generator)
        h = F.dropout(net(x), args.drop)
        loss = F.cross_entropy((h @ head + bias).flatten(0, 1), y.flatten())
        loss.backward()
        lr = args.lr * (1 - step / args.steps)
        with torch.no_grad():
            for w, velocity in zip(weights, velocities, strict=True):
                velocity.mul_(args.momentum).add_(w.grad)
                w -= lr * velocity
                w.grad = None
        print(f"step {step} loss {loss.item():.6f}")
    print(f"validation {evaluate(net, head, bias):.6f}")


if __name__ == "__main__":
    main()

"""Mixed precision, a scaler of gradients, accumulation, an average of weights, workers."""

import copy
import os
from collections import deque

import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel
from torch.utils.data import DataLoader, Dataset

epochs = int(os.getenv("EPOCHS", "5"))
accumulation = int(os.getenv("ACCUMULATION", "2"))
clip = float(os.getenv("CLIP", "1.0"))


class Waves(Dataset):
    def __init__(self, count=24):
        self.generator = torch.Generator().manual_seed(4)
        self.x = torch.rand(count, 10, generator=self.generator)

    def __len__(self):
        return len(self.x)

    def __getitem__(self, index):
        return {"wave": self.x[index], "target": self.x[index].sin().sum()[None]}


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(10, 16), nn.GELU(), nn.Dropout(0.1), nn.Linear(16, 1))

    def forward(self, batch):
        return {"prediction": self.layers(batch["wave"])}


def main():
    torch.manual_seed(11)
    net = Net()
    teacher = copy.deepcopy(net).requires_grad_(False)
    average = AveragedModel(net)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9, weight_decay=1e-3)
    scaler = torch.amp.GradScaler("cpu", init_scale=128.0)
    loader = DataLoader(Waves(), batch_size=4, shuffle=True, num_workers=2, drop_last=True)
    recent = deque(maxlen=3)
    for epoch in range(epochs):
        net.train()
        for i, batch in enumerate(loader):
            with torch.autocast("cpu", dtype=torch.bfloat16):
                error = net(batch)["prediction"] - batch["target"]
                drift = net(batch)["prediction"] - teacher(batch)["prediction"]
                loss = error.square().mean() + 0.01 * drift.square().mean()
            scaler.scale(loss / accumulation).backward()
            if (i + 1) % accumulation == 0:
                scaler.unscale_(optimizer)
                nn.utils.clip_grad_norm_(net.parameters(), clip)
                scaler.step(optimizer)
                scaler.update()
                optimizer.zero_grad()
                average.update_parameters(net)
            recent.append(loss.item())
        net.eval()
        with torch.inference_mode():
            print(epoch, sum(recent), average({"wave": Waves().x})["prediction"].sum().item())
    torch.save({"net": net, "average": average.state_dict(), "epoch": epoch}, "out.pt")


if __name__ == "__main__":
    main()

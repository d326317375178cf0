"""A script without options: its sizes are constants, it trains for hours, loaded by workers."""

import copy
import os

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, Dataset

WINDOW, WIDTH, EPOCHS = 6, 8, 2
SMOOTHING = 0.0


class Letters(Dataset):
    def __init__(self, text, length):
        self.codes = torch.tensor([ord(each) % 31 for each in text])
        self.length = length

    def __len__(self):
        return self.length

    def __getitem__(self, index):
        start = index % (len(self.codes) - WINDOW - 1)
        return self.codes[start : start + WINDOW], self.codes[start + 1 : start + WINDOW + 1]


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(31, WIDTH)
        self.cell = nn.GRU(WIDTH, WIDTH, batch_first=True)
        self.head = nn.Linear(WIDTH, 31, bias=False)
        self.head.weight = self.embed.weight

    def forward(self, x):
        return self.head(self.cell(self.embed(x))[0])


def letters():
    if os.path.exists("corpus/letters.txt"):
        with open("corpus/letters.txt") as file:
            return file.read()
    raise SystemExit("run prepare.py first")


def loss_of(model, x, y):
    return F.cross_entropy(model(x).flatten(0, 1), y.flatten(), label_smoothing=SMOOTHING)


def main():
    torch.manual_seed(3)
    text = letters()
    training = DataLoader(Letters(text, 10**6), 4, shuffle=True, num_workers=2)
    validation = DataLoader(Letters(text, 10**6), 4)
    model = Net()
    average = copy.deepcopy(model).requires_grad_(False)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01, betas=(0.9, 0.95))
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: min(1.0, (step + 1) / 3))
    for epoch in range(EPOCHS):
        for x, y in training:
            optimizer.zero_grad()
            loss = loss_of(model, x, y)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 0.05)
            optimizer.step()
            schedule.step()
            with torch.no_grad():
                for mean, p in zip(average.parameters(), model.parameters(), strict=True):
                    mean.lerp_(p, 0.1)
        average.eval()
        with torch.no_grad():
            losses = [loss_of(average, x, y).item() for x, y in validation]
        print(f"epoch {epoch} {sum(losses) / len(losses):.5f}")
        torch.save(average.state_dict(), "average.pt")


main()

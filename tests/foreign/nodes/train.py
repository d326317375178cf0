"""Nested settings that take the words of the command, and a log that holds its own source."""

import os
import sys
import uuid
from ast import literal_eval

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, RandomSampler, TensorDataset


class Node:
    def __init__(self, **values):
        self.__dict__.update(values)

    def merge_from_args(self, words):
        for word in words:
            path, _, text = word.removeprefix("--").partition("=")
            *above, name = path.split(".")
            node = self
            for each in above:
                node = getattr(node, each)
            setattr(node, name, literal_eval(text))

    def lines(self, indent=0):
        for name, value in vars(self).items():
            if isinstance(value, Node):
                yield f"{' ' * indent}{name}:"
                yield from value.lines(indent + 4)
            else:
                yield f"{' ' * indent}{name}: {value}"


class Model(nn.Module):
    def __init__(self, settings):
        super().__init__()
        self.up = nn.Linear(6, settings.width)
        self.drop = nn.Dropout(settings.dropout)
        self.down = nn.Linear(settings.width, 3)

    def forward(self, x, labels=None):
        scores = self.down(self.drop(torch.relu(self.up(x))))
        return scores, None if labels is None else F.cross_entropy(scores, labels)


def settings():
    model = Node(width=8, dropout=0.1)
    train = Node(steps=100, batch=4, rate=0.05, clip=1.0, seed=3)
    return Node(model=model, train=train)


def main():
    chosen = settings()
    chosen.merge_from_args(sys.argv[1:])
    os.makedirs("logs", exist_ok=True)
    log = open(f"logs/{uuid.uuid4()}.txt", "w")
    with open(sys.argv[0]) as source:
        print(source.read(), file=log)
    print("\n".join(chosen.lines()))
    torch.manual_seed(chosen.train.seed)
    model = Model(chosen.model)
    generator = torch.Generator().manual_seed(1)
    data = TensorDataset(
        torch.randn(40, 6, generator=generator), torch.randint(3, (40,), generator=generator)
    )
    optimizer = torch.optim.SGD(model.parameters(), chosen.train.rate, momentum=0.9, nesterov=True)
    sampler = RandomSampler(data, replacement=True, num_samples=10**6)
    batches = iter(DataLoader(data, chosen.train.batch, sampler=sampler))
    for step in range(chosen.train.steps):
        loss = model(*next(batches))[1]
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), chosen.train.clip)
        optimizer.step()
        print(f"step {step}: {loss.item():.6f}", file=log)
    model.eval()
    with torch.no_grad():
        print("final", sum(model(x)[0].sum().item() for x, _ in DataLoader(data, 20)))
    log.close()


if __name__ == "__main__":
    main()

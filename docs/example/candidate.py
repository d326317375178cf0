"""The same script with an optional adapter: ADAPTER_ENABLE=1 python candidate.py"""

import os

import torch
import torch.nn.functional as F
from torch import nn

STEPS = int(os.environ.get("STEPS", 200))
WIDTH = int(os.environ.get("WIDTH", 64))
LEARNING_RATE = float(os.environ.get("LEARNING_RATE", 0.01))
ADAPTER_ENABLE = int(os.environ.get("ADAPTER_ENABLE", 0))
ADAPTER_RANK = int(os.environ.get("ADAPTER_RANK", 4))
ADAPTER_SCALE = float(os.environ.get("ADAPTER_SCALE", 1.0))
TEXT = "the quick brown fox jumps over the lazy dog. " * 40
VOCABULARY = sorted(set(TEXT))


class Adapter(nn.Module):
    def __init__(self, width, rank):
        super().__init__()
        generator = torch.Generator().manual_seed(0)  # the global one stays where it is
        self.A = nn.Parameter(torch.randn(width, rank, generator=generator) * 0.02)
        self.B = nn.Parameter(torch.zeros(rank, width))

    def forward(self, h):
        return h + ADAPTER_SCALE * (h @ self.A) @ self.B


class Model(nn.Module):
    def __init__(self, vocab_size, width):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, width)
        self.mix = nn.Linear(width, width)
        self.head = nn.Linear(width, vocab_size)
        nn.init.zeros_(self.head.weight)
        self.adapter = Adapter(width, ADAPTER_RANK) if ADAPTER_ENABLE else None

    def forward(self, x, y):
        h = self.embedding(x)  # (B, T, width)
        h = h + torch.tanh(self.mix(h))
        if self.adapter is not None:
            h = self.adapter(h)
        return F.cross_entropy(self.head(h).flatten(0, 1), y.flatten())


def batches(seed, length=16, size=8):
    tokens = torch.tensor([VOCABULARY.index(c) for c in TEXT])
    generator = torch.Generator().manual_seed(seed)
    while True:
        starts = torch.randint(len(tokens) - length - 1, (size,), generator=generator)
        spans = torch.stack([tokens[s : s + length + 1] for s in starts])
        yield spans[:, :-1], spans[:, 1:]


def main():
    torch.manual_seed(0)
    model = Model(len(VOCABULARY), WIDTH)
    optimizer = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE)
    data = batches(seed=1)
    for step in range(STEPS):
        loss = model(*next(data))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        print(f"step {step} loss {loss.item():.6f}")
    model.eval()
    with torch.no_grad():
        print(f"final loss {model(*next(batches(seed=2))).item():.6f}")
    weights = {name: t.tolist() for name, t in model.state_dict().items()}
    with open("weights.txt", "w") as file:
        print(weights, file=file)


if __name__ == "__main__":
    main()

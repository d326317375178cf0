"""A training loop in one file, set by environment variables, with a checkpoint that it resumes."""

import os
import sys

import torch
import torch.nn.functional as F
from torch import nn

STEPS = int(os.environ.get("STEPS", 200))
LR = float(os.environ.get("LR", 0.01))
DROPOUT = float(os.environ.get("DROPOUT", 0.0))
RESUME = os.environ.get("RESUME", "")
CHECKPOINT = "last.pt"


class Model(nn.Module):
    def __init__(self, vocabulary=17, width=8):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, width)
        self.query = nn.Linear(width, 3 * width)
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, vocabulary)

    def forward(self, x):
        h = self.norm(self.embedding(x))
        q, k, v = self.query(h).chunk(3, dim=-1)
        rate = DROPOUT if self.training else 0.0
        h = h + F.scaled_dot_product_attention(q, k, v, dropout_p=rate, is_causal=True)
        return self.head(h)


def batch(generator):
    x = torch.randint(17, (4, 9), generator=generator)
    return x[:, :-1], x[:, 1:]


def loss_of(model, x, y):
    return F.cross_entropy(model(x).flatten(0, 1), y.flatten())


@torch.no_grad()
def evaluate(model):
    model.eval()
    generator = torch.Generator().manual_seed(2)
    losses = [loss_of(model, *batch(generator)) for _ in range(2)]
    model.train()
    return torch.stack(losses).mean()


def main():
    torch.manual_seed(0)
    model = Model()
    decayed = [p for n, p in model.named_parameters() if p.dim() > 1 and "embedding" not in n]
    plain = [p for n, p in model.named_parameters() if p.dim() < 2 or "embedding" in n]
    optimizer = torch.optim.AdamW(
        [{"params": decayed, "weight_decay": 0.1}, {"params": plain, "weight_decay": 0.0}], lr=LR
    )
    generator = torch.Generator().manual_seed(1)
    start = 0
    if RESUME:
        saved = torch.load(RESUME)
        model.load_state_dict(saved["model"])
        optimizer.load_state_dict(saved["optimizer"])
        generator.set_state(saved["generator"])
        start = saved["step"]
    for step in range(start, STEPS):
        loss = loss_of(model, *batch(generator))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        print(f"step {step} loss {loss.item():.6f}")
        if step % 2 == 1:
            print(f"validation {evaluate(model).item():.6f}")
            torch.save(
                {
                    "model": model.state_dict(),
                    "optimizer": optimizer.state_dict(),
                    "generator": generator.get_state(),
                    "step": step + 1,
                },
                CHECKPOINT,
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())

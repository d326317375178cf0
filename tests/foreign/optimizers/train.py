"""Two optimizers, one of the script's own (momentum made orthogonal by Newton-Schulz steps)."""

import argparse
import random

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn


def orthogonal(G, steps):
    a, b, c = 3.4445, -4.7750, 2.0315
    X = G / (G.norm() + 1e-7)
    if G.size(0) > G.size(1):
        X = X.T
    for _ in range(steps):
        A = X @ X.T
        B = b * A + c * A @ A
        X = a * X + B @ X
    return X.T if G.size(0) > G.size(1) else X


class Orthogonal(torch.optim.Optimizer):
    def __init__(self, params, lr=0.02, momentum=0.95, nesterov=True, ns_steps=5):
        super().__init__(params, {"lr": lr, "momentum": momentum, "nesterov": nesterov})
        self.ns_steps = ns_steps

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for p in group["params"]:
                state = self.state[p]
                if "buffer" not in state:
                    state["buffer"] = torch.zeros_like(p)
                buffer = state["buffer"]
                buffer.lerp_(p.grad, 1 - group["momentum"])
                update = p.grad.lerp(buffer, group["momentum"]) if group["nesterov"] else buffer
                p.add_(orthogonal(update, self.ns_steps), alpha=-group["lr"])


class Net(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.embed = nn.Embedding(13, width)
        self.blocks = nn.ModuleList(nn.Linear(width, width, bias=False) for _ in range(2))
        self.head = nn.Linear(width, 13)

    def forward(self, x):
        h = self.embed(x)
        for block in self.blocks:
            h = h + F.relu(block(h)).square()
        return self.head(h)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--width", type=int, default=8)
    parser.add_argument("--warmup", type=int, default=2)
    args = parser.parse_args()
    for key, value in vars(args).items():
        print(f"{key}: {value}")
    random.seed(7), np.random.seed(7), torch.manual_seed(7)
    net = Net(args.width)
    average = Net(args.width)
    average.load_state_dict(net.state_dict())
    matrices = list(net.blocks.parameters())
    others = [*net.embed.parameters(), *net.head.parameters()]
    optimizers = [Orthogonal(matrices), torch.optim.AdamW(others, lr=3e-3)]
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["initial_lr"] = group["lr"]
    tokens = torch.from_numpy(np.random.randint(0, 13, 400))
    for step in range(args.steps):
        for optimizer in optimizers:
            for group in optimizer.param_groups:
                group["lr"] = group["initial_lr"] * min(1.0, (step + 1) / args.warmup)
        start = random.randrange(300)
        x, y = tokens[start : start + 24].view(2, 12), tokens[start + 1 : start + 25].view(2, 12)
        loss = F.cross_entropy(net(x).flatten(0, 1), y.flatten())
        net.zero_grad()
        loss.backward()
        for optimizer in optimizers:
            optimizer.step()
        with torch.no_grad():
            for old, new in zip(average.parameters(), net.parameters(), strict=True):
                old.lerp_(new, 0.1)
        print(f"step:{step} loss:{loss.item():.6f}")
    average.eval()
    with torch.no_grad():
        print(f"average:{average(tokens[None, :50]).logsumexp(-1).mean().item():.6f}")


if __name__ == "__main__":
    main()

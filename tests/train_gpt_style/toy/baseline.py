"""The frozen baseline; a real one lies, sealed, under records/."""

import os
import random
from dataclasses import dataclass, field, fields

import numpy as np
import safetensors.torch
import torch
from torch.nn import Linear


@dataclass
class Hyperparameters:
    seed: int = field(default=7, metadata={"env": "SEED", "low": 0, "high": 2**32 - 1})
    steps: int = field(default=4, metadata={"env": "STEPS", "low": 0})
    lr: float = field(default=0.125, metadata={"env": "LR", "low": 0.0})


def main():
    knobs = fields(Hyperparameters)
    args = Hyperparameters(*(f.type(os.environ.get(f.metadata["env"]) or f.default) for f in knobs))
    random.seed(args.seed)
    np.random.seed(args.seed)
    torch.manual_seed(args.seed)
    print(f"seed:{args.seed}\nsteps:{args.steps}\nlr:{args.lr}")
    model = Linear(3, 1)
    adam = torch.optim.Adam(model.parameters(), lr=args.lr, fused=True)
    for step in range(1, args.steps + 1):
        x, y = torch.empty(8, 4).normal_().split([3, 1], dim=1)
        adam.zero_grad()
        loss = (model(x) - y).square().mean()
        loss.backward()
        adam.step()
        print(f"step:{step}/{args.steps} loss:{loss.item():.6f}")
    with torch.no_grad():
        val_loss = (model.eval()(torch.ones(1, 3)) - 1).square().mean().item()
    print(f"val_loss:{val_loss:.6f}")
    state = {name: t.detach() for name, t in model.state_dict().items()}
    safetensors.torch.save_file(state, "final_model.safetensors")

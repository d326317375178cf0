"""Muon: momentum whose direction is orthogonalised, shared out over the ranks."""

import torch
import torch.distributed as dist

from train_gpt_style.gpt.constants import MUON_EPS, NS_A, NS_B, NS_C
from train_gpt_style.kit.context import is_distributed


def newton_schulz(G, steps, eps=MUON_EPS):
    """Push the singular values of the matrix G towards one: the quintic iteration, in bfloat16."""
    a, b, c = NS_A, NS_B, NS_C
    X = G.bfloat16()
    X = X / (X.norm() + eps)
    tall = G.size(0) > G.size(1)
    if tall:
        X = X.T
    for _ in range(steps):
        A = X @ X.T
        B = b * A + c * A @ A  # reads as (c A) A: in bfloat16 the order is part of the result
        X = a * X + B @ X
    return X.T if tall else X


class Muon(torch.optim.Optimizer):
    """Nesterov momentum, orthogonalised. Ranks share the work: each owns every W-th matrix."""

    # An instance may carry a compiled version instead.
    orthogonalize = staticmethod(newton_schulz)

    def __init__(self, params, lr, momentum, backend_steps, nesterov=True):
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "backend_steps": backend_steps,
            "nesterov": nesterov,
        }
        super().__init__(params, defaults)

    def kept_for(self, p):
        """One momentum; see `kit/optimizers.py`."""
        return {"momentum_buffer": p}

    def owner_of(self, i, world_size):
        """Of parameter number i: the rank that orthogonalises it."""
        return i % world_size

    @torch.no_grad()
    def step(self, closure=None):
        """One update of every parameter; returns the closure's loss, if there is a closure."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        rank, world_size = (dist.get_rank(), dist.get_world_size()) if is_distributed() else (0, 1)
        for group in self.param_groups:
            params, momentum = group["params"], group["momentum"]
            if not params:
                continue
            sizes = [p.numel() for p in params]
            flat = torch.zeros(sum(sizes), device=params[0].device, dtype=torch.bfloat16)
            slots = flat.split(sizes)
            for i, (p, slot) in enumerate(zip(params, slots)):
                if i % world_size != rank or p.grad is None:
                    continue
                state = self.state[p]
                if "momentum_buffer" not in state:
                    state["momentum_buffer"] = torch.zeros_like(p.grad)
                buffer = state["momentum_buffer"]
                buffer.mul_(momentum).add_(p.grad)
                g = p.grad.add(buffer, alpha=momentum) if group["nesterov"] else buffer
                g = self.orthogonalize(g, group["backend_steps"])
                g = g * max(1, g.size(0) / g.size(1)) ** 0.5
                slot.copy_(g.reshape(-1))
            if world_size > 1:
                dist.all_reduce(flat)  # a sum
            for p, slot in zip(params, slots):
                p.add_(slot.view_as(p).to(p.dtype), alpha=-group["lr"])
        return loss

"""Muon: momentum whose direction is orthogonalised, shared out over the ranks."""

import torch
import torch.distributed as dist

from train_gpt_style.gpt.constants import MUON_EPS, NS_A, NS_B, NS_C
from train_gpt_style.kit.context import is_distributed


def newton_schulz(G, steps, eps=MUON_EPS, product_type=torch.bfloat16):
    """Push the singular values of the matrix G towards one: the quintic iteration, in bfloat16.

    product_type: in which the products are taken, of operands in bfloat16; rounded to it again.
    """
    a, b, c = NS_A, NS_B, NS_C
    X = G.bfloat16()
    X = X / (X.norm() + eps)
    tall = G.size(0) > G.size(1)
    if tall:
        X = X.T
    for _ in range(steps):
        W = X.to(product_type)
        A = (W @ W.T).bfloat16()
        P = A.to(product_type)
        B = b * A + (c * P @ P).bfloat16()  # (c P) P: in bfloat16 the order is part of the result
        X = a * X + (B.to(product_type) @ W).bfloat16()
    return X.T if tall else X


def one_by_one(params):
    """Numbers of the parameters that are orthogonalised together: each alone."""
    return [[i] for i in range(len(params))]


class Muon(torch.optim.Optimizer):
    """Nesterov momentum, orthogonalised. Ranks share the work: each owns every W-th unit.

    A unit is one matrix, or, where a feature says so, several that are orthogonalised together.
    """

    # What an instance may have otherwise: a compiled version, or what a feature put there.
    orthogonalize = staticmethod(newton_schulz)
    units_of = staticmethod(one_by_one)
    product_type = torch.bfloat16

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
        units = self.units_of(self.param_groups[0]["params"])
        return next(n for n, unit in enumerate(units) if i in unit) % world_size

    def direction(self, p, group):
        """Where the momentum leads, before it is orthogonalised; the momentum has moved."""
        state, momentum = self.state[p], group["momentum"]
        if "momentum_buffer" not in state:
            state["momentum_buffer"] = torch.zeros_like(p.grad)
        buffer = state["momentum_buffer"]
        buffer.mul_(momentum).add_(p.grad)
        return p.grad.add(buffer, alpha=momentum) if group["nesterov"] else buffer

    def orthogonalized(self, directions, steps):
        """The directions of one unit, orthogonalised."""
        (alone,) = directions
        return [self.orthogonalize(alone, steps, product_type=self.product_type)]

    @torch.no_grad()
    def step(self, closure=None):
        """One update of every parameter; returns the closure's loss, if there is a closure."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        rank, world_size = (dist.get_rank(), dist.get_world_size()) if is_distributed() else (0, 1)
        for group in self.param_groups:
            params = group["params"]
            if not params:
                continue
            sizes = [p.numel() for p in params]
            flat = torch.zeros(sum(sizes), device=params[0].device, dtype=torch.bfloat16)
            slots = flat.split(sizes)
            for unit in self.units_of(params)[rank::world_size]:
                moving = [i for i in unit if params[i].grad is not None]
                if moving:
                    directions = [self.direction(params[i], group) for i in moving]
                    updates = self.orthogonalized(directions, group["backend_steps"])
                    for i, g in zip(moving, updates):
                        g = g * max(1, g.size(0) / g.size(1)) ** 0.5
                        slots[i].copy_(g.reshape(-1))
            if world_size > 1:
                dist.all_reduce(flat)  # a sum
            for p, slot in zip(params, slots):
                p.add_(slot.view_as(p).to(p.dtype), alpha=-group["lr"])
        return loss

"""Equilibrium propagation (Scellier and Bengio 2017) on a chain of layers.

E = 1/2 sum_l ||h_{l+1} - after_l(h_l)||^2 for each example; its free state is the forward pass,
where E = 0. Nudged, h_1..h_L descend E + beta CE(head(h_L)) from there, h_0 held. Blocks move by
the gradient of E at the nudged state over beta, which tends to backpropagation's as beta -> 0;
two-sided nudging, +beta and -beta, removes the term of order beta.

Two credits are reported. The displacement -(h_nudged - h_free)/beta, with this sign, tends to a
positive matrix times the gradient. The residual -r_{l-1}/beta, r_l = h_{l+1} - after_l(h_l), tends
to the gradient itself; a_0 is the gradient of E at h_0 over beta in both.
"""

from contextlib import contextmanager
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import nn

from train_gpt_style.credit.methods.base import Method, inner, wide
from train_gpt_style.credit.methods.local import head_step


class EP(Method):
    """Relaxation, and what is read off from it."""

    def step(self, model, x, y, ctx, moment):
        """Embedding by <h_0, a_0>, blocks by E over beta, head by its true loss."""
        s = self.settings
        with ctx.autocast():
            first = model.start(x)
            with torch.no_grad():
                free = [h.detach() for h in model.rest(0, first)]
            loss, correct, signals = head_step(model, free, y, moment)
            with quiet(model):
                states, self.facts = self.nudged(model, signals)
                energy = 0.0
                for side, hidden in states:
                    hidden = [h.detach() for h in hidden]
                    energy = energy + side * self.energy(model, hidden)
                total = energy / self.width()
                if s.credit_penalty:
                    for block, h in zip(model.blocks, signals.hidden, strict=False):
                        total = total + s.credit_penalty * wide(block(h)).square().sum()
            total = total + inner(wide(first), self.lowest(model, states))
        (total / len(y)).backward()
        return loss, correct

    def width(self):
        """What differences of the nudged states are divided by."""
        s = self.settings
        return s.credit_ep_beta * (2 if s.credit_ep_sides == "two" else 1)

    def energy(self, model, hidden):
        """E, summed over the batch."""
        return sum(
            0.5 * wide(after - model.after(i, h, model.blocks[i](h))).square().sum()
            for i, (h, after) in enumerate(pairwise(hidden))
        )

    def nudged(self, model, signals):
        """[(side, h_0..h_L)] for +1, and -1 where two sides are nudged; and how well it settled."""
        sides = (1, -1) if self.settings.credit_ep_sides == "two" else (1,)
        found = [(side, *self.relaxed(model, signals, side)) for side in sides]
        residual = max(each[2] for each in found)
        steps = max(each[3] for each in found)
        settled = residual <= self.settings.credit_ep_tolerance
        facts = {"ep_residual": residual, "ep_steps": steps, "ep_settled": int(settled)}
        return [each[:2] for each in found], facts

    def relaxed(self, model, signals, side):
        """Descend from the free state; (h_0..h_L, relative residual, steps taken).

        The residual is the norm of the gradient over the norm of the displacement. Descent ends
        when it is at most CREDIT_EP_TOLERANCE, or after CREDIT_EP_STEPS.
        """
        s, free = self.settings, signals.hidden
        hidden, residual = [wide(h) for h in free], float("inf")
        for steps in range(1, s.credit_ep_steps + 1):  # noqa: B007, read after the loop
            gradients = self.slope(model, hidden, signals.y, side * s.credit_ep_beta)
            hidden = [
                hidden[0],
                *(h - s.credit_ep_rate * g for h, g in zip(hidden[1:], gradients, strict=True)),
            ]
            moved = sum((a - b).square().sum() for a, b in zip(hidden, free, strict=True))
            slope = sum(g.square().sum() for g in gradients)
            residual = float(slope / moved) ** 0.5 if float(moved) > 0 else 0.0
            if residual <= s.credit_ep_tolerance:
                break
        return hidden, residual, steps

    def slope(self, model, hidden, y, beta):
        """Gradients of E + beta CE in h_1..h_L."""
        with torch.enable_grad():
            hidden = [hidden[0], *(h.detach().requires_grad_() for h in hidden[1:])]
            losses = F.cross_entropy(wide(model.head(hidden[-1])), y, reduction="sum")
            total = self.energy(model, hidden) + beta * losses
        return torch.autograd.grad(total, hidden[1:])

    def lowest(self, model, states):
        """a_0: the gradient of E at h_0 over beta, by one vector-Jacobian product a side."""
        total = 0.0
        for side, hidden in states:
            with torch.enable_grad():
                h = hidden[0].detach().requires_grad_()
                energy = self.energy(model, [h, *hidden[1:2]])
            total = total + side * torch.autograd.grad(energy, h)[0]
        return total / self.width()

    def credits(self, model, signals, kind="displacement"):
        """a_0..a_L; `kind`: displacement or residual."""
        with quiet(model):
            states, _ = self.nudged(model, signals)
            found = [self.lowest(model, states)]
            two = self.settings.credit_ep_sides == "two"
            hidden = states[0][1]
            other = states[1][1] if two else signals.hidden
            if kind == "displacement":
                pairs = zip(hidden[1:], other[1:], strict=True)
                return [*found, *((b - a) / self.width() for a, b in pairs)]
            with torch.no_grad():
                residuals = [self.residuals(model, each) for _, each in states]
            first, second = residuals if two else (residuals[0], [0.0] * len(residuals[0]))
            return [
                *found,
                *((b - a) / self.width() for a, b in zip(first, second, strict=True)),
            ]

    def residuals(self, model, hidden):
        """r_0..r_{L-1}."""
        return [
            after - model.after(i, h, model.blocks[i](h))
            for i, (h, after) in enumerate(pairwise(hidden))
        ]


@contextmanager
def quiet(model):
    """Batch norms leave their running statistics alone: only the forward pass counts."""
    norms = [m for m in model.modules() if isinstance(m, nn.BatchNorm2d)]
    before = [m.momentum for m in norms]
    for m in norms:
        m.momentum = 0.0
    try:
        yield
    finally:
        for m, momentum in zip(norms, before, strict=True):
            m.momentum = momentum

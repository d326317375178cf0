"""What a method of credit assignment is asked, and what it is told."""

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F


@dataclass(frozen=True)
class Moment:
    """A step of the run: its number, from 0, and the part of training behind it, from 0 to 1."""

    step: int
    progress: float


@dataclass(frozen=True)
class Signals:
    """What a credit may be made of. Nothing here has a graph.

    hidden: h_0..h_L, each (B, ...). y: labels (B,). error: softmax(logits) - onehot, (B, C). top:
    the gradient of each example's own loss at h_L, (B, ...). step, progress: of `Moment`.
    """

    hidden: list[torch.Tensor]
    y: torch.Tensor
    error: torch.Tensor
    top: torch.Tensor
    step: int = 0
    progress: float = 1.0


class Method:
    """One way to assign credit; made from the settings, once a run."""

    def __init__(self, settings):
        self.settings = settings
        self.facts: dict[str, Any] = {}  # what a log says of the last step, or of the last credits

    def install(self, model):
        """Add the tensors that the method needs, by name, so that a checkpoint holds them."""

    def optimizers(self, model):
        """Optimizers of the parameters that it added."""
        return {}

    def step(self, model, x, y, ctx, moment):
        """Fill the gradients of every trained parameter; (mean loss, correct)."""
        raise NotImplementedError

    def credits(self, model, signals):
        """a_0..a_L, each of the shape of h_l; None: the method has none of its own."""
        return None


def error_of(logits, y):
    """softmax(logits) - onehot(y), (B, C): per example, unscaled."""
    return torch.softmax(wide(logits), dim=1) - F.one_hot(y, logits.size(1))


def wide(t):
    """The tensor in float32 at least; float64 stays, for who measures."""
    return t.to(torch.promote_types(t.dtype, torch.float32))


def inner(a, b):
    """The sum of all products, over the batch too: (B, ...) twice to a number."""
    return (a * b).sum()

"""A constellation of anchors on the sphere, and the patchwork that reads how far they are.

Shape letters: B batch, A anchors, D sphere, n compartments, c width of one.
"""

import torch
import torch.nn.functional as F
from torch import nn

from train_gpt_style.geometry.anchors import unit
from verify.errors import UsageError


class Constellation(nn.Module):
    """Anchors (A, D), normalised where they are used; `drop` of their columns go in training."""

    def __init__(self, anchors, drop=0.0):
        super().__init__()
        self.anchors, self.drop = nn.Parameter(anchors), drop

    def directions(self):
        """Unit anchors (A, D)."""
        return unit(self.anchors)

    def forward(self, embedding):
        """Unit rows (B, D) to triangulation (B, A): 1 - cos to each anchor.

        In training each anchor's column is 0 with probability `drop`, drawn from torch's own
        generator, for the whole batch at once; what stays is not rescaled.
        """
        tri = 1 - embedding @ self.directions().T
        if self.training and self.drop > 0:
            tri = tri * (torch.rand(tri.shape[1], device=tri.device) >= self.drop)
        return tri


class Patchwork(nn.Module):
    """n small networks, each of which reads every n-th anchor; their outputs side by side.

    Compartment k has anchors k, k + n, k + 2n, ...: a partition, so n must divide the anchors.
    """

    def __init__(self, anchors, compartments, width):
        super().__init__()
        if anchors % compartments:
            raise UsageError(f"{compartments} compartments must divide {anchors} anchors")
        self.compartments = compartments
        self.parts = nn.ModuleList(
            Compartment(anchors // compartments, width) for _ in range(compartments)
        )

    def forward(self, tri):
        """(B, A) to (B, n c)."""
        columns = tri.view(tri.shape[0], -1, self.compartments).unbind(dim=2)
        return torch.cat([part(c) for part, c in zip(self.parts, columns, strict=True)], dim=1)


class Compartment(nn.Module):
    """Linear(in -> 2 c), GELU, Linear(2 c -> c), LayerNorm(c)."""

    def __init__(self, inputs, width):
        super().__init__()
        self.up = nn.Linear(inputs, 2 * width)
        self.down = nn.Linear(2 * width, width)
        self.norm = nn.LayerNorm(width)

    def forward(self, tri):
        """(B, A / n) to (B, c)."""
        return self.norm(self.down(F.gelu(self.up(tri))))

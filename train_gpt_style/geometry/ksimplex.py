"""The KSimplex channel: each token deforms a regular 4-simplex, whose shape it then reads.

Reconstructed. Eleven features a token: ten squared distances in the order of `volumes`, and vol2.
Vertices are points of R^edim, so vol2 is never negative but for rounding, whatever the weights:
"100 % valid" says nothing about training.

Shape letters: B batch, P tokens, E dimensions of the simplex, D width.
"""

import torch
from torch import nn

from train_gpt_style.geometry.constants import GEO_DEFORM
from train_gpt_style.geometry.pool import CORNERS
from train_gpt_style.geometry.simplex import regular_simplex
from train_gpt_style.geometry.volumes import LEFT, RIGHT, volume2

FEATURES = 11


class KSimplex(nn.Module):
    """Linear(D -> 5 E), a template that it deforms, LayerNorm of eleven features."""

    def __init__(self, dim, edim=8):
        super().__init__()
        self.edim = edim
        self.deform = nn.Linear(dim, CORNERS * edim)
        self.norm = nn.LayerNorm(FEATURES)
        template = regular_simplex(CORNERS, edim).float()
        for name, value in (
            ("template", template),
            ("left", torch.tensor(LEFT)),
            ("right", torch.tensor(RIGHT)),
        ):
            self.register_buffer(name, value, persistent=False)

    def raw(self, x):
        """Tokens (B, P, D) to (squared distances (10, B, P), vol2 (B, P)), before the norm."""
        B, P, _ = x.shape
        corners = self.template + GEO_DEFORM * self.deform(x).view(B, P, CORNERS, self.edim)
        edges = corners.index_select(2, self.left) - corners.index_select(2, self.right)
        distances = edges.square().sum(dim=3).permute(2, 0, 1).contiguous()
        return distances, volume2(distances)

    def forward(self, x):
        """Tokens (B, P, D) to (features (B, P, 11), vol2 (B, P))."""
        distances, found = self.raw(x)
        return self.read(distances, found), found

    def read(self, distances, volume2):
        """What `raw` gives as features (B, P, 11): side by side, normed."""
        return self.norm(torch.cat((distances, volume2.unsqueeze(0))).permute(1, 2, 0))

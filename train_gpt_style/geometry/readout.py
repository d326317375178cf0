"""Class logits of a unit embedding, through a constellation and a patchwork.

Shape letters: B batch, O sphere, A anchors, n compartments, c width of one, C classes.
"""

import torch
import torch.nn.functional as F
from torch import nn

from train_gpt_style.geometry.constants import GEO_READOUT_DROPOUT
from train_gpt_style.geometry.constellation import Constellation, Patchwork


class Readout(nn.Module):
    """Linear(n c + O -> n c), GELU, LayerNorm, Dropout, Linear(n c -> C) on [patchwork, embedding].

    anchors: unit rows (A, O). Raises UsageError when n does not divide A.
    """

    def __init__(self, anchors, compartments, width, classes):
        super().__init__()
        inner = compartments * width
        self.constellation = Constellation(anchors)
        self.patchwork = Patchwork(len(anchors), compartments, width)
        self.up = nn.Linear(inner + anchors.shape[1], inner)
        self.norm = nn.LayerNorm(inner)
        self.dropout = nn.Dropout(GEO_READOUT_DROPOUT)
        self.down = nn.Linear(inner, classes)

    def forward(self, embedding):
        """(B, O) to (B, C)."""
        seen = torch.cat((self.patchwork(self.constellation(embedding)), embedding), dim=1)
        return self.down(self.dropout(self.norm(F.gelu(self.up(seen)))))

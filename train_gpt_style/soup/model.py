"""The soup: a projector an expert, their mean on the sphere, and a readout by anchors.

At three experts of 768 columns, 128, 256 anchors, 8 x 64, 80 classes: 799,952 parameters.

Shape letters: B batch, D columns of an expert, O sphere, A anchors, C classes.
"""

import torch
import torch.nn.functional as F
from torch import nn

from train_gpt_style.geometry.anchors import unit
from train_gpt_style.geometry.readout import Readout
from train_gpt_style.soup.data import SYNTHETIC_CLASSES


class Projector(nn.Module):
    """An expert's row on its way to the sphere: Linear(D -> O), LayerNorm(O)."""

    def __init__(self, width, output_dim):
        super().__init__()
        self.linear = nn.Linear(width, output_dim)
        self.norm = nn.LayerNorm(output_dim)

    def forward(self, rows):
        """(B, D) to (B, O)."""
        return self.norm(self.linear(rows))


class Soup(nn.Module):
    """Projected experts, averaged and normalised: one embedding, read off by anchors.

    Features fill two seams, empty by default: `on_embedding`, functions of the embedding and the
    model that give the embedding that all else sees; `auxiliary`, by name, functions of the model,
    the embedding and the rows' places that give a weighted loss term.
    """

    def __init__(self, widths, output_dim, n_anchors, n_comp, d_comp, classes):
        super().__init__()
        self.projectors = nn.ModuleList(Projector(width, output_dim) for width in widths)
        # With the argument, as the baseline has it: without, torch draws by another operation.
        anchors = unit(torch.randn(n_anchors, output_dim, generator=None))
        self.readout = Readout(anchors, n_comp, d_comp, classes)
        self.on_embedding, self.auxiliary = [], {}

    def embed(self, features):
        """[(B, D)] to unit rows (B, O)."""
        parts = [p(x) for p, x in zip(self.projectors, features, strict=True)]
        embedding = unit(torch.stack(parts).mean(dim=0))
        for shaped in self.on_embedding:
            embedding = shaped(embedding, self)
        return embedding

    def forward(self, features):
        """[(B, D)] to the embedding (B, O) and logits (B, C)."""
        embedding = self.embed(features)
        return embedding, self.readout(embedding)


def build_model(settings, ctx, widths=(), classes=0):
    """A fresh model on its device; widths and classes are the data's."""
    s = settings
    widths = widths or (s.expert_dim,) * s.n_experts
    sizes = (s.output_dim, s.n_anchors, s.n_comp, s.d_comp)
    return Soup(widths, *sizes, s.classes or classes or SYNTHETIC_CLASSES).to(ctx.device)


def loss_of(model, features, labels, rows=None):
    """Binary cross-entropy in nats, mean over rows and classes, and what features add to it.

    rows: places of the batch in the training split.
    """
    embedding, logits = model(features)
    loss = F.binary_cross_entropy_with_logits(logits.float(), labels)
    for term in model.auxiliary.values():
        loss = loss + term(model, embedding.float(), rows)
    return loss

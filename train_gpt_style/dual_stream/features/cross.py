"""N_CROSS_BLOCKS: both streams go on side by side and read each other, in place of the fusion.

Idea (v5, v6): after the dual blocks no stream is given up. Each ends in an embedding, and their
sum, normalised, is the embedding of the image; the classifier reads both. Published structure.
Off (0): the streams are fused.
"""

import torch
from torch import nn

from goldenseal.errors import UsageError
from goldenseal.knobs import Feature, Knob
from train_gpt_style.dual_stream.blocks import Stream, projection
from train_gpt_style.dual_stream.model import Classifier, built
from train_gpt_style.dual_stream.seams import GatedFeature
from train_gpt_style.geometry.constants import GEO_NORM_EPS


class CrossBlock(nn.Module):
    """Two streams that meet, neither with simplices; both stay as wide as they are."""

    def __init__(self, dim, heads):
        super().__init__()
        self.geo, self.std = Stream(dim, heads), Stream(dim, heads)

    def forward(self, geo, std):
        """(B, P, D) twice to the same."""
        geo, std = self.geo.alone(geo), self.std.alone(std)
        return self.geo.meet(geo, std), self.std.meet(std, geo)


class Bidirectional(nn.Module):
    """In the place of model.Fusion."""

    def __init__(self, dim, blocks, heads, output_dim):
        super().__init__()
        self.cross = nn.ModuleList(CrossBlock(dim, heads) for _ in range(blocks))
        self.output_proj = projection(dim, output_dim)

    def forward(self, geo, std):
        """(B, P, D) twice to the tokens of the standard stream, and both streams."""
        for block in self.cross:
            geo, std = block(geo, std)
        return std, geo, std

    def embeddings(self, own, geo):
        """(sum, std, both): what is normalised, and what the classifier reads."""
        return direction_of_sum(geo, own), own, (geo, own)


def direction_of_sum(geo, std):
    """geo + std, by rows (B, O); geo itself where they cancel, so that a direction is defined."""
    total = geo + std
    gone = (total * total).sum(dim=1, keepdim=True) <= GEO_NORM_EPS
    return torch.where(gone, geo, total)


class Cross(GatedFeature):
    """Fills one seam: parts of the model."""

    declaration = Feature(
        name="cross",
        summary="two streams to the end, in place of the fusion",
        master=Knob("N_CROSS_BLOCKS", int, 0, "blocks; 0: the streams are fused", 0, on="1"),
        example={"GEO_HEAD": "1", "N_FUSED_BLOCKS": "0", "N_CROSS_BLOCKS": "1"},
    )

    def check(self, s):
        """It takes the place of the fusion, and needs the geometric embedding."""
        if s.n_fused_blocks or not s.geo_head:
            raise UsageError(
                f"N_CROSS_BLOCKS={s.n_cross_blocks} needs N_FUSED_BLOCKS=0 and GEO_HEAD=1, "
                f"not {s.n_fused_blocks} and {int(s.geo_head)}"
            )

    def install(self, model, settings):
        """Blocks for the fusion, and a classifier that reads two embeddings."""
        s = settings
        blocks = s.n_cross_blocks
        model.joint = built(
            lambda: Bidirectional(s.stream_dim, blocks, s.n_heads, s.output_dim), s, 3
        )
        width = s.n_comp * s.d_comp
        model.classifier = built(
            lambda: Classifier(width + 2 * s.output_dim, width, s.classes), s, 4
        )


CROSS = Cross()

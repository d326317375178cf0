"""Patches into two streams, one fed by simplices; joined, projected to a sphere, classified.

At the default shapes it has 6,296,582 parameters, the published figure of Run 1.

Shape letters: B batch, C classes, S image side, P tokens, D stream, O sphere, A anchors.
"""

from dataclasses import dataclass, field
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from train_gpt_style.dual_stream.blocks import DualBlock, FusedBlock, Simplices, projection
from train_gpt_style.dual_stream.constants import DUAL_DROPOUT, DUAL_INIT_STD
from train_gpt_style.dual_stream.data import own_generator
from train_gpt_style.geometry.anchors import orthogonal_anchors, unit
from train_gpt_style.geometry.constellation import Constellation, Patchwork


@dataclass
class Output:
    """What a forward pass computed.

    emb (B, O), unit rows; logits (B, C); geo, std: the streams' own unit embeddings, where the
    model has them. simplices: those of each dual block. tokens (B, P, .) led to emb; patches
    (B, P, .) went into the streams.
    """

    emb: torch.Tensor
    logits: torch.Tensor
    geo: torch.Tensor | None = None
    std: torch.Tensor | None = None
    simplices: list[Simplices] = field(default_factory=list)
    tokens: torch.Tensor | None = None
    patches: torch.Tensor | None = None


class Fusion(nn.Module):
    """Both streams side by side into one of another width, and blocks on that."""

    def __init__(self, stream_dim, fused_dim, blocks, heads, output_dim):
        super().__init__()
        self.fuse = nn.Linear(2 * stream_dim, fused_dim)
        self.blocks = nn.ModuleList(FusedBlock(fused_dim, heads) for _ in range(blocks))
        self.norm = nn.LayerNorm(fused_dim)
        self.output_proj = projection(fused_dim, output_dim)

    def forward(self, geo, std):
        """(B, P, D) twice to tokens (B, P, fused), and the streams as they were."""
        x = self.fuse(torch.cat((geo, std), dim=2))
        for block in self.blocks:
            x = block(x)
        return self.norm(x), geo, std

    def embeddings(self, own, geo):
        """(emb, std, what the classifier reads beside the patchwork)."""
        return own, None, (own,)


class Classifier(nn.Module):
    """Logits from the patchwork and what stands beside it."""

    def __init__(self, inputs, hidden, classes):
        super().__init__()
        self.up, self.norm = nn.Linear(inputs, hidden), nn.LayerNorm(hidden)
        self.out = nn.Linear(hidden, classes)

    def forward(self, x):
        """(B, in) to (B, C)."""
        h = self.norm(F.gelu(self.up(x)))
        return self.out(F.dropout(h, DUAL_DROPOUT, self.training))


class DualStream(nn.Module):
    """The model. Features put modules into `extras`, or another one in the place of a part.

    seen: the Output of the last forward pass. lookers: called with the classes of each batch of a
    validation, once `seen` is of it. notes: what a feature has to say of the fresh model.
    """

    def __init__(self, settings):
        super().__init__()
        s = self.settings = settings
        self.patch = nn.Linear(3 * s.patch_size**2, s.embed_dim)
        tokens = (s.img_size // s.patch_size) ** 2
        self.position = nn.Parameter(torch.empty(tokens, s.embed_dim))
        self.geo_in = nn.Linear(s.embed_dim, s.stream_dim)
        self.std_in = nn.Linear(s.embed_dim, s.stream_dim)
        self.dual = nn.ModuleList(
            DualBlock(s.stream_dim, s.n_heads) for _ in range(s.n_dual_blocks)
        )
        self.joint = Fusion(s.stream_dim, s.fused_dim, s.n_fused_blocks, s.n_heads, s.output_dim)
        anchors = orthogonal_anchors(s.n_anchors, s.output_dim)
        self.constellation = Constellation(anchors, s.anchor_drop)
        self.patchwork = Patchwork(s.n_anchors, s.n_comp, s.d_comp)
        width = s.n_comp * s.d_comp
        self.classifier = Classifier(width + s.output_dim, width, s.classes)
        initialise(self)
        nn.init.trunc_normal_(self.position, std=DUAL_INIT_STD)
        self.geo_output_proj: Any = None
        self.extras = nn.ModuleDict()
        self.shape_gradient: Any = None
        self.seen: Any = None
        self.lookers: list[Any] = []
        self.notes: list[str] = []

    def finish(self, projected):
        """A projected mean (B, O) as a unit embedding, with the gradient that a feature wants."""
        e = unit(projected)
        return e if self.shape_gradient is None else self.shape_gradient(e, self)

    def forward(self, images):
        """Images (B, 3, S, S), float, to (emb (B, O), logits (B, C)); `seen` has the rest."""
        B, _, S, _ = images.shape
        p = self.settings.patch_size
        patches = images.view(B, 3, S // p, p, S // p, p).permute(0, 2, 4, 1, 3, 5)
        x = self.patch(patches.reshape(B, (S // p) ** 2, 3 * p * p)) + self.position
        geo, std, simplices = self.geo_in(x), self.std_in(x), []
        for block in self.dual:
            geo, std, found = block(geo, std)
            simplices.append(found)
        tokens, geo, std = self.joint(geo, std)
        own = self.finish(self.joint.output_proj(tokens.mean(dim=1)))
        geo_emb = None
        if self.geo_output_proj is not None:
            geo_emb = self.finish(self.geo_output_proj(geo.mean(dim=1)))
        emb, std_emb, beside = self.joint.embeddings(own, geo_emb)
        if emb is not own:
            emb = self.finish(emb)
        read = self.patchwork(self.constellation(emb))
        logits = self.classifier(torch.cat((read, *beside), dim=1))
        self.seen = Output(emb, logits, geo_emb, std_emb, simplices, tokens, x)
        return emb, logits


def initialise(module, generator=None):
    """Truncated normal weights and zero biases of every Linear in it."""
    for each in module.modules():
        if isinstance(each, nn.Linear):
            nn.init.trunc_normal_(each.weight, std=DUAL_INIT_STD, generator=generator)
            nn.init.zeros_(each.bias)


def built(make, settings, place):
    """What `make()` builds, initialised by its own generator: torch's own stays where it is."""
    with torch.random.fork_rng(devices=[]):
        module = make()
    initialise(module, own_generator(settings.seed, 0, place))
    return module


def build_model(settings, ctx):
    """A fresh model on its device: all that the baseline has, then what features install."""
    model = DualStream(settings)
    for feature in settings.features:
        feature.install(model, settings)
    return model.to(ctx.device)

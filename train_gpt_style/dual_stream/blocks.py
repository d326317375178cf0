"""The blocks of the model: attention with normed heads, streams, the two that meet, the fused.

Reconstructed: order and counts are forced by published figures, the rest is this package's choice.

Shape letters: B batch, P tokens, D width, H heads.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import nn

from train_gpt_style.geometry.ksimplex import FEATURES, KSimplex


class Attention(nn.Module):
    """Queries of x, keys and values of `context`; queries and keys are normed head by head."""

    def __init__(self, dim, heads):
        super().__init__()
        self.heads = heads
        self.query, self.key = nn.Linear(dim, dim), nn.Linear(dim, dim)
        self.value, self.out = nn.Linear(dim, dim), nn.Linear(dim, dim)
        self.query_norm = nn.LayerNorm(dim // heads)
        self.key_norm = nn.LayerNorm(dim // heads)

    def forward(self, x, context):
        """(B, P, D) and (B, P, D) to (B, P, D)."""
        B, P, D = x.shape
        shape = (B, P, self.heads, D // self.heads)
        q = self.query_norm(self.query(x).view(shape)).transpose(1, 2)
        k = self.key_norm(self.key(context).view(shape)).transpose(1, 2)
        v = self.value(context).view(shape).transpose(1, 2)
        y = F.scaled_dot_product_attention(q, k, v)
        return self.out(y.transpose(1, 2).reshape(B, P, D))


class FeedForward(nn.Module):
    """Four widths and GELU."""

    def __init__(self, dim):
        super().__init__()
        self.up, self.down = nn.Linear(dim, 4 * dim), nn.Linear(4 * dim, dim)

    def forward(self, x):
        """(B, P, D) to (B, P, D)."""
        return self.down(F.gelu(self.up(x)))


class Stream(nn.Module):
    """One stream's half of a block: attention to itself, to the other stream, feed forward."""

    def __init__(self, dim, heads):
        super().__init__()
        self.norm1, self.attention = nn.LayerNorm(dim), Attention(dim, heads)
        self.norm2, self.cross = nn.LayerNorm(dim), Attention(dim, heads)
        self.norm3, self.feed = nn.LayerNorm(dim), FeedForward(dim)

    def alone(self, x):
        """What comes before the streams meet."""
        h = self.norm1(x)
        return x + self.attention(h, h)

    def meet(self, x, other):
        """What the other stream says, then the feed forward."""
        x = x + self.cross(self.norm2(x), other)
        return x + self.feed(self.norm3(x))


class Simplices(NamedTuple):
    """Of one block: features (B, P, 11), squared distances (10, B, P), squared volumes (B, P)."""

    features: torch.Tensor
    distances: torch.Tensor
    volume2: torch.Tensor


class GeoStream(Stream):
    """A stream that reads simplices after it attended to itself."""

    def __init__(self, dim, heads):
        super().__init__(dim, heads)
        self.simplex, self.lift = KSimplex(dim), nn.Linear(FEATURES, dim)

    def alone(self, x):
        """The stream, and its Simplices."""
        x = super().alone(x)
        distances, volume2 = self.simplex.raw(x)
        features = self.simplex.read(distances, volume2)
        return x + self.lift(features), Simplices(features, distances, volume2)


class DualBlock(nn.Module):
    """Both streams meet at the same time: each reads the other as it was before."""

    def __init__(self, dim, heads):
        super().__init__()
        self.geo, self.std = GeoStream(dim, heads), Stream(dim, heads)

    def forward(self, geo, std):
        """(B, P, D) twice to the same, and the block's Simplices."""
        geo, simplices = self.geo.alone(geo)
        std = self.std.alone(std)
        return self.geo.meet(geo, std), self.std.meet(std, geo), simplices


class FusedBlock(nn.Module):
    """Attention and feed forward behind norms."""

    def __init__(self, dim, heads):
        super().__init__()
        self.norm1, self.attention = nn.LayerNorm(dim), Attention(dim, heads)
        self.norm2, self.feed = nn.LayerNorm(dim), FeedForward(dim)

    def forward(self, x):
        """(B, P, D) to (B, P, D)."""
        h = self.norm1(x)
        x = x + self.attention(h, h)
        return x + self.feed(self.norm2(x))


def projection(inputs, outputs):
    """What leads to the sphere: Linear, LayerNorm."""
    return nn.Sequential(nn.Linear(inputs, outputs), nn.LayerNorm(outputs))

"""The other networks that credit assignment is tried on, each a `Chain`.

Shapes are those of the literature where it gives them; what it leaves open is chosen here.

    vit-mini    patches of 4, width 128, 4 blocks, 4 heads: 809,354 parameters on CIFAR-10
    student     the residual MLP without a norm at its end, phi_alpha for GELU: 150,922 at width 128
    small-cnn   three convolutions with batch norm, one hidden layer: 620,810 on CIFAR-10
    relu-mlp    four layers of 256, no norm, no skip: 986,634 on CIFAR-10

Shape letters: B batch, C classes, D width, T patches and one class token, S side of an image.
"""

import math
from functools import partial

import torch
import torch.nn.functional as F
from torch import nn

from goldenseal.errors import UsageError
from train_gpt_style.credit.constants import VIT_POSITION_STD
from train_gpt_style.credit.data import phi
from train_gpt_style.credit.model import Block, Chain

CHANNELS = (32, 64, 128)  # of the convolutions


class TokenBlock(nn.Module):
    """Attention, then an MLP of four widths, each behind a norm; the sum of both, without the skip.

    So the branch f(h) of the whole block is what it adds to h.
    """

    def __init__(self, dim, heads):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.qkv, self.proj = nn.Linear(dim, 3 * dim), nn.Linear(dim, dim)
        self.up, self.down = nn.Linear(dim, 4 * dim), nn.Linear(4 * dim, dim)

    def attention(self, h):
        """(B, T, D) to (B, T, D)."""
        B, T, D = h.shape
        qkv = self.qkv(h).view(B, T, 3, self.heads, D // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4).unbind()
        y = F.scaled_dot_product_attention(q, k, v)
        return self.proj(y.transpose(1, 2).reshape(B, T, D))

    def forward(self, h):
        """(B, T, D) to (B, T, D)."""
        a = self.attention(self.norm1(h))
        return a + self.down(F.gelu(self.up(self.norm2(h + a))))


class ViTMini(Chain):
    """Patches and a class token through pre-norm blocks; the token's last state is classified."""

    def __init__(self, shape, patch, dim, depth, heads, classes):
        super().__init__()
        channels, height, width = shape
        tokens = (height // patch) * (width // patch) + 1
        self.shapes = [(tokens, dim)] * (depth + 1)
        self.embed = nn.Conv2d(channels, dim, patch, stride=patch)
        self.cls = nn.Parameter(VIT_POSITION_STD * torch.randn(1, 1, dim))
        self.position = nn.Parameter(VIT_POSITION_STD * torch.randn(1, tokens, dim))
        self.blocks = nn.ModuleList(TokenBlock(dim, heads) for _ in range(depth))
        self.out_ln = nn.LayerNorm(dim)
        self.out_head = nn.Linear(dim, classes)

    def start(self, x):
        """Images (B, channels, S, S) to (B, T, D)."""
        patches = self.embed(x).flatten(2).transpose(1, 2)
        return torch.cat((self.cls.expand(len(x), -1, -1), patches), dim=1) + self.position

    def head(self, h):
        """(B, T, D) to (B, C)."""
        return self.out_head(self.out_ln(h)[:, 0])


class Student(Chain):
    """The residual MLP whose nonlinearity is the teacher's, and which has no norm at its end."""

    def __init__(self, inputs, dim, depth, classes, w2_std, alpha):
        super().__init__()
        act = partial(phi, alpha=alpha)
        self.shapes = [(dim,)] * (depth + 1)
        self.embed = nn.Linear(inputs, dim)
        self.blocks = nn.ModuleList(Block(dim, w2_std, act) for _ in range(depth))
        self.out_head = nn.Linear(dim, classes)

    def start(self, x):
        """(B, ...) to (B, D)."""
        return self.embed(x.flatten(1))

    def head(self, h):
        """(B, D) to (B, C)."""
        return self.out_head(h)


class Plain(Chain):
    """A chain whose layers are no residuals."""

    def after(self, index, h, f):
        """The layer's own output."""
        return f

    def head(self, h):
        """h_L to (B, C)."""
        return self.out_head(h)


def convolution(inputs, outputs):
    """A layer of the small CNN: (B, inputs, S, S) to (B, outputs, S/2, S/2)."""
    layers = (nn.Conv2d(inputs, outputs, 3, padding=1), nn.BatchNorm2d(outputs))
    return nn.Sequential(*layers, nn.ReLU(), nn.MaxPool2d(2))


class SmallCNN(Plain):
    """Three convolutions and a hidden layer; h_0..h_2 are the pooled maps, h_3 the hidden layer."""

    def __init__(self, shape, hidden, classes):
        super().__init__()
        channels, height, width = shape
        maps = [(c, height >> i, width >> i) for i, c in enumerate(CHANNELS, 1)]
        self.shapes = [*maps, (hidden,)]
        self.embed = convolution(channels, CHANNELS[0])
        last = (nn.Flatten(), nn.Linear(math.prod(maps[-1]), hidden), nn.ReLU())
        convolutions = [convolution(*CHANNELS[i : i + 2]) for i in range(2)]
        self.blocks = nn.ModuleList([*convolutions, nn.Sequential(*last)])
        self.out_head = nn.Linear(hidden, classes)


class ReluMLP(Plain):
    """`depth` layers of one width, without norm and skip; h_0 is the output of the first."""

    def __init__(self, inputs, dim, depth, classes):
        super().__init__()
        self.shapes = [(dim,)] * depth
        layers = [
            nn.Sequential(nn.Linear(dim if i else inputs, dim), nn.ReLU()) for i in range(depth)
        ]
        self.embed, self.blocks = layers[0], nn.ModuleList(layers[1:])
        self.out_head = nn.Linear(dim, classes)

    def start(self, x):
        """(B, ...) to (B, D)."""
        return self.embed(x.flatten(1))


def build(settings, shape, classes):
    """The network that CREDIT_MODEL names, for inputs of that shape.

    Raises UsageError, one line, where the inputs do not fit it.
    """
    s, inputs = settings, math.prod(shape)
    if s.credit_model == "student":
        return Student(inputs, s.dim, s.depth, classes, s.w2_std, s.teacher_alpha)
    if s.credit_model == "relu-mlp":
        return ReluMLP(inputs, s.dim, s.depth, classes)
    least = 8 if s.credit_model == "small-cnn" else s.credit_patch
    if len(shape) != 3 or any(side < least for side in shape[1:]):
        raise UsageError(
            f"CREDIT_MODEL={s.credit_model} needs images of at least {least} pixels a side, "
            f"these inputs are {shape}"
        )
    if s.credit_model == "small-cnn":
        return SmallCNN(shape, s.dim, classes)
    if any(side % s.credit_patch for side in shape[1:]):
        raise UsageError(f"CREDIT_PATCH={s.credit_patch} must divide the sides of {shape}")
    return ViTMini(shape, s.credit_patch, s.dim, s.depth, s.credit_heads, classes)

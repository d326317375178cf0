"""ViT-Tiny: patches and a class token through pre-norm blocks (Dosovitskiy, arXiv 2010.11929).

At 224 pixels, patches of 16, width 192, 12 blocks, 3 heads: 5,524,416 + 193 C parameters.

Shape letters: B batch, C classes, S image side, T patches and one class token, D width, H heads.
"""

import torch
import torch.nn.functional as F
from torch import nn

from train_gpt_style.vit_rft.constants import VIT_INIT_STD, VIT_NORM_EPS


class Attention(nn.Module):
    """Multi-head self-attention over all tokens."""

    def __init__(self, dim, heads):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(dim, 3 * dim)
        self.proj = nn.Linear(dim, dim)

    def forward(self, x_BTD):
        """(B, T, D) to (B, T, D)."""
        B, T, D = x_BTD.shape
        qkv = self.qkv(x_BTD).view(B, T, 3, self.heads, D // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4).unbind()
        y_BHTd = F.scaled_dot_product_attention(q, k, v)
        return self.proj(y_BHTd.transpose(1, 2).reshape(B, T, D))


class Block(nn.Module):
    """Attention, then an MLP of four widths, each behind a norm and beside a residual."""

    def __init__(self, dim, heads):
        super().__init__()
        self.norm1 = nn.LayerNorm(dim, eps=VIT_NORM_EPS)
        self.attention = Attention(dim, heads)
        self.norm2 = nn.LayerNorm(dim, eps=VIT_NORM_EPS)
        self.up = nn.Linear(dim, 4 * dim)
        self.down = nn.Linear(4 * dim, dim)

    def forward(self, x_BTD):
        """(B, T, D) to (B, T, D)."""
        x = x_BTD + self.attention(self.norm1(x_BTD))
        return x + self.down(F.gelu(self.up(self.norm2(x))))


class ViT(nn.Module):
    """The class token's last state, classified."""

    def __init__(self, image_size, patch_size, dim, depth, heads, classes):
        super().__init__()
        self.patch = nn.Conv2d(3, dim, patch_size, stride=patch_size)
        self.cls = nn.Parameter(torch.empty(1, 1, dim))
        tokens = (image_size // patch_size) ** 2 + 1
        self.position = nn.Parameter(torch.empty(1, tokens, dim))
        self.blocks = nn.ModuleList(Block(dim, heads) for _ in range(depth))
        self.norm = nn.LayerNorm(dim, eps=VIT_NORM_EPS)
        self.head = nn.Linear(dim, classes)
        for name, p in self.named_parameters():
            if "norm" in name:
                continue
            if name.endswith("bias"):
                nn.init.zeros_(p)
            else:
                nn.init.trunc_normal_(p, std=VIT_INIT_STD)

    def forward(self, images):
        """Images (B, 3, S, S), float, to logits (B, C)."""
        x_BTD = self.patch(images).flatten(2).transpose(1, 2)
        cls = self.cls.expand(x_BTD.size(0), -1, -1)
        x_BTD = torch.cat((cls, x_BTD), dim=1) + self.position
        for block in self.blocks:
            x_BTD = block(x_BTD)
        return self.head(self.norm(x_BTD)[:, 0])


def build_model(settings, ctx, classes=0):
    """A fresh model on its device; `classes` where CLASSES leaves it to the data."""
    s = settings
    classes = s.classes or classes or 1000
    return ViT(s.image_size, s.patch_size, s.dim, s.depth, s.heads, classes).to(ctx.device)


def loss_and_correct(model, x, y):
    """Mean cross-entropy in nats, and how many of uint8 images `x` are classified as `y`."""
    logits = model(x.float() / 127.5 - 1.0)
    return F.cross_entropy(logits.float(), y), (logits.argmax(dim=1) == y).sum()

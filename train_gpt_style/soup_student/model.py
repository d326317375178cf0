"""The student: a pre-norm vision transformer whose class token becomes a point on a sphere.

At 224 pixels, patches of 16, width 384, six layers and heads, 128: 11,216,768 parameters.

Shape letters: B batch, S image side, T patches and one class token, D width, H heads, O sphere.
"""

import torch
import torch.nn.functional as F
from torch import nn

from train_gpt_style.geometry.anchors import unit


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


class Layer(nn.Module):
    """Attention, then a feed-forward network, each behind a norm and beside a residual."""

    def __init__(self, dim, heads, ffn_dim):
        super().__init__()
        self.norm1 = nn.LayerNorm(dim)
        self.attention = Attention(dim, heads)
        self.norm2 = nn.LayerNorm(dim)
        self.up = nn.Linear(dim, ffn_dim)
        self.down = nn.Linear(ffn_dim, dim)

    def forward(self, x_BTD):
        """(B, T, D) to (B, T, D)."""
        x = x_BTD + self.attention(self.norm1(x_BTD))
        return x + self.down(F.gelu(self.up(self.norm2(x))))


class Student(nn.Module):
    """The class token's last state through a head, normalised; Xavier initialisation.

    Features fill two seams, empty by default: `on_embedding`, functions of the embedding and the
    model that give the embedding that all else sees; `auxiliary`, by name, functions of the
    embedding, its targets and the images' places that give a weighted loss term.
    """

    def __init__(self, img_size, patch_size, channels, depth, dim, heads, ffn_dim, output_dim):
        super().__init__()
        self.channels = channels
        self.patch = nn.Conv2d(channels, dim, patch_size, stride=patch_size)
        tokens = (img_size // patch_size) ** 2 + 1
        self.cls = nn.Parameter(torch.empty(1, 1, dim))
        self.position = nn.Parameter(torch.empty(1, tokens, dim))
        self.layers = nn.ModuleList(Layer(dim, heads, ffn_dim) for _ in range(depth))
        self.norm = nn.LayerNorm(dim)
        self.hidden = nn.Linear(dim, dim)
        self.hidden_norm = nn.LayerNorm(dim)
        self.out = nn.Linear(dim, output_dim)
        self.on_embedding, self.auxiliary = [], {}
        for name, p in self.named_parameters():
            if p.dim() >= 2:
                nn.init.xavier_uniform_(p.flatten(1))
            elif "norm" not in name:
                nn.init.zeros_(p)

    def forward(self, images):
        """Images (B, channels, S, S), float, to unit rows (B, O)."""
        x_BTD = self.patch(images).flatten(2).transpose(1, 2)
        cls = self.cls.expand(x_BTD.size(0), -1, -1)
        x_BTD = torch.cat((cls, x_BTD), dim=1) + self.position
        for layer in self.layers:
            x_BTD = layer(x_BTD)
        x = self.hidden_norm(F.gelu(self.hidden(self.norm(x_BTD)[:, 0])))
        embedding = unit(self.out(x))
        for shaped in self.on_embedding:
            embedding = shaped(embedding, self)
        return embedding


def build_model(settings, ctx):
    """A fresh model on its device; it knows how its loss is weighed."""
    s = settings
    sizes = (s.img_size, s.patch_size, s.channels, s.depth, s.dim, s.heads, s.ffn_dim)
    model = Student(*sizes, s.output_dim)
    model.weighed = (s.nce_weight, s.nce_temp, s.mse_weight)
    return model.to(ctx.device)


def seen(model, images):
    """The embedding (B, O) of uint8 images (B, 3, S, S)."""
    return model(images[:, : model.channels].float() / 127.5 - 1.0).float()


def loss_of(model, images, targets, rows=None):
    """InfoNCE in nats against the targets of the batch, and mean squared error over coordinates;
    and what features add to it.

    A term of weight 0 is not computed. rows: places of the batch in the training split.
    """
    embedding = seen(model, images)
    nce_weight, nce_temp, mse_weight = model.weighed
    loss = 0.0
    if nce_weight:
        logits = embedding @ targets.T / nce_temp
        truth = torch.arange(len(targets), device=targets.device)
        loss = loss + nce_weight * F.cross_entropy(logits, truth)
    if mse_weight:
        loss = loss + mse_weight * (embedding - targets).square().mean()
    for term in model.auxiliary.values():
        loss = loss + term(embedding, targets, rows)
    return loss

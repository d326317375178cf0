"""The residual MLP, and what credit assignment may ask of any network here: a `Chain`.

h_0 = embed(x); h_{l+1} = after(l, h_l, f_l(h_l)); logits = head(h_L). (in+1) d + L (2 d^2 + 4 d) +
2 d + (d+1) C parameters.

Shape letters: B batch, C classes, D width of the residual stream.
"""

import math

import torch.nn.functional as F
from torch import nn


class Chain(nn.Module):
    """A network as a chain of layers: `embed`, `blocks`, and a head of its own.

    A derived class has the modules, `head`, and `shapes`, that of each h_l of one example; where a
    layer is no residual, `after`.
    """

    embed: nn.Module
    blocks: nn.ModuleList
    shapes: list[tuple[int, ...]]

    def start(self, x):
        """Inputs (B, ...) to h_0."""
        return self.embed(x)

    def after(self, index, h, f):
        """h_{l+1} from h_l and the output f of block number `index`."""
        return h + f

    def head(self, h):
        """h_L to logits (B, C)."""
        raise NotImplementedError

    def rest(self, index, h):
        """The list h_l..h_L from h_l, l = index."""
        hidden = [h]
        for number in range(index, len(self.blocks)):
            hidden.append(self.after(number, hidden[-1], self.blocks[number](hidden[-1])))
        return hidden

    def forward(self, x, return_hidden=False):
        """(B, ...) float to logits (B, C); on request also the list h_0..h_L."""
        hidden = self.rest(0, self.start(x))
        logits = self.head(hidden[-1])
        return (logits, hidden) if return_hidden else logits


class Block(nn.Module):
    """The branch of one layer: f(h) = w2(act(w1(ln(h)))), act GELU unless said otherwise."""

    def __init__(self, dim, w2_std, act=F.gelu):
        super().__init__()
        self.act = act
        self.ln = nn.LayerNorm(dim)
        self.w1 = nn.Linear(dim, dim)
        self.w2 = nn.Linear(dim, dim)
        nn.init.normal_(self.w2.weight, std=w2_std)
        nn.init.zeros_(self.w2.bias)

    def forward(self, h):
        """(B, D) to (B, D)."""
        return self.w2(self.act(self.w1(self.ln(h))))


class ResMLP(Chain):
    """A flattened input, embedded; h_{l+1} = h_l + f_l(h_l); a norm and a linear head."""

    def __init__(self, inputs, dim, depth, classes, w2_std, residual_add):
        super().__init__()
        self.residual_add = residual_add
        self.shapes = [(dim,)] * (depth + 1)
        self.embed = nn.Linear(inputs, dim)
        self.blocks = nn.ModuleList(Block(dim, w2_std) for _ in range(depth))
        self.out_ln = nn.LayerNorm(dim)
        self.out_head = nn.Linear(dim, classes)

    def start(self, x):
        """(B, ...) to (B, D)."""
        return self.embed(x.flatten(1))

    def after(self, index, h, f):
        """The sum, or the branch alone."""
        return h + f if self.residual_add else f

    def head(self, h):
        """(B, D) to (B, C)."""
        return self.out_head(self.out_ln(h))


def build_resmlp(settings, shape, classes):
    """The residual MLP that the baseline's knobs describe."""
    s = settings
    return ResMLP(math.prod(shape), s.dim, s.depth, classes, s.w2_std, s.residual_add)

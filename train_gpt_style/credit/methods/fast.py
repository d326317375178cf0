"""The local step of DFA and FA on residual MLPs, written out: less time, half the activations.

It computes what `local.local_step` computes, in another order of sums, without autograd:

- Of a block only n = ln(h) and z = w1(n) are kept, not the four tensors that a chain needs; GELU
  is taken again from z, and h itself is not needed once it was passed on.
- DFA's credit a = B e has rank C. So a' u = B (e' u) and a W2 = e (B' W2): two products of C
  columns instead of d, for w2 and, with the input, for the embedding. FA from a random top is the
  same with products of its matrices, B_l ... B_L.
- With n = gain * m + shift, the gradient of the shift is s = (sum dz) W1, and the column sums of
  W1 * (dz' n) are gain * (gradient of the gain) + shift * s: one product instead of two. Where a
  gain is too small to divide by, m is kept in place of n, and n's product made from that of m.

Equal to the straightforward step within rounding: a test compares the two.

Shape letters: B batch, C classes, D width, I numbers of an input.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F

from train_gpt_style.credit.methods.base import error_of
from train_gpt_style.credit.methods.local import head_pass
from train_gpt_style.credit.model import Block, ResMLP

LEAST_GAIN = 2.0**-4  # of a norm, to divide by

gelu_backward = torch.ops.aten.gelu_backward.default


def fits(model, ctx):
    """A residual MLP in float32: others take the straightforward step."""
    plain = isinstance(model, ResMLP) and ctx.autocast_type is None
    return plain and all(isinstance(b, Block) and b.act is F.gelu for b in model.blocks)


class Parts(NamedTuple):
    """The parameters of a block, looked up once a step: in steps this short that is seen."""

    eps: float
    gain: torch.Tensor
    shift: torch.Tensor
    w1: torch.Tensor
    b1: torch.Tensor
    w2: torch.Tensor
    b2: torch.Tensor


def parts_of(block):
    """`Parts`."""
    ln, w1, w2 = block.ln, block.w1, block.w2
    return Parts(ln.eps, ln.weight, ln.bias, w1.weight, w1.bias, w2.weight, w2.bias)


def divides(parts):
    """Whether every gain is large enough, beside its shift, to divide by without loss."""
    gain, shift = (torch.cat([part[i] for part in parts]).abs() for i in (1, 2))
    return bool((gain > shift.clamp_min(LEAST_GAIN)).all())


def forward(model, parts, shifted, x):
    """h_L, and for each block its z, its n, or m where not `shifted`, and its u or None, (B, D).

    The last quarter of the blocks keeps u: nothing else is alive yet when they are needed.
    """
    h, kept = model.start(x), []
    width, ahead = h.shape[1:], len(parts) - len(parts) // 4
    for index, p in enumerate(parts):
        seen = n = torch.layer_norm(h, width, p.gain, p.shift, p.eps)
        if not shifted:
            seen = torch.layer_norm(h, width, eps=p.eps)
        z = F.linear(n, p.w1, p.b1)
        u = F.gelu(z)
        h = model.after(index, h, F.linear(u, p.w2, p.b2))
        kept.append((z, seen, u if index >= ahead else None))
    return h, kept


def fast_step(model, x, y, credits, penalty=0.0):
    """Fill the gradients; (mean loss, correct). credits: `Direct`, `Chained` or
    `DirectFromRandom`.

    penalty: lambda of the mean of ||f_l||^2; 0 adds nothing.
    """
    with torch.no_grad():
        parts = [parts_of(block) for block in model.blocks]
        shifted = divides(parts)
        top, kept = forward(model, parts, shifted, x)
    loss, correct, logits = head_pass(model, top, y)
    with torch.no_grad():
        walk = credits(model.feedback, top.grad, logits, y, len(parts))
        loss = loss.detach()  # its graph holds h_L
        del top, logits
        for index in reversed(range(len(parts))):
            block_gradients(parts[index], *kept.pop(), shifted, walk, penalty / len(y))
            walk.down(index)
        put(model.embed.weight, walk.outer(x.flatten(1)))
        put(model.embed.bias, walk.total())
    return loss, correct


def block_gradients(p, z, seen, u, shifted, walk, penalty):
    """Of one block, from the credit of its output; z, what was seen, and u are `forward`'s."""
    u = F.gelu(z) if u is None else u
    weight, bias, du = walk.outer(u), walk.total(), walk.through(p.w2)
    if penalty:
        more = 2.0 * penalty * F.linear(u, p.w2, p.b2)  # the derivative of the cost in f
        weight, bias = weight + more.T @ u, bias + more.sum(dim=0)
        du = du + more @ p.w2
    del u
    put(p.w2, weight)
    put(p.b2, bias)
    dz = gelu_backward(du, z)
    total, product = dz.sum(dim=0), torch.mm(dz.T, seen)
    s, columns = total @ p.w1, (p.w1 * product).sum(dim=0)
    if shifted:
        columns = torch.addcmul(columns, p.shift, s, value=-1) / p.gain
    else:
        product = product.mul_(p.gain).addr_(total, p.shift)
    put(p.b1, total)
    put(p.gain, columns)
    put(p.shift, s)
    put(p.w1, product)


def put(parameter, gradient):
    """Add to what is there, as a backward pass does."""
    parameter.grad = gradient if parameter.grad is None else parameter.grad + gradient


class Direct:
    """DFA: a = B e of rank C, never made; e is (B, C), scaled by the mean over the batch."""

    def __init__(self, feedback, top, logits, y, layer):
        self.feedback, self.B = feedback, feedback[layer]
        self.e = error_of(logits, y) / len(y)

    def outer(self, u):
        """a' u, (D, I) of u (B, I)."""
        return self.B @ (self.e.T @ u)

    def total(self):
        """Sum of a over the batch, (D,)."""
        return self.B @ self.e.sum(dim=0)

    def through(self, weight):
        """a W, (B, I) of W (D, I)."""
        return self.e @ (self.B.T @ weight)

    def down(self, layer):
        """On to the credit of h_layer."""
        self.B = self.feedback[layer]


class DirectFromRandom(Direct):
    """FA whose top is B_L e: a_l = B_l ... B_L e, of rank C as well."""

    def down(self, layer):
        """On to the credit of h_layer."""
        self.B = self.feedback[layer] @ self.B


class Chained:
    """FA: a from layer to layer, (B, D), from the gradient of the mean loss at h_L."""

    def __init__(self, feedback, top, logits, y, layer):
        self.feedback, self.a = feedback, top

    def outer(self, u):
        """a' u."""
        return torch.mm(self.a.T, u)

    def total(self):
        """Sum of a over the batch."""
        return self.a.sum(dim=0)

    def through(self, weight):
        """a W."""
        return torch.mm(self.a, weight)

    def down(self, layer):
        """On to the credit of h_layer."""
        self.a = torch.mm(self.a, self.feedback[layer].T)

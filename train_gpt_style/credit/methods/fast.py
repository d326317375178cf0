"""The local step of DFA and FA on residual MLPs, written out: less time, half the activations.

It computes what `local.local_step` computes, in another order of sums, without autograd:

- Of a block only z = w1(ln(h)) and the normalised h are kept, not the four tensors that a chain
  needs; GELU is taken again from z, and h itself is not needed once it was passed on.
- DFA's credit a = B e has rank C. So a' u = B (e' u) and a W2 = e (B' W2): two products of C
  columns instead of d, for w2 and, with the input, for the embedding.
- With n = gain * m + shift and M = dz' m, the gradients are M * gain + (sum dz) shift' for w1, the
  column sums of W1 * M for the gain, and (sum dz) W1 for the shift: one product instead of two.

Equal to the straightforward step within rounding: a test compares the two.

Shape letters: B batch, C classes, D width, I numbers of an input.
"""

import torch
import torch.nn.functional as F

from train_gpt_style.credit.methods.local import head_step
from train_gpt_style.credit.model import Block, ResMLP

gelu_backward = torch.ops.aten.gelu_backward


def fits(model, ctx):
    """A residual MLP in float32: others take the straightforward step."""
    plain = isinstance(model, ResMLP) and ctx.autocast_type is None
    return plain and all(isinstance(b, Block) and b.act is F.gelu for b in model.blocks)


@torch.no_grad()
def forward(model, x):
    """h_L, and for each block its z and its normalised input, each (B, D)."""
    h, kept = model.start(x), []
    ones, zeros = torch.ones_like(h[0]), torch.zeros_like(h[0])  # torch is faster with than without
    for index, block in enumerate(model.blocks):
        ln, w1, w2 = block.ln, block.w1, block.w2
        m = F.layer_norm(h, ones.shape, ones, zeros, ln.eps)
        z = F.linear(torch.addcmul(ln.bias, m, ln.weight), w1.weight, w1.bias)
        h = model.after(index, h, F.linear(F.gelu(z), w2.weight, w2.bias))
        kept.append((z, m))
    return h, kept


def fast_step(model, x, y, ctx, moment, credits, penalty=0.0):
    """Fill the gradients; (mean loss, correct). credits: `Direct`, `Chained` or
    `ChainedFromRandom`.

    penalty: lambda of the mean of ||f_l||^2; 0 adds nothing.
    """
    top, kept = forward(model, x)
    with ctx.autocast():
        loss, correct, signals = head_step(model, [top], y, moment)
    with torch.no_grad():
        walk = credits(model.feedback, signals, 1.0 / len(y), len(model.blocks))
        del top, signals  # h_L and its gradient
        for index in reversed(range(len(model.blocks))):
            block_gradients(model.blocks[index], *kept.pop(), walk, penalty / len(y))
            walk.down(index)
        put(model.embed.weight, walk.outer(x.flatten(1)))
        put(model.embed.bias, walk.total())
    return loss, correct


def block_gradients(block, z, m, walk, penalty):
    """Of one block, from the credit of its output."""
    w1, w2, gain, shift = block.w1.weight, block.w2.weight, block.ln.weight, block.ln.bias
    u = F.gelu(z)
    weight, bias, du = walk.outer(u), walk.total(), walk.through(w2)
    if penalty:
        more = 2.0 * penalty * F.linear(u, w2, block.w2.bias)  # the derivative of the cost in f
        weight, bias = weight + more.T @ u, bias + more.sum(dim=0)
        du = du + more @ w2
    del u
    put(w2, weight)
    put(block.w2.bias, bias)
    dz = gelu_backward(du, z)
    total, M = dz.sum(dim=0), dz.T @ m
    put(block.w1.bias, total)
    put(gain, (w1 * M).sum(dim=0))
    put(shift, total @ w1)
    put(w1, M.mul_(gain).addr_(total, shift))


def put(parameter, gradient):
    """Add to what is there, as a backward pass does."""
    parameter.grad = gradient if parameter.grad is None else parameter.grad + gradient


class Direct:
    """DFA: a = B e of rank C, never made; e is (B, C), scaled by the mean over the batch."""

    def __init__(self, feedback, signals, scale, layer):
        self.feedback, self.e, self.B = feedback, scale * signals.error, feedback[layer]

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


class Chained:
    """FA: a from layer to layer, (B, D)."""

    def __init__(self, feedback, signals, scale, layer):
        self.feedback, self.a = feedback, scale * signals.top

    def outer(self, u):
        """a' u."""
        return self.a.T @ u

    def total(self):
        """Sum of a over the batch."""
        return self.a.sum(dim=0)

    def through(self, weight):
        """a W."""
        return self.a @ weight

    def down(self, layer):
        """On to the credit of h_layer."""
        self.a = self.a @ self.feedback[layer].T


class ChainedFromRandom(Chained):
    """FA whose top is B_L e."""

    def __init__(self, feedback, signals, scale, layer):
        super().__init__(feedback, signals, scale, layer)
        self.a = scale * (signals.error @ feedback[layer].T)

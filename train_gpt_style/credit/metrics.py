"""What is measured of a network: norms, gradients, cosines, and what a credit does to the loss.

Everything is computed in float64, without a clamp: `torch.nn.functional.cosine_similarity` clamps
norms at 1e-8, and so multiplies the cosine of a smaller gradient by its size. Gradients are those
of each example's own loss, never of a batch's mean, whose size depends on the batch. What is not
defined is NaN, and never 1.

Shape letters: N examples, L blocks, T tokens, K batches.
"""

import copy
import itertools
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F

from train_gpt_style.credit.constants import CREDIT_NUDGE, CREDIT_RHO_STEP, CREDIT_VANISHED
from train_gpt_style.credit.methods.base import Signals, error_of

DIRECTIONS = 32  # of rho


@dataclass(frozen=True)
class Measured:
    """A network's answers to N examples. Tensors are float64, without a graph.

    hidden, gradients: h_0..h_L and g_0..g_L, each (N, ...). losses: (N,). correct: (N,) bool.
    credits: a_0..a_L, or None where the method has none, or what it drew is not there.
    """

    model: torch.nn.Module
    y: torch.Tensor
    hidden: list[torch.Tensor]
    gradients: list[torch.Tensor]
    losses: torch.Tensor
    correct: torch.Tensor
    signals: Signals
    credits: list[torch.Tensor] | None = None

    def loss_from(self, layer, h):
        """(N,): the losses of a network whose state number `layer` is h."""
        logits = self.model.head(self.model.rest(layer, h)[-1])
        return F.cross_entropy(logits, self.y, reduction="none")


def measured(model, x, y, step=0, progress=1.0):
    """`Measured` of a copy in float64 and evaluation mode; the model itself is left alone."""
    model = copy.deepcopy(model).double().eval().requires_grad_(False)
    with torch.enable_grad():
        hidden = [model.start(x.double()).detach().requires_grad_()]
        hidden = model.rest(0, hidden[0])
        logits = model.head(hidden[-1])
        losses = F.cross_entropy(logits, y, reduction="none")
        gradients = torch.autograd.grad(losses.sum(), hidden)
    hidden = [h.detach() for h in hidden]
    logits, losses = logits.detach(), losses.detach()
    signals = Signals(hidden, y, error_of(logits, y), gradients[-1], step, progress)
    correct = logits.argmax(dim=1) == y
    return Measured(model, y, hidden, list(gradients), losses, correct, signals)


def with_credits(seen, method, **more):
    """`seen` with the credits of a method that the network was trained by."""
    found = method.credits(seen.model, seen.signals, **more)
    return seen if found is None else replace(seen, credits=[a.double() for a in found])


def flat(t):
    """(N, ...) to (N, numbers)."""
    return t.flatten(1)


def hidden_norm(h):
    """Median of ||h||: over N examples; of tokens (N, T, D) over their features, over N and T."""
    norms = h.norm(dim=-1) if h.ndim == 3 else flat(h).norm(dim=1)
    return float(norms.flatten().quantile(0.5))


def gradient_norm(g):
    """Median over examples of the norm over all else: most tokens of a class-token network have
    no gradient at the top, and a median over tokens would be that of nothing.
    """
    return float(flat(g).norm(dim=1).quantile(0.5))


def unit(t):
    """(N, numbers) over its norms; NaN where a norm is 0."""
    t = flat(t)
    return t / t.norm(dim=1, keepdim=True)


def cosine(a, g):
    """Mean over examples of <a, g> / (||a|| ||g||); NaN when a norm is 0."""
    return float((unit(a) * unit(g)).sum(dim=1).mean())


def stability(g, batches, size):
    """Mean pairwise cosine of the mean gradients of `batches` disjoint batches of `size` examples.

    At least -1 / (batches - 1). The caller sees to it that there are enough examples.
    """
    means = flat(g)[: batches * size].view(batches, size, -1).mean(dim=1)
    means = unit(means)
    pairs = itertools.combinations(range(batches), 2)
    cosines = [float((means[i] * means[j]).sum()) for i, j in pairs]
    return sum(cosines) / len(cosines)


def slope(seen, layer, v):
    """Each example's difference quotient of its loss along v at h_l, (N,)."""
    moved = seen.loss_from(layer, seen.hidden[layer] + CREDIT_RHO_STEP * v)
    return (moved - seen.losses) / CREDIT_RHO_STEP


@torch.no_grad()
def rho(seen, credits, layer, seed=0, directions=DIRECTIONS):
    """Pearson correlation, over random directions v at h_l, of <a_l, v> and the loss's slope on v.

    Both are means over the examples; v is standard normal; the slope is a difference quotient.
    """
    generator = torch.Generator().manual_seed(seed)
    h, pairs = seen.hidden[layer], []
    for _ in range(directions):
        v = torch.randn(h.shape, generator=generator, dtype=h.dtype).to(h.device)
        predicted = (flat(credits[layer]) * flat(v)).sum(dim=1)
        pairs.append((float(predicted.mean()), float(slope(seen, layer, v).mean())))
    x, y = (t - t.mean() for t in torch.tensor(pairs, dtype=torch.float64).T)
    return float((x * y).sum() / (x.norm() * y.norm()))


@torch.no_grad()
def nudged_loss(seen, credits, layer):
    """Mean change of the loss when h_l moves by -eta a_l / ||a_l|| in each example."""
    h = seen.hidden[layer]
    moved = h - CREDIT_NUDGE * unit(credits[layer]).view_as(h)
    return float((seen.loss_from(layer, moved) - seen.losses).mean())


def present(gradients, n_ref, floor=CREDIT_VANISHED):
    """Share of examples whose gradient at layer L/2, over n_ref, has a norm above `floor`.

    The printed 1e-6 is, like the floor of (b), of the gradient of a batch's mean loss: n_ref names
    that batch, and the share does not depend on how many examples are measured.
    """
    middle = flat(gradients[(len(gradients) - 1) // 2]).norm(dim=1)
    return float((middle / n_ref > floor).double().mean())


def distances(seen, other):
    """By layer, mean ||h_l - h_l'|| / mean ||h_l'|| against another network on the same inputs."""
    return [
        float(flat(a - b).norm(dim=1).mean() / flat(b).norm(dim=1).mean())
        for a, b in zip(seen.hidden, other.hidden, strict=True)
    ]

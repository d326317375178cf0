"""EmbeddingAutograd: the identity, with another gradient.

    g1 = g - tau (g . e) e             without its radial part, at tau = 1
    library    g2 = g1 - sigma ReLU(g1 . n) n
    described  g2 = g1 + sigma ReLU(-g1 . n) n

n is the nearest unit anchor, detached. `library` is what a public library computes: a descent step
-g2 then never goes farther from n than -g1 does, so it attracts. `described` is what its text says:
it takes out the part of the step that goes towards n. After a normalisation tau alone changes no
parameter's gradient, since that has removed the radial part already.
"""

import torch

from goldenseal.errors import UsageError

SIGNS = ("library", "described")


def tangential(grad, embedding, tau):
    """g - tau (g . e) e, by rows (B, D)."""
    return grad - tau * (grad * embedding).sum(dim=-1, keepdim=True) * embedding


def separated(grad, nearest, sigma, sign):
    """The correction along the nearest anchor, by rows (B, D). UsageError: another sign."""
    along = (grad * nearest).sum(dim=-1, keepdim=True)
    if sign == "library":
        return grad - sigma * along.clamp_min(0) * nearest
    if sign == "described":
        return grad + sigma * (-along).clamp_min(0) * nearest
    raise UsageError(f"sign {sign}: one of {', '.join(SIGNS)}")


def nearest_directions(embedding, directions):
    """For each unit row (B, D) the unit anchor (A, D) of highest cosine, detached."""
    with torch.no_grad():
        return directions[(embedding @ directions.T).argmax(dim=1)]


class EmbeddingAutograd(torch.autograd.Function):
    """Identity forward, the corrected gradient backward."""

    @staticmethod
    def forward(ctx, embedding, nearest, tau, sigma, sign):
        """Unit rows (B, D)."""
        ctx.save_for_backward(embedding, nearest)
        ctx.rule = tau, sigma, sign
        return embedding.view_as(embedding)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, grad):
        """Rows (B, D)."""
        embedding, nearest = ctx.saved_tensors
        tau, sigma, sign = ctx.rule
        g = separated(tangential(grad, embedding, tau), nearest, sigma, sign)
        return g, None, None, None, None


def embedding_autograd(embedding, directions, tau, sigma, sign="library"):
    """The embedding (B, D) itself, whose gradient is corrected; directions are unit anchors (A, D).

    Raises UsageError for a sign that is none of SIGNS.
    """
    if sign not in SIGNS:
        raise UsageError(f"sign {sign}: one of {', '.join(SIGNS)}")
    return EmbeddingAutograd.apply(
        embedding, nearest_directions(embedding, directions), tau, sigma, sign
    )

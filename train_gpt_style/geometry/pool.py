"""Simplices whose corners are rows of one pool: distances by one matrix product, never N x 5 x D.

The pool is centred first: G_ii + G_jj - 2 G_ij then cancels little, and a cloud that has nearly
collapsed keeps its volumes to a millionth in float32. Half precision is cast before that.
"""

import torch

from train_gpt_style.geometry.simplex import wide
from train_gpt_style.geometry.volumes import LEFT, RIGHT, expanded, slopes
from verify.errors import UsageError

CORNERS = 5
ROUNDINGS = 16  # how many of them a volume may owe to rounding before it counts as flat


def draw_simplices(rows, count, generator):
    """Corners (count, 5), int64: each simplex a draw of five of `rows`, all equally likely.

    Without replacement and without sorting keys: the k-th draw is a place among those that are
    left, moved past each earlier corner at or below it. Raises UsageError for fewer than five rows.
    """
    if rows < CORNERS:
        raise UsageError(f"five corners need five rows, not {rows}")
    device = generator.device
    chosen = []
    for k in range(CORNERS):
        place = torch.randint(rows - k, (count,), generator=generator, device=device)
        for other in torch.stack(chosen).sort(dim=0).values if chosen else ():
            place = place + (place >= other)
        chosen.append(place)
    return torch.stack(chosen, dim=1)


def pool_distances(points):
    """(M, D) to squared distances (M, M) by differences of a centred Gram matrix."""
    return centred_distances(centred(wide(points))).clamp_min(0)


def centred(points):
    """Rows less their mean."""
    return points - points.mean(dim=0)


def centred_distances(points):
    """|x_i|^2 + |x_j|^2 - 2 x_i . x_j of rows (M, D)."""
    own = points.square().sum(dim=1)
    return torch.addmm(own.unsqueeze(1) + own, points, points.T, alpha=-2)


def pair_places(simplices, rows):
    """Places (10, N) of each simplex's ten pairs in a flat (rows, rows) matrix."""
    corners = simplices.T
    return torch.stack([corners[i] * rows + corners[j] for i, j in zip(LEFT, RIGHT, strict=True)])


def flatness(d):
    """What rounding alone can make of vol2 of a flat simplex, from ten rows (10, N): (N,).

    By Hadamard vol2 is at most the product of the squared edges from point 0 over 576.
    """
    return ROUNDINGS * torch.finfo(d.dtype).eps / 576 * (d[0] * d[1]) * (d[2] * d[3])


class PoolVolume2(torch.autograd.Function):
    """Squared volumes of simplices of a pool, with the closed-form gradient."""

    @staticmethod
    def forward(ctx, points, simplices):
        """Points (M, D), corners (N, 5): vol2 (N,)."""
        x = centred(points)
        places = pair_places(simplices, len(x))
        d = centred_distances(x).view(-1)[places].clamp_min(0)
        found = expanded(d)
        thick = found > flatness(d)
        ctx.save_for_backward(x, places, d, thick)
        return torch.where(thick, found, 0)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, grad):
        """Each pair's slope is added at its place, and the sum is applied to the pool once.

        Moving the whole pool changes nothing, so centring needs no term of its own.
        """
        x, places, d, thick = ctx.saved_tensors
        grad = grad * thick
        weights = torch.stack([slope * grad for slope in slopes(d)])
        summed = x.new_zeros(len(x) * len(x))
        summed = summed.index_add(0, places.view(-1), weights.view(-1)).view(len(x), len(x))
        both = summed + summed.T
        return 2 * (both.sum(dim=1, keepdim=True) * x - both @ x), None


def pool_volume2(points, simplices):
    """Squared volumes (N,) of the simplices with corners (N, 5) among points (M, D).

    Differentiable once in the points. Any float type; computed in float32 at least. A simplex that
    is flat up to rounding has volume 0 and no gradient.
    """
    return PoolVolume2.apply(wide(points), simplices)

"""Simplices whose corners are rows of one pool: distances by one matrix product, never N x 5 x D.

The pool is centred first: G_ii + G_jj - 2 G_ij then cancels little, and a cloud that has nearly
collapsed keeps its volumes to a millionth in float32. Half precision is cast before that.
"""

import numpy as np
import torch

from goldenseal.errors import UsageError
from train_gpt_style.geometry.simplex import wide
from train_gpt_style.geometry.volumes import LEFT, RIGHT, expanded, fused, slopes

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
    with exactly(points):
        return centred_distances(centred(wide(points))).clamp_min(0)


def exactly(points):
    """A context in which products keep the type that they have, also under autocast."""
    return torch.autocast(points.device.type, enabled=False)


def centred(points):
    """Rows less their mean."""
    return points - points.mean(dim=0)


def centred_distances(points):
    """|x_i|^2 + |x_j|^2 - 2 x_i . x_j of rows (M, D), in the memory of their product."""
    gram = points @ points.T
    own = gram.diagonal().clone()
    return gram.mul_(-2).add_(own.unsqueeze(1)).add_(own)


def pair_places(simplices, rows):
    """Places (10 N,) of each simplex's ten pairs in a flat (rows, rows) matrix, i, j and j, i."""
    corners = simplices.T.contiguous()
    i, j = corners[list(LEFT)].view(-1), corners[list(RIGHT)].view(-1)
    return i * rows + j, j * rows + i


def flatness(d):
    """What rounding alone can make of vol2 of a flat simplex, from ten rows (10, N): (N,).

    By Hadamard vol2 is at most the product of the squared edges from point 0 over 576. In float32
    this is 2e-6 of that bound, which clouds of fewer than some three wide dimensions do not reach:
    their volumes are then rounding, and a loss of them would push by chance. `spread.cv_metric`
    computes in float64 and sees such clouds too.
    """
    eps = np.finfo(d.dtype).eps if isinstance(d, np.ndarray) else torch.finfo(d.dtype).eps
    return ROUNDINGS * eps / 576 * (d[0] * d[1]) * (d[2] * d[3])


def thick_volume2(d):
    """vol2 of ten rows (10, N), 0 where the simplex is flat: (N,)."""
    found = expanded(d)
    return torch.where(found > flatness(d), found, 0)


def weighted_slopes(d, grad):
    """Ten times N slopes, each times the gradient (N,) of its simplex: (10 N,)."""
    return torch.cat([slope * grad for slope in slopes(d)])


def loops(fuse):
    """`thick_volume2` and `weighted_slopes`, as one loop each when `fuse` says so."""
    if not fuse:
        return thick_volume2, weighted_slopes
    return fused(thick_volume2, (10, 64)), fused(weighted_slopes, (10, 64), (64,))


class PoolVolume2(torch.autograd.Function):
    """Squared volumes of simplices of a pool, with the closed-form gradient."""

    @staticmethod
    def forward(ctx, points, simplices, fuse):
        """Points (M, D), corners (N, 5): vol2 (N,)."""
        places, mirrored = pair_places(simplices, len(points))
        with exactly(points):
            x = centred(points)
            d = centred_distances(x).view(-1).index_select(0, places)
        d = d.clamp_min_(0).view(len(LEFT), -1)
        found = loops(fuse)[0](d)
        ctx.save_for_backward(x, places, mirrored, d, found)
        ctx.fuse = fuse
        return found

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, grad):
        """Each pair's slope is added at both its places, and the sum applied to the pool once.

        Moving the whole pool changes nothing, so centring needs no term of its own.
        """
        x, places, mirrored, d, found = ctx.saved_tensors
        weights = loops(ctx.fuse)[1](d, grad * (found > 0))
        both = x.new_zeros(len(x) * len(x))
        # In place: a new matrix of the pool's size costs more than the sums themselves.
        both.scatter_add_(0, places, weights).scatter_add_(0, mirrored, weights)
        both = both.view(len(x), len(x))
        with exactly(x):
            return 2 * (both.sum(dim=1, keepdim=True) * x - both @ x), None, None


def pool_volume2(points, simplices, fuse=False):
    """Squared volumes (N,) of the simplices with corners (N, 5) among points (M, D).

    Differentiable once in the points. Any float type; computed in float32 at least. A simplex that
    is flat up to rounding has volume 0 and no gradient. fuse: as two loops that torch.compile
    builds, once a process; without a compiler the eager ones stay, with a warning.
    """
    return PoolVolume2.apply(wide(points), simplices, fuse)

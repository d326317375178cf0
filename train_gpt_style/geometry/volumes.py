"""Squared volumes of many 4-simplices at once: one Laplace expansion, one closed-form gradient.

With H = 2 G, twice the Gram matrix of the edges from point 0, vol2 = det H / 9216, where 9216 is
2^4 (4!)^2. det H is expanded over rows 1-2 and 3-4 (minors s and c), which divides by nothing:
coincident points give 0 and not NaN. The gradient needs no division either: with A = adj G,
d vol2 / d d_0i = sum_j A_ij / 576 and d vol2 / d d_ij = -A_ij / 576.

`volume2_fused` is the same expansion in one loop that torch.compile writes as C++. Building it
takes some seconds a process, so training asks for it by name.
"""

import functools
import warnings

import torch

from goldenseal.errors import UsageError
from train_gpt_style.geometry.simplex import wide

LEFT = (0, 0, 0, 0, 1, 1, 1, 2, 2, 3)
RIGHT = (1, 2, 3, 4, 2, 3, 4, 3, 4, 4)
GRAM_SCALE, SLOPE_SCALE = 9216, 4608  # of det H, and of its cofactors


def doubled_gram(d):
    """Ten rows of squared distances to the upper triangle of H, row by row."""
    a, b, c, e = d[0], d[1], d[2], d[3]
    off = a + b - d[4], a + c - d[5], a + e - d[6], b + c - d[7], b + e - d[8], c + e - d[9]
    return (2 * a, *off[:3], 2 * b, *off[3:5], 2 * c, off[5], 2 * e)


def minors(h):
    """The 2 x 2 minors of rows 1-2 (columns 12 13 14 23 24 34) and of rows 3-4, in that order."""
    h11, h12, h13, h14, h22, h23, h24, h33, h34, h44 = h
    top = (
        h11 * h22 - h12 * h12,
        h11 * h23 - h12 * h13,
        h11 * h24 - h12 * h14,
        h12 * h23 - h22 * h13,
        h12 * h24 - h22 * h14,
        h13 * h24 - h23 * h14,
    )
    low = (
        h13 * h24 - h14 * h23,
        h13 * h34 - h14 * h33,
        h13 * h44 - h14 * h34,
        h23 * h34 - h24 * h33,
        h23 * h44 - h24 * h34,
        h33 * h44 - h34 * h34,
    )
    return top, low


def expanded(d):
    """vol2 of ten rows of squared distances, (10, ...) to (...), by plain arithmetic."""
    s, c = minors(doubled_gram(d))
    whole = s[0] * c[5] - s[1] * c[4] + s[2] * c[3] + s[3] * c[2] - s[4] * c[1] + s[5] * c[0]
    return whole / GRAM_SCALE


def slopes(d):
    """d vol2 / d of each of the ten squared distances: ten tensors of the shape of a row."""
    h = doubled_gram(d)
    h11, h12, h13, h14, h22, h23, h24, h33, h34, h44 = h
    s, c = minors(h)
    a11 = h22 * c[5] - h23 * c[4] + h24 * c[3]
    a12 = h13 * c[4] - h12 * c[5] - h14 * c[3]
    a13 = h24 * s[5] - h34 * s[4] + h44 * s[3]
    a14 = h33 * s[4] - h23 * s[5] - h34 * s[3]
    a22 = h11 * c[5] - h13 * c[2] + h14 * c[1]
    a23 = h34 * s[2] - h14 * s[5] - h44 * s[1]
    a24 = h13 * s[5] - h33 * s[2] + h34 * s[1]
    a33 = h14 * s[4] - h24 * s[2] + h44 * s[0]
    a34 = h23 * s[2] - h13 * s[4] - h34 * s[0]
    a44 = h13 * s[3] - h23 * s[1] + h33 * s[0]
    first = (
        a11 + a12 + a13 + a14,
        a12 + a22 + a23 + a24,
        a13 + a23 + a33 + a34,
        a14 + a24 + a34 + a44,
    )
    rest = (-a12, -a13, -a14, -a23, -a24, -a34)
    return [slope / SLOPE_SCALE for slope in (*first, *rest)]


def least_height2(d, volume2):
    """Squared heights of 4-simplices (N,) from ten rows (10, N) and their vol2: the least of each.

    A height is det H / (2 A), A a cofactor of H and in the square of the face below. Of the five
    the one over the face without point 0 is left out: it is at most the other four together.
    """
    h11, h12, h13, h14, h22, h23, h24, h33, h34, h44 = doubled_gram(d)
    s, c = minors((h11, h12, h13, h14, h22, h23, h24, h33, h34, h44))
    faces = torch.stack(
        (
            h22 * c[5] - h23 * c[4] + h24 * c[3],
            h11 * c[5] - h13 * c[2] + h14 * c[1],
            h14 * s[4] - h24 * s[2] + h44 * s[0],
            h13 * s[3] - h23 * s[1] + h33 * s[0],
        )
    )
    widest = faces.amax(dim=0)
    return torch.where(widest > 0, GRAM_SCALE * volume2 / (2 * widest), 0)


class Volume2(torch.autograd.Function):
    """`expanded`, whose gradient is `slopes`."""

    @staticmethod
    def forward(ctx, d):
        """(10, ...) to (...)."""
        ctx.save_for_backward(d)
        return expanded(d)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, grad):
        """(...) to (10, ...)."""
        (d,) = ctx.saved_tensors
        return torch.stack([slope * grad for slope in slopes(d)])


def volume2(d):
    """Squared volumes of 4-simplices, differentiable once: ten rows (10, ...) to (...).

    In float32 at least. Raises UsageError unless the first dimension is 10.
    """
    return Volume2.apply(rows(d))


@functools.cache
def fused(function, *shapes):
    """A function of tensors as one loop; as it is, with a warning, where that cannot be built.

    shapes: of tensors to try it on. torch.compile writes C++ and builds it, once a process.
    """
    built = torch.compile(function, dynamic=True)
    try:
        built(*(torch.ones(shape) for shape in shapes))
    except Exception as error:  # no compiler, or one that torch does not know
        words = str(error).splitlines()[0] if str(error) else type(error).__name__
        warnings.warn(f"{function.__name__} stays unfused: {words}", stacklevel=2)
        return function
    return built


def volume2_fused(d):
    """As `volume2`, forward only, in one pass over memory."""
    with torch.no_grad():
        return fused(expanded, (10, 64))(rows(d))


def rows(d):
    """Ten rows in float32 at least. Raises UsageError for another number."""
    if d.dim() < 1 or d.shape[0] != 10:
        raise UsageError(f"a 4-simplex has 10 squared distances, (10, ...), not {tuple(d.shape)}")
    return wide(d)


def pair_rows(distances):
    """Squared distances (..., 5, 5) to ten contiguous rows (10, ...)."""
    found = distances[..., list(LEFT), list(RIGHT)]
    return found.movedim(-1, 0).contiguous()

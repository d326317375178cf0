"""Volumes of simplices of any size from their squared distances, two ways, in plain autograd.

n = k + 1 points. By Cayley and Menger (1841), with M the squared distances bordered by ones,
vol2 = (-1)^(k+1) det M / (2^k (k!)^2). By Gram, with G_ij = (d_0i + d_0j - d_ij) / 2, vol2 =
det G / (k!)^2. Real points have vol2 >= 0, since G is then a Gram matrix: a loss ReLU(-vol2) of
points is 0 and has no gradient.
"""

import math

import torch

from goldenseal.errors import UsageError


def squared_distances(points):
    """(..., n, D) to (..., n, n), by differences: nothing cancels. Memory n^2 D a simplex."""
    return (points.unsqueeze(-2) - points.unsqueeze(-3)).square().sum(dim=-1)


def bordered(distances):
    """Squared distances (..., n, n) to the Cayley-Menger matrix (..., n + 1, n + 1)."""
    n = sized(distances)
    matrix = distances.new_ones((*distances.shape[:-2], n + 1, n + 1))
    matrix[..., 0, 0] = 0
    matrix[..., 1:, 1:] = distances
    return matrix


def edge_gram(distances):
    """Squared distances (..., n, n) to the Gram matrix (..., k, k) of the edges from point 0."""
    sized(distances)
    first = distances[..., 0, 1:]
    return (first.unsqueeze(-1) + first.unsqueeze(-2) - distances[..., 1:, 1:]) / 2


def distances_of_gram(gram):
    """A Gram matrix (..., n, n) to squared distances, clipped at 0: G_ii + G_jj - 2 G_ij."""
    own = gram.diagonal(dim1=-2, dim2=-1)
    return (own.unsqueeze(-1) + own.unsqueeze(-2) - 2 * gram).clamp_min(0)


def volume2_by_cayley_menger(distances):
    """Squared volume (...) of n points from their squared distances (..., n, n).

    In float32 at least, whatever the input. Negative where no such points exist.
    """
    k = sized(distances) - 1
    determinant = torch.linalg.det(bordered(wide(distances)))
    return (-1) ** (k + 1) * determinant / (2**k * math.factorial(k) ** 2)


def volume2_by_gram(distances):
    """The same number by the determinant of the edges' Gram matrix."""
    k = sized(distances) - 1
    return torch.linalg.det(edge_gram(wide(distances))) / math.factorial(k) ** 2


def regular_simplex(points, dim):
    """`points` rows in R^dim, centred, every edge 1: (points, dim) float64.

    Unit axes less their mean; with one axis too few for that, their coordinates in Helmert's basis
    of what the mean leaves. Raises UsageError when dim < points - 1.
    """
    if dim < points - 1:
        raise UsageError(f"a regular simplex of {points} points needs {points - 1} axes, not {dim}")
    axes = torch.zeros(points, dim, dtype=torch.float64)
    if dim < points:
        for k in range(1, points):
            axes[:k, k - 1], axes[k, k - 1] = 1, -k
            axes[:, k - 1] /= math.sqrt(k * (k + 1))
    else:
        axes[:, :points] = torch.diag(torch.ones(points, dtype=torch.float64)) - 1 / points
    edges = 2.0  # squared length of an edge of the unit axes
    return axes / math.sqrt(edges)


def wide(t):
    """float32 at least: half precision is cast before anything is subtracted."""
    return t if t.dtype == torch.float64 else t.float()


def sized(distances):
    """How many points the square matrix is of. Raises UsageError when it is not square."""
    n = distances.shape[-1]
    if distances.dim() < 2 or distances.shape[-2] != n or n < 2:
        raise UsageError(f"squared distances (..., n, n), n > 1, not {tuple(distances.shape)}")
    return n

"""Singular values by one-sided Jacobi rotations in one fixed order: the portable lane's routine.

LAPACK's SVD takes other paths on other CPUs and with other threads, from some 33 columns on. Here
only + - * / and numpy's root, which is correctly rounded, and sums that run in sequence; so the
bits are the same everywhere, and it is slow: O(D) passes over the matrix a sweep.
"""

import numpy as np
import torch

from goldenseal.errors import CannotCheckError

SWEEPS = 30
SETTLED = 2.0**-50  # cosine of two columns at which they count as orthogonal
NOTHING = 2.0**-52  # of the longest column: what is shorter is rounding, and is not turned


def rounds_of(columns):
    """Every pair of columns once, in rounds of disjoint pairs: a tournament; two arrays a round."""
    places = list(range(columns + columns % 2))
    half = len(places) // 2
    for _ in range(max(len(places) - 1, 0)):
        pairs = zip(places[:half], places[: half - 1 : -1], strict=True)
        pairs = [pair for pair in pairs if max(pair) < columns]
        yield np.array([min(p) for p in pairs], int), np.array([max(p) for p in pairs], int)
        places = [places[0], places[-1], *places[1:-1]]


def sums(values):
    """Sums of columns (M, P), row after row."""
    return np.add.accumulate(values, axis=0)[-1]


def completed(u, rank):
    """U (M, D) with its columns from `rank` on made orthonormal to all before: Gram-Schmidt.

    Each starts as the axis that the columns before it say least of.
    """
    for place in range(rank, u.shape[1]):
        before = u[:, :place]
        axis = int(sums((before * before).T).argmin()) if place else 0
        new = np.zeros(len(u))
        new[axis] = 1.0
        for _ in range(2 if place else 0):  # once is not enough for the last digits
            new = new - sums((before * sums(before * new[:, None])).T)
        u[:, place] = new / np.sqrt(sums(new * new))
    return u


def jacobi_svd(m):
    """(U, S, V^T) of a float64 tensor (M, D), M >= D, as torch.linalg.svd(full_matrices=False).

    A column of rounding alone gets the singular value 0, and U a column that is orthogonal to the
    others, so U is orthonormal whatever the rank. Raises CannotCheckError when it does not settle.
    """
    a = m.detach().cpu().double().numpy().copy()
    v = np.eye(a.shape[1])
    tiny = np.finfo(np.float64).tiny
    schedule = list(rounds_of(a.shape[1]))
    for _ in range(SWEEPS):
        worst = 0.0
        # Else columns of rounding are turned for ever, down to where squares are lost.
        least = NOTHING * np.sqrt(sums(a * a).max(initial=0.0))
        for p, q in schedule:
            x, y = a[:, p], a[:, q]
            alpha, beta, gamma = sums(x * x), sums(y * y), sums(x * y)
            lengths = np.sqrt(alpha), np.sqrt(beta)
            cosine = np.abs(gamma) / np.maximum(lengths[0] * lengths[1], tiny)
            cosine = np.where(np.minimum(*lengths) > least, cosine, 0.0)
            turn = cosine > SETTLED
            worst = max(worst, float(cosine.max(initial=0.0)))
            zeta = (beta - alpha) / (2 * np.where(turn, gamma, 1))
            sign = np.where(zeta >= 0, 1.0, -1.0)
            with np.errstate(over="ignore"):  # then the turn is 0, as it should be
                t = np.where(turn, sign / (np.abs(zeta) + np.sqrt(1 + zeta * zeta)), 0)
            c = 1 / np.sqrt(1 + t * t)
            s = c * t
            for w in (a, v):
                left, right = w[:, p], w[:, q]
                w[:, p], w[:, q] = c * left - s * right, s * left + c * right
        if worst <= SETTLED:
            break
    else:
        raise CannotCheckError(f"no singular values after {SWEEPS} sweeps: cosine {worst}")
    values = np.sqrt(sums(a * a))
    order = np.argsort(-values, kind="stable")
    values, a, v = values[order], a[:, order], v[:, order]
    values = np.where(values > NOTHING * values.max(initial=0.0), values, 0.0)
    u = completed(a / np.maximum(values, tiny), int((values > 0).sum()))
    found = (torch.from_numpy(np.ascontiguousarray(w)) for w in (u, values, v.T))
    return tuple(w.to(m.device) for w in found)


def jacobi_eigh(c):
    """(eigenvalues, eigenvectors) of a symmetric positive matrix (D, D), ascending, as eigh."""
    _, values, vh = jacobi_svd(c)
    return values.flip(0), vh.T.flip(1)

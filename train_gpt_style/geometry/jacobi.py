"""Singular values by one-sided Jacobi rotations in one fixed order: the portable lane's routine.

LAPACK's SVD takes other paths on other CPUs and with other threads, from some 33 columns on. Here
only + - * / and numpy's root, which is correctly rounded, and sums that run in sequence; so the
bits are the same everywhere, and it is slow: O(D) passes over the matrix a sweep.
"""

import numpy as np
import torch

SWEEPS = 30
SETTLED = 2.0**-50  # cosine of two columns at which they count as orthogonal


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


def jacobi_svd(m):
    """(U, S, V^T) of a float64 tensor (M, D), M >= D, as torch.linalg.svd(full_matrices=False).

    Columns of U whose singular value is 0 are 0. Raises ArithmeticError when it does not settle.
    """
    a = m.detach().cpu().double().numpy().copy()
    v = np.eye(a.shape[1])
    tiny = np.finfo(np.float64).tiny
    schedule = list(rounds_of(a.shape[1]))
    for _ in range(SWEEPS):
        worst = 0.0
        for p, q in schedule:
            x, y = a[:, p], a[:, q]
            alpha, beta, gamma = sums(x * x), sums(y * y), sums(x * y)
            scale = np.sqrt(alpha) * np.sqrt(beta)
            cosine = np.abs(gamma) / np.maximum(scale, tiny)
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
        raise ArithmeticError(f"no singular values after {SWEEPS} sweeps: cosine {worst}")
    values = np.sqrt(sums(a * a))
    order = np.argsort(-values, kind="stable")
    values, a, v = values[order], a[:, order], v[:, order]
    u = a / np.maximum(values, tiny)
    found = (torch.from_numpy(np.ascontiguousarray(w)) for w in (u, values, v.T))
    return tuple(w.to(m.device) for w in found)


def jacobi_eigh(c):
    """(eigenvalues, eigenvectors) of a symmetric positive matrix (D, D), ascending, as eigh."""
    _, values, vh = jacobi_svd(c)
    return values.flip(0), vh.T.flip(1)

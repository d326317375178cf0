"""Generalised Procrustes: one consensus of several clouds of the same rows (Gower 1975).

R_i turns cloud i to the consensus C, and C is the mean of the turned clouds, in turn until the
objective sum_i |X_i R_i - C|^2 settles. Each half of a round minimises it exactly, so it never
rises. The X_i stay the originals, so C does not shrink from round to round. The result is unique
up to one common rotation: compare Gram matrices.

Unequal widths: narrower clouds get columns of zeros up to the widest. That keeps every distance
and every Gram matrix.
"""

from dataclasses import dataclass

import torch

from goldenseal.errors import ContradictedError, UsageError

TOLERANCE = 2.0**-20  # relative change of the objective at which the rounds end
WELL_CONDITIONED = 2.0**-28  # least of the least eigenvalue of m^T m, over the largest, to square m
# Of the clouds' energy, by the type in which the products are made: what is less is no objective.
ROUNDING = {torch.float32: 2.0**-22, torch.float64: 2.0**-44}


@dataclass(frozen=True)
class Consensus:
    """centre (M, D); a rotation (D, D) for each cloud; the objective before and after each round.

    agreement: |C| / mean |X_i|; 1 for clouds that are equal up to rotations.
    """

    centre: torch.Tensor
    rotations: tuple[torch.Tensor, ...]
    objectives: tuple[float, ...]
    agreement: float


def padded(clouds):
    """The clouds (M, D_i), all as wide as the widest; float32 stays, all else becomes float64.

    Raises UsageError for fewer than two, or for clouds that do not have the same rows.
    """
    shapes = [tuple(cloud.shape) for cloud in clouds]
    if len(clouds) < 2 or any(len(s) != 2 or s[0] != shapes[0][0] for s in shapes):
        raise UsageError(f"a consensus needs two clouds or more of the same rows, not {shapes}")
    width = max(shape[1] for shape in shapes)
    clouds = [c if c.dtype is torch.float32 else c.double() for c in clouds]
    return [torch.nn.functional.pad(c, (0, width - c.shape[1])) for c in clouds]


def polar(m, svd=None, exact=True):
    """U V^T of m = U S V^T: the orthogonal matrix nearest to m (D, D), float64.

    It is m (m^T m)^(-1/2), which by eigenvalues takes half as long as by an SVD. Squaring is safe
    where m is far from singular, WELL_CONDITIONED, and leaves the result orthogonal to some 1e-7;
    when exact, one step of Newton and Schulz squares that. Where m is near to
    singular, and where an svd is given, it is that of an SVD.
    """
    if svd is None:
        values, v = torch.linalg.eigh(m.T @ m)
        if values[0] > WELL_CONDITIONED * values[-1]:
            u = (m @ v * values.rsqrt()) @ v.T
            return torch.addmm(u, u, u.T @ u, beta=1.5, alpha=-0.5) if exact else u
    u, _, vh = (svd or torch.linalg.svd)(m)
    return u @ vh


def generalised_procrustes(clouds, rounds=20, tolerance=TOLERANCE, svd=None):
    """The consensus of clouds (M, D_i) of paired rows, centred or not as the caller gives them.

    The rounds need no rows, only the products X_i^T X_j, which are made once: X_i^T C is their mean
    after the turns, and the objective is sum |X_i|^2 - m |C|^2, with C the mean of m turned clouds.
    So a round costs the same for any number of rows. svd: what takes the rotations, such as
    `jacobi.jacobi_svd` for the portable lane; by default `polar` chooses. Raises UsageError as
    `padded` does, and ContradictedError should a round ever raise the objective.
    """
    clouds = padded(clouds)
    count, width = len(clouds), clouds[0].shape[1]
    products = [[None] * count for _ in clouds]
    for i, x in enumerate(clouds):
        for j in range(i, count):
            products[i][j] = (x.T @ clouds[j]).double()
            products[j][i] = products[i][j].T
    exact = all(c.dtype is torch.float64 for c in clouds)
    rounding = ROUNDING[torch.float64 if exact else torch.float32]
    energy = float(sum(products[i][i].diagonal().sum() for i in range(count)))

    def against_centre(rotations):
        """X_i^T C for each i, where C is the mean of the turned clouds."""
        return [
            sum(
                product if r is None else product @ r
                for product, r in zip(row, rotations, strict=True)
            )
            / count
            for row in products
        ]

    def objective(rotations, m):
        """sum_i |X_i R_i - C|^2; 0 where it is nothing but rounding."""
        turned = (
            each.diagonal().sum() if r is None else (each * r).sum()
            for each, r in zip(m, rotations, strict=True)
        )
        left = energy - float(sum(turned))
        return left if left > rounding * energy else 0.0

    rotations = (None,) * count  # the identity
    m = against_centre(rotations)
    objectives = [objective(rotations, m)]
    for _ in range(rounds):
        rotations = tuple(polar(each, svd, exact) for each in m)
        m = against_centre(rotations)
        objectives.append(objective(rotations, m))
        if objectives[-1] > objectives[-2] + rounding * energy:
            raise ContradictedError(f"the objective rose from {objectives[-2]} to {objectives[-1]}")
        if objectives[-2] - objectives[-1] <= tolerance * objectives[-2]:
            break
    if rotations[0] is None:
        rotations = (torch.eye(width, dtype=torch.float64, device=clouds[0].device),) * count
    centre = (
        sum(cloud @ r.to(cloud.dtype) for cloud, r in zip(clouds, rotations, strict=True)) / count
    )
    lengths = torch.stack([cloud.norm() for cloud in clouds])
    agreement = float(centre.norm() / lengths.mean()) if float(lengths.mean()) > 0 else 0.0
    return Consensus(centre, rotations, tuple(objectives), agreement)

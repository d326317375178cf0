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

from train_gpt_style.geometry.procrustes import orthogonal_procrustes
from verify.errors import UsageError

TOLERANCE = 2.0**-20  # relative change of the objective at which the rounds end


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
    """The clouds (M, D_i) in float64, all as wide as the widest.

    Raises UsageError for fewer than two, or for clouds that do not have the same rows.
    """
    shapes = [tuple(cloud.shape) for cloud in clouds]
    if len(clouds) < 2 or any(len(s) != 2 or s[0] != shapes[0][0] for s in shapes):
        raise UsageError(f"a consensus needs two clouds or more of the same rows, not {shapes}")
    width = max(shape[1] for shape in shapes)
    return [torch.nn.functional.pad(c.double(), (0, width - c.shape[1])) for c in clouds]


def objective(turned, centre):
    """sum_i |X_i R_i - C|^2."""
    return float(sum((t - centre).square().sum() for t in turned))


def generalised_procrustes(clouds, rounds=20, tolerance=TOLERANCE):
    """The consensus of clouds (M, D_i) of paired rows, centred or not as the caller gives them.

    Raises UsageError as `padded` does.
    """
    clouds = padded(clouds)
    turned, rotations = clouds, ()
    centre = torch.stack(clouds).mean(dim=0)
    objectives = [objective(turned, centre)]
    for _ in range(rounds):
        rotations = tuple(orthogonal_procrustes(cloud, centre) for cloud in clouds)
        turned = [cloud @ r for cloud, r in zip(clouds, rotations, strict=True)]
        centre = torch.stack(turned).mean(dim=0)
        objectives.append(objective(turned, centre))
        if objectives[-2] - objectives[-1] <= tolerance * objectives[-2]:
            break
    lengths = torch.stack([cloud.norm() for cloud in clouds])
    agreement = float(centre.norm() / lengths.mean()) if float(lengths.mean()) > 0 else 0.0
    return Consensus(centre, rotations, tuple(objectives), agreement)

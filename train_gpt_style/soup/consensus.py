"""What the experts agree on: one cloud on the sphere, and each expert's affine way to it.

Unit rows are centred; an expert wider than EXPERT_DIM is reduced to its first EXPERT_DIM principal
columns, a narrower one gets columns of zeros. With GPA the consensus is the mean of the turned
clouds, reduced to OUTPUT_DIM principal columns; without, the mean of each expert's own OUTPUT_DIM.
Signs are fixed: the largest entry of each principal vector is positive. Targets are unit rows.

Rows are in float32, what is D x D in float64. LAPACK's bits depend on CPU and threads, which is
part of the numeric class; the portable lane takes Jacobi rotations in a fixed order.

Shape letters: N rows, D columns of an expert, w columns that are kept, O sphere.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from goldenseal.errors import UsageError
from train_gpt_style.geometry.anchors import unit
from train_gpt_style.geometry.gpa import generalised_procrustes
from train_gpt_style.geometry.jacobi import jacobi_eigh, jacobi_svd
from train_gpt_style.geometry.procrustes import WHITEN_FLOOR


@dataclass(frozen=True)
class Solver:
    """svd and eigh, as in torch.linalg."""

    svd: Any
    eigh: Any


NATIVE = Solver(lambda m: torch.linalg.svd(m, full_matrices=False), torch.linalg.eigh)
PORTABLE = Solver(jacobi_svd, jacobi_eigh)


def solver_of(settings):
    """The lane's."""
    return PORTABLE if settings.numerics == "portable" else NATIVE


@dataclass(frozen=True)
class Principal:
    """A cloud in its principal columns: (x - mean) @ basis; values: their variances, descending."""

    mean: torch.Tensor  # (D,)
    basis: torch.Tensor  # (D, w)
    values: torch.Tensor  # (w,)

    def __call__(self, rows):
        """(N, D) to (N, w), in the rows' own type."""
        return (rows - self.mean.to(rows.dtype)) @ self.basis.to(rows.dtype)


def principal(rows, width, solver):
    """The first `width` principal columns of a cloud (N, D), or all D where there are fewer."""
    mean = rows.double().mean(dim=0)
    centred = rows - mean.to(rows.dtype)
    covariance = (centred.T @ centred).double() / max(len(rows) - 1, 1)
    values, vectors = solver.eigh(covariance)
    values, basis = values.flip(0)[:width].clamp_min(0), vectors.flip(1)[:, :width]
    largest = basis.gather(0, basis.abs().argmax(dim=0, keepdim=True))
    return Principal(mean, basis * torch.where(largest < 0, -1.0, 1.0), values)


@dataclass(frozen=True)
class Consensus:
    """train, val: unit rows (N, O), float32. parts: `Principal` of each expert. clouds: their rows.

    objectives, agreement: of GPA, see geometry.gpa; () and None without.
    """

    train: torch.Tensor
    val: torch.Tensor
    parts: tuple[Principal, ...]
    clouds: tuple[torch.Tensor, ...]
    objectives: tuple[float, ...] = ()
    agreement: float | None = None


def gpa_of(settings):
    """(rounds, tolerance) of GPA, or None without."""
    return (settings.gpa_rounds, settings.gpa_tol) if settings.gpa else None


def consensus_of(settings, data, log=None):
    """The consensus of the run's tables, worked out once; then `log` is told how well they agree.

    Raises UsageError where there are too few rows or columns for OUTPUT_DIM.
    """
    if "consensus" not in data.kept:
        s = settings
        features = data.train.features, data.val.features
        sizes = s.expert_dim, s.output_dim
        found = data.kept["consensus"] = make(*features, *sizes, gpa_of(s), solver_of(s))
        if found.agreement is not None and log is not None:
            rounds = len(found.objectives) - 1
            log(f"consensus agreement:{found.agreement:.4f} rounds:{rounds}")
    return data.kept["consensus"]


def make(train, val, width, output, gpa=None, solver=NATIVE):
    """`Consensus` of unit rows [(N, D)]; gpa: (rounds, tolerance), or None for none."""
    if len(train[0]) <= output:
        raise UsageError(
            f"OUTPUT_DIM={output} needs more rows than columns: there are {len(train[0])} rows"
        )
    parts = tuple(principal(rows, width, solver) for rows in train)
    clouds = tuple(part(rows) for part, rows in zip(parts, train, strict=True))
    seen = [part(rows) for part, rows in zip(parts, val, strict=True)]
    if gpa is None or len(clouds) == 1:
        centre, centre_val = (narrow_mean(group, output) for group in (clouds, seen))
        return Consensus(unit(centre), unit(centre_val), parts, clouds)
    found = generalised_procrustes(clouds, *gpa, svd=None if solver is NATIVE else solver.svd)
    if found.centre.shape[1] < output:
        raise UsageError(f"OUTPUT_DIM={output}: the widest expert has {found.centre.shape[1]}")
    turned = zip(seen, found.rotations, strict=True)
    centre_val = sum(rows @ r[: rows.shape[1]].to(rows.dtype) for rows, r in turned) / len(seen)
    last = principal(found.centre, output, solver)
    rows = unit(last(found.centre)), unit(last(centre_val))
    return Consensus(*rows, parts, clouds, found.objectives, found.agreement)


def narrow_mean(clouds, output):
    """The mean of clouds (N, w) in their first `output` columns; narrower ones get zeros."""
    pads = [
        torch.nn.functional.pad(c[:, :output], (0, max(0, output - c.shape[1]))) for c in clouds
    ]
    return torch.stack(pads).mean(dim=0)


# -- calibration: each expert's affine way to the consensus ---------------------------------------


@dataclass(frozen=True)
class Affine:
    """x to x @ weight.T + bias: weight (O, D), bias (O,), float64."""

    weight: torch.Tensor
    bias: torch.Tensor

    def __call__(self, rows):
        """(N, D) to (N, O), float64."""
        return rows.double() @ self.weight.T + self.bias


def scales(values, floor):
    """(roots, inverse roots) of variances; below `floor` times the largest both are 0."""
    keep = values > floor * values.max().clamp_min(0)
    # By numpy, whose root is correctly rounded on every CPU; torch's own is not.
    roots = torch.from_numpy(np.sqrt(torch.where(keep, values, 0).cpu().numpy())).to(values.device)
    return roots, torch.where(keep, 1 / torch.where(keep, roots, 1), 0)


def rotation(source, target, solver):
    """The (w, O) matrix with orthonormal columns, or rows, that turns source rows to target's."""
    m = source.T.double() @ target.double()
    wide = m.shape[0] < m.shape[1]
    u, _, vh = solver.svd(m.T if wide else m)
    found = u @ vh
    return found.T if wide else found


def calibrate(part, cloud, target, whiten=True, floor=WHITEN_FLOOR, solver=NATIVE):
    """The affine map of an expert to targets (N, O), by Procrustes in whitened coordinates.

    Whitened: both clouds get unit variance in every principal direction above the floor, rows are
    normalised, the rotation is found, and the rows that were *not* normalised are mapped back, so
    that an exact rotation comes back exactly. Not whitened: a rotation and one scale.
    Raises UsageError when a cloud has no spread.
    """
    goal = principal(target, target.shape[1], solver)
    if not float(part.values[0]) > 0 or not float(goal.values[0]) > 0:
        raise UsageError("an expert, or the consensus, has the same row for every image")
    t = goal(target)
    if whiten:
        _, inverse = scales(part.values, floor)
        back, forth = scales(goal.values, floor)
        s, t = unit(cloud * inverse.to(cloud.dtype)), unit(t * forth.to(t.dtype))
        turn = inverse.unsqueeze(1) * rotation(s, t, solver) * back
    else:
        turn = rotation(cloud, t, solver)
        turned = (cloud.double() @ turn).double()
        turn = turn * float((turned * t.double()).sum() / turned.square().sum())
    weight = (part.basis @ turn @ goal.basis.T).T
    return Affine(weight, goal.mean - weight @ part.mean)

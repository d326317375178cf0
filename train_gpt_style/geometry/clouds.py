"""What a cloud of rows (M, D) looks like: effective dimension, energy, cosines, use of anchors."""

import math
from dataclasses import dataclass

import torch

from train_gpt_style.geometry.anchors import unit


@torch.no_grad()
def spectrum(cloud):
    """Singular values of the centred cloud, float64, the largest first."""
    x = cloud.double()
    return torch.linalg.svdvals(x - x.mean(dim=0))


def effective_dimension(cloud):
    """(sum s)^2 / sum s^2 of its spectrum: r for r equal singular values; 0 for a single point.

    Not the dimension in which a uniform cloud has the same CV, `sphere.uniform_dimension`.
    """
    s = spectrum(cloud)
    energy = float(s.square().sum())
    return float(s.sum()) ** 2 / energy if energy > 0 else 0.0


def energy_shares(cloud, tops=(3, 5, 10, 20, 50)):
    """Share of sum s^2 in the `k` largest singular values, by k; 0 for a single point."""
    squares = spectrum(cloud).square()
    whole = float(squares.sum())
    return {k: float(squares[:k].sum()) / whole if whole > 0 else 0.0 for k in tops}


@torch.no_grad()
def self_similarity(cloud):
    """(mean, standard deviation) of the cosines between different rows; (1, 0) below two rows."""
    rows = unit(cloud.double())
    m = len(rows)
    if m < 2:
        return 1.0, 0.0
    cosines = rows @ rows.T
    off = cosines[~torch.eye(m, dtype=torch.bool, device=rows.device)]
    return float(off.mean()), float(off.std(correction=0))


@dataclass(frozen=True)
class Usage:
    """How anchors are used: how many at all, entropy in percent of ln A, Gini of the counts."""

    active: int
    anchors: int
    entropy: float
    gini: float


def anchor_usage(nearest, anchors):
    """Usage of `anchors` from the nearest anchor of each row, int64 of any shape.

    One anchor for all rows: entropy 0, Gini 1 - 1/A. All equally: 100, 0. No row: 0, 0, 0.
    """
    counts = torch.bincount(nearest.reshape(-1).cpu(), minlength=anchors).double()
    total = float(counts.sum())
    if total == 0:
        return Usage(0, anchors, 0.0, 0.0)
    shares = sorted((counts / total).tolist())
    entropy = sum(p * -math.log(p) for p in shares if p > 0)
    top = math.log(anchors)
    gini = sum((2 * i - anchors - 1) * p for i, p in enumerate(shares, start=1)) / anchors
    percent = 100 * entropy / top if top > 0 else 0.0
    return Usage(int((counts > 0).sum()), anchors, percent, gini)

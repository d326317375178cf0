"""Procrustes: the rotation that takes one cloud of paired rows to another (Schonemann 1966).

All in float64. A fit proves nothing by itself: whitened Procrustes of n <= D + 1 rows in D
dimensions takes any cloud to any other with cosine 1. So `held_out` fits on some rows, judges the
others, and repeats it with the pairs permuted.
"""

from dataclasses import dataclass

import torch

from goldenseal.errors import UsageError
from train_gpt_style.geometry.anchors import unit

WHITEN_FLOOR = 2.0**-20  # of the largest eigenvalue


def paired(source, target):
    """Both clouds (M, D) in float64. Raises UsageError unless their shapes are equal."""
    if source.dim() != 2 or source.shape != target.shape:
        shapes = f"{tuple(source.shape)} and {tuple(target.shape)}"
        raise UsageError(f"Procrustes needs two clouds (M, D) of equal shape, not {shapes}")
    return source.double(), target.double()


def orthogonal_procrustes(source, target, proper=False):
    """R (D, D), orthogonal, that minimises |source R - target|: U V^T of source^T target.

    proper: determinant +1, no reflection. Rows are taken as they are: centre them first.
    """
    source, target = paired(source, target)
    u, _, vh = torch.linalg.svd(source.T @ target)
    if proper and float(torch.linalg.det(u @ vh)) < 0:
        u = torch.cat((u[:, :-1], -u[:, -1:]), dim=1)
    return u @ vh


def inverse_root(covariance, floor=WHITEN_FLOOR):
    """C^(-1/2) of a covariance (D, D); directions below `floor` times the largest are dropped.

    Raises UsageError when nothing is above it.
    """
    values, vectors = torch.linalg.eigh(covariance)
    keep = values > floor * values[-1].clamp_min(0)
    if not bool(keep.any()) or float(values[-1]) <= 0:
        raise UsageError("a cloud without any spread cannot be whitened")
    roots = torch.where(keep, values.clamp_min(torch.finfo(values.dtype).tiny).rsqrt(), 0)
    return (vectors * roots) @ vectors.T


@dataclass(frozen=True)
class Whitened:
    """A whitened fit. quality: mean cosine of whitened rows after it; plain: without whitening.

    quality is 1 for any invertible linear map between the clouds, so it stands beside `plain`.
    """

    rotation: torch.Tensor
    source_root: torch.Tensor
    target_root: torch.Tensor
    source_mean: torch.Tensor
    target_mean: torch.Tensor
    quality: float
    plain: float

    def whiten(self, source):
        """Source rows as the fit compares them: whitened, rotated, not normalised."""
        return (source.double() - self.source_mean) @ self.source_root @ self.rotation

    def apply(self, source):
        """Rows (M, D) of the source's space in the target's, unwhitened; float64."""
        return self.whiten(source) @ torch.linalg.pinv(self.target_root) + self.target_mean


def whitened_procrustes(source, target, floor=WHITEN_FLOOR):
    """The rotation between two whitened clouds of paired rows (M, D).

    Raises UsageError for other shapes, fewer than two rows, or a cloud without spread.
    """
    source, target = paired(source, target)
    if len(source) < 2:
        raise UsageError(f"whitening needs two rows at least, not {len(source)}")
    means = source.mean(dim=0), target.mean(dim=0)
    clouds = source - means[0], target - means[1]
    roots = [inverse_root(c.T @ c / (len(c) - 1), floor) for c in clouds]
    s, t = (unit(c @ root) for c, root in zip(clouds, roots, strict=True))
    rotation = orthogonal_procrustes(s, t)
    plain = mean_cosine(clouds[0] @ orthogonal_procrustes(*clouds), clouds[1])
    return Whitened(rotation, *roots, *means, mean_cosine(s @ rotation, t), plain)


def mean_cosine(a, b):
    """Mean over rows of the cosine between two clouds (M, D)."""
    return float((unit(a) * unit(b)).sum(dim=1).mean())


@dataclass(frozen=True)
class HeldOut:
    """Mean cosines: on the fit's rows, on rows it never saw, there with permuted pairs.

    rows, columns: of the fit; with rows <= columns + 1 any two clouds fit.
    """

    fitted: float
    held_out: float
    permuted: float
    rows: int
    columns: int

    def cosines(self):
        """The three, in words."""
        return f"fit:{self.fitted:.4f} held_out:{self.held_out:.4f} permuted:{self.permuted:.4f}"

    def size(self):
        """Of the fit, and whether it is too small for the fit to prove anything."""
        proves = "; rows <= columns + 1: any clouds would fit" * (self.rows <= self.columns + 1)
        return f"n:{self.rows} D:{self.columns}{proves}"

    def __str__(self):
        return f"{self.cosines()} {self.size()}"


def held_out(source, target, generator, whiten=True, floor=WHITEN_FLOOR):
    """Fit on a random half of the rows, judge the other; once more with the target permuted.

    Raises UsageError for fewer than four rows.
    """
    source, target = paired(source, target)
    count = len(source)
    if count < 4:
        raise UsageError(f"a held-out fit needs four rows at least, not {count}")
    order = torch.randperm(count, generator=generator).to(source.device)
    shuffle = torch.randperm(count, generator=generator).to(source.device)
    inside, outside = order[: count // 2], order[count // 2 :]

    def cosines(t):
        fit = fitted(source[inside], t[inside], whiten, floor)
        return [mean_cosine(*fit(source[part], t[part])) for part in (inside, outside)]

    own, other = cosines(target)
    return HeldOut(own, other, cosines(target[shuffle])[1], len(inside), source.shape[1])


def fitted(source, target, whiten, floor):
    """A function from rows of both clouds to what the fit compares."""
    if whiten:
        fit = whitened_procrustes(source, target, floor)
        return lambda s, t: (fit.whiten(s), (t - fit.target_mean) @ fit.target_root)
    means = source.mean(dim=0), target.mean(dim=0)
    rotation = orthogonal_procrustes(source - means[0], target - means[1])
    return lambda s, t: ((s - means[0]) @ rotation, t - means[1])

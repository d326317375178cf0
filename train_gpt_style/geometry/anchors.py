"""Where the anchors of a constellation start: unit rows (A, D), by one of four ways.

Each draws from the generator that it is given, or from torch's own.
"""

import torch
import torch.nn.functional as F

from train_gpt_style.geometry.constants import GEO_NORM_EPS, GEO_REPULSION
from verify.errors import UsageError

REPULSION_STEPS = 200


def unit(t):
    """Rows of length 1; a row of zeros stays one."""
    return F.normalize(t, dim=-1, eps=GEO_NORM_EPS)


def random_anchors(count, dim, generator=None):
    """Independent uniform points of the sphere."""
    return unit(torch.randn(count, dim, generator=generator))


def orthogonal_anchors(count, dim, generator=None):
    """Orthonormal rows; where count > dim, random rows besides, and then all repel each other.

    Orthonormal rows have CV 0: all their simplices are equal.
    """
    drawn = torch.randn(count, dim, generator=generator)
    rows = []
    for row in drawn[:dim]:
        for _ in range(2):  # once more, since the first pass leaves what rounding left
            if rows:
                basis = torch.stack(rows)
                row = row - (basis @ row) @ basis
            row = unit(row)
        rows.append(row)
    anchors = torch.cat((torch.stack(rows), unit(drawn[dim:])))
    return anchors if count <= dim else repelled(anchors)


def repelled(anchors, steps=REPULSION_STEPS, rate=GEO_REPULSION):
    """Anchors after `steps` small moves away from their nearest."""
    not_itself = 2 * torch.diag(torch.ones(len(anchors)))
    for _ in range(steps):
        nearest = (anchors @ anchors.T - not_itself).argmax(dim=1)
        anchors = unit(anchors - rate * anchors[nearest])
    return anchors


def farthest_point_anchors(cloud, count):
    """`count` unit rows of a cloud (M, D), each the farthest by angle from those before it.

    The first is the row nearest to the mean direction. Deterministic; ties go to the first row.
    Raises UsageError when the cloud has fewer rows.
    """
    rows = enough(cloud, count)
    place = int((rows @ rows.mean(dim=0)).argmax())
    chosen, nearest = [place], rows @ rows[place]
    while len(chosen) < count:
        if len(chosen) > 1:
            nearest = torch.maximum(nearest, rows @ rows[chosen[-1]])
        # A chosen row is never the answer again, not even among copies of itself.
        nearest[chosen[-1]] = 2
        chosen.append(int(nearest.argmin()))
    return rows[chosen].clone()


def kmeans_anchors(cloud, count, rounds=20):
    """Centres of spherical k-means from farthest points, for at most `rounds` rounds.

    A centre whose rows cancel, or that has none, stays where it was. Deterministic.
    """
    rows = enough(cloud, count)
    centres, before = farthest_point_anchors(rows, count), None
    for _ in range(rounds):
        owner = (rows @ centres.T).argmax(dim=1)
        if before is not None and bool((owner == before).all()):
            break
        sums = torch.zeros_like(centres).index_add(0, owner, rows)
        some = sums.norm(dim=1, keepdim=True) > GEO_NORM_EPS
        centres, before = torch.where(some, unit(sums), centres), owner
    return centres


def enough(cloud, count):
    """Unit rows in float32 at least. Raises UsageError when there are fewer than `count`."""
    if cloud.dim() != 2 or not 0 < count <= len(cloud):
        raise UsageError(f"{count} anchors need as many rows (M, D), not {tuple(cloud.shape)}")
    return unit(cloud if cloud.dtype == torch.float64 else cloud.float())

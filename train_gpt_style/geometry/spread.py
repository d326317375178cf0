"""CV: how much the volumes of random 4-simplices of a cloud differ, std / (mean + 1e-8).

CV is the same after a rotation or a scaling of the cloud, not after a scaling of single rows. For
uniform points on a sphere it has a closed form (`sphere.uniform_cv`): a value says at most in how
many dimensions a uniform cloud would look so. Degenerate input has defined values: with fewer than
five rows, or too few volumes above the floor, the loss and the metric are 0.
"""

import torch

from goldenseal.errors import UsageError
from train_gpt_style.geometry.constants import GEO_CV_EPS, GEO_VOLUME_FLOOR
from train_gpt_style.geometry.pool import (
    CORNERS,
    ROUNDINGS,
    draw_simplices,
    flatness,
    pool_distances,
    pool_volume2,
)
from train_gpt_style.geometry.simplex import volume2_by_cayley_menger
from train_gpt_style.geometry.volumes import LEFT, RIGHT, least_height2, pair_rows

POOL_ROWS = 512
LEAST_IN_LOSS, LEAST_IN_METRIC = 5, 10


def cv_of_volume2(volume2, least):
    """(CV, mean volume, how many were valid) of squared volumes (N,), as tensors of one number.

    Unbiased deviation over the volumes above the floor; CV is 0 when fewer than `least` are.
    """
    valid = volume2 > GEO_VOLUME_FLOOR
    count = valid.sum()
    # Roots of ones where nothing is kept: the gradient of a root at 0 is infinite.
    volumes = torch.where(valid, volume2, 1).sqrt()
    mean = (volumes * valid).sum() / count.clamp_min(1)
    variance = ((volumes - mean).square() * valid).sum() / (count - 1).clamp_min(1)
    spread = variance > 0
    deviation = torch.where(spread, torch.where(spread, variance, 1).sqrt(), 0)
    cv = deviation / (mean + GEO_CV_EPS)
    return torch.where(count >= least, cv, 0), mean, count


def volume2_of(points, simplices, kernel="gram"):
    """Squared volumes by `kernel`: gram, one expansion; fused, the same; det, 6 x 6 determinants.

    Raises UsageError for another kernel.
    """
    if kernel in ("gram", "fused"):
        return pool_volume2(points, simplices, kernel == "fused")
    if kernel != "det":
        raise UsageError(f"kernel {kernel}: gram, fused or det")
    d = pool_distances(points)  # in single precision at least, under autocast too
    d = d[simplices.unsqueeze(2), simplices.unsqueeze(1)]
    found = volume2_by_cayley_menger(d)
    return torch.where(found > flatness(pair_rows(d.detach())), found, 0)


def cv_loss(points, target, samples, generator, pool=POOL_ROWS, kernel="gram"):
    """(CV - target)^2 over `samples` simplices of the first `pool` rows of points (M, D).

    `generator` is the caller's own, so that switching the loss on moves no other draw.
    """
    rows = min(len(points), pool)
    if rows < CORNERS:
        return points.new_zeros(())
    simplices = draw_simplices(rows, samples, generator).to(points.device)
    volume2 = volume2_of(points[:rows], simplices, kernel)
    cv, _, count = cv_of_volume2(volume2, LEAST_IN_LOSS)
    return torch.where(count >= LEAST_IN_LOSS, (cv - target).square(), 0)


def cv_metric(points, generator, samples=200, pool=POOL_ROWS):
    """(CV, mean volume) of a cloud (M, D), as floats; (0.0, 0.0) where there are too few."""
    return counted_cv(points, generator, samples, pool)[:2]


@torch.no_grad()
def counted_cv(points, generator, samples=200, pool=POOL_ROWS):
    """As `cv_metric`, and how many of the simplices have a volume.

    In float64, whatever the cloud's type: a cloud of few wide dimensions has volumes far below what
    single precision tells from none. Flat is what is no thicker than the rows' own rounding.
    """
    rows = min(len(points), pool)
    if rows < CORNERS:
        return 0.0, 0.0, 0
    simplices = draw_simplices(rows, samples, generator).to(points.device)
    cloud = points[:rows].double()
    volume2 = pool_volume2(cloud, simplices)
    grain = ROUNDINGS * torch.finfo(points.dtype).eps * cloud.norm(dim=1).max()
    i, j = simplices[:, list(LEFT)].T, simplices[:, list(RIGHT)].T
    d = pool_distances(cloud)[i, j]
    volume2 = torch.where(least_height2(d, volume2) > grain**2, volume2, 0)
    cv, mean, count = cv_of_volume2(volume2, LEAST_IN_METRIC)
    return float(cv), float(mean) if count >= LEAST_IN_METRIC else 0.0, int(count)

"""CV on any CPU to the same bits: numpy, float64, one order of operations.

Only + - * / and numpy's root, which is correctly rounded (torch's own is not), and no product of
matrices, whose order is the library's. Sums run in sequence. Memory is ten rows of N.
"""

import numpy as np

from train_gpt_style.geometry.constants import GEO_CV_EPS, GEO_VOLUME_FLOOR
from train_gpt_style.geometry.pool import flatness
from train_gpt_style.geometry.volumes import LEFT, RIGHT, expanded


def sequential_sum(values):
    """The sum of (N,) from the first to the last."""
    return np.add.accumulate(values)[-1] if len(values) else np.float64(0)


def portable_volume2(points, simplices):
    """Squared volumes (N,) of corners (N, 5) among points (M, D), numpy arrays; float64.

    Distances are sums of squared differences, one coordinate after the other. What is flat up to
    rounding has volume 0, as in `pool`.
    """
    x, corners = np.asarray(points, np.float64), np.asarray(simplices).T
    d = np.zeros((len(LEFT), corners.shape[1]))
    for column in x.T:
        difference = column[corners[list(LEFT)]] - column[corners[list(RIGHT)]]
        d += difference * difference
    found = expanded(d)
    return np.where(found > flatness(d), found, 0)


def portable_cv(points, simplices, least=5):
    """(CV, mean volume, how many were valid) as `spread.cv_of_volume2` defines them."""
    volume2 = portable_volume2(points, simplices)
    volumes = np.sqrt(volume2[volume2 > GEO_VOLUME_FLOOR])
    count = len(volumes)
    mean = sequential_sum(volumes) / max(count, 1)
    if count < max(2, least):
        return 0.0, float(mean), count
    difference = volumes - mean
    deviation = np.sqrt(sequential_sum(difference * difference) / (count - 1))
    return float(deviation / (mean + GEO_CV_EPS)), float(mean), count

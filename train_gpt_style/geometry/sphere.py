"""Exact moments of simplex volumes for uniform points on the sphere S^(d-1) (Miles 1971).

With r + 1 independent uniform points, all on the sphere,

    E[V^m] = (r!)^-m (G(d/2) / G((d+m)/2))^(r+1) * G((r+1)(d+m-2)/2 + 1)
             / G(((r+1)(d+m-2) - m)/2 + 1) * prod_{i=1..r} G((d-r+m+i)/2) / G((d-r+i)/2),

G the gamma function; CV^2 = E[V^2] / E[V]^2 - 1. For r = 4, E[V^2] = 5(d-1)(d-2)(d-3)/(576 d^3).
"""

import math
from fractions import Fraction

from verify.errors import UsageError

LEAST_DIMENSION, LARGEST_DIMENSION = 4.0, 65536.0


def volume_moment(d, m, r=4):
    """E[V^m] of a simplex of r + 1 uniform points on S^(d-1); d may be any real of at least r."""
    if d < r or d <= 1:
        raise UsageError(f"{r + 1} points in general position need {r} dimensions, not {d}")
    lg = math.lgamma
    log = -m * lg(r + 1) + (r + 1) * (lg(d / 2) - lg((d + m) / 2))
    log += lg((r + 1) * (d + m - 2) / 2 + 1) - lg(((r + 1) * (d + m - 2) - m) / 2 + 1)
    for i in range(1, r + 1):
        log += lg((d - r + m + i) / 2) - lg((d - r + i) / 2)
    return math.exp(log)


def mean_square_volume(d):
    """E[V^2] of a 4-simplex on S^(d-1), exactly, as a Fraction; d an integer of at least 1."""
    if d < 1:
        raise UsageError(f"a sphere has 1 dimension or more, not {d}")
    return Fraction(5 * (d - 1) * (d - 2) * (d - 3), 576 * d**3)


def mean_volume(d, r=4):
    """E[V]."""
    return volume_moment(d, 1, r)


def uniform_cv(d, r=4):
    """Standard deviation of V over its mean for uniform points on S^(d-1)."""
    first, second = volume_moment(d, 1, r), volume_moment(d, 2, r)
    return math.sqrt(max(0.0, second / first**2 - 1))


def uniform_dimension(cv):
    """The real d in [4, 65536] in which uniform points have that CV; the end nearest, if none.

    CV falls with d, so this is a bisection.
    """
    low, high = LEAST_DIMENSION, LARGEST_DIMENSION
    for _ in range(64):
        middle = (low + high) / 2
        low, high = (middle, high) if uniform_cv(middle) > cv else (low, middle)
    return (low + high) / 2

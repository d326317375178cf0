"""The power of a test with a planned number of seeds."""

import math
import random
from typing import Any

from goldenseal.grids.paired import sign_flip

DRAWS, DRAW_SEED = 1000, 1597  # of the simulated power of the sign-flip test


def power_t(effect: float, deviation: float, n: int, alpha: float) -> float:
    """Power of a two-sided paired t-test: noncentral t with n - 1 degrees of freedom."""
    from scipy import stats

    shift = abs(effect) / deviation * math.sqrt(n)
    critical = float(stats.t.ppf(1 - alpha / 2, n - 1))
    above = float(stats.nct.sf(critical, n - 1, shift))
    below = float(stats.nct.cdf(-critical, n - 1, shift))
    return min(1.0, above + (below if math.isfinite(below) else 0.0))


def power_sign_flip(effect: float, deviation: float, n: int, alpha: float) -> float:
    """The same of the sign-flip test: the share of normal draws, from a fixed seed, that fire."""
    drawn = random.Random(DRAW_SEED)
    fired = sum(
        sign_flip([drawn.gauss(effect, deviation) for _ in range(n)]) < alpha for _ in range(DRAWS)
    )
    return fired / DRAWS


def power(
    test: str, effect: float, deviation: float, n: int, alpha: float, m: int
) -> dict[str, Any]:
    """Power of one of m comparisons under Holm, at the two ends of what the correction may ask.

    `alone` is at alpha / m, when no other comparison counts; `last` at alpha, when all others do.
    """
    of = power_t if test == "paired-t" else power_sign_flip
    return {
        "alone": of(effect, deviation, n, alpha / m),
        "comparisons": m,
        "deviation": deviation,
        "effect": effect,
        "last": of(effect, deviation, n, alpha),
        "n": n,
        "test": test,
    }

"""What a planned number of seeds can show: rules that can never fire, and the power of a test."""

import math
import random
from typing import Any

from verify.errors import UsageError
from verify.plan import FEWEST_SEEDS
from verify.study.paired import MOST_BLOCKS, sign_flip

DRAWS, DRAW_SEED = 1000, 1597  # of the simulated power of the sign-flip test
SMALLEST_ALPHA = 1e-12


def refuse_dead_rule(test: str, alpha: float, n: int, comparisons: int, where: str) -> None:
    """Raise UsageError when no result of `n` seeds could meet the rule, or too few are listed.

    Holm's correction multiplies the smallest of m p-values by m, so even the clearest result must
    come below alpha / m. A sign-flip test over n pairs has no p below 2 / 2^n.
    """
    if n < FEWEST_SEEDS:
        raise UsageError(f"{where}: {n} seeds; {test} needs {FEWEST_SEEDS} or more")
    if alpha < SMALLEST_ALPHA:
        raise UsageError(
            f"{where}: alpha {alpha} is below what is computed exactly: it never fires"
        )
    if test != "sign-flip":
        return
    if n > MOST_BLOCKS:
        raise UsageError(f"{where}: {n} seeds; an exact sign-flip test takes {MOST_BLOCKS} at most")
    needed = fewest_for_sign_flip(alpha, comparisons)
    if n < needed:
        least = comparisons * 2.0 ** (1 - n)
        raise UsageError(
            f"{where}: the rule can never fire: with {n} seeds and {comparisons} comparisons the "
            f"smallest p of a sign-flip test after Holm is {least:.3g}, not below alpha {alpha}; "
            f"it needs {needed} seeds"
        )


def fewest_for_sign_flip(alpha: float, comparisons: int) -> int:
    """The fewest pairs whose smallest corrected p is below alpha."""
    n = FEWEST_SEEDS
    while comparisons * 2.0 ** (1 - n) >= alpha:
        n += 1
    return n


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

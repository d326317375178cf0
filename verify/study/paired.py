"""Statistics of paired log-ratios, one number a block: interval, exact test, equivalence.

Blocks are resampled, never steps: the steps of one run depend on each other. scipy is needed for
the quantiles and tails of Student's t; the sign-flip test needs nothing.
"""

import bisect
import itertools
import math
from collections.abc import Sequence
from typing import Any

from verify.errors import UsageError
from verify.study.summary import describe

MOST_BLOCKS = 40  # of an exact test: two halves of 2^20 signs each
TIES = 1e-12  # sums that differ by less, relative to the largest, are the same sum


def interval(values: Sequence[float], confidence: float) -> dict[str, Any]:
    """n, mean, sd and the two-sided t interval of the mean; of no width where all are equal.

    Raises UsageError for fewer than two values.
    """
    from scipy import stats

    if len(values) < 2:
        raise UsageError(f"{len(values)} blocks: an interval needs two or more")
    facts = describe(values)
    quantile = float(stats.t.ppf((1 + confidence) / 2, len(values) - 1))
    half = quantile * facts["sd"] / math.sqrt(len(values))
    return {**facts, "interval": [facts["mean"] - half, facts["mean"] + half]}


def sign_flip(values: Sequence[float]) -> float:
    """The exact two-sided p: the share of all choices of signs with a sum as far from 0.

    Under the null each block's ratio is as likely to be its inverse. Raises UsageError for more
    blocks than can be counted out.
    """
    if not 1 <= len(values) <= MOST_BLOCKS:
        raise UsageError(f"{len(values)} blocks: an exact test takes 1 to {MOST_BLOCKS}")
    sizes = [abs(value) for value in values]
    least = abs(math.fsum(values)) - TIES * math.fsum(sizes)
    if least <= 0:
        return 1.0
    middle = len(values) // 2
    left, right = sums(sizes[:middle]), sorted(sums(sizes[middle:]))
    count: int = 0
    for a in left:
        count += len(right) - bisect.bisect_left(right, least - a)  # a + b >= least
        count += bisect.bisect_right(right, -least - a)  # a + b <= -least
    return count / float(2 ** len(values))


def sums(sizes: Sequence[float]) -> list[float]:
    """The sum for each choice of signs."""
    return [
        math.fsum(sign * size for sign, size in zip(signs, sizes, strict=True))
        for signs in itertools.product((1, -1), repeat=len(sizes))
    ]


def equivalence(values: Sequence[float], margin: float) -> float:
    """The larger p of two one-sided t tests: that the mean is above -margin, and below margin.

    Small means "the same, within the margin". Raises UsageError for a margin that is not positive.
    """
    from scipy import stats

    if not margin > 0:
        raise UsageError(f"a margin of {margin}: it must be above 0")
    facts = describe(values)
    if facts["sd"] == 0:
        return 0.0 if abs(facts["mean"]) < margin else 1.0
    error = facts["sd"] / math.sqrt(len(values))
    nearest = (margin - abs(facts["mean"])) / error
    return float(stats.t.sf(nearest, len(values) - 1))

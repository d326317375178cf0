"""Statistics of paired log-ratios, one number a block: interval, exact test, equivalence.

Blocks are resampled, never steps: the steps of one run depend on each other. scipy is needed for
the quantiles and tails of Student's t; the sign-flip test needs nothing. Where the numbers vary by
no more than rounding explains (stats/spread.py), t is not defined, and neither is what rests
on it; the sign-flip test is, for it asks for signs and not for a spread.
"""

import bisect
import itertools
import math
from collections.abc import Iterable, Sequence
from typing import Any

from goldenseal.errors import UsageError
from goldenseal.records.kinds.rules import MOST_BLOCKS
from goldenseal.records.kinds.summary import describe
from goldenseal.stats.spread import varies

TIES = 1e-12  # sums that differ by less, relative to the largest, are the same sum


def interval(
    values: Sequence[float], confidence: float, of: Iterable[float] = ()
) -> dict[str, Any]:
    """n, mean, sd and the two-sided t interval of the mean.

    Without a spread `sd` is 0 and `interval` is None. `of` are the numbers that `values` are
    differences of. Raises UsageError for fewer than two values, or one that is not finite.
    """
    from scipy import special  # not scipy.stats, which takes most of a second to load

    facts = spread_of(values, of)
    if facts["sd"] == 0:
        return {**facts, "interval": None}
    quantile = float(special.stdtrit(len(values) - 1, (1 + confidence) / 2))
    half = quantile * facts["sd"] / math.sqrt(len(values))
    return {**facts, "interval": [facts["mean"] - half, facts["mean"] + half]}


def spread_of(values: Sequence[float], of: Iterable[float] = ()) -> dict[str, Any]:
    """n, mean and sample standard deviation, which is 0 where rounding explains all of it.

    Raises UsageError for fewer than two values, or one that is not finite.
    """
    if len(values) < 2:
        raise UsageError(f"{len(values)} values: a spread needs two or more")
    parts = list(of)
    if bad := [value for value in (*values, *parts) if not math.isfinite(value)]:
        raise UsageError(f"{bad[0]} among the values: expected finite numbers")
    facts = describe(values)
    return facts if varies(values, parts) else {**facts, "sd": 0.0}


def sign_flip(values: Sequence[float]) -> float:
    """The exact two-sided p: the share of all choices of signs with a sum as far from 0.

    Under the null each block's ratio is as likely to be its inverse. Raises UsageError for more
    blocks than can be counted out, or a value that is not finite.
    """
    if not 1 <= len(values) <= MOST_BLOCKS:
        raise UsageError(f"{len(values)} blocks: an exact test takes 1 to {MOST_BLOCKS}")
    if not all(map(math.isfinite, values)):
        raise UsageError("a value is not finite: an exact test takes finite numbers")
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


def equivalence(values: Sequence[float], margin: float, of: Iterable[float] = ()) -> float | None:
    """The larger p of two one-sided t tests: that the mean is above -margin, and below margin.

    Small means "the same, within the margin". None without a spread: values that do not vary say
    nothing about how far others may lie. `of` are the numbers that `values` are differences of.
    Raises UsageError for a margin that is not positive and finite, and as `spread_of`.
    """
    from scipy import special

    if not 0 < margin < math.inf:
        raise UsageError(f"a margin of {margin}: it must be above 0 and finite")
    facts = spread_of(values, of)
    if facts["sd"] == 0:
        return None
    error = facts["sd"] / math.sqrt(len(values))
    nearest = (margin - abs(facts["mean"])) / error
    return float(special.stdtr(len(values) - 1, -nearest))

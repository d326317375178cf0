"""The statistics that a claim may state, over exact values."""

from collections.abc import Sequence
from fractions import Fraction

from goldenseal.claims.findings import ClaimError
from goldenseal.claims.numerals import root
from goldenseal.errors import CannotCheckError
from goldenseal.stats.spread import NO_SPREAD
from goldenseal.stats.student import mean, paired, variance, welch

__all__ = ["deviation", "mean", "p_value"]


def deviation(values: Sequence[Fraction], ddof: int) -> Fraction:
    """The standard deviation with n - ddof in the denominator.

    Raises ClaimError `single-seed` when there are not more values than `ddof`.
    """
    if len(values) < 2:
        raise ClaimError("single-seed", f"a deviation needs several runs, there is {len(values)}")
    return root(variance(values) * (len(values) - 1) / (len(values) - ddof))


def p_value(a: Sequence[Fraction], b: Sequence[Fraction], test: str, tail: str) -> Fraction:
    """p of a t-test, `paired` or `welch`; tail `less` asks whether a is less than b.

    Raises ClaimError `could-not-check` without scipy, `single-seed` for fewer than two runs a side,
    and `no-spread` where rounding explains all that the runs vary.
    """
    if min(len(a), len(b)) < 2:
        raise ClaimError("single-seed", "a t-test needs several runs on each side")
    try:
        made = paired(a, b) if test == "paired" else welch(a, b)
    except CannotCheckError as error:
        raise ClaimError("could-not-check", str(error)) from None
    if made is None:
        alike = "all paired differences are equal" if test == "paired" else "neither side varies"
        raise ClaimError("no-spread", f"{NO_SPREAD}: {alike}")
    tails = {"less": made.less, "greater": made.greater, "two-sided": made.two_sided}
    return Fraction(tails[tail])

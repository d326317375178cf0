"""The statistics that a claim may state, over exact values."""

from collections.abc import Sequence
from fractions import Fraction

from verify.claims.findings import ClaimError
from verify.claims.numerals import root
from verify.spread import NO_SPREAD, varies

MOST = Fraction(10) ** 300  # of a t: beyond it a double is infinite, and p is 0 long before


def mean(values: Sequence[Fraction]) -> Fraction:
    """The mean, exact."""
    return sum(values, Fraction(0)) / len(values)


def deviation(values: Sequence[Fraction], ddof: int) -> Fraction:
    """The standard deviation with n - ddof in the denominator.

    Raises ClaimError `single-seed` when there are not more values than `ddof`.
    """
    if len(values) < 2:
        raise ClaimError("single-seed", f"a deviation needs several runs, there is {len(values)}")
    return root(_variance(values) * (len(values) - 1) / (len(values) - ddof))


def p_value(a: Sequence[Fraction], b: Sequence[Fraction], test: str, tail: str) -> Fraction:
    """p of a t-test, `paired` or `welch`; tail `less` asks whether a is less than b.

    t is computed exactly, so that equal gains are equal; only its tail is a float. Raises
    ClaimError `could-not-check` without scipy, `single-seed` for fewer than two runs a side, and
    `no-spread` where rounding explains all that the runs vary.
    """
    if min(len(a), len(b)) < 2:
        raise ClaimError("single-seed", "a t-test needs several runs on each side")
    try:
        from scipy import stats
    except ImportError:
        raise ClaimError(
            "could-not-check", "a t-test needs scipy: pip install 'goldenseal[study]'"
        ) from None
    gain, error, df = _paired(a, b) if test == "paired" else _welch(a, b)
    t = min(abs(gain) / error, MOST) * (1 if gain >= 0 else -1)
    tails = {
        "less": lambda: stats.t.cdf(float(t), float(df)),
        "greater": lambda: stats.t.sf(float(t), float(df)),
        "two-sided": lambda: 2 * stats.t.sf(abs(float(t)), float(df)),
    }
    return Fraction(float(tails[tail]()))


Moments = tuple[Fraction, Fraction, Fraction]  # difference, its standard error, degrees of freedom


def _paired(a: Sequence[Fraction], b: Sequence[Fraction]) -> Moments:
    differences = [x - y for x, y in zip(a, b, strict=True)]
    if not varies(differences, (*a, *b)):
        raise ClaimError("no-spread", f"{NO_SPREAD}: all paired differences are equal")
    error = deviation(differences, 1) / root(Fraction(len(a)))
    return mean(differences), error, Fraction(len(a) - 1)


def _welch(a: Sequence[Fraction], b: Sequence[Fraction]) -> Moments:
    if not (varies(a) or varies(b)):
        raise ClaimError("no-spread", f"{NO_SPREAD}: neither side varies")
    shares = [_variance(side) / len(side) for side in (a, b)]
    squares = sum(share**2 / (len(side) - 1) for share, side in zip(shares, (a, b), strict=True))
    return (
        mean(a) - mean(b),
        root(sum(shares, Fraction(0))),
        sum(shares, Fraction(0)) ** 2 / squares,
    )


def _variance(values: Sequence[Fraction]) -> Fraction:
    centre = mean(values)
    return sum(((v - centre) ** 2 for v in values), Fraction(0)) / (len(values) - 1)

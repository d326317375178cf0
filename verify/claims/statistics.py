"""The statistics that a claim may state, over exact values."""

from collections.abc import Sequence
from fractions import Fraction

from verify.claims.findings import ClaimError
from verify.claims.numerals import root


def mean(values: Sequence[Fraction]) -> Fraction:
    """The mean, exact."""
    return sum(values, Fraction(0)) / len(values)


def deviation(values: Sequence[Fraction], ddof: int) -> Fraction:
    """The standard deviation with n - ddof in the denominator.

    Raises ClaimError `single-seed` when there are not more values than `ddof`.
    """
    if len(values) < 2:
        raise ClaimError("single-seed", f"a deviation needs several runs, there is {len(values)}")
    centre = mean(values)
    return root(sum(((v - centre) ** 2 for v in values), Fraction(0)) / (len(values) - ddof))


def p_value(a: Sequence[Fraction], b: Sequence[Fraction], test: str, tail: str) -> Fraction:
    """p of a t-test, `paired` or `welch`; tail `less` asks whether a is less than b.

    Raises ClaimError `could-not-check` without scipy, `single-seed` for fewer than two runs a side.
    """
    if min(len(a), len(b)) < 2:
        raise ClaimError("single-seed", "a t-test needs several runs on each side")
    try:
        from scipy import stats
    except ImportError:
        raise ClaimError(
            "could-not-check", "a t-test needs scipy: pip install 'goldenseal[study]'"
        ) from None
    x, y = [float(v) for v in a], [float(v) for v in b]
    if test == "paired":
        differences = [p - q for p, q in zip(x, y, strict=True)]
        if max(differences) == min(differences):
            raise ClaimError(
                "no-evidence", "all paired differences are equal: no t-test is defined"
            )
        result = stats.ttest_rel(x, y, alternative=tail)
    else:
        if max(x) == min(x) and max(y) == min(y):
            raise ClaimError("no-evidence", "neither side varies: no t-test is defined")
        result = stats.ttest_ind(x, y, equal_var=False, alternative=tail)
    return Fraction(float(result.pvalue))

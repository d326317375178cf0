"""Student's t-tests over exact values: t is computed exactly, and only its tail by scipy.

So equal gains are equal, and a spread that rounding explains is none: then there is no test.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from goldenseal.errors import CannotCheckError
from goldenseal.stats.spread import Number, varies


@dataclass(frozen=True)
class Test:
    """A t-test: the statistic, its degrees of freedom, and p for each tail."""

    t: float
    df: float
    less: float  # one-sided: the first mean, or that of the gains, is the smaller one
    greater: float
    two_sided: float


def one_sample(values: Sequence[Number], reference: Number) -> Test | None:
    """The test of mean(values) against a value. None when rounding explains all that they vary."""
    if not _varies(values):
        return None
    exact = [Fraction(value) for value in values]
    return _test(mean(exact) - Fraction(reference), variance(exact) / len(exact), len(exact) - 1)


def paired(a: Sequence[Number], b: Sequence[Number]) -> Test | None:
    """The test of the gains a - b against 0. None when rounding explains all that they vary."""
    gains = [Fraction(x) - Fraction(y) for x, y in zip(a, b, strict=True)]
    if not varies(gains, (*a, *b)):
        return None
    return _test(mean(gains), variance(gains) / len(gains), len(gains) - 1)


def welch(a: Sequence[Number], b: Sequence[Number]) -> Test | None:
    """Welch's test of mean(a) against mean(b), with Satterthwaite's degrees of freedom.

    None when a side has fewer than two values, or neither varies by more than rounding.
    """
    if min(len(a), len(b)) < 2 or not (_varies(a) or _varies(b)):
        return None
    sides = [[Fraction(value) for value in side] for side in (a, b)]
    shares = [variance(side) / len(side) for side in sides]
    total = sum(shares, Fraction(0))
    parts = [share**2 / (len(side) - 1) for share, side in zip(shares, sides, strict=True)]
    return _test(mean(sides[0]) - mean(sides[1]), total, total**2 / sum(parts, Fraction(0)))


def mean(values: Sequence[Fraction]) -> Fraction:
    """The mean, exact."""
    return sum(values, Fraction(0)) / len(values)


def variance(values: Sequence[Fraction]) -> Fraction:
    """The variance with n - 1 in the denominator, exact."""
    centre = mean(values)
    return sum(((value - centre) ** 2 for value in values), Fraction(0)) / (len(values) - 1)


def tails(t: float, df: float) -> float:
    """The probability that Student's t of `df` degrees of freedom is above `t`.

    Raises CannotCheckError without scipy.
    """
    return float(_special().stdtr(df, -t))


def _special() -> Any:
    try:
        from scipy import special  # not scipy.stats, which takes seconds to load
    except ImportError:
        raise CannotCheckError("a t-test needs scipy: pip install 'goldenseal[audit]'") from None
    return special


def _varies(values: Sequence[Number]) -> bool:
    exact = (isinstance(value, Fraction) or math.isfinite(value) for value in values)
    return all(exact) and varies(values)


def _test(gain: Fraction, error_squared: Fraction, df: Fraction | int) -> Test:
    """Raises CannotCheckError without scipy."""
    special = _special()
    square = gain**2 / error_squared
    size = (Decimal(square.numerator) / Decimal(square.denominator)).sqrt()
    t = float(size) if gain >= 0 else -float(size)
    less, greater = float(special.stdtr(float(df), t)), float(special.stdtr(float(df), -t))
    return Test(t, float(df), less, greater, min(1.0, 2 * min(less, greater)))

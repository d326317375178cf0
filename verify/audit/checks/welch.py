"""Student's t without other packages: the distribution by the regularised incomplete beta."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from verify.spread import varies

TINY = 1e-300
PRECISION = 1e-15
MAX_TERMS = 10_000


@dataclass(frozen=True)
class Test:
    """A t-test: the statistic, its degrees of freedom, and both p-values."""

    t: float
    df: float
    less: float  # one-sided: the first mean is the smaller one
    two_sided: float


def welch(a: Sequence[float], b: Sequence[float]) -> Test | None:
    """Welch's t-test of mean(a) < mean(b), with the degrees of freedom of Welch and Satterthwaite.

    None when a side has fewer than two values, or neither varies by more than rounding.
    """
    if min(len(a), len(b)) < 2 or not (_varies(a) or _varies(b)):
        return None
    (mean_a, share_a), (mean_b, share_b) = _moments(a), _moments(b)
    total = share_a + share_b
    if total <= 0:  # too small for a double
        return None
    t = (mean_a - mean_b) / math.sqrt(total)
    df = total**2 / (share_a**2 / (len(a) - 1) + share_b**2 / (len(b) - 1))
    return _test(t, df)


def one_sample(values: Sequence[float], reference: float) -> Test | None:
    """The t-test of mean(values) < reference. None when rounding explains all that they vary."""
    if not _varies(values):
        return None
    mean, share = _moments(values)
    if share <= 0:  # too small for a double
        return None
    return _test((mean - reference) / math.sqrt(share), len(values) - 1.0)


def _varies(values: Sequence[float]) -> bool:
    return all(map(math.isfinite, values)) and varies(values)


def _moments(values: Sequence[float]) -> tuple[float, float]:
    """(mean, variance of the mean)."""
    mean = math.fsum(values) / len(values)
    variance = math.fsum((v - mean) ** 2 for v in values) / (len(values) - 1)
    return mean, variance / len(values)


def _test(t: float, df: float) -> Test:
    less = student_below(t, df)
    return Test(t, df, less, min(1.0, 2 * min(less, student_below(-t, df))))


def student_below(t: float, df: float) -> float:
    """P(T <= t) of Student's t with df > 0 degrees of freedom (Abramowitz & Stegun 26.7.1)."""
    share = t * t / (df + t * t)
    if share < 0.5:  # from the middle: the tail itself would lose the digits of a small t
        tail = (1 - incomplete_beta(0.5, df / 2, share)) / 2
    else:
        tail = incomplete_beta(df / 2, 0.5, df / (df + t * t)) / 2
    return tail if t <= 0 else 1 - tail


def incomplete_beta(a: float, b: float, x: float) -> float:
    """The regularised incomplete beta I_x(a, b), a, b > 0, 0 <= x <= 1.

    The continued fraction of DLMF 8.17.22 (Press et al., Numerical Recipes, 6.4), evaluated by
    Lentz's method, on the side where it converges fast.
    """
    if x <= 0 or x >= 1:
        return 0.0 if x <= 0 else 1.0
    if x > (a + 1) / (a + b + 2):
        return 1 - incomplete_beta(b, a, 1 - x)
    front = math.exp(
        math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    )
    return front * _fraction(a, b, x) / a


def _fraction(a: float, b: float, x: float) -> float:
    c, d = 1.0, 1 / _away(1 - (a + b) * x / (a + 1))
    h = d
    for m in range(1, MAX_TERMS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            d = 1 / _away(1 + term * d)
            c = _away(1 + term / c)
            h *= d * c
        if abs(d * c - 1) < PRECISION:
            break
    return h


def _away(value: float) -> float:
    """Not zero, so that it can be divided by."""
    return value if abs(value) > TINY else TINY

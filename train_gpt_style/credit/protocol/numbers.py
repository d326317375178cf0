"""Statistics over seeds, exactly as far as floats allow, and what may be compared with what."""

import math
from dataclasses import dataclass
from fractions import Fraction

from goldenseal.errors import UsageError


def exact(value):
    """The number that a float prints as: differences of printed numbers are then exact.

    In floats .371 - .351 and .352 - .332 fall on two sides of .02.
    """
    return Fraction(repr(value)) if isinstance(value, float) else Fraction(value)


def mean(values):
    """Of one number or more."""
    return math.fsum(values) / len(values)


def deviation(values, ddof):
    """Standard deviation: ddof 1 of a sample, 0 of a population. NaN where it is not defined."""
    if len(values) <= ddof:
        return math.nan
    centre = mean(values)
    return math.sqrt(math.fsum((v - centre) ** 2 for v in values) / (len(values) - ddof))


def finite(value, what):
    """The value as it is. Raises UsageError, one line, for one that is not finite."""
    if not math.isfinite(value):
        raise UsageError(
            f"{what} is {value}: a network whose states are not finite cannot be judged; "
            "take an earlier checkpoint"
        )
    return value


@dataclass(frozen=True)
class Number:
    """A result by seed, with all that a comparison must know of it.

    values: by seed. examples: of the batch that it was measured on; None where that plays no part.
    source: digest of the file that it comes from.
    """

    values: dict[int, float]
    epochs: int
    examples: int | None = None
    source: str = ""

    @property
    def mean(self):
        """Over the seeds."""
        return mean(list(self.values.values()))

    def sd(self, ddof=1):
        """Over the seeds; of a sample unless ddof is 0."""
        return deviation(list(self.values.values()), ddof)

    def minus(self, other, anyway=False):
        """Difference of the means.

        Raises UsageError where epochs, examples or seeds are not the same, unless `anyway`.
        """
        for what in ("epochs", "examples"):
            ours, theirs = getattr(self, what), getattr(other, what)
            if ours != theirs and not anyway:
                raise UsageError(f"{ours} {what} against {theirs}: compare at equal {what}")
        if set(self.values) != set(other.values) and not anyway:
            raise UsageError(
                f"seeds {sorted(self.values)} against {sorted(other.values)}: compare equal seeds"
            )
        return self.mean - other.mean

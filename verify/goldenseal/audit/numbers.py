"""Numbers as they are written: the digits after the point are part of a claim."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import IntEnum

MAX_LENGTH = 40  # characters; no quantity of a record needs more
MAX_EXPONENT = 30
PLAIN = re.compile(r"[-+]?(?:\d+(?:,\d{3})*|\d+(?:_\d+)*)(?:\.\d*)?(?:[eE][-+]?\d+)?|[-+]?\.\d+")
HALF = Decimal("0.5")
DOUBLE = 15  # significant digits, from which a number is what a program printed of a double
EPSILON = Decimal("4.5e-16")


@dataclass(frozen=True)
class Number:
    """A value with the text it came from; `digits` stand after the point."""

    text: str
    value: Decimal
    digits: int

    @property
    def is_integer(self) -> bool:
        """Whether it was written without a fraction."""
        return self.digits == 0 and self.value == self.value.to_integral_value()

    def __str__(self) -> str:
        return self.text


class Agreement(IntEnum):
    """How well a logged value supports a claim; higher is better."""

    NONE = 0
    TRUNCATED = 1  # cut off where it should have been rounded
    FEWER = 2  # the log has fewer digits than the claim, and those agree
    ROUNDED = 3  # the claim is the logged value, rounded as written


def parse(text: object) -> Number | None:
    """The number that the text is, with thousands separators allowed; None when it is none."""
    if not isinstance(text, str):
        return None
    trimmed = text.strip().replace("\u2212", "-")
    if not 0 < len(trimmed) <= MAX_LENGTH or not PLAIN.fullmatch(trimmed):
        return None
    try:
        value = Decimal(trimmed.replace(",", "").replace("_", ""))
    except InvalidOperation:
        return None
    if not value.is_finite() or (value and abs(value.adjusted()) > MAX_EXPONENT):
        return None
    exponent = value.as_tuple().exponent
    digits = max(0, -exponent) if isinstance(exponent, int) else 0
    return Number(trimmed, value, digits) if digits <= MAX_EXPONENT else None


def agreement(claim: Number, value: Decimal, value_digits: int | None = None) -> Agreement:
    """How far `value`, known to `value_digits` digits (None: exactly), supports the claim.

    Half-up and half-even both count as rounding: a tie agrees with either neighbour.
    """
    distance = abs(claim.value - value)
    double = len(claim.value.as_tuple().digits) >= DOUBLE and distance <= abs(value) * EPSILON
    if double or distance <= HALF.scaleb(-claim.digits):
        return Agreement.ROUNDED
    if value_digits is not None and value_digits < claim.digits:
        if distance <= HALF.scaleb(-value_digits):
            return Agreement.FEWER
        return Agreement.NONE
    gap = value - claim.value if claim.value >= 0 else claim.value - value
    if 0 < gap < Decimal(1).scaleb(-claim.digits):
        return Agreement.TRUNCATED
    return Agreement.NONE


def mean(values: Iterable[Decimal]) -> Decimal:
    """The mean of at least one value."""
    listed = list(values)
    return sum(listed, Decimal(0)) / len(listed)


def rounded(value: Decimal, digits: int) -> Decimal:
    """Half-even to `digits` after the point."""
    return value.quantize(Decimal(1).scaleb(-digits))


def plain(value: Decimal, digits: int = 8) -> str:
    """For messages: no exponent, at most `digits` after the point, no trailing zeros."""
    shown = f"{rounded(value, digits):f}" if abs(value.adjusted()) < 20 else str(value)
    return shown.rstrip("0").rstrip(".") if "." in shown else shown

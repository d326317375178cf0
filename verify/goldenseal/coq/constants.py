"""Exact constants: a real number a + b·sqrt(5), and the double or integer that stands for it.

Everything here is integer arithmetic, so a comparison is a decision and never an estimate. The
theorems about these constants are generated from this module's numbers and proved elsewhere;
this module only tells which double would be the right one.
"""

import math
import re
import struct
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import NamedTuple

from goldenseal.errors import UsageError

PRECISION = 53  # bits of a binary64 mantissa
LEAST_EXPONENT = -1074  # exponent of the smallest subnormal double

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")

Rational = int | Fraction


@dataclass(frozen=True)
class Quadratic:
    """The real number a + b·sqrt(5); closed under +, -, *, / and integer powers."""

    a: Fraction
    b: Fraction = Fraction(0)

    @property
    def integers(self) -> tuple[int, int, int]:
        """(p, q, d) in lowest terms with d > 0 and self = (p + q·sqrt(5)) / d."""
        d = math.lcm(self.a.denominator, self.b.denominator)
        return int(self.a * d), int(self.b * d), d

    @property
    def sign(self) -> int:
        """-1, 0 or 1, decided by comparing squares of rationals."""
        signs = _sign(self.a), _sign(self.b)
        if signs[0] * signs[1] >= 0:
            return signs[0] or signs[1]
        return signs[0] if self.a**2 > 5 * self.b**2 else signs[1]

    def scaled_floor(self, exponent: int) -> int:
        """floor(self / 2**exponent)."""
        p, q, d = self.integers
        up, down = 1 << max(0, -exponent), 1 << max(0, exponent)
        root = math.isqrt(5 * (q * up) ** 2)
        if q < 0:
            root = -root - 1  # the root of 5·n² is irrational, so its negative has the next floor
        return (p * up + root) // (d * down)

    def __add__(self, other: "Quadratic | Rational") -> "Quadratic":
        other = _lift(other)
        return Quadratic(self.a + other.a, self.b + other.b)

    __radd__ = __add__

    def __neg__(self) -> "Quadratic":
        return Quadratic(-self.a, -self.b)

    def __sub__(self, other: "Quadratic | Rational") -> "Quadratic":
        return self + -_lift(other)

    def __rsub__(self, other: Rational) -> "Quadratic":
        return _lift(other) - self

    def __mul__(self, other: "Quadratic | Rational") -> "Quadratic":
        other = _lift(other)
        return Quadratic(
            self.a * other.a + 5 * self.b * other.b, self.a * other.b + self.b * other.a
        )

    __rmul__ = __mul__

    def __truediv__(self, other: "Quadratic | Rational") -> "Quadratic":
        other = _lift(other)
        norm = other.a**2 - 5 * other.b**2  # zero only for zero: sqrt(5) is irrational
        return self * Quadratic(other.a / norm, -other.b / norm)

    def __rtruediv__(self, other: Rational) -> "Quadratic":
        return _lift(other) / self

    def __pow__(self, power: int) -> "Quadratic":
        result, base = Quadratic(Fraction(1)), self if power >= 0 else 1 / self
        for _ in range(abs(power)):
            result = result * base
        return result

    def __lt__(self, other: "Quadratic | Rational") -> bool:
        return (self - other).sign < 0

    def __le__(self, other: "Quadratic | Rational") -> bool:
        return (self - other).sign <= 0

    def __gt__(self, other: "Quadratic | Rational") -> bool:
        return (self - other).sign > 0

    def __ge__(self, other: "Quadratic | Rational") -> bool:
        return (self - other).sign >= 0

    def __str__(self) -> str:
        if not self.b:
            return str(self.a)
        root = "sqrt(5)" if abs(self.b) == 1 else f"{abs(self.b)}·sqrt(5)"
        if not self.a:
            return root if self.b > 0 else f"-{root}"
        return f"{self.a} {'+' if self.b > 0 else '-'} {root}"


def _sign(x: Rational) -> int:
    return (x > 0) - (x < 0)


def _lift(x: Quadratic | Rational) -> Quadratic:
    return x if isinstance(x, Quadratic) else Quadratic(Fraction(x))


def rational(numerator: int, denominator: int = 1) -> Quadratic:
    """The rational numerator / denominator."""
    return Quadratic(Fraction(numerator, denominator))


def decimal(text: str) -> Quadratic:
    """The rational that a decimal literal such as `0.04` or `1e-7` spells, exactly.

    Raises UsageError for anything that is not a finite decimal number.
    """
    try:
        return Quadratic(Fraction(Decimal(text)))
    except (InvalidOperation, ValueError, OverflowError):
        raise UsageError(f"{text!r} is not a finite decimal number such as '0.04'") from None


def of_float(value: float) -> Quadratic:
    """The rational that a finite double is, exactly."""
    if not math.isfinite(value):
        raise UsageError(f"{value!r} is not a real number; a constant must be finite")
    return Quadratic(Fraction(value))


SQRT5 = Quadratic(Fraction(0), Fraction(1))
PHI = (1 + SQRT5) / 2


class Double(NamedTuple):
    """A finite double, exactly: (-1)**sign · mantissa · 2**exponent, as IEEE 754 stores it.

    sign is 0 or 1, 0 <= mantissa < 2**53, exponent >= -1074; mantissa >= 2**52 unless subnormal.
    """

    sign: int
    mantissa: int
    exponent: int


def export(value: float) -> Double:
    """Sign, integer mantissa and exponent of a double. Raises UsageError unless it is finite."""
    if not math.isfinite(value):
        raise UsageError(f"{value!r} is not a real number; a constant must be finite")
    bits = _bits(value)
    field, fraction = bits >> 52 & 0x7FF, bits & (1 << 52) - 1
    hidden = 1 << 52 if field else 0
    return Double(bits >> 63, fraction | hidden, LEAST_EXPONENT + max(field, 1) - 1)


class Rounded(NamedTuple):
    """What rounding a real to binary64 gives: mantissa·2**exponent, and whether it was a tie."""

    mantissa: int
    exponent: int
    tie: bool


def round_to_double(real: Quadratic) -> Rounded:
    """The nearest binary64 number, ties to even, with the exponent that Flocq's `cexp` gives.

    The mantissa is signed and may be 2**53: a real just below a power of two rounds up to it.
    """
    sign = real.sign
    if sign == 0:
        return Rounded(0, LEAST_EXPONENT, False)
    magnitude = real * sign
    shift = 64
    while magnitude.scaled_floor(-shift) < 1 << PRECISION and shift < 1 << 12:
        shift *= 2
    bits = magnitude.scaled_floor(-shift).bit_length()
    exponent = max(bits - shift - PRECISION, LEAST_EXPONENT)
    halves = magnitude.scaled_floor(exponent - 1)
    tie = halves % 2 == 1 and magnitude == rational(halves) * _power_of_two(exponent - 1)
    mantissa = (halves + 1) // 2
    if tie and mantissa % 2:
        mantissa -= 1
    return Rounded(sign * mantissa, exponent, tie)


def nearest_float(real: Quadratic) -> float:
    """The correctly rounded double. Raises UsageError when it would overflow."""
    mantissa, exponent, _ = round_to_double(real)
    try:
        return math.ldexp(mantissa, exponent)
    except OverflowError:
        raise UsageError(f"{real} lies beyond the largest double") from None


def ulps(value: float, real: Quadratic) -> int:
    """How many doubles `value` lies above the correctly rounded one: 0 when it is that one."""
    return _rank(value) - _rank(nearest_float(real))


def nearest_integer(real: Quadratic) -> int | None:
    """The nearest integer, or None half-way between two: there no strict statement holds."""
    halves = (2 * real).scaled_floor(0)
    if halves % 2 and 2 * real == rational(halves):
        return None
    return (halves + 1) // 2


def _power_of_two(exponent: int) -> Fraction:
    return Fraction(2) ** exponent


def _bits(value: float) -> int:
    return int.from_bytes(struct.pack(">d", value))


def _rank(value: float) -> int:
    """Position of a finite double in the ordered list of doubles; both zeros have rank 0."""
    bits = _bits(value)
    return bits if bits < 1 << 63 else (1 << 63) - bits


@dataclass(frozen=True)
class Constant:
    """A number of the code and the real number that it stands for.

    A float claims to be the correctly rounded double of `real`; an int claims to be the integer
    nearest to it. Raises UsageError for a name that is no identifier, a value that is neither, or
    a meaning that is not one line.
    """

    name: str
    value: float | int
    real: Quadratic
    meaning: str

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise UsageError(
                f"constant {self.name!r}: write a name of letters, digits and underscores"
            )
        if type(self.value) not in (int, float) or not math.isfinite(self.value):
            raise UsageError(f"constant {self.name}: {self.value!r} is not a finite int or float")
        if not isinstance(self.real, Quadratic):
            raise UsageError(f"constant {self.name}: real is no Quadratic such as decimal('0.1')")
        if not self.meaning.strip() or len(self.meaning.splitlines()) != 1:
            raise UsageError(f"constant {self.name}: say what it means in one line")

    @property
    def fault(self) -> str | None:
        """One line saying why the claim is false or cannot be stated, or None when it holds."""
        if isinstance(self.value, int):
            nearest = nearest_integer(self.real)
            if nearest is None:
                return f"{self.name}: {self.real} is half-way between two integers"
            if nearest != self.value:
                return f"{self.name}: {self.value} is not nearest to {self.real}, {nearest} is"
            return None
        if self.value == 0 and math.copysign(1, self.value) < 0:
            return f"{self.name}: -0.0 is no real number's nearest double; write 0.0"
        if round_to_double(self.real).tie:
            return f"{self.name}: {self.real} is half-way between two doubles"
        distance = ulps(self.value, self.real)
        if distance:
            return (
                f"{self.name}: {self.value!r} is {distance:+d} ulp from the correctly rounded "
                f"double of {self.real}, {nearest_float(self.real)!r}"
            )
        return None


def spelled(name: str, value: float, meaning: str) -> Constant:
    """A constant that stands for the decimal number that its literal spells, such as 0.02.

    The decimal is the shortest one that reads back as `value`. Raises UsageError as Constant does.
    """
    return Constant(name, value, decimal(repr(value)), meaning)

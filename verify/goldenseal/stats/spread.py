"""Whether numbers vary at all, or only by how they were rounded.

0.35 - 0.34 and 0.58 - 0.57 are not the same double, though both are a gain of one hundredth. A test
that takes the difference of the two for a spread calls that gain significant with any p that one
likes. So a spread counts only when it is more than a few units in the last place *of the numbers
that were subtracted*; the differences themselves are too small to say how they were rounded.
"""

import struct
from collections.abc import Iterable, Sequence
from fractions import Fraction

Number = float | Fraction  # finite

# Each of two numbers is off by half a unit, so two differences of two are by two units; percentages
# and means are rounded once or twice more.
FEW = 8
DOUBLE, SINGLE = 52, 23  # bits after the leading one
NO_SPREAD = "no spread: cannot test"


def resolution(values: Iterable[Number]) -> Fraction:
    """A few units in the last place of the largest of `values`, exact; 0 when all are 0.

    The unit is that of float32 when every value is a float32 and not all are whole: then they were
    rounded to that. Raises ValueError or OverflowError for a NaN or an infinity.
    """
    exact = [Fraction(value) for value in values]
    whole = all(value.denominator == 1 for value in exact)
    bits = DOUBLE if whole or not all(map(_is_single, exact)) else SINGLE
    largest = max(map(abs, exact), default=Fraction(0))
    return FEW * _unit(largest, bits)


def varies(values: Sequence[Number], of: Iterable[Number] = ()) -> bool:
    """Whether `values` differ by more than rounding explains.

    `of` are the numbers that `values` are differences of, if they are. Raises ValueError or
    OverflowError for a NaN or an infinity.
    """
    exact = [Fraction(value) for value in values]
    if len(exact) < 2:
        return False
    return max(exact) - min(exact) > resolution(list(of) or exact)


def exceeds(value: Number, bound: Number, of: Iterable[Number]) -> bool:
    """Whether `value` lies above `bound` by more than the rounding of `of` explains."""
    return Fraction(value) - Fraction(bound) > resolution(of)


def _unit(value: Fraction, bits: int) -> Fraction:
    """One unit in the last place of a number of that many bits; 0 has none."""
    if value == 0:
        return Fraction(0)
    power = value.numerator.bit_length() - value.denominator.bit_length()
    power -= Fraction(2) ** power > value  # now 2^power <= value < 2^(power + 1)
    return Fraction(2) ** (power - bits)


def _is_single(value: Fraction) -> bool:
    try:
        return Fraction(struct.unpack("f", struct.pack("f", value))[0]) == value
    except OverflowError:
        return False

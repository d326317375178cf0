"""Numerals as printed, and whether one is the evidence rounded at its printed digits, exactly.

Evidence is a fraction: a hex float or a JSON number is the double that it stands for, a decimal in
a string is what it spells. No float arithmetic takes part.
"""

import math
import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any

# A sign belongs to the number unless it joins it to what stands before, as in 4-5 or SHA-512.
SIGN = r"(?:(?<![\w.,)\]%])[+\-−])?"
DIGITS = r"(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)"
NUMERAL = re.compile(rf"(?a:{SIGN}{DIGITS}(?:\.\d+)?(?:[eE][+\-−]?\d{{1,3}}(?!\w))?)")
HEX_FLOAT = re.compile(r"(?a:[+-]?0x[01](?:\.[0-9a-f]{1,13})?p[+-]?\d{1,4})")
DECIMAL_TEXT = re.compile(r"(?a:[+-]?\d{1,400}(?:\.\d{1,400})?(?:[eE][+-]?\d{1,3})?)")
ROOT_DIGITS = 100  # of an irrational root; far beyond any printed digit


@dataclass(frozen=True)
class Printed:
    """A numeral as it stands in a document: its text, value and last printed place, 10^-places."""

    text: str
    value: Fraction
    places: int

    @property
    def unit(self) -> Fraction:
        """One unit in the last printed place."""
        return Fraction(10) ** -self.places


def read_numeral(text: str) -> Printed:
    """The numeral that the whole of `text` is: 1,024, −0.5, 1.2e-3.

    Raises ValueError for anything else.
    """
    if not NUMERAL.fullmatch(text):
        raise ValueError(f"{text!r} is not a numeral")
    plain = text.replace(",", "").replace("−", "-")
    mantissa, _, exponent = plain.lower().partition("e")
    places = len(mantissa.partition(".")[2]) - int(exponent or 0)
    return Printed(text, Fraction(Decimal(plain)), places)


def accepts(printed: Printed, exact: Fraction) -> bool:
    """Whether `printed` is `exact` rounded at its digits; a tie may go to even or away from zero.

    A minus before a zero is accepted only for what is negative.
    """
    distance = abs(exact - printed.value)
    if printed.value == 0 and printed.text[0] in "-−" and exact >= 0:
        return False
    if distance * 2 != printed.unit:
        return distance * 2 < printed.unit
    even = (printed.value / printed.unit).numerator % 2 == 0
    return even or abs(printed.value) > abs(exact)


def render(exact: Fraction, like: Printed) -> str:
    """`exact` at the digits and in the style of `like`: grouping, exponent, minus, plus."""
    rounded = round(exact / like.unit)  # of a fraction: exact, ties to even
    mantissa, mark, exponent = _split(like.text)
    decimals = len(mantissa.partition(".")[2])
    digits = str(abs(rounded)).rjust(decimals + 1, "0")
    whole, fraction = digits[: len(digits) - decimals], digits[len(digits) - decimals :]
    grouped = "," in mantissa or (len(whole) > 4 and len(mantissa.partition(".")[0]) < 5)
    if grouped:
        whole = f"{int(whole):,}"
    text = whole + (f".{fraction}" if decimals else "") + mark + exponent
    minus = "−" if "−" in like.text else "-"
    if rounded < 0:
        return minus + text
    return f"+{text}" if like.text.startswith("+") else text


def _split(text: str) -> tuple[str, str, str]:
    for mark in "eE":
        if mark in text:
            mantissa, _, exponent = text.partition(mark)
            return mantissa, mark, exponent
    return text, "", ""


def exact_value(value: Any) -> Fraction | None:
    """A JSON value as the number that it is: number, hex float or decimal in a string; else None.

    A boolean is no number.
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return Fraction(value)
    if isinstance(value, str):
        return _from_text(value)
    return None


def _from_text(text: str) -> Fraction | None:
    try:
        if HEX_FLOAT.fullmatch(text):
            return Fraction(float.fromhex(text))
        if DECIMAL_TEXT.fullmatch(text):
            return Fraction(Decimal(text))
    except (OverflowError, InvalidOperation):
        return None
    return None


def root(square: Fraction) -> Fraction:
    """The square root: exact when it is rational, else cut off after a hundred digits."""
    top, bottom = math.isqrt(square.numerator), math.isqrt(square.denominator)
    exact = Fraction(top, bottom)
    if exact * exact == square:
        return exact
    shift = 10 ** (2 * ROOT_DIGITS) * 10 ** (2 * len(str(square.denominator)))
    return Fraction(math.isqrt(square.numerator * shift // square.denominator), math.isqrt(shift))


def short(exact: Fraction) -> str:
    """The value for a message, at six significant digits; an integer whole."""
    if exact.denominator == 1 and abs(exact) < 10**15:
        return str(exact.numerator)
    return f"{float(exact):.6g}" if abs(exact) < 10**300 else "a number beyond the doubles"

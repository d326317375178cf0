"""pytest tests/verify/claims/test_claims_numerals.py — rounding is exact."""

from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Context, Decimal
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from goldenseal.claims.numerals import NUMERAL, accepts, exact_value, read_numeral, render, root

EXACT = Context(prec=2000)  # every double has fewer digits
DOUBLES = st.floats(allow_nan=False, allow_infinity=False, min_value=-1e9, max_value=1e9)


def rounded(value, places, mode):
    """By decimal, an implementation of its own: digits without an exponent."""
    quantum = Decimal(1).scaleb(-places)
    found = Decimal(value).quantize(quantum, rounding=mode, context=EXACT)
    return f"{found:f}".lstrip("-") if found == 0 else f"{found:f}"


@given(DOUBLES, st.integers(0, 12))
@example(0.125, 2)
@example(2.5, 0)
@example(-0.5, 0)
def test_both_ways_to_round_are_accepted(value, places):
    for mode in (ROUND_HALF_EVEN, ROUND_HALF_UP):
        assert accepts(read_numeral(rounded(value, places, mode)), Fraction(value))


@given(DOUBLES, st.integers(0, 12), st.integers(-3, 3))
@example(0.125, 2, 0)
@example(0.375, 2, -1)
def test_a_numeral_is_accepted_only_if_it_is_the_value_rounded(value, places, off):
    nearest = Decimal(rounded(value, places, ROUND_HALF_EVEN))
    text = f"{EXACT.add(nearest, Decimal(off).scaleb(-places)):f}"
    either = {Decimal(rounded(value, places, m)) for m in (ROUND_HALF_EVEN, ROUND_HALF_UP)}
    minus_zero = text.startswith("-") and Decimal(text) == 0
    assert accepts(read_numeral(text), Fraction(value)) == (
        Decimal(text) in either and not (minus_zero and value >= 0)
    )


def test_a_tie_may_go_to_even_or_away_from_zero_and_nowhere_else():
    tie = Fraction("0.125")
    assert [accepts(read_numeral(t), tie) for t in ("0.12", "0.13", "0.11")] == [True, True, False]
    assert [accepts(read_numeral(t), -tie) for t in ("-0.12", "-0.13")] == [True, True]
    odd = Fraction("0.375")  # even and up are the same
    assert [accepts(read_numeral(t), odd) for t in ("0.37", "0.38")] == [False, True]


def test_a_double_is_not_the_decimal_that_it_prints_as():
    assert not accepts(read_numeral("0.2"), exact_value(0.15))  # 0.1499999999999999944…
    assert accepts(read_numeral("0.2"), exact_value("0.15"))


@pytest.mark.parametrize(
    ("text", "value", "places"),
    [("1,024", 1024, 0), ("−0.50", Fraction(-1, 2), 2), ("+3", 3, 0), ("1.5e-3", "0.0015", 4),
     ("2E3", 2000, -3), ("0012", 12, 0)],
)  # fmt: skip
def test_numerals_are_read(text, value, places):
    printed = read_numeral(text)
    assert (printed.value, printed.places) == (Fraction(value), places)


@pytest.mark.parametrize("text", ["", "1,02", "1.", ".5", "1 024", "٣", "0x10", "1e9999", "--1"])
def test_other_texts_are_no_numerals(text):
    with pytest.raises(ValueError, match="is not a numeral"):
        read_numeral(text)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("from 4-5 to SHA-512", ["4", "5", "512"]),
        ("-4, −5 and (+6)", ["-4", "−5", "+6"]),
        ("1,024,768 or 1,02", ["1,024,768", "1", "02"]),
        ("±0.02", ["0.02"]),
        ("3.5. Then 1e3x", ["3.5", "1"]),
    ],
)
def test_numerals_are_found_in_text(text, found):
    assert [match[0] for match in NUMERAL.finditer(text)][: len(found)] == found


@given(
    DOUBLES, st.sampled_from(["0", "0.00", "-1.5", "1,000", "1,000.00", "+0.1", "1e3", "2.50e-3"])
)
def test_what_is_rendered_is_accepted_at_the_same_digits(value, like):
    printed = read_numeral(like)
    again = read_numeral(render(Fraction(value), printed))
    assert again.places == printed.places
    assert accepts(again, Fraction(value))
    assert render(Fraction(value), again) == again.text


@pytest.mark.parametrize(
    ("value", "like", "text"),
    [
        (1234567, "1,000", "1,234,567"),
        (1234567, "999", "1,234,567"),
        (1234567, "1000000", "1234567"),
        (Fraction(-1, 2), "−0.1", "−0.5"),
        (Fraction(1, 2), "+0.1", "+0.5"),
        (Fraction("0.00123"), "1.0e-3", "1.2e-3"),
        (Fraction("-0.001"), "0.00", "0.00"),
    ],
)
def test_rendering_keeps_the_style(value, like, text):
    assert render(Fraction(value), read_numeral(like)) == text


def test_json_values_as_numbers():
    assert exact_value("0x1.8p+1") == 3
    assert exact_value("300") == 300
    assert exact_value(0.1) == Fraction(0.1) != exact_value("0.1")
    for odd in (True, None, "abc", "0x1.8p+99999", "1e999999", [], "nan", "1_000", " 1"):
        assert exact_value(odd) is None


@given(st.fractions(min_value=0, max_value=10**6))
def test_roots_are_exact_or_within_the_hundredth_digit(value):
    assert root(value * value) == value
    found = root(value)
    assert found * found <= value
    assert (found + Fraction(1, 10**100)) ** 2 > value

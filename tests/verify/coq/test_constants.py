"""Exact numbers of Q(sqrt 5), and which double is nearest to one."""

import math
from decimal import Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldenseal.coq.constants import (
    PHI,
    SQRT5,
    Constant,
    Quadratic,
    Rounded,
    decimal,
    export,
    nearest_float,
    nearest_integer,
    of_float,
    rational,
    round_to_double,
    spelled,
    ulps,
)
from goldenseal.errors import UsageError
from train_gpt_style.gpt import constants as gpt
from train_gpt_style.kit import constants as kit
from train_gpt_style.vit_rft import constants as vit

fractions = st.fractions(min_value=-(10**6), max_value=10**6, max_denominator=10**9)
quadratics = st.builds(Quadratic, fractions, fractions)
finite = st.floats(allow_nan=False, allow_infinity=False)


def to_fraction(x: Quadratic) -> Fraction:
    """The number to 300 digits, by another way than the module's integer roots."""
    with localcontext() as context:
        context.prec = 320
        return x.a + x.b * Fraction(Decimal(5).sqrt())


def test_the_golden_ratio_obeys_its_identities():
    assert PHI**2 == PHI + 1
    assert 1 / PHI == PHI - 1
    assert PHI**2 + PHI**-2 == rational(3)
    assert PHI**-3 / 2 * PHI**3 == rational(1, 2)
    assert nearest_integer(PHI**3) == 4


def test_four_spellings_of_alpha_phi_are_four_doubles_and_one_is_nearest():
    phi, alpha = 1.618033988749895, PHI**-3 / 2
    assert ulps(phi, PHI) == 0
    spellings = {
        "PHI**-3/2": phi**-3 / 2,
        "1/(2*PHI**3)": 1 / (2 * phi**3),
        "(PHI-1)**3/2": (phi - 1) ** 3 / 2,
        "(5**.5-2)/2": (5**0.5 - 2) / 2,
    }
    distances = {text: ulps(value, alpha) for text, value in spellings.items()}
    assert distances == {"PHI**-3/2": -1, "1/(2*PHI**3)": 0, "(PHI-1)**3/2": 2, "(5**.5-2)/2": 4}
    assert spellings["1/(2*PHI**3)"] == nearest_float(alpha)


def test_the_obvious_spelling_of_the_learning_rate_scale_is_one_ulp_off():
    assert ulps(1.618033988749895**-3 / 2 / 0.04, PHI**-3 / 2 / decimal("0.04")) == -1
    assert ulps(gpt.PHI_LR_SCALE_VALUE, PHI**-3 / 2 / decimal("0.04")) == 0


@pytest.mark.parametrize(
    "constant", [*kit.CONSTANTS, *gpt.CONSTANTS, *vit.CONSTANTS], ids=lambda each: each.name
)
def test_every_constant_of_the_code_is_what_it_claims(constant):
    assert constant.fault is None


@given(finite)
def test_an_exported_double_is_exact(value):
    sign, mantissa, exponent = export(value)
    assert (-1) ** sign * mantissa * Fraction(2) ** exponent == Fraction(value)
    assert 0 <= mantissa < 1 << 53
    assert -1074 <= exponent <= 971
    assert mantissa >= 1 << 52 or exponent == -1074


def test_minus_zero_keeps_its_sign():
    assert export(-0.0) == (1, 0, -1074)


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan])
def test_a_double_that_is_no_number_is_refused(value):
    with pytest.raises(UsageError, match="must be finite"):
        export(value)
    with pytest.raises(UsageError, match="must be finite"):
        of_float(value)


@given(finite)
def test_a_double_is_nearest_to_itself(value):
    assert nearest_float(of_float(value)) == value
    assert ulps(value, of_float(value)) == 0


@given(finite.filter(lambda x: abs(x) < 1e300))
def test_the_next_double_is_one_ulp_away(value):
    assert ulps(math.nextafter(value, math.inf), of_float(value)) == 1
    assert ulps(math.nextafter(value, -math.inf), of_float(value)) == -1


@given(st.fractions())
def test_rationals_round_as_python_rounds_them(x):
    assert nearest_float(Quadratic(x)) == float(x)


@given(st.integers(-(10**30), 10**30), st.integers(-400, 400))
def test_decimal_literals_round_as_python_reads_them(digits, exponent):
    text = f"{digits}e{exponent}"
    if math.isfinite(float(text)):
        assert nearest_float(decimal(text)) == float(text)


@given(quadratics)
def test_irrational_numbers_round_as_their_first_300_digits_do(x):
    assert nearest_float(x) == float(to_fraction(x))


@given(quadratics, quadratics)
def test_order_is_that_of_the_reals(x, y):
    assert (x < y) == (to_fraction(x) < to_fraction(y))
    assert (x >= y) == (not x < y)
    assert (x == y) == ((x - y).sign == 0)


@given(quadratics, quadratics.filter(lambda x: x.sign != 0))
def test_division_undoes_multiplication(x, y):
    assert x * y / y == x
    assert x - y + y == x
    assert x.sign == 0 or (x / y) * (y / x) == rational(1)


@given(quadratics, st.integers(-40, 40))
def test_the_scaled_floor_is_a_floor(x, exponent):
    assert x.scaled_floor(exponent) == math.floor(to_fraction(x) / Fraction(2) ** exponent)


def test_division_by_zero_is_refused():
    with pytest.raises(ZeroDivisionError):
        1 / (SQRT5 - SQRT5)


def test_a_real_just_below_a_power_of_two_rounds_up_to_it():
    real = 1 - decimal("1e-30")
    assert round_to_double(real) == Rounded(1 << 53, -53, False)
    assert nearest_float(real) == 1.0


def test_a_tie_goes_to_the_even_mantissa_and_is_reported():
    low = round_to_double(1 + rational(1, 2**53))
    assert (low.mantissa, low.tie) == (1 << 52, True)
    high = round_to_double(1 + rational(3, 2**53))
    assert (high.mantissa, high.tie) == ((1 << 52) + 2, True)


def test_numbers_below_the_smallest_subnormal_round_to_zero_or_to_it():
    smallest = rational(1, 2**1074)
    assert nearest_float(smallest) == 5e-324
    assert nearest_float(smallest / 3) == 0.0
    assert nearest_float(smallest * rational(2, 3)) == 5e-324


def test_a_real_beyond_the_largest_double_is_refused():
    with pytest.raises(UsageError, match="beyond the largest double"):
        nearest_float(decimal("1e309"))


@pytest.mark.parametrize("text", ["", "0,04", "nan", "inf", "1/3", "0x1p3"])
def test_text_that_is_no_decimal_number_is_refused(text):
    with pytest.raises(UsageError, match="not a finite decimal"):
        decimal(text)


def test_a_constant_off_in_its_last_bit_is_faulted_with_the_right_one():
    right = nearest_float(PHI**-3 / 2)
    wrong = math.nextafter(right, 1.0)
    fault = Constant("ALPHA_PHI", wrong, PHI**-3 / 2, "alpha").fault
    assert fault is not None
    assert "+1 ulp" in fault
    assert repr(right) in fault


def test_an_integer_constant_must_be_the_nearest():
    assert Constant("LOOPS", 4, PHI**3, "loops").fault is None
    assert "4 is" in (Constant("LOOPS", 5, PHI**3, "loops").fault or "")
    assert "half-way" in (Constant("LOOPS", 2, rational(5, 2), "loops").fault or "")


def test_claims_that_no_theorem_can_state_are_faulted():
    assert "-0.0" in (Constant("Z", -0.0, rational(0), "zero").fault or "")
    tie = 1 + rational(1, 2**53)
    assert "half-way" in (Constant("T", nearest_float(tie), tie, "a tie").fault or "")


@pytest.mark.parametrize(
    ("name", "value", "real", "meaning", "said"),
    [
        ("1X", 1.0, PHI, "m", "write a name"),
        ("A-B", 1.0, PHI, "m", "write a name"),
        ("X", math.nan, PHI, "m", "not a finite"),
        ("X", True, PHI, "m", "not a finite"),
        ("X", "1", PHI, "m", "not a finite"),
        ("X", 1.0, 1.0, "m", "no Quadratic"),
        ("X", 1.0, PHI, " ", "one line"),
        ("X", 1.0, PHI, "a\nb", "one line"),
    ],
)
def test_a_malformed_constant_is_refused(name, value, real, meaning, said):
    with pytest.raises(UsageError, match=said):
        Constant(name, value, real, meaning)


def test_numbers_are_written_readably():
    assert str(PHI) == "1/2 + 1/2·sqrt(5)"
    assert str(-SQRT5) == "-sqrt(5)"
    assert str(2 - 3 * SQRT5) == "2 - 3·sqrt(5)"
    assert str(decimal("0.04")) == "1/25"


@given(finite.filter(lambda x: repr(x) != "-0.0"))
def test_a_spelled_constant_stands_for_the_decimal_of_its_literal(value):
    constant = spelled("X", value, "m")
    assert constant.real == decimal(repr(value))
    assert constant.fault is None or "half-way" in constant.fault


def test_constants_that_were_fractions_are_the_same_doubles():
    assert 1 / 10**12 == vit.COSINE_FLOOR
    assert 9 / 10 == vit.FLUX_MEMORY == vit.VIT_KNOB_DCLR_MEMORY
    assert (1 / 20, 19 / 20) == (vit.STUDY_ALPHA, vit.STUDY_CONFIDENCE)
    assert (1 / 100, 1 / 50) == (vit.STUDY_MARGIN, vit.STUDY_PRESUMED)

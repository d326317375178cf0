"""pytest tests/verify/stats/test_spread.py — rounding is no spread, what is real stays."""

import math
import struct
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goldenseal.stats.spread import exceeds, resolution, varies

FINITE = st.floats(allow_nan=False, allow_infinity=False, allow_subnormal=False, width=64)


def single(value):
    return struct.unpack("f", struct.pack("f", value))[0]


@pytest.mark.parametrize("k", [1, 2, 4])
def test_a_few_units_in_the_last_place_are_none(k):
    assert not varies([0.7, 0.7 + k * math.ulp(0.7)])
    assert varies([0.7, 0.7 + 100 * math.ulp(0.7)])


def test_the_numbers_that_were_subtracted_decide_and_not_their_differences():
    small = [1e-17, 2e-17]
    assert varies(small)
    assert not varies(small, of=[0.5, 0.5])
    assert varies([1e-3, 2e-3], of=[1e6, 1e6])


@settings(deadline=None)
@given(FINITE, st.integers(2, 7))
def test_a_constant_never_varies(value, n):
    assert not varies([value] * n)


@settings(deadline=None)
@given(st.lists(FINITE.filter(lambda x: x == 0 or abs(x) > 1e-290), min_size=2, max_size=5))
def test_the_unit_is_that_of_the_largest_double(values):
    largest = max(map(abs, values))
    if all(abs(v) < 3e38 and single(v) == v for v in values):
        return
    assert resolution(values) == 8 * Fraction(math.ulp(largest))


def test_numbers_that_were_rounded_to_float32_have_units_of_float32():
    of = [single(x) for x in (0.35, 0.34, 0.08, 0.07)]
    gains = [of[0] - of[1], of[2] - of[3]]
    assert gains[0] != gains[1]
    assert not varies(gains, of)
    assert varies(gains, [0.35, 0.34, 0.08, 0.07])  # those are doubles
    assert varies([0.01, 0.0101], of)
    # Whole numbers were not rounded, though float32 can hold them.
    assert varies([8388608.0, 8388609.0])


def test_a_bound_is_not_exceeded_by_rounding():
    assert 0.58 - 0.57 > 0.01
    assert not exceeds(0.58 - 0.57, 0.01, (0.58, 0.57))
    assert exceeds(0.0101, 0.01, (0.58, 0.57))


def test_one_number_has_no_spread_and_fractions_are_exact():
    assert not varies([1.0])
    assert not varies([])
    third = Fraction(1, 3)
    assert not varies([third, third])
    assert varies([third, third + Fraction(1, 10**9)])


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_what_is_not_finite_is_an_error(bad):
    with pytest.raises((ValueError, OverflowError)):
        varies([1.0, bad])

"""pytest tests/verify/stats/test_student.py

T-tests as scipy makes them, and none without a spread.
"""

import math
import sys
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from goldenseal.errors import CannotCheckError
from goldenseal.stats.student import one_sample, paired, welch

values = st.floats(0.5, 20)
runs = st.lists(
    st.integers(11000, 12000).map(lambda i: i / 10000), min_size=2, max_size=8, unique=True
)


def agrees(made, test, a, b, **options):
    """Whether a test is scipy's, with every tail."""
    expected = test(a, b, **options)
    assert made.t == pytest.approx(expected.statistic, rel=1e-9, abs=1e-9)
    assert made.df == pytest.approx(expected.df, rel=1e-9)
    for p, tail in ((made.less, "less"), (made.greater, "greater"), (made.two_sided, "two-sided")):
        other = test(a, b, alternative=tail, **options).pvalue
        assert p == pytest.approx(other, rel=1e-7, abs=1e-12), tail


@settings(deadline=None)
@given(runs, runs)
def test_welch_s_test_is_scipy_s(a, b):
    agrees(welch(a, b), stats.ttest_ind, a, b, equal_var=False)


@settings(deadline=None)
@given(runs, st.floats(1, 1.3))
def test_the_one_sample_test_is_scipy_s(own, reference):
    agrees(one_sample(own, reference), stats.ttest_1samp, own, reference)


def test_the_paired_test_is_scipy_s():
    a, b = [1.25, 2.5, 3.125, 2.0], [1.0, 2.75, 2.5, 1.0]
    agrees(paired(a, b), stats.ttest_rel, a, b)


@settings(deadline=None)
@given(values, st.integers(2, 9), values, st.integers(2, 9))
def test_runs_that_are_all_alike_allow_no_test(a, n, b, m):
    assert one_sample([a] * n, 2.2) is None
    assert welch([a] * n, [b] * m) is None
    assert paired([a] * n, [b] * n) is None


def test_too_few_runs_allow_no_test():
    assert one_sample([1.0], 2.0) is None
    assert welch([1.0, 1.1], [1.0]) is None
    assert paired([1.0], [2.0]) is None


def test_rounding_is_no_variation_and_one_side_that_varies_is_enough():
    assert one_sample([2.7222] * 3, 2.2) is None  # their mean is not one of them
    assert one_sample([0.3, 0.1 + 0.2], 2.2) is None
    assert paired([0.35, 0.58], [0.34, 0.57]) is None
    assert welch([1.1734] * 7, [1.2] * 7) is None
    assert welch([1.1734] * 7, [1.2] * 6 + [1.3]) is not None


def test_a_nan_allows_no_test():
    assert one_sample([1.0, math.nan], 2.0) is None
    assert welch([1.0, math.nan], [1.0, math.inf]) is None


def test_values_whose_variance_is_no_double_are_tested_all_the_same():
    small = one_sample([1e-200, 2e-200], 0.0)
    assert (small.t, small.df) == (pytest.approx(3.0), 1.0)
    assert small.two_sided == pytest.approx(0.204833, rel=1e-5)  # 2 atan(1/3) / pi
    big = Fraction(10) ** 400
    assert welch([big, 3 * big], [big * 0, big]).t == pytest.approx(3 / math.sqrt(5))


def test_a_t_beyond_every_double_has_p_0():
    made = one_sample([Fraction(10) ** 400, Fraction(10) ** 400 + 1], 0)
    assert made is None  # by rounding, of a double's digits
    made = one_sample([Fraction(1), Fraction(1) + Fraction(1, 2**48)], Fraction(-((10) ** 400)))
    assert (made.t, made.greater, made.less) == (math.inf, 0.0, 1.0)


def test_without_scipy_the_error_names_what_installs_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "scipy", None)
    with pytest.raises(CannotCheckError, match=r"pip install 'goldenseal\[audit\]'"):
        one_sample([1.0, 2.0], 0.0)

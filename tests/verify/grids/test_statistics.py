"""pytest tests/verify/grids/test_statistics.py

Holm, power and equivalence are those of statsmodels, wherever both are defined. Ours say more where
theirs end: an undefined p, values without a spread, bad input.
"""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import TTestPower
from statsmodels.stats.weightstats import DescrStatsW

from goldenseal.grids.analysis import holm
from goldenseal.grids.paired import equivalence, interval
from goldenseal.grids.power import power_t

PS = st.floats(0, 1)
SIXTY_FOURTHS = st.integers(-1000, 1000).map(lambda n: n / 64)
VALUES = st.lists(SIXTY_FOURTHS, min_size=3, max_size=12).filter(lambda vs: len(set(vs)) > 1)
MARGINS = st.integers(1, 640).map(lambda n: n / 64)


@given(st.lists(PS, min_size=1, max_size=8))
def test_holm_is_that_of_statsmodels(values):
    assert holm(values) == pytest.approx(list(multipletests(values, method="holm")[1]), rel=1e-12)


@given(st.lists(st.one_of(st.none(), PS), min_size=1, max_size=8))
def test_a_comparison_that_is_not_defined_counts_as_one_of_p_1(values):
    filled = [1.0 if p is None else p for p in values]
    theirs = multipletests(filled, method="holm")[1]
    for p, ours, corrected in zip(values, holm(values), theirs, strict=True):
        assert (ours is None) == (p is None)
        assert ours is None or ours == pytest.approx(corrected, rel=1e-12)


@given(st.floats(0.05, 3), st.floats(0.05, 3), st.integers(2, 40), st.floats(0.001, 0.2))
def test_power_is_that_of_statsmodels(effect, deviation, n, alpha):
    theirs = float(TTestPower().power(effect / deviation, n, alpha, alternative="two-sided"))
    if math.isfinite(theirs):  # far out, their lower tail is no number
        assert power_t(effect, deviation, n, alpha) == pytest.approx(theirs, rel=1e-6, abs=1e-9)


@given(
    VALUES.filter(lambda values: len(set(values)) > 1), st.integers(1, 640).map(lambda n: n / 64)
)
def test_equivalence_and_interval_are_those_of_statsmodels(values, margin):
    theirs = DescrStatsW(values)
    p = float(theirs.ttost_mean(-margin, margin)[0])
    assert equivalence(values, margin) == pytest.approx(p, rel=1e-9, abs=1e-12)
    ends = [float(end) for end in theirs.tconfint_mean(0.05)]
    assert interval(values, 0.95)["interval"] == pytest.approx(ends, rel=1e-9, abs=1e-9)


def test_without_a_spread_nothing_is_said_where_statsmodels_divides_by_zero():
    assert equivalence([0.5, 0.5, 0.5], 1.0) is None

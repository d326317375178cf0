"""pytest tests/verify/grids/study/test_paired.py — interval, exact test, equivalence."""

import itertools
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from goldenseal.errors import UsageError
from goldenseal.grids.paired import equivalence, interval, sign_flip

RATIOS = st.floats(-1, 1, allow_nan=False).map(lambda x: round(x, 6))


@settings(deadline=None)
@given(st.lists(RATIOS, min_size=1, max_size=9))
def test_the_sign_flip_counts_what_brute_force_counts(values):
    seen = abs(math.fsum(values))
    every = itertools.product((1, -1), repeat=len(values))
    sums = [abs(math.fsum(s * v for s, v in zip(signs, values, strict=True))) for signs in every]
    expected = sum(s >= seen - 1e-12 * math.fsum(map(abs, values)) for s in sums) / len(sums)
    assert sign_flip(values) == expected


def test_the_sign_flip_agrees_with_a_public_one():
    values = [0.01, -0.02, 0.03, 0.015, 0.04, -0.001, 0.02, 0.033]
    found = stats.permutation_test(
        (values,), sum, permutation_type="samples", alternative="two-sided", n_resamples=10**6
    )
    assert sign_flip(values) == pytest.approx(found.pvalue)


@pytest.mark.parametrize(("n", "p"), [(1, 1.0), (2, 0.5), (12, 2 / 4096), (30, 2 / 2**30)])
def test_the_least_p_is_two_of_all_signs(n, p):
    values = [0.01 * (1 + i / 100) for i in range(n)]
    assert sign_flip(values) == p
    assert sign_flip([-v for v in values]) == p


def test_nothing_but_zeros_is_no_evidence():
    assert sign_flip([0.0] * 5) == 1.0


@pytest.mark.parametrize("values", [[], [0.1] * 41])
def test_too_few_or_too_many_blocks_are_refused(values):
    with pytest.raises(UsageError, match="an exact test takes"):
        sign_flip(values)


@settings(max_examples=25, deadline=None)
@given(st.lists(RATIOS, min_size=3, max_size=15), st.floats(0.001, 2))
def test_the_equivalence_agrees_with_two_tests_of_scipy(values, margin):
    if len(set(values)) < 2:
        return
    above = stats.ttest_1samp(values, -margin, alternative="greater").pvalue
    below = stats.ttest_1samp(values, margin, alternative="less").pvalue
    assert equivalence(values, margin) == pytest.approx(max(above, below), rel=1e-6, abs=1e-12)


@pytest.mark.parametrize("values", [[0.0, 0.0], [0.02] * 3, [0.1 + 0.2, 0.3], [2.7222] * 3])
def test_without_a_spread_there_is_neither_interval_nor_equivalence(values):
    assert equivalence(values, 0.01) is None
    assert interval(values, 0.95)["interval"] is None
    assert interval(values, 0.95)["sd"] == 0


def test_a_margin_is_above_0_and_finite():
    for margin in (0.0, -1.0, math.inf, math.nan):
        with pytest.raises(UsageError, match="above 0"):
            equivalence([0.0, 0.1], margin)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_is_refused(bad):
    for call in (
        lambda: interval([0.1, bad], 0.95),
        lambda: equivalence([0.1, bad], 0.01),
        lambda: sign_flip([0.1, bad]),
    ):
        with pytest.raises(UsageError, match="finite"):
            call()


def test_the_interval_is_that_of_t():
    values = [0.01, 0.03, -0.01, 0.02]
    found = interval(values, 0.95)
    low, high = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert found["interval"] == [pytest.approx(low), pytest.approx(high)]
    with pytest.raises(UsageError, match="two or more"):
        interval([0.1], 0.95)

"""pytest tests/verify/claims/test_claims_tests.py — p: exact, and none without a spread."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from goldenseal.claims.findings import ClaimError
from goldenseal.claims.statistics import p_value

TENTHS = st.lists(st.integers(0, 10_000), min_size=2, max_size=6)
TAILS = ("two-sided", "less", "greater")


def exact(values):
    return [Fraction(value) for value in values]


@pytest.mark.parametrize("test", ["paired", "welch"])
@pytest.mark.parametrize("tail", TAILS)
@settings(deadline=None)
@given(TENTHS, st.data())
def test_p_is_that_of_scipy(test, tail, a, data):
    b = data.draw(st.lists(st.integers(0, 10_000), min_size=len(a), max_size=len(a)))
    gains = {x - y for x, y in zip(a, b, strict=True)}
    if len(gains) < 2 or len(set(a)) < 2 or len(set(b)) < 2:
        return
    x, y = [v / 16 for v in a], [v / 16 for v in b]
    if test == "paired":
        expected = stats.ttest_rel(x, y, alternative=tail).pvalue
    else:
        expected = stats.ttest_ind(x, y, equal_var=False, alternative=tail).pvalue
    found = p_value(exact(x), exact(y), test, tail)
    assert float(found) == pytest.approx(expected, rel=1e-9)


@settings(deadline=None)
@given(TENTHS, st.integers(-500, 500), st.sampled_from(TAILS))
def test_equal_gains_allow_no_paired_test(correct, gain, tail):
    texts = [Fraction(k + gain, 10_000) for k in correct], [Fraction(k, 10_000) for k in correct]
    doubles = [[Fraction(float(v)) for v in side] for side in texts]
    for a, b in (texts, doubles):
        with pytest.raises(ClaimError) as caught:
            p_value(a, b, "paired", tail)
        assert caught.value.kind == "no-spread"


def test_sides_that_do_not_vary_allow_no_welch_test():
    for a, b in (([1.1734] * 7, [1.2] * 7), ([0.3, 0.1 + 0.2], [0.6] * 2)):
        with pytest.raises(ClaimError, match="neither side varies"):
            p_value(exact(a), exact(b), "welch", "less")
    assert p_value(exact([1.1734] * 7), exact([1.2] * 6 + [1.3]), "welch", "less") > 0


def test_exact_values_that_no_double_holds_are_tested_all_the_same():
    big = Fraction(10) ** 400
    assert p_value([big, 3 * big, 2 * big], [big * 0] * 3, "paired", "two-sided") == pytest.approx(
        0.0741799, rel=1e-5
    )


def test_a_p_of_equal_gains_is_red_in_a_document(repository):
    repository.make("on", {1: 0.35, 2: 0.58, 3: 0.67}, knobs={"WIDTH": "128"})
    repository.make("off", {1: 0.34, 2: 0.57, 3: 0.66})
    definition = (
        "p = { record = 'toy/on', pointer = '/val_bpb', seeds = [1, 2, 3], stat = 'p', "
        "against = { record = 'toy/off' }, varied = ['WIDTH'], test = 'paired', "
        "tail = 'two-sided' }"
    )
    report = repository.judge("p = 0.0000<!--=p-->", definition)
    assert [finding.kind for finding in report.findings] == ["no-spread"]
    assert "no spread: cannot test" in report.findings[0].message
    assert report.exit_code == 1

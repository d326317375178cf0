"""pytest tests/verify/grids/study/test_equal_gains.py — equal gains allow no t-test."""

import json
import math
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from goldenseal.errors import UsageError
from goldenseal.grids.analysis import analyse, compare, p_text
from goldenseal.records.kinds import Cell
from goldenseal.records.kinds.plan import read_plan

STUDY = "records/track_cpu_small/2026-11-23_FeatureStudy"
COUNTS = st.lists(st.integers(0, 9000), min_size=2, max_size=5)


def untested(row):
    return (row["p"], row["t"], row["ci95"], row["counts"], row["sd"]) == (None,) * 3 + (False, 0)


def test_the_gain_of_one_hundredth_on_two_seeds():
    row = compare([0.35, 0.58], [0.34, 0.57])
    assert untested(row)
    assert row["why_not"] == "no spread: cannot test"
    assert row["mean"] == pytest.approx(0.01)


@settings(deadline=None)
@given(COUNTS, st.integers(-500, 500), st.sampled_from([100, 10_000, 12_345, 50_000]))
def test_equal_gains_of_any_accuracies_are_never_tested(correct, gain, n):
    scales = [
        lambda k: k / n,
        lambda k: 100 * k / n,
        lambda k: 100 * (k / n),
        lambda k: 1 - k / n,
        lambda k: round(k / n, 4) if 10_000 % n == 0 else k / n,
    ]
    for scale in scales:
        row = compare([scale(k + gain) for k in correct], [scale(k) for k in correct])
        assert untested(row), row


@settings(deadline=None)
@given(
    st.lists(st.integers(-(10**6), 10**6), min_size=2, max_size=6).filter(lambda x: len({*x}) > 1)
)
def test_a_real_spread_is_tested_as_scipy_does(thousandths):
    values = [1e6 + k / 1000 for k in thousandths]
    base = [1e6 - 1.0] * len(values)
    row = compare(values, base)
    test = stats.ttest_rel(values, base)
    assert (row["t"], row["p"]) == (float(test.statistic), float(test.pvalue))
    assert "why_not" not in row


def test_a_small_spread_of_large_values_is_real():
    assert compare([1e6 + 1e-3, 1e6, 1e6 - 1e-3], [1e6 - 1.0] * 3)["p"] is not None


def test_a_spread_whose_square_is_no_double_has_a_t():
    row = compare([1e-200, 3e-200, 2e-200], [0.0] * 3)
    assert row["t"] == pytest.approx(2 * math.sqrt(3))
    assert row["p"] == pytest.approx(0.0741799, rel=1e-5)


@pytest.mark.parametrize(
    ("values", "base", "words"),
    [
        ([1.0], [0.5], "two or more"),
        ([], [], "two or more"),
        ([1.0, 2.0], [1.0], "needs pairs"),
        ([1.0, math.nan], [1.0, 2.0], "finite"),
        ([1.0, math.inf], [1.0, 2.0], "finite"),
    ],
)
def test_what_is_no_sample_of_pairs_is_refused(values, base, words):
    with pytest.raises(UsageError, match=words):
        compare(values, base)


def test_the_sealed_study_comes_out_as_it_was_sealed(root):
    sealed = json.loads((root / STUDY / "results.json").read_text())
    found = {Cell(k.split("/")[0], int(k.split("/")[1])): v for k, v in sealed["cells"].items()}
    tests = analyse(read_plan(root / STUDY / "plan.toml").main, found)
    later = {"d_z", "direction"}  # since then
    earlier = [{k: v for k, v in row.items() if k not in later} for row in tests]
    assert json.loads(json.dumps(earlier)) == sealed["tests"]


def group(test, values, base, margin=0.0):
    """The tests of a made-up group of two configurations."""
    seeds = tuple(range(len(values)))
    plan = SimpleNamespace(
        analysis={"primary": "acc", "test": test, "alpha": 0.05, "better": "higher"},
        baseline="off",
        configurations={"off": {}, "on": {}},
        seeds=seeds,
        margin=margin,
        cells=lambda: [Cell(c, s) for s in seeds for c in ("off", "on")],
    )
    sides = {"on": values, "off": base}
    found = {Cell(c, s): {"acc": sides[c][s]} for c in sides for s in seeds}
    return analyse(plan, found)[0]


BASE = [0.34, 0.57, 0.41, 0.66, 0.29, 0.83]


def test_an_equal_gain_in_a_sweep_has_neither_p_nor_effect_size():
    row = group("paired-t", [0.35, 0.58], [0.34, 0.57])
    assert untested(row)
    assert (row["d_z"], row["p_holm"]) == (None, None)


def test_a_sign_flip_test_needs_no_spread_and_takes_rounding_for_no_difference():
    gained = group("sign-flip", [x + 0.01 for x in BASE], BASE)
    assert gained["p"] == 2 / 2**6
    assert gained["counts"] is True
    assert "why_not" not in gained
    noise = group("sign-flip", [math.nextafter(x, 1) for x in BASE], BASE)
    assert (noise["p"], noise["counts"]) == (1.0, False)


def test_a_gain_of_just_the_margin_is_not_beyond_it():
    values = [round(x + 0.01, 2) for x in BASE]
    row = group("sign-flip", values, BASE, margin=0.01)
    assert (row["p"], row["counts"]) == (2 / 2**6, False)
    assert group("sign-flip", values, BASE, margin=0.009)["counts"] is True


@pytest.mark.parametrize(
    ("p", "text"),
    [(None, "not defined"), (0.0, "< 0.001"), (1.8e-15, "< 0.001"), (0.00123456789, "0.0012"),
     (0.123456789, "0.12"), (1.0, "1")],
)  # fmt: skip
def test_a_p_for_people_has_two_digits(p, text):
    assert p_text(p) == text

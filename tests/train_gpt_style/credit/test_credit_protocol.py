"""pytest tests/train_gpt_style/credit/test_credit_protocol.py — from plain numbers to a verdict.

Published numbers are those of the literature; the expected answers are worked out by hand.
"""

import ast
import math
import statistics
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldenseal.errors import UsageError
from train_gpt_style.credit import protocol
from train_gpt_style.credit.protocol import (
    calibration,
    diagnostics,
    numbers,
    replay,
    sensitivity,
    strategies,
)
from train_gpt_style.credit.protocol.diagnostics import Setting, Thresholds
from train_gpt_style.credit.protocol.verdict import verdict

T = Thresholds()
SETTING = Setting(256, 4, "cifar", 100, (42, 123, 456), "cosine")
positive = st.floats(1e-6, 1e6)


def test_no_file_of_the_protocol_needs_torch():
    for path in Path(protocol.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) else []
            assert not [name for name in names if name.startswith(("torch", "numpy"))], path


# -- (a) ------------------------------------------------------------------------------------------


def test_growth_is_the_largest_ratio_of_neighbours():
    found = diagnostics.growth([2.0, 100.0, 400.0, 300.0], T)
    assert (found.value, found.fires) == (50.0, False)  # at the threshold it is quiet
    assert diagnostics.growth([2.0, 101.0], T).fires


def test_growth_of_a_healthy_network_whose_first_state_is_small_is_quiet():
    """The rule that was replaced, max ||h|| over ||h_0|| above 10, fired on healthy ViTs."""
    norms = [0.3, 2.0, 8.0, 20.0]
    assert max(norms) / norms[0] > 10
    assert not diagnostics.growth(norms, T).fires


def test_a_norm_of_zero_is_undefined_and_never_divided_by():
    found = diagnostics.growth([0.0, 1.0, 5.0], T)
    assert (found.fires, found.value) == (None, None)
    assert found.reason == "undefined: the norm of h_0 is 0"


def test_a_norm_that_is_not_finite_is_one_line_of_bad_input():
    for bad in (math.nan, math.inf):
        with pytest.raises(UsageError, match="the norm of layer 1 is"):
            diagnostics.growth([1.0, bad], T)


# -- (b) ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("examples", [128, 256, 1024, 10000])
def test_one_network_has_one_verdict_whatever_the_evaluation_batch(examples):
    """A network whose batch-mean norm is 4e-9 at 1024 has 3.2e-8 at 128: the same one."""
    own = 5e-6
    printed = own / examples  # what a script prints that takes the mean over its batch
    found = diagnostics.floor(diagnostics.of_batch_mean(printed, examples), T)
    assert found.fires
    assert found.value == pytest.approx(own / 128)


def test_the_published_prints_of_one_network_differ_by_the_batch_and_agree_here():
    """||g_L|| of BP, 3.5e-4 against 4.4e-5: eight times, as 1024 is of 128."""
    audit, earlier = (diagnostics.of_batch_mean(v, n) for v, n in ((3.5e-4, 128), (4.375e-5, 1024)))
    assert audit == pytest.approx(earlier)


def test_the_verdict_depends_on_n_ref_and_says_so():
    own = 7e-7 * 128  # above the floor of 128, below that of 1024
    assert not diagnostics.floor(own, Thresholds(n_ref=128)).fires
    assert diagnostics.floor(own, Thresholds(n_ref=1024)).fires


def test_a_gradient_that_is_not_finite_is_named_by_its_layer():
    with pytest.raises(UsageError, match="the gradient at h_L is nan"):
        diagnostics.floor(math.nan, T)


def test_the_floor_is_as_stated_per_example():
    assert diagnostics.floor(1.27e-5, T).fires
    assert not diagnostics.floor(1.28e-5, T).fires
    assert diagnostics.floor(1.0e-4, Thresholds(n_ref=1024)).fires
    with pytest.raises(UsageError, match="N_ref=0"):
        diagnostics.floor(1.0, Thresholds(n_ref=0))


# -- (c) ------------------------------------------------------------------------------------------


def test_what_stability_lacks_is_said_in_numbers():
    words = "8 batches of 128 gradients at layer L/2 are needed: 1024 examples"
    assert diagnostics.stability(None, 0, 0, T).reason == words
    assert diagnostics.stability(None, 8, 128, T).reason == words


@pytest.mark.parametrize(("batches", "size"), [(7, 128), (8, 127), (2, 32)])
def test_too_few_batches_or_examples_are_refused_with_what_is_needed(batches, size):
    with pytest.raises(UsageError, match="at least 8 of 128 are needed, 1024 examples"):
        diagnostics.stability(0.1, batches, size, T)


def test_stability_has_a_least_value_and_the_published_one_is_a_batch_statistic():
    """-0.036 cannot be a mean over pairs of 1,024 examples, which is at least -1/1023."""
    assert diagnostics.stability(-0.036, 8, 128, T).fires is False
    with pytest.raises(UsageError, match=r"between -0\.0010 and 1"):
        diagnostics.stability(-0.036, 1024, 128, T)
    assert diagnostics.stability(-1 / 7, 8, 128, T).fires is False
    assert diagnostics.stability(math.nan, 8, 128, T).fires is None


# -- (d) ------------------------------------------------------------------------------------------


def test_two_points_above_clear_the_margin_exactly():
    """In floats .371 - .351 is above .02 and .349 - .329 below."""
    assert 0.349 - 0.329 < 0.02
    for accuracy, baseline in ((0.371, 0.351), (0.349, 0.329), (0.369, 0.349)):
        assert diagnostics.depth(accuracy, baseline, SETTING, SETTING, T).fires is False
    assert diagnostics.depth(0.368, 0.349, SETTING, SETTING, T).fires


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("width", 512),
        ("depth", 12),
        ("data", "cifar100"),
        ("epochs", 30),
        ("seeds", (42,)),
        ("schedule", "constant"),
    ],
)
def test_a_baseline_of_another_setting_is_refused_by_name(field, value):
    other = Setting(**{**SETTING.__dict__, field: value})
    with pytest.raises(UsageError, match=f"the baseline's {field} is "):
        diagnostics.depth(0.401, 0.349, SETTING, other, T)


# -- verdict --------------------------------------------------------------------------------------


def four(hidden=(1.0, 2.0), gradient=1.0, stable=0.1, accuracy=0.6, baseline=0.3, t=T):
    return [
        diagnostics.growth(hidden, t),
        diagnostics.floor(gradient, t),
        diagnostics.stability(stable, 8, 128, t),
        diagnostics.depth(accuracy, baseline, SETTING, SETTING, t),
    ]


def test_the_words_of_a_verdict():
    assert verdict(four()).words == "trustworthy"
    assert verdict(four((1.0, 100.0), 1e-9)).words == "walked back via (a)+(b)"
    assert verdict(reversed(four((1.0, 100.0), 1e-9))).fired == "ab"  # in letter order
    both = four((1.0, 100.0))[:2]
    assert verdict(both).words == "walked back via (a); not evaluated (c)(d)"


@pytest.mark.parametrize("gone", range(4))
def test_what_is_missing_is_never_a_pass(gone):
    found = [f for i, f in enumerate(four()) if i != gone]
    assert not verdict(found).trusted
    assert verdict(found).words == f"not evaluated ({'abcd'[gone]})"
    for nothing in (four(hidden=None), four(gradient=None), four(stable=None), four(baseline=None)):
        assert not verdict(nothing).trusted


def test_undercut_is_kept_apart():
    assert verdict(four(accuracy=0.31, baseline=0.3)).undercut is False  # and yet (d) fires
    assert verdict(four(accuracy=0.29, baseline=0.3)).undercut is True
    assert verdict(four(baseline=None)).undercut is None


def test_stability_alone_is_never_a_reason():
    assert verdict(four(stable=0.86)).notes == [
        "(c) alone fired: it also fires on healthy networks early in training"
    ]


def test_ep_is_not_trustworthy_on_each_seed_as_was_claimed():
    """Seed 42: 0.359 against 0.349, one point where two are asked for."""
    found = verdict(four((1.0, 11.0), 0.0131, -0.036, 0.359, 0.349))
    assert found.words == "walked back via (d)"


def raised(t, **changes):
    return Thresholds(**{**t.__dict__, **changes})


@given(
    st.lists(positive, min_size=2, max_size=5),
    positive,
    st.floats(-0.14, 1),
    st.floats(0, 1),
    st.floats(0, 1),
    st.floats(1, 100),
    st.floats(1, 100),
)
def test_a_milder_threshold_can_only_remove_letters(hidden, g, stable, acc, base, growth, factor):
    strict = Thresholds(growth=growth)
    mild = Thresholds(growth * factor, strict.floor / factor, 128, 0.3 * factor, 0.02 / factor)
    before = verdict(four(hidden, g, stable, acc, base, strict)).fired
    after = verdict(four(hidden, g, stable, acc, base, mild)).fired
    assert set(after) <= set(before)


# -- strategies -----------------------------------------------------------------------------------

PUBLISHED = {
    "BP": strategies.Reported(0.615, 0.1, 1.0),
    "EP": strategies.Reported(0.316, 0.1, 0.007),
    "DFA": strategies.Reported(0.306, 0.1, 0.10, "abd"),
    "SB": strategies.Reported(0.205, 0.1, 0.005, "abcd"),
    "CB": strategies.Reported(0.289, 0.1, 0.07, "abcd"),
}


def test_the_published_table_of_strategies():
    """S1 walks back none of five, S_full three; (a), (b), (d) each catch three, (c) two."""
    counts = {name: len(caught) for name, caught in strategies.table(PUBLISHED).items()}
    assert counts == {"S0": 0, "S1": 0, "S2": 3, "S3": 3, "S4": 2, "S5": 3, "S_full": 3}


def test_a_strategy_that_lacks_a_sign_passes_nothing():
    known = strategies.Reported(0.6, 0.1, None, "", "d")
    assert strategies.walks_back("S0", known) is False
    assert strategies.walks_back("S1", known) is None
    assert strategies.walks_back("S_full", strategies.Reported(0.6, 0.1, 1, "a", "d")) is True


@given(st.floats(0, 1), st.floats(-1, 1), st.sets(st.sampled_from("abcd")), st.sampled_from("2345"))
def test_more_signs_walk_back_no_less(accuracy, gamma, fired, one):
    each = strategies.Reported(accuracy, 0.1, gamma, "".join(sorted(fired)))
    backs = [strategies.walks_back(name, each) for name in ("S0", "S1", f"S{one}", "S_full")]
    assert backs == sorted(backs)


# -- replay ---------------------------------------------------------------------------------------

ROWS = [
    {"epoch": 1, "hidden": [1.0, 2.0], "gradient": 1e-3},
    {"epoch": 2, "hidden": [1.0, 60.0], "gradient": 1.2e-5},
    {"epoch": 3, "hidden": [1.0, 20.0], "gradient": 1e-5, "accuracy": 0.3, "baseline": 0.2},
]


def test_the_replay_tells_the_first_epoch_of_each():
    found = replay.first_epochs(ROWS[::-1], T, SETTING, SETTING)
    assert found == {"a": 2, "b": 2, "c": "not evaluated", "d": "never"}
    assert replay.first_epochs(ROWS, Thresholds(n_ref=1024), SETTING)["b"] == 2
    assert replay.first_epochs(ROWS[:1])["b"] == "never"
    assert replay.first_epochs([]) == {}


def test_an_epoch_that_fired_is_not_forgotten_by_a_row_that_could_not_tell():
    rows = [{"epoch": 1, "hidden": [1.0, 99.0]}, {"epoch": 2}, {"epoch": 3, "hidden": [1.0, 1.0]}]
    assert replay.first_epochs(rows)["a"] == 1


def test_a_row_that_is_not_finite_tells_nothing_and_spoils_no_other():
    bad = {"epoch": 2, "hidden": [1.0, math.inf], "gradient": math.nan, "accuracy": 0.1}
    found = replay.first_epochs([ROWS[0], bad, {"epoch": 3, "hidden": [1.0, 60.0]}], T)
    assert found == {"a": 3, "b": "never", "c": "not evaluated", "d": "not evaluated"}


def test_the_replay_never_takes_one_setting_for_both():
    """With the network's own in the baseline's place, a baseline of any setting was compared."""
    for settings in ((), (SETTING,), (None, SETTING)):
        assert replay.first_epochs(ROWS, T, *settings)["d"] == "not evaluated"
    other = Setting(**{**SETTING.__dict__, "width": 512})
    with pytest.raises(UsageError, match="the baseline's width is 512"):
        replay.first_epochs(ROWS, T, SETTING, other)


# -- sensitivity ----------------------------------------------------------------------------------


def test_the_published_intervals():
    """(a) 11.0 to 694, 63 times; (b) 4.18e-9 to 1.02e-4, 24,402 times; they print 24,338."""
    a = sensitivity.separating("a", [2.4, 11.0], [694.0, 1000.0])
    assert (a.low, a.high, round(a.ratio)) == (11.0, 694.0, 63)
    b = sensitivity.separating("b", [1.02e-4, 3e-4], [4.18e-9, 4e-9])
    assert round(b.ratio) == 24402
    assert sensitivity.separating("a", [5.0, 700.0], [694.0]) is None


def test_a_threshold_flips_at_the_value_and_not_at_six():
    """ "Flips below about 6": the largest healthy value is 11.0."""
    values = {"EP": 11.0, "CB": 694.0}
    assert sensitivity.table("a", values, [6, 10.9, 11.0, 693, 694]) == {
        6: ["EP", "CB"],
        10.9: ["EP", "CB"],
        11.0: ["CB"],
        693: ["CB"],
        694: [],
    }


@given(
    st.sampled_from("abcd"), st.lists(st.floats(-9, 9), min_size=1, max_size=6), st.floats(-9, 9)
)
def test_within_the_interval_no_verdict_changes(letter, values, threshold):
    found = sensitivity.interval(letter, values, threshold)
    before = [sensitivity.fires(letter, v, threshold) for v in values]
    closed = found.low if found.side == sensitivity.UP else found.high
    open_end = found.high if found.side == sensitivity.UP else found.low
    if closed is not None:
        assert [sensitivity.fires(letter, v, closed) for v in values] == before
    if open_end is not None:
        assert [sensitivity.fires(letter, v, open_end) for v in values] != before


# -- calibration and layers -----------------------------------------------------------------------


def test_a_mean_over_all_layers_hides_which():
    found = calibration.layers([0.42, 0.0, 0.0, 0.0, 0.0])
    assert found.gamma == pytest.approx(0.084)
    assert found.deep == 0.0


# -- numbers --------------------------------------------------------------------------------------


@given(st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=9))
def test_deviations_are_those_of_the_library(values):
    assert numbers.deviation(values, 1) == pytest.approx(statistics.stdev(values), abs=1e-9)
    assert numbers.deviation(values, 0) == pytest.approx(statistics.pstdev(values), abs=1e-9)


def test_three_published_deviations_have_the_ddof_that_they_hide():
    dfa, bp = [0.3070, 0.2985, 0.2966], [0.5851, 0.5845, 0.5863]
    assert [round(numbers.deviation(dfa, d), 4) for d in (0, 1)] == [0.0045, 0.0055]
    assert [round(numbers.deviation(bp, d), 4) for d in (0, 1)] == [0.0007, 0.0009]
    assert math.isnan(numbers.deviation([0.3], 1))


def test_a_comparison_across_epochs_seeds_or_batches_is_refused_unless_asked():
    long = numbers.Number({42: 0.363}, epochs=100)
    short = numbers.Number({42: 0.585}, epochs=30)
    with pytest.raises(UsageError, match="100 epochs against 30: compare at equal epochs"):
        long.minus(short)
    assert long.minus(short, anyway=True) == pytest.approx(-0.222)
    three = numbers.Number({42: 0.3, 123: 0.4, 456: 0.5}, epochs=100)
    with pytest.raises(UsageError, match="equal seeds"):
        long.minus(three)
    with pytest.raises(UsageError, match="128 examples against 1024"):
        numbers.Number({1: 1.0}, 1, 128).minus(numbers.Number({1: 1.0}, 1, 1024))
    assert (three.mean, three.sd()) == (pytest.approx(0.4), pytest.approx(0.1))

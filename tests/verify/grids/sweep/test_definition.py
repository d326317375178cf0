"""pytest tests/verify/grids/sweep/test_definition.py

What a sweep may say, and what is refused.
"""

import math
import random
import statistics

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goldenseal.errors import UsageError
from goldenseal.grids.cost import check_cost, compute_grant, limits
from goldenseal.grids.grant import decimal
from goldenseal.grids.paired import sign_flip
from goldenseal.grids.power import power, power_t
from goldenseal.grids.prepare import planned
from goldenseal.records.kinds.plan import Cell, is_sweep, read_sweep
from goldenseal.records.kinds.rules import fewest_for_sign_flip
from tests.verify.grids.sweep.toy_sweep import CELLS, SWEEP


def test_a_sweep_is_all_its_groups(toy):
    sweep = read_sweep(toy.file)
    cells = list(sweep.cells())
    assert len(cells) == CELLS
    assert len(set(cells)) == CELLS
    assert cells[0] == Cell("off", 3)
    assert cells[-1] == Cell("grid_2", 34)
    assert sweep.seeds == (3, 5, 8, 21, 34)
    assert sweep.seeds_of("grid_2") == (21, 34)
    assert sweep.groups["grid"].knobs(Cell("grid_2", 21)) == {
        "TOY_FACTOR": "0.5",
        "TOY_FEATURE": "3",
        "SEED": "21",
    }


REFUSED = [
    ('TOY_FEATURE = "1"', 'TOY_FEATUER = "1"', "did you mean TOY_FEATURE?"),
    ('TOY_FEATURE = "1"', 'TOY_FEATURE = "99"', "out of range: it must be an integer"),
    ('TOY_FEATURE = "2"', 'TOY_FEATURE = "01"', "on/3 and strong/3 are the same run"),
    ("seeds = [21, 34]", "seeds = [3, 34]", "off/3 and grid_1/3 are the same run"),
    ("seeds = [3, 5, 8]", "seeds = [3]", "1 seeds; a paired test needs 2 or more"),
    ("seeds = [21, 34]", "seeds = [21, 21]", "a seed is listed twice"),
    ("alpha = 0.05", "alpha = 1.5", "expected one between 0 and 1"),
    ("alpha = 0.05", "alpha = 1e-15", "it never fires"),
    ('test = "paired-t"', 'test = "sign-flip"', "it needs 7 seeds"),
    ('test = "paired-t"', 'test = "welch"', "expected one of ('paired-t', 'sign-flip')"),
    ("alpha = 0.05", "alpha = 0.05\nmargin = 9.0", "no difference could ever count"),
    ("alpha = 0.05", "alpha = 0.05\nmargin = -1.0", "`margin` is -1.0"),
    ("range = [0.0, 9.0]", "range = [9.0, 0.0]", "`range` is [9.0, 0.0]"),
    ("minutes = 90", "minutes = 0", "`minutes` is 0, expected an integer, at least 1"),
    ("minutes = 90", "minuts = 90", "lacks `minutes`"),
    ("cpus = 4", "cpus = 4\npartitoin = 'a'", "did you mean partition?"),
    ("effect = -0.1", "effect = 0.0", "`effect` is 0.0"),
    ("deviation = 0.05", "deviation = -0.05", "expected one above 0"),
    ("[power]", "[powr]", "unknown key 'powr'; did you mean power?"),
    ("[groups.grid]", "[groups.main]", "a group needs a name of its own"),
    ("configurations.grid_2]", "configurations.strong]", "give each its own name"),
    ('baseline = "grid_1"', "", "lacks `baseline`"),
    ('gpu_hour_cost = "2.50"', "gpu_hour_cost = 2.5", "must be a text"),
]


@pytest.mark.parametrize(("old", "new", "reason"), REFUSED, ids=[new for _, new, _ in REFUSED])
def test_what_cannot_hold_is_refused_in_one_line(toy, old, new, reason):
    assert old in SWEEP
    toy.edit(old, new)
    with pytest.raises(UsageError) as error:
        planned(toy.root, toy.file)
    assert reason in str(error.value)
    assert "\n" not in str(error.value)


def test_a_sign_flip_test_of_enough_seeds_is_let_through(toy):
    toy.file.write_text(
        SWEEP.replace("paired-t", "sign-flip")
        .replace("[3, 5, 8]", "[1, 2, 3, 4, 5, 6, 7]")
        .replace("[21, 34]", "[21, 22, 23, 24, 25, 26]")
    )
    assert len(list(planned(toy.root, toy.file).plan.cells())) == 33


@settings(max_examples=40, deadline=None)
@given(st.floats(1e-3, 0.5), st.integers(1, 6))
def test_the_fewest_pairs_are_those_whose_clearest_result_counts(alpha, comparisons):
    n = fewest_for_sign_flip(alpha, comparisons)
    assert comparisons * sign_flip([1.0] * n) < alpha
    if n > 2:
        assert comparisons * sign_flip([1.0] * (n - 1)) >= alpha


def test_power_is_that_of_the_noncentral_t():
    draws = random.Random(5)
    fired, rounds, critical = 0, 20_000, 2.7764451051977987  # t of 0.975, 4 degrees of freedom
    for _ in range(rounds):
        values = [draws.gauss(1.0, 1.0) for _ in range(5)]
        t = statistics.fmean(values) / statistics.stdev(values) * math.sqrt(5)
        fired += abs(t) > critical
    assert abs(power_t(-1.0, 1.0, 5, 0.05) - fired / rounds) < 0.015


def test_power_is_bounded_and_grows_with_effect_and_seeds():
    for test, seeds in (("paired-t", (3, 5, 9)), ("sign-flip", (6, 8, 10))):
        found = [power(test, 0.5, 1.0, n, 0.05, 1)["last"] for n in seeds]
        assert found == sorted(found)
        assert 0 < found[0]
        assert found[-1] < 1
    facts = power("paired-t", -0.5, 1.0, 5, 0.05, 4)
    assert facts["alone"] < facts["last"]
    assert math.isclose(facts["last"], power_t(0.5, 1.0, 5, 0.05))


def test_limits_multiply_out(toy):
    main, grid = limits(read_sweep(toy.file))
    assert (main["cells"], main["hours"], main["gpu_hours"], main["price"]) == (
        9,
        "13.5",
        "27",
        "67.5",
    )
    assert grid["cells"] == 4
    assert "| main | 9 | 13.5 | 27 | 67.5 |" in compute_grant(read_sweep(toy.file), "x")


def test_a_cost_row_may_not_ask_more_than_the_time_limit(toy):
    cost = """
[cost]
schema = 1
unit = "hours"
[[cost.rows]]
label = "All"
configurations = ["off", "on", "strong"]
hours = "{}"
[[cost.rows]]
label = "Grid"
configurations = ["grid_1", "grid_2"]
hours = "1"
published = "4"
[cost.published]
total = "13"
source = "somebody"
"""
    toy.file.write_text(SWEEP + cost.format("1"))
    grant = check_cost(read_sweep(toy.file), "toy")
    assert decimal(grant.total) == "13"
    assert grant.rows[1].agrees
    toy.file.write_text(SWEEP + cost.format("2"))
    with pytest.raises(UsageError, match="the time limit of off is 90 minutes"):
        planned(toy.root, toy.file)


def test_the_sweeps_of_this_repository_hold(root):
    sunflowers = planned(root, root / "sweeps" / "golden_sunflowers.toml")
    assert len(list(sunflowers.plan.cells())) == 5 * 5 + 4 * 3
    assert sunflowers.plan.groups["main"].seeds == (1597, 2584, 4181, 6765, 10946)
    grant = check_cost(sunflowers.plan, "x")
    assert (decimal(grant.total), grant.printed_total) == ("170.97", "109.4")
    assert len(list(planned(root, root / "sweeps" / "small_cpu.toml").plan.cells())) == 6
    assert is_sweep(root / "sweeps" / "small_cpu.toml")


def test_the_plan_of_the_sealed_proposal_is_the_main_group(root):
    from goldenseal.records.kinds.plan import read_plan

    (path,) = root.glob("records/*/2026-11-23_GoldenSunflowers_Proposal/plan.toml")
    sealed = read_plan(path)
    main = read_sweep(root / "sweeps" / "golden_sunflowers.toml").groups["main"]
    for key in ("seeds", "baseline", "common", "configurations", "analysis", "question", "system"):
        assert main.facts[key] == sealed.main.facts[key], key

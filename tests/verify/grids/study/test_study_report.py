"""pytest tests/verify/grids/study/test_study_report.py

Every figure follows from the logs, or fails.
"""

import json
import math
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldenseal.disk import canonical
from goldenseal.errors import CannotCheckError, ContradictedError, UsageError
from goldenseal.grids.analysis import holm
from goldenseal.grids.report import write_report
from goldenseal.grids.state import STUDY
from goldenseal.grids.study import begin, run_study
from goldenseal.records.check import check
from goldenseal.records.kinds import Cell
from goldenseal.records.seal import seal
from goldenseal.reproduce.rerun import reproduce
from goldenseal.runlog import RunLog, read_run_log

WRITTEN = ("README.md", "plot.svg", "record.json", "results.json")


def quiet(line):
    """Shows nothing."""


@pytest.fixture
def study(toy):
    """A study that was run and reported on."""
    run_study(toy.root, begin(toy.root, toy.plan, toy.folder), 2)
    toy.results = write_report(toy.root, toy.folder)
    return toy


def edit(study, **changes):
    """Change facts of record.json, as a forger would."""
    path = study.folder / "record.json"
    path.write_bytes(canonical.dumps(json.loads(path.read_text()) | changes))


def facts(study):
    return json.loads((study.folder / "record.json").read_text())


def rewrite_log(study, cell, change):
    """The same log with other lines and a right chain."""
    path = STUDY.folder(study.folder, cell) / "train.jsonl"
    header, *lines = read_run_log(path)
    header.pop("kind"), header.pop("schema")
    log = RunLog(path, change("header", header) or header)
    for line in lines:
        kind, clock = line.pop("kind"), line.pop("clock", None)
        line = change(kind, line) or line
        log.end(line, clock) if kind == "end" else log.write(kind, line, clock)


def test_mean_spread_and_test_are_those_of_the_logged_numbers(study):
    losses = {
        c: [study.results["cells"][f"{c}/{seed}"]["loss"] for seed in (3, 5, 8)]
        for c in ("off", "on", "strong")
    }
    on = study.results["summary"]["loss"]["configurations"]["on"]
    assert on == {
        "n": 3,
        "mean": statistics.fmean(losses["on"]),
        "sd": statistics.stdev(losses["on"]),
    }
    row = study.results["tests"][0]
    differences = [a - b for a, b in zip(losses["on"], losses["off"], strict=True)]
    assert row["differences"] == differences
    mean, sd = statistics.fmean(differences), statistics.stdev(differences)
    assert row["t"] == pytest.approx(mean / (sd / math.sqrt(3)))
    # With two degrees of freedom the t distribution is elementary.
    assert row["p"] == pytest.approx(1 - abs(row["t"]) / math.sqrt(row["t"] ** 2 + 2))
    half = 4.302652729696142 * sd / math.sqrt(3)
    assert row["ci95"] == pytest.approx([mean - half, mean + half])
    assert row["counts"] is True


def test_a_second_report_writes_the_same_bytes(study):
    before = [(study.folder / name).read_bytes() for name in WRITTEN]
    write_report(study.root, study.folder)
    assert [(study.folder / name).read_bytes() for name in WRITTEN] == before


def test_words_around_the_tables_are_kept(study):
    readme = study.folder / "README.md"
    readme.write_text("# Mine\n<!-- study -->\nold\n<!-- /study -->\nAfter.\n")
    write_report(study.root, study.folder)
    text = readme.read_text()
    assert text.startswith("# Mine\n<!-- study -->\nSeeds 3, 5, 8;")
    assert text.endswith("<!-- /study -->\nAfter.\n")
    readme.write_text("# Mine\n")
    with pytest.raises(UsageError, match="expected `<!-- study -->`"):
        write_report(study.root, study.folder)


def test_an_incomplete_grid_carries_no_claim_and_writes_nothing(toy):
    toy.write_system(crash=(5, 1))
    run_study(toy.root, begin(toy.root, toy.plan, toy.folder), 2)
    with pytest.raises(CannotCheckError, match=r"on/5: failed, tried 1: .* no steam") as caught:
        write_report(toy.root, toy.folder)
    assert "an incomplete grid carries no claim" in str(caught.value)
    assert not [name for name in WRITTEN if (toy.folder / name).exists()]


def test_the_record_is_sealed_and_checked(study):
    seal(study.folder)
    assert check(study.folder).holds
    assert len(facts(study)["runs"]) == 9


def problems(study):
    with pytest.raises(UsageError) as caught:
        seal(study.folder)
    return str(caught.value)


def test_a_run_that_is_left_out_is_missed(study):
    edit(study, runs=facts(study)["runs"][:-1])
    assert "strong/8 is in the plan, but not among the runs" in problems(study)


def test_a_run_that_is_listed_twice_is_seen(study):
    edit(study, runs=[*facts(study)["runs"], facts(study)["runs"][0]])
    assert "off/3 is listed twice" in problems(study)


def test_a_seed_that_was_replaced_is_seen(study):
    runs = facts(study)["runs"]
    runs[0]["seed"] = 9
    edit(study, runs=runs)
    assert "off/9 is not in the plan" in problems(study)


def test_a_mean_that_was_touched_up_is_seen(study):
    results = facts(study)["results"]
    results["loss"]["configurations"]["on"]["mean"] -= 1e-12
    edit(study, results=results)
    assert "`results` are not what its runs come to" in problems(study)


def test_a_result_that_was_touched_up_is_seen(study):
    runs = facts(study)["runs"]
    runs[0]["results"]["loss"] -= 1e-12
    edit(study, runs=runs)
    assert "off/3: its `results` are not those of" in problems(study)


def test_a_log_of_another_seed_is_seen(study):
    rewrite_log(
        study, Cell("on", 5), lambda kind, line: {**line, "seed": "6"} if kind == "header" else None
    )
    assert "its header says seed '6', the plan says 5" in problems(study)


def test_a_log_of_other_knobs_is_seen(study):
    def change(kind, line):
        if kind == "header":
            return {**line, "knobs": {**line["knobs"], "TOY_FACTOR": "0.25"}}

    rewrite_log(study, Cell("on", 5), change)
    assert "TOY_FACTOR=0.25" in problems(study)


def test_a_log_that_was_cut_short_is_seen(study):
    path = STUDY.folder(study.folder, Cell("on", 5)) / "train.jsonl"
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))
    assert "cut short" in problems(study)


def test_other_weights_than_those_of_the_log_are_seen(study):
    runs = facts(study)["runs"]
    runs[0]["state"] = "cd" * 64
    edit(study, runs=runs)
    assert "its `weights` are not those of" in problems(study)


def test_a_plan_that_was_changed_afterwards_is_seen(study):
    plan = study.folder / "plan.toml"
    plan.write_text(plan.read_text().replace('TOY_FEATURE = "2"', 'TOY_FEATURE = "3"'))
    assert "strong/3: ran with TOY_FEATURE=2, the plan says 3" in problems(study)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"plan": "absent.toml"}, "names no plan that is here"),
        ({"seeds": [3, 5]}, "`seeds` are not the plan's"),
        ({"runs": []}, "`runs` must be a list of runs"),
        ({"runs": [{"seed": 3}]}, "`runs` must be a list of runs"),
        ({"logs": {"3": "x"}}, "both `logs` and `runs`"),
        ({"status": "proposal"}, "a proposal record holds no `results`"),
    ],
)
def test_a_record_of_many_runs_that_claims_too_much_is_refused(study, change, words):
    edit(study, **change)
    assert words in problems(study)


def test_one_cell_is_reproduced_with_the_threads_of_the_sealed_run(study):
    prefix = seal(study.folder).identity[:8]
    outcome = reproduce(study.root, prefix, quiet, cell="on/5")
    assert (outcome.verdict, outcome.reason) == ("bitwise", "all equal")


def test_a_cell_that_comes_out_otherwise_diverges(study):
    prefix = seal(study.folder).identity[:8]
    study.write_system(bias=1e-9)
    outcome = reproduce(study.root, prefix, quiet, cell="on/5", trace=False)
    assert (outcome.verdict, outcome.step) == ("diverged", 1)


@pytest.mark.parametrize("cell", ["", "on/6", "nothing"])
def test_a_study_is_reproduced_by_the_cell_and_the_cells_are_named(study, cell):
    prefix = seal(study.folder).identity[:8]
    with pytest.raises(UsageError, match="choose one with --cell, of off/3, off/5"):
        reproduce(study.root, prefix, quiet, cell=cell)


def test_a_broken_seal_is_not_reproduced(study):
    prefix = seal(study.folder).identity[:8]
    (study.folder / "results.json").write_text("{}")
    with pytest.raises(ContradictedError, match=r"results\.json changed"):
        reproduce(study.root, prefix, quiet, cell="on/5")


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, 0.9]) == [1.0, 1.0]
    assert holm([None, 0.01]) == [None, 0.02]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_never_lowers_a_p_and_keeps_the_order(values):
    corrected = holm(values)
    assert all(p <= q <= 1 for p, q in zip(values, corrected, strict=True))
    pairs = sorted(zip(values, corrected, strict=True))
    assert [q for _, q in pairs] == sorted(corrected)

"""pytest tests/verify/grids/sweep/test_collect.py — what a sweep comes to, complete or not."""

import json
import math
import shutil
import statistics

import pytest

from goldenseal.claims.evidence import Library
from goldenseal.claims.findings import ClaimError
from goldenseal.claims.runs import check_complete, runs_of
from goldenseal.errors import UsageError
from goldenseal.grids.collect import collect
from goldenseal.records.check import check
from goldenseal.records.record import read_record
from goldenseal.reproduce.rerun import chosen_run
from tests.verify.conftest import seal_blindly
from tests.verify.grids.sweep.toy_sweep import CELLS, SWEEP, attempt, finish, seal


@pytest.fixture
def swept(toy):
    """The toy sweep with every cell finished; `into` is where its record goes."""
    toy.cells = {
        f"{f.parent.name}/{f.name}": f for f in toy.prepare(waivers={"theorems": "no Coq here"})
    }
    for folder in toy.cells.values():
        finish(folder)
    toy.into = toy.root / "records" / "toy" / "2026-01-02_Sweep"
    return toy


def gathered(toy):
    return collect(toy.root, toy.folder, toy.into)


def lines(toy):
    return [json.loads(line) for line in (toy.into / "cells.jsonl").read_text().splitlines()]


def test_a_complete_sweep_becomes_a_sealed_measured_record(swept):
    done = gathered(swept)
    assert done.complete
    assert check(swept.into).holds
    record = json.loads((swept.into / "record.json").read_text())
    assert record["status"] == "measured"
    assert len(lines(swept)) == CELLS
    assert {line["state"] for line in lines(swept)} == {"finished"}
    launch = json.loads((swept.into / "launch.json").read_text())
    assert launch["waivers"] == {"theorems": "no Coq here"}
    assert "no Coq here" in (swept.into / "README.md").read_text()
    assert (swept.into / "plot-grid.svg").exists()


def test_the_numbers_are_those_of_the_logs(swept):
    gathered(swept)
    results = json.loads((swept.into / "results.json").read_text())["groups"]["main"]
    losses = {f: [1 + s / 100 - 0.1 * f * (1 + s / 1000) for s in (3, 5, 8)] for f in (0, 1, 2)}
    summary = results["summary"]["loss"]["configurations"]["strong"]
    assert math.isclose(summary["sd"], statistics.stdev(losses[2]))
    (_, strong) = results["tests"]
    differences = [a - b for a, b in zip(losses[2], losses[0], strict=True)]
    mean, sd = statistics.fmean(differences), statistics.stdev(differences)
    assert strong["differences"] == pytest.approx(differences)
    assert strong["d_z"] == pytest.approx(mean / sd)
    assert strong["t"] == pytest.approx(mean / sd * math.sqrt(3))
    assert strong["p"] <= strong["p_holm"] <= 2 * strong["p"]
    assert strong["counts"]
    assert strong["direction"] == "better"


def test_a_difference_inside_the_margin_does_not_count(toy):
    toy.file.write_text(SWEEP.replace("alpha = 0.05", "alpha = 0.05\nmargin = 0.15"))
    for folder in toy.prepare():
        finish(folder)
    done = collect(toy.root, toy.folder)
    by_name = {row["configuration"]: row["counts"] for row in done.results["main"]["tests"]}
    assert by_name == {"on": False, "strong": True}


def test_collected_twice_it_is_the_same_bytes(swept):
    first = gathered(swept).identity
    again = swept.into.with_name("2026-01-02_Sweep")
    shutil.move(swept.into, swept.root / "elsewhere")
    assert collect(swept.root, swept.folder, again).identity == first


def test_a_record_is_made_once(swept):
    gathered(swept)
    with pytest.raises(UsageError, match="a record is made once"):
        gathered(swept)
    assert list(swept.into.parent.glob(".*")) == []


def break_cells(toy):
    """One cell missing, one that crashed twice, one sealed and then edited."""
    for name in ("on/3", "on/5"):
        shutil.rmtree(toy.cells[name] / "out")
        for file in ("SHA512SUMS", "seal.json", "attempts.jsonl"):
            (toy.cells[name] / file).unlink()
    attempt(toy.cells["on/5"], "failed", "no steam")
    attempt(toy.cells["on/5"], "failed", "still | no steam")
    with open(toy.cells["strong/8"] / "out" / "train.jsonl", "ab") as file:
        file.write(b"\n")


def test_an_incomplete_sweep_says_so_and_names_every_cell(swept):
    break_cells(swept)
    done = gathered(swept)
    assert not done.complete
    assert check(swept.into).holds
    by_name = {f"{line['configuration']}/{line['seed']}": line for line in lines(swept)}
    assert len(by_name) == CELLS
    assert (by_name["on/3"]["state"], by_name["on/3"]["reason"]) == ("missing", "not run")
    crashed = by_name["on/5"]
    assert (crashed["state"], crashed["attempts"]) == ("failed", 2)
    assert crashed["reason"] == "failed: still | no steam"
    assert "has changed since it was sealed" in by_name["strong/8"]["reason"]
    assert "results" not in by_name["strong/8"]
    assert not (swept.into / "results.json").exists()
    assert not (swept.into / "runs" / "strong" / "8").exists()
    text = (swept.into / "README.md").read_text()
    assert "**Incomplete: 3 of 13 cells are not finished.**" in text
    assert "| on/5 | failed | failed: still / no steam |" in text
    assert done.attempts == CELLS - 2 + 2


@pytest.mark.parametrize("name", ["cell.json", "out/train.jsonl", "out/final.safetensors"])
@pytest.mark.parametrize("how", ["gone", "link", "folder"])
def test_a_cell_of_which_a_file_is_none_any_more_has_failed(swept, name, how):
    path = swept.cells["on/3"] / name
    path.rename(kept := path.with_name("kept"))
    if how == "link":
        path.symlink_to(kept)
    elif how == "folder":
        path.mkdir()
    gathered(swept)
    line = lines(swept)[1]
    assert line["state"] == "failed"
    assert f"{name} has changed since it was sealed, or is gone" in line["reason"]
    assert not (swept.into / "runs" / "on" / "3").exists()


def test_the_claims_gate_refuses_an_incomplete_sweep(swept):
    break_cells(swept)
    gathered(swept)
    with pytest.raises(ClaimError) as error:
        Library(swept.root).usable("records/toy/2026-01-02_Sweep")
    assert error.value.kind == "incomplete-grid"


def test_the_claims_gate_reads_the_runs_of_a_complete_one(swept):
    gathered(swept)
    sealed = Library(swept.root).usable("records/toy/2026-01-02_Sweep")
    runs = runs_of(sealed)
    assert len(runs) == CELLS
    check_complete(sealed, runs)
    with pytest.raises(ClaimError, match="no finished run of grid_1 21"):
        check_complete(sealed, [r for r in runs if (r.configuration, r.seed) != ("grid_1", 21)])


def forge(toy, change):
    """Edit a sealed record and seal it again, as a forger would; returns what a check says."""
    change()
    seal_blindly(toy.into)
    return check(toy.into).reasons()


def edit_line(toy, number, **changed):
    rows = lines(toy)
    rows[number] = {**rows[number], **changed}
    text = "".join(json.dumps(row, sort_keys=True, separators=(",", ":")) + "\n" for row in rows)
    (toy.into / "cells.jsonl").write_text(text)


def drop_line(toy):
    path = toy.into / "cells.jsonl"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[1:]))


def edit_record(toy, **changed):
    path = toy.into / "record.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changed}))


FORGERIES = {
    "another result": (
        lambda toy: edit_line(toy, 4, results={"loss": 0.1}),
        "on/5: its `results` are not those of",
    ),
    "a cell that vanished": (drop_line, "off/3 is in the plan, but not among the cells"),
    "a log that is gone": (
        lambda toy: (toy.into / "runs" / "off" / "3" / "train.jsonl").unlink(),
        "off/3: its log runs/off/3/train.jsonl is not here",
    ),
    "another log": (
        lambda toy: shutil.copy(
            toy.into / "runs" / "off" / "5" / "train.jsonl",
            toy.into / "runs" / "off" / "3" / "train.jsonl",
        ),
        "off/3: train.jsonl: its header says seed '5', the plan says 3",
    ),
    "other weights": (
        lambda toy: edit_line(toy, 0, weights="0" * 128),
        "off/3: its `weights` are not those of",
    ),
    "other knobs": (
        lambda toy: edit_line(toy, 1, knobs={"TOY_FEATURE": "7"}),
        "on/3: ran with TOY_FEATURE=7, the plan says 1",
    ),
    "another mean": (
        lambda toy: edit_record(toy, results={}),
        "`results` are not what its runs come to",
    ),
    "other seeds": (
        lambda toy: edit_record(toy, seeds=[3, 5]),
        "`seeds` are not the plan's",
    ),
    "a state that is none": (
        lambda toy: edit_line(toy, 0, state="excellent"),
        "cells.jsonl:1: expected the keys",
    ),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_a_sealed_forgery_is_found_by_the_check(swept, name):
    change, reason = FORGERIES[name]
    gathered(swept)
    reasons = forge(swept, lambda: change(swept))
    assert any(reason in found for found in reasons), reasons


def test_an_incomplete_sweep_cannot_call_itself_measured(swept):
    break_cells(swept)
    gathered(swept)
    reasons = forge(swept, lambda: edit_record(swept, status="measured"))
    assert any("but 3 cells are not finished" in reason for reason in reasons), reasons


def test_a_cell_that_ran_under_other_knobs_has_failed(swept):
    folder = swept.cells["on/3"]
    cell = json.loads((folder / "cell.json").read_text())
    cell["environment"]["TOY_FEATURE"] = "2"
    (folder / "cell.json").write_text(json.dumps(cell))
    seal(folder)
    gathered(swept)
    assert "ran with TOY_FEATURE=2, the plan says 1" in lines(swept)[1]["reason"]


def test_a_log_of_other_knobs_has_failed(swept):
    folder = swept.cells["on/3"]
    (folder / "SHA512SUMS").unlink()
    finish(folder, TOY_FACTOR="0.25")
    gathered(swept)
    assert "its header says TOY_FACTOR=0.25" in lines(swept)[1]["reason"]


def test_a_loss_that_is_not_finite_is_no_result(swept):
    folder = swept.cells["on/3"]
    (folder / "SHA512SUMS").unlink()
    finish(folder, loss=math.inf)
    gathered(swept)
    assert "no finite loss" in lines(swept)[1]["reason"]


def test_two_numeric_classes_carry_no_claim(swept):
    folder = swept.cells["on/3"]
    (folder / "SHA512SUMS").unlink()
    finish(folder, cpu="y")
    done = gathered(swept)
    assert not done.complete
    assert "2 numeric classes" in done.lines()[1]
    assert check(swept.into).holds


def test_a_plan_that_was_edited_after_the_launch_is_refused(swept):
    path = swept.folder / "plan" / "sweep.toml"
    path.write_text(path.read_text().replace("alpha = 0.05", "alpha = 0.5"))
    with pytest.raises(UsageError, match="not the one that the sweep was begun with"):
        gathered(swept)


def test_a_folder_that_is_no_sweep_is_refused(toy):
    with pytest.raises(UsageError, match=r"holds no sweep\.json"):
        collect(toy.root, toy.root)


def test_without_into_the_record_lies_in_the_sweep(swept):
    done = collect(swept.root, swept.folder)
    assert done.folder.parent == swept.folder / "record"
    assert done.folder.name.endswith("_toy")


def test_one_cell_of_a_sweep_can_be_chosen_to_be_run_again(swept):
    gathered(swept)
    record = chosen_run(read_record(swept.into), "strong/5")
    assert record.folder == swept.into / "runs" / "strong" / "5"
    knobs = record.get("knobs")
    assert (knobs["SEED"], knobs["TOY_FEATURE"]) == ("5", "2")
    with pytest.raises(UsageError, match="one of its 13 finished cells"):
        chosen_run(read_record(swept.into), "strong/6")

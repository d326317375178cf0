"""pytest tests/verify/mutate/test_runner.py"""

import dataclasses
import json
import time

import pytest

from goldenseal.disk import canonical
from goldenseal.errors import CannotCheckError, UsageError
from goldenseal.mutate import command, stages
from goldenseal.mutate.command import Wish
from goldenseal.mutate.document import UNEXPLAINED, page_with, tables
from goldenseal.mutate.plan import read_plan
from goldenseal.mutate.runner import Runner
from goldenseal.mutate.state import State
from tests.patience import patience
from tests.verify.mutate import toy


@pytest.fixture
def impatient(monkeypatch):
    """Toy mutants that never end are not waited for long."""
    monkeypatch.setattr(stages, "LEAST_SECONDS", 2.0)


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    return toy.write(tmp_path_factory.mktemp("toy"))


@pytest.fixture(scope="module")
def ready(repository):
    """A runner whose unchanged code has passed, and the mutants of the default path."""
    with Runner(read_plan(repository, "toy"), 2) as made:
        mutants = made.prepare()
        made.control()
        yield made, mutants


def judge(ready, wanted):
    made, mutants = ready
    (chosen,) = [m for m in mutants if m.edit == wanted]
    ((_, result),) = made.judge([chosen])
    return result


def test_the_default_path_is_what_runs_and_nothing_else(ready):
    _, mutants = ready
    edits = {m.edit for m in mutants}
    assert {"1000 -> 1001", "0.5 -> 0.505", "< -> <=", "/ -> *"} <= edits
    assert not any("raise" in m.old or "step -= 1" in m.old for m in mutants)


def test_the_unchanged_code_passes_and_sets_the_patience(ready):
    (stage,) = ready[0].stages
    first, whole = stage.limits(None)
    assert stages.LEAST_SECONDS <= first < whole < stages.FIRST_SECONDS


def test_a_changed_schedule_is_killed_and_every_gate_that_fails_is_named(ready):
    result = judge(ready, "0.5 -> 0.505")
    assert result["outcome"] == "killed"
    assert result["failed"] == ["operations", "training", "evaluation and export"]
    assert "mutants" not in result["reason"]


def test_a_limit_that_is_never_reached_survives(ready):
    assert judge(ready, "1000 -> 1001")["outcome"] == "survived"


def test_a_mutant_that_never_ends_is_stopped(ready, monkeypatch):
    made, _ = ready
    monkeypatch.setattr(made.stages[0], "first", 3.0)
    started = time.monotonic()
    result = judge(ready, "step > LIMIT -> (not (step > LIMIT))")
    assert result["outcome"] == "timeout"
    assert 3 <= time.monotonic() - started < patience(15)


def test_a_mutant_that_ends_the_process_is_killed_with_its_reason(ready):
    made, mutants = ready
    first = mutants[0]
    deadly = dataclasses.replace(first, old="", new="import os; os._exit(3)\n", start=0, stop=0)
    ((_, result),) = made.judge([deadly])
    assert (result["outcome"], result["reason"]) == ("crash", "the process ended with 3")


def test_code_that_fails_unchanged_can_show_nothing(tmp_path):
    root = toy.write(tmp_path)
    path = root / "toy_trainer/schedule.py"
    path.write_text(path.read_text().replace("0.5", "0.25"))
    with Runner(read_plan(root, "toy"), 1) as made:
        made.prepare()
        with pytest.raises(CannotCheckError, match="the unchanged code does not pass: operations"):
            made.control()


def test_a_whole_run_is_resumed_where_it_was_killed(tmp_path, monkeypatch, impatient):
    root = toy.write(tmp_path)
    wish = Wish("toy", 6, 3)
    whole = command.mutate(root, wish)
    assert whole["sampled"] == 6
    (path,) = (root / ".goldenseal/mutants").iterdir()
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:4]) + lines[4][:20])  # killed while it wrote the fifth
    judged = []
    original = Runner.judge

    def watched(self, mutants):
        judged.extend(mutants)
        return original(self, mutants)

    monkeypatch.setattr(Runner, "judge", watched)
    again = command.mutate(root, wish)
    assert len(judged) == 2
    assert canonical.dumps(again) == canonical.dumps(whole)


def test_the_document_counts_and_explains(tmp_path, impatient):
    root = toy.write(tmp_path)
    found = command.mutate(root, Wish("toy", 1000, 1, only="schedule"))
    survivors = {s["key"]: s for s in found["survivors"]}
    key = "toy_trainer/schedule.py:module: number: LIMIT = 1000: 1000 -> 1001"
    assert survivors[key]["removed"] == ["LIMIT = 1000"]
    assert survivors[key]["added"] == ["LIMIT = 1001"]
    assert survivors[key]["reason"] == UNEXPLAINED
    assert found["killed"] + len(survivors) == found["sampled"] == found["population"]["schedule"]
    assert command.exit_code(found, 1.0) == 1
    assert command.exit_code(found, found["killed"] / found["sampled"]) == 0
    reasons = root / "docs/mutation/equivalent.toml"
    reasons.parent.mkdir()
    reasons.write_text(f'[[equivalent]]\nkey = {json.dumps(key)}\nreason = "never reached"\n')
    again = command.mutate(root, Wish("toy", 1000, 1, only="schedule"))
    assert {s["key"]: s["reason"] for s in again["survivors"]}[key] == "never reached"
    command.write(root, again)
    assert command.read(root, "toy") == again
    page = (root / "docs/mutation.md").read_text()
    assert page == page_with(page, "toy", tables(again))
    assert "never reached" in page


def test_results_of_another_source_are_refused(tmp_path, ready):
    _, mutants = ready
    state = State(tmp_path, "toy", "a" * 128)
    state.add(mutants[0], {"outcome": "killed"})
    state.path.rename(state.path.with_name(f"toy-{'b' * 16}.jsonl"))
    with pytest.raises(UsageError, match="belongs to another source"):
        State(tmp_path, "toy", "b" * 128)


def test_an_area_that_does_not_exist_is_refused(repository):
    with pytest.raises(UsageError, match="no such area"):
        command.mutate(repository, Wish("toy", 3, 1, only="engine"))


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("", "is not there"),
        ('[tool.goldenseal.systems.toy.mutate]\na = ["gone.py"]\n', "gone.py, which is not there"),
        (
            "[tool.goldenseal.systems.toy.mutate]\n"
            'a = ["toy_trainer/train.py"]\nb = ["toy_trainer/train.py"]\n',
            "in a and in b",
        ),
        ("[tool.goldenseal.systems.toy.mutate]\na = 3\n", "must be a list"),
    ],
)
def test_a_wrong_plan_is_refused(tmp_path, table, words):
    root = toy.write(tmp_path)
    settings = (root / "pyproject.toml").read_text().split("[tool.goldenseal.systems.toy.mutate]")
    (root / "pyproject.toml").write_text(settings[0] + table)
    with pytest.raises(UsageError, match=words):
        read_plan(root, "toy")


def test_gates_that_speak_only_at_their_end_have_all_the_time_for_it():
    gates = stages.Gates(lambda *arguments: None)
    gates.learn({"seconds": 0.0, "all_seconds": 50.0})
    assert gates.limits(None) == (300.0, 600.0)
    gates.learn({"seconds": 10.0, "all_seconds": 50.0})
    assert gates.limits(None) == (60.0, 360.0)

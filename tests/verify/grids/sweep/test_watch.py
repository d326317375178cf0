"""pytest tests/verify/grids/sweep/test_watch.py — what status, cancel and resume say."""

import json

import pytest

from goldenseal.disk import canonical
from goldenseal.errors import UsageError
from goldenseal.grids import watch
from goldenseal.grids.progress import CellState, last_line, state_of, with_time_left
from tests.verify.grids.sweep.toy_sweep import attempt, finish


@pytest.fixture
def folders(toy):
    return toy.prepare()


def test_every_cell_has_a_state(toy, folders, capsys):
    finish(folders[0])
    attempt(folders[1], "failed", "no steam")
    attempt(folders[2], "preempted", "it was told to stop")
    assert watch.status(toy.folder, as_json=True) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["counts"] == {
        "finished": 1, "running": 0, "failed": 1, "held": 0, "interrupted": 1,
        "planned": len(folders) - 3,
    }  # fmt: skip
    assert state_of(folders[1]).reason == "no steam"


def test_the_exit_code_tells_done_failed_and_to_come(toy, folders, capsys):
    for folder in folders[1:]:
        finish(folder)
    assert watch.status(toy.folder, as_json=True) == 3
    finish(folders[0])
    assert watch.status(toy.folder, as_json=True) == 0
    capsys.readouterr()
    assert watch.status(toy.folder, as_json=False, once=True) == 0
    assert f"{len(folders)} finished" in capsys.readouterr().out


def test_an_attempt_that_nobody_runs_any_more_is_interrupted(folders):
    facts = {"host": "x", "job": "", "n": 1, "pid": 1, "started": "2026-01-02T03:04:05+00:00"}
    (folders[0] / "running.json").write_bytes(canonical.dumps(facts))
    state = state_of(folders[0])
    assert (state.name, state.attempts) == ("interrupted", 1)


def test_step_loss_and_joules_are_those_at_the_end_of_a_growing_log(tmp_path):
    log = tmp_path / "train.jsonl"
    lines = [{"kind": "step", "step": n, "loss": (8.0 / n).hex()} for n in range(1, 5000)]
    lines.append({"kind": "trained", "step": 4999, "clock": {"energy": {"joules": 12.5}}})
    log.write_text("".join(json.dumps(line) + "\n" for line in lines) + '{"kind": "st')
    found = last_line(log)
    assert (found["step"], found["loss"]) == (4999, (8.0 / 4999).hex())
    assert found["clock"]["energy"]["joules"] == 12.5


def test_the_time_left_is_in_proportion_to_a_finished_cell():
    states = [
        CellState("a/1", "finished", 1, step=100),
        CellState("a/2", "running", 1, step=25, seconds=10.0),
        CellState("a/3", "planned", 0),
    ]
    assert [state.left for state in with_time_left(states)] == [None, 30.0, None]
    assert with_time_left(states[1:])[0].left is None  # nothing to go by


def test_what_was_never_launched_cannot_be_resumed(toy, folders, tmp_path):
    with pytest.raises(UsageError, match="was never launched"):
        watch.resume(toy.folder, as_json=False)
    with pytest.raises(UsageError, match=r"holds no sweep\.json"):
        watch.status(tmp_path, as_json=False)


def test_cancelling_a_sweep_without_jobs_says_so(toy, folders, capsys):
    assert watch.cancel(toy.folder, as_json=False) == 0
    assert capsys.readouterr().out == "0 jobs cancelled\n"

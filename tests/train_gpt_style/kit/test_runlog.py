"""pytest tests/train_gpt_style/kit/test_runlog.py — a system's log, on the toy."""

import json

import pytest

from tests.train_gpt_style.forks import whole_run
from tests.train_gpt_style.toy.run import main

STEPS = {"STEPS": "5", "RUN_LOG": "1"}


@pytest.fixture
def logged(tmp_path):
    """The lines of a run's log by kind, and what it printed."""

    def run(**environ):
        folder = tmp_path / "-".join(["run", *environ.values()])
        done = whole_run(main, STEPS | environ, folder)
        lines = [json.loads(line) for line in done.files["train.jsonl"].splitlines()]
        return {kind: [e for e in lines if e["kind"] == kind] for kind in ("step", "trained")}, done

    return run


def test_each_step_has_a_line_with_its_loss_exactly(logged):
    lines, done = logged()
    assert [e["step"] for e in lines["step"]] == [1, 2, 3, 4, 5]
    assert {e["lr"] for e in lines["step"]} == {(0.125).hex()}
    printed = [line.rpartition("loss:")[2] for line in done.lines if line.startswith("step:")]
    assert [f"{float.fromhex(e['loss']):.6f}" for e in lines["step"]] == printed


def test_the_state_comes_at_its_cadence_and_at_the_end(logged):
    for every, at in (("2", [2, 4]), ("3", [3]), ("0", [])):
        lines, _ = logged(RUN_LOG_STATE_EVERY=every)
        assert [e["step"] for e in lines["step"] if "state" in e] == at
        assert [(e["step"], set(e["state"])) for e in lines["trained"]] == [
            (5, {"model", "optimizers", "rng"})
        ]

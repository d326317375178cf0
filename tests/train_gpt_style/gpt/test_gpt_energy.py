"""pytest tests/train_gpt_style/gpt/test_gpt_energy.py — ENERGY in a whole run of the GPT."""

from pathlib import Path

import pytest

from goldenseal.errors import CannotCheckError, UsageError
from goldenseal.runlog import deterministic_digest, read_run_log
from train_gpt_style.gpt import run

ON = {"RUN_LOG": "1", "RUN_LOG_STATE_EVERY": "2"}


def log_of(done):
    Path("copy.jsonl").write_bytes(done.files["train.jsonl"])
    return read_run_log(Path("copy.jsonl"))


def test_joules_are_in_the_clock_and_change_nothing_else(tiny, perform):
    off = perform(run.main, {**tiny, **ON})
    on = perform(run.main, {**tiny, **ON, "ENERGY": "model", "ENERGY_WATTS": "40"})
    plain, metered = log_of(off), log_of(on)
    assert deterministic_digest(plain[1:]) == deterministic_digest(metered[1:])
    assert not any("energy" in line.get("clock", {}) for line in plain)
    found = {
        line["kind"]: line["clock"]["energy"]
        for line in metered
        if line["kind"] != "step" and "energy" in line.get("clock", {})
    }
    assert set(found) == {"trained", "end"}
    assert found["trained"]["seconds"] < found["end"]["seconds"]
    assert found["end"]["joules"] == pytest.approx(40 * found["end"]["seconds"], rel=0.01)
    assert found["end"]["flags"] == ["model"]
    assert on.files["final_model.safetensors"] == off.files["final_model.safetensors"]


@pytest.mark.parametrize(
    ("environ", "error"),
    [
        ({"ENERGY_WATTS": "5"}, UsageError),
        ({"ENERGY": "auto"}, UsageError),
        ({"ENERGY": "nvml", "RUN_LOG": "1"}, CannotCheckError),
    ],
)
def test_what_cannot_be_metered_is_refused(tiny, perform, environ, error):
    with pytest.raises(error):
        perform(run.main, {**tiny, **environ})

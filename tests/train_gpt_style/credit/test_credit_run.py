"""pytest tests/train_gpt_style/credit/test_credit_run.py — whole runs with features on."""

import math

import pytest
import safetensors.torch
import torch

from goldenseal.disk import canonical
from goldenseal.errors import UsageError
from goldenseal.runlog import read_run_log
from tests.train_gpt_style.cases import inside
from train_gpt_style.credit import SYSTEM
from train_gpt_style.credit.knobs import data
from train_gpt_style.credit.run import main, rate

SMALL = {
    "DIM": "16",
    "DEPTH": "2",
    "STEPS": "6",
    "BATCH": "16",
    "LOG_EVERY": "0",
    "TEACHER_TRAIN": "96",
    "TEACHER_TEST": "64",
    "RUN_LOG": "1",
}
WEIGHTS = "final_model.safetensors"


def run(folder, **knobs):
    """(weights, metrics, log) of a run in a new folder."""
    with inside(folder):
        main({**SMALL, **{name: str(value) for name, value in knobs.items()}})
        weights = safetensors.torch.load_file(WEIGHTS)
        return (
            weights,
            canonical.read(folder / "metrics.json", "m"),
            read_run_log(folder / "train.jsonl"),
        )


def equal(a, b):
    return set(a) == set(b) and all(torch.equal(a[n], b[n]) for n in a)


@pytest.mark.parametrize("method", ["bp", "dfa", "credit-bridge"])
def test_to_measure_moves_no_weight(tmp_path, method):
    knobs = {"CREDIT_METHOD": method, "EVAL_EVERY": 2}
    plain, before, _ = run(tmp_path / "plain", **knobs)
    measured, after, log = run(
        tmp_path / "measured",
        **knobs,
        CREDIT_MEASURE=64,
        CREDIT_MEASURE_EFFECTS=1,
    )
    assert equal(plain, measured)
    assert before["hex"]["val_loss"] == after["hex"]["val_loss"]
    tests = [line for line in log if line["kind"] == "validation"]
    assert [line["step"] for line in tests] == [2, 4, 6]
    assert all({"hidden_2", "gradient_2"} <= set(line) for line in tests)
    assert ("gamma" in tests[-1]) == (method != "bp")
    assert math.isfinite(after["hidden_2"])


@pytest.mark.parametrize(("examples", "window"), [(96, 6), (64, 4), (400, 2)])
def test_the_decrease_of_the_training_loss_is_that_of_the_log(tmp_path, examples, window):
    """Epochs of 6 and of 4 steps; of 25 there is less than two."""
    knobs = {"CREDIT_MEASURE": 64, "STEPS": 23, "CHECKPOINT_EVERY": 22, "TEACHER_TRAIN": examples}
    _, metrics, log = run(tmp_path, **knobs)
    losses = [float.fromhex(line["loss"]) for line in log if line["kind"] == "step"]
    expected = (sum(losses[:window]) - sum(losses[-window:])) / window
    assert metrics["loss_decrease"] == pytest.approx(expected, rel=1e-12)
    for name in (WEIGHTS, "metrics.json"):  # as a run that was killed after its last checkpoint
        (tmp_path / name).unlink()
    _, again, _ = run(tmp_path, **knobs)
    assert again == metrics


@pytest.mark.parametrize("method", ["bp", "dfa", "ep", "frozen"])
def test_a_penalty_of_zero_is_none_to_the_byte(tmp_path, method):
    """0 * inf is no number, and an added zero would be another graph."""
    off = run(tmp_path / "off", CREDIT_METHOD=method)[0]
    zero = run(tmp_path / "zero", CREDIT_METHOD=method, CREDIT_PENALTY="0.0")[0]
    on = run(tmp_path / "on", CREDIT_METHOD=method, CREDIT_PENALTY="0.5")[0]
    assert equal(off, zero)
    assert not equal(off, on)


def test_a_credit_and_random_targets_start_from_the_same_weights(tmp_path):
    base = run(tmp_path / "base", STEPS=0)[0]
    for name, knobs in {
        "dfa": {"CREDIT_METHOD": "dfa"},
        "bridge": {"CREDIT_METHOD": "credit-bridge"},
        "random": {"CREDIT_RANDOM_TARGETS": "1"},
    }.items():
        found = run(tmp_path / name, STEPS=0, **knobs)[0]
        assert equal(base, {n: found[n] for n in base})


def test_random_targets_change_what_is_trained_on(tmp_path):
    base = run(tmp_path / "base", STEPS=1)
    random = run(tmp_path / "random", STEPS=1, CREDIT_RANDOM_TARGETS=1)
    losses = [found[2][1]["loss"] for found in (base, random)]
    assert losses[0] != losses[1]  # of the first batch, at the same weights
    assert not equal(base[0], random[0])


def test_equilibrium_propagation_tells_the_log_how_it_settled(tmp_path):
    _, _, log = run(tmp_path / "ep", CREDIT_METHOD="ep", STEPS=2, CREDIT_EP_STEPS=3)
    steps = [line for line in log if line["kind"] == "step"]
    assert [line["ep_settled"] for line in steps] == [0, 0]
    assert all(float.fromhex(line["ep_residual"]) > 0 for line in steps)


def test_blocks_that_are_frozen_stay_as_they_were(tmp_path):
    start = run(tmp_path / "start", STEPS=0)[0]
    for method in ("frozen", "dfa-shallow"):
        found = run(tmp_path / method, CREDIT_METHOD=method)[0]
        same = {n: torch.equal(start[n], found[n]) for n in start}
        assert all(same[n] == n.startswith("blocks") for n in same)


def test_the_rate_is_a_cosine_to_zero_or_constant():
    settings = SYSTEM.read({"STEPS": "10", "LR": "0.5"})
    assert [rate(settings, i) for i in (0, 5)] == [0.5, pytest.approx(0.25)]
    assert 0 < rate(settings, 9) < 0.02
    assert rate(SYSTEM.read({"SCHEDULE": "constant", "LR": "0.5"}), 9) == 0.5


def test_a_teacher_has_no_files_and_a_folder_all_of_its_own(tmp_path):
    assert data(SYSTEM.read({})) == {}
    (tmp_path / "x").write_bytes(b"123")
    assert data(SYSTEM.read({"DATA_DIR": str(tmp_path)})) == {"x": 3}


@pytest.mark.parametrize(
    ("knobs", "words"),
    [
        ({"CREDIT_MEASURE": "65"}, "CREDIT_MEASURE=65 exceeds the 64 test examples"),
        ({"CREDIT_MODEL": "vit-mini"}, "needs images of at least 4 pixels a side"),
        ({"CREDIT_METHOD": "hebb"}, "CREDIT_METHOD=hebb"),
    ],
)
def test_what_does_not_fit_stops_a_run_before_it_writes(tmp_path, knobs, words):
    with inside(tmp_path / "run") as folder:
        with pytest.raises(UsageError, match=words):
            main({**SMALL, **knobs})
        assert not list(folder.iterdir())

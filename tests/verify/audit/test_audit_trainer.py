"""pytest tests/verify/audit/test_audit_trainer.py — a Trainer's card against its state."""

import json

import pytest

from goldenseal.audit.auditor import audit_folder
from goldenseal.audit.model import Certainty, Outcome
from tests.verify.audit.conftest import kinds

NOTE, AMBIGUOUS = Certainty.NOTE, Certainty.AMBIGUOUS
EVALS = {250: (0.361234, 0.874321), 500: (0.312345, 0.912844), 750: (0.334567, 0.910550)}
LOSSES = {300: 0.4421, 600: 0.2431}
CARD = """---
license: apache-2.0
tags:
- generated_from_trainer
metrics:
- accuracy
model-index:
- name: demo
  results:
  - task:
      name: Text Classification
      type: text-classification
    dataset:
      name: glue
      type: glue
      split: validation
    metrics:
    - name: Accuracy
      type: accuracy
      value: {meta}
---

# demo

It achieves the following results on the evaluation set:
- Loss: {loss}
- Accuracy: {accuracy}

## Training procedure

### Training hyperparameters

The following hyperparameters were used during training:
- learning_rate: {rate}
- train_batch_size: {batch}
- eval_batch_size: 16
- seed: 42
- gradient_accumulation_steps: 2
- total_train_batch_size: {total}
- lr_scheduler_type: linear
- num_epochs: {epochs}

### Training results

| Training Loss | Epoch | Step | Validation Loss | Accuracy |
|:-------------:|:-----:|:----:|:---------------:|:--------:|
| {none}        | 1.0   | 250  | 0.3612          | 0.8743   |
| 0.4421        | 2.0   | {step}  | {middle}          | 0.9128   |
| {train}        | 3.0   | 750  | 0.3346          | 0.9106   |
"""
RIGHT = {
    "meta": "0.91055", "loss": "0.3346", "accuracy": "0.9106", "rate": "2e-05", "batch": "16",
    "total": "32", "epochs": "3.0", "none": "No log", "middle": "0.3123", "train": "0.2431",
    "step": "500",
}  # fmt: skip


def history():
    entries = []
    for step in sorted({*EVALS, *LOSSES}):
        epoch = step / 250
        if step in LOSSES:
            rate = 2e-05 * (1 - step / 750)
            entries.append(
                {"loss": LOSSES[step], "learning_rate": rate, "epoch": epoch, "step": step}
            )
        if step in EVALS:
            loss, accuracy = EVALS[step]
            made = {"eval_loss": loss, "eval_accuracy": accuracy, "eval_runtime": 1.5}
            entries.append(made | {"epoch": epoch, "step": step})
    return [*entries, {"train_loss": 0.34, "train_runtime": 99.5, "step": 750, "epoch": 3.0}]


@pytest.fixture
def folder(tmp_path):
    state = {"log_history": history(), "max_steps": 750, "num_train_epochs": 3}
    state |= {"train_batch_size": 16, "global_step": 750, "best_model_checkpoint": None}
    (tmp_path / "trainer_state.json").write_text(json.dumps(state))
    results = {"epoch": 3.0, "eval_loss": EVALS[750][0], "eval_accuracy": EVALS[750][1]}
    (tmp_path / "eval_results.json").write_text(json.dumps(results))
    (tmp_path / "all_results.json").write_text(json.dumps(results | {"train_loss": 0.34}))
    (tmp_path / "training_args.bin").write_bytes(b"\x80\x04never opened")
    return tmp_path


def card(folder, **changed):
    (folder / "README.md").write_text(CARD.format(**(RIGHT | changed)))
    return audit_folder(folder)


def state(folder, **changed):
    path = folder / "trainer_state.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changed))


def test_a_consistent_card_is_one(folder):
    verdict = card(folder)
    assert (verdict.form, verdict.outcome) == ("trainer", Outcome.CONSISTENT), verdict.findings
    assert not verdict.findings
    assert len(verdict.confirmed) > 12


@pytest.mark.parametrize(
    ("changed", "kind"),
    [
        ({"accuracy": "0.9136"}, "not-in-log"),
        ({"accuracy": "0.9128"}, "best-for-last"),
        ({"loss": "0.3123"}, "best-for-last"),
        ({"accuracy": "0.9107"}, "not-in-log"),  # rounded wrongly
        ({"meta": "0.912844"}, "best-for-last"),
        ({"meta": "0.9206"}, "not-in-log"),
        ({"middle": "0.3133"}, "row-not-in-log"),
        ({"train": "0.2341"}, "row-not-in-log"),
        ({"step": "510"}, "row-not-in-log"),
        ({"rate": "5e-05"}, "hyperparameter"),
        ({"rate": "1e-05"}, "hyperparameter"),
        ({"batch": "32", "total": "64"}, "hyperparameter"),
        ({"total": "64"}, "hyperparameter"),
        ({"epochs": "5.0"}, "hyperparameter"),
    ],
)
def test_what_the_state_does_not_say_is_found(folder, changed, kind):
    assert kind in kinds(card(folder, **changed))


@pytest.mark.parametrize(
    "changed",
    [
        {"accuracy": "0.91"},
        {"accuracy": "91.06"},
        {"meta": "91.055"},
        {"batch": "8", "total": "16"},  # two devices in one process
        {"epochs": "2.5"},  # planned as a part of the third
        {"none": "0.5"},
    ],
)
def test_other_ways_to_write_it_stay_consistent(folder, changed):
    verdict = card(folder, **changed)
    if changed == {"none": "0.5"}:  # nothing is logged before the first row
        assert kinds(verdict) == {"row-not-in-log"}
        return
    assert verdict.outcome is Outcome.CONSISTENT, verdict.findings


def test_the_value_of_the_best_checkpoint_may_be_the_result(folder):
    state(folder, best_model_checkpoint="out/checkpoint-500", best_metric=0.912844)
    verdict = card(folder, accuracy="0.9128", loss="0.3123", meta="0.912844")
    assert verdict.outcome is Outcome.CONSISTENT, verdict.findings
    assert "best-checkpoint" in kinds(verdict, NOTE)


def test_a_value_cut_off_is_ambiguous(folder):
    verdict = card(folder, loss="0.3345")
    assert verdict.outcome is Outcome.CONSISTENT
    assert "truncated" in kinds(verdict, AMBIGUOUS)


def test_results_that_differ_from_each_other_are_found(folder):
    (folder / "all_results.json").write_text(json.dumps({"eval_accuracy": 0.9, "eval_loss": 0.3}))
    assert "results-differ" in kinds(card(folder))


def test_the_state_of_the_last_checkpoint_serves_where_there_is_no_other(folder):
    (folder / "checkpoint-750").mkdir()
    (folder / "trainer_state.json").rename(folder / "checkpoint-750" / "trainer_state.json")
    assert card(folder).outcome is Outcome.CONSISTENT
    assert "best-for-last" in kinds(card(folder, accuracy="0.9128"))


def test_a_card_alone_is_not_checkable(folder):
    for name in ("trainer_state.json", "eval_results.json", "all_results.json"):
        (folder / name).unlink()
    verdict = card(folder)
    assert verdict.outcome is Outcome.NOT_CHECKABLE
    assert "beside the card" in verdict.reason


@pytest.mark.parametrize("text", ["", "[]", "{", '{"log_history": 3}', '{"log_history": [1, {}]}'])
def test_a_broken_state_is_not_checkable(folder, text):
    (folder / "trainer_state.json").write_text(text)
    for name in ("eval_results.json", "all_results.json"):
        (folder / name).unlink()
    assert card(folder).outcome is Outcome.NOT_CHECKABLE


def test_a_schedule_with_warm_up_is_followed(folder):
    rates = [{"learning_rate": 2e-05 * s / 75, "loss": 1.0, "step": s} for s in (30, 60)]
    rates += [
        {"learning_rate": 2e-05 * (750 - s) / 675, "loss": 1.0, "step": s} for s in (300, 600)
    ]
    evals = [entry for entry in history() if "eval_loss" in entry]
    state(folder, log_history=[*rates, *evals])
    text = CARD.replace("- num_epochs", "- lr_scheduler_warmup_ratio: 0.1\n- num_epochs")
    text = text.format(**(RIGHT | {"none": "1.0", "train": "1.0"})).replace("0.4421", "1.0")
    (folder / "README.md").write_text(text)
    verdict = audit_folder(folder)
    assert verdict.outcome is Outcome.CONSISTENT, verdict.findings
    (folder / "README.md").write_text(text.replace("2e-05", "2.5e-05"))
    assert "hyperparameter" in kinds(audit_folder(folder))

"""pytest tests/verify/audit/test_audit_sentences.py — how a README says what its one log holds."""

import pytest

from goldenseal.audit.auditor import audit_folder
from goldenseal.audit.model import Outcome
from tests.verify.audit.conftest import kinds

LOG = "\n".join(
    f"Epoch {e:3d} | train loss {1 / e:.4f} | val loss {1.1 / e:.4f} | val acc {90 - 9 / e:.2f}%"
    for e in range(1, 21)
)
BY_EPOCH = """| Epoch | Train loss | Val loss | Val acc |
|---|---|---|---|
| 1 | 1.0000 | 1.1000 | 81.00 |
| 10 | 0.1000 | 0.1100 | {} |
| 20 | 0.0500 | 0.0550 | 89.55 |
"""
OURS = """| Model | Params | Val acc | Val loss |
|---|---|---|---|
| ResNet-18 (ours) | 11.2M | {} | 0.055 |
| ResNet-50 (paper) | 25M | 93.1 | 0.021 |
"""
# What follows from the log, and the number to put in its place that does not.
SAID = {
    "We trained for 20 epochs with lr 0.1 and reached {}% validation accuracy.": ("89.55", "90.55"),
    "Final validation accuracy: **{} %**.": ("89.6", "92.6"),
    "- val acc: {}\n- val loss: 0.0550": ("0.8955", "0.9155"),
    "At epoch 10 the validation accuracy was {}%, at the end 89.55%.": ("89.10", "89.55"),
    "After epoch 5 the train loss is {}.": ("0.2000", "0.0500"),
    "The final train loss is {}.": ("0.0500", "0.0550"),
    "With TTA the accuracy rises to 90.20%. Without it: {}% val acc.": ("89.55", "90.20"),
    BY_EPOCH: ("89.10", "89.80"),
    OURS: ("89.55", "91.55"),
}
OF_OTHERS = [
    "ImageNet accuracy of the backbone was 69.76%.",
    "Our model gets there, while human accuracy is 97.00%.",
    "Test accuracy: 88.10% (evaluated separately).",
    "The top-5 accuracy is 99.12%.",
    "Dropout 0.5, label smoothing loss 0.1.",
    "Error rate: 10.45%.",
]


def audited(folder, text):
    (folder / "train.log").write_text(LOG)
    (folder / "README.md").write_text(f"# X\n\n{text}\n")
    return audit_folder(folder)


@pytest.mark.parametrize("text", SAID)
def test_what_the_log_holds_is_consistent_and_what_it_does_not_is_found(tmp_path, text):
    right, wrong = SAID[text]
    verdict = audited(tmp_path, text.format(right))
    assert verdict.outcome is Outcome.CONSISTENT, (verdict.reason, verdict.findings)
    verdict = audited(tmp_path, text.format(wrong))
    assert kinds(verdict) <= {"not-in-log", "best-for-last"}, verdict.findings
    assert verdict.outcome is Outcome.MISMATCH, (verdict.reason, verdict.findings)


@pytest.mark.parametrize("text", OF_OTHERS)
def test_a_number_of_something_else_is_not_accused(tmp_path, text):
    verdict = audited(tmp_path, f"Final val acc: 89.55 %\n\n{text}")
    assert verdict.outcome is Outcome.CONSISTENT, (verdict.reason, verdict.findings)


SEEDS = {1: "91.20", 2: "90.80", 3: "91.70"}
BY_SEED = "| Seed | Accuracy |\n|---|---|\n| 1 | 91.20 |\n| 2 | {} |\n| 3 | 91.70 |"
BY_RUN = "| run | acc |\n|---|---|\n| run_1 | 91.20 |\n| run_2 | {} |\n| run_3 | 91.70 |"
OVER_SEEDS = {
    BY_SEED: ("90.80", "91.80"),
    BY_RUN: ("90.80", "91.20"),
    "Average accuracy of {}%.": ("91.23", "91.53"),
    "Mean accuracy over 3 seeds: {}": ("91.23", "91.53"),
}


@pytest.mark.parametrize("text", OVER_SEEDS)
def test_numbered_logs_of_one_folder_are_a_run_each(tmp_path, text):
    (tmp_path / "logs").mkdir()
    for seed, acc in SEEDS.items():
        rows = [
            f"Epoch [{e}/5] loss: 0.{9 - e}00{seed} acc: {float(acc) - 5 + e:.2f}"
            for e in range(1, 6)
        ]
        (tmp_path / "logs" / f"run_{seed}.log").write_text("\n".join([f"seed: {seed}", *rows]))
    for number, outcome in zip(
        OVER_SEEDS[text], (Outcome.CONSISTENT, Outcome.MISMATCH), strict=True
    ):
        (tmp_path / "README.md").write_text(f"# X\n\n{text.format(number)}\n")
        verdict = audit_folder(tmp_path)
        assert verdict.outcome is outcome, (verdict.reason, verdict.findings)

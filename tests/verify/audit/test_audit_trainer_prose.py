"""Cards that people wrote in folders of the Trainer, and tables with a row a metric."""

import json

import pytest

from goldenseal.audit.auditor import audit_folder
from goldenseal.audit.model import Outcome
from tests.verify.audit.conftest import kinds

RESULTS = {
    "epoch": 3.0, "eval_loss": 1.633907, "eval_rouge1": 41.6324, "eval_rouge2": 19.1949,
    "eval_rougeL": 29.4531, "eval_accuracy": 0.9752, "train_loss": 1.804049,
}  # fmt: skip
STATE = {"num_train_epochs": 3, "max_steps": 300, "global_step": 300, "log_history": []}
LIST = """# A summarizer

- Base model: `t5-small`
- Epochs: 3
- Training loss: 1.80
- Eval loss: 1.63
- ROUGE-1: 41.63
- ROUGE-2: 19.19
- ROUGE-L: 29.45
"""
TABLE = """# A summarizer

| Metric | Value |
|---|---|
| Accuracy | 97.52% |
| ROUGE-1 | **41.63** |
| Loss | 1.634 |
"""
BY_SPLIT = """# A summarizer

| | Train | Validation |
|---|---|---|
| Loss | 1.804 | 1.634 |
"""


def trainer(folder, card, **state):
    (folder / "README.md").write_text(card)
    (folder / "all_results.json").write_text(json.dumps(RESULTS))
    (folder / "trainer_state.json").write_text(json.dumps(STATE | state))
    return audit_folder(folder)


@pytest.mark.parametrize("card", [LIST, TABLE, BY_SPLIT])
def test_a_card_that_a_person_wrote_is_held_against_the_results(tmp_path, card):
    verdict = trainer(tmp_path, card)
    assert verdict.form == "trainer"
    assert verdict.outcome is Outcome.CONSISTENT, verdict.reason


@pytest.mark.parametrize(
    ("card", "right", "wrong", "kind"),
    [
        (LIST, "19.19", "13.62", "not-in-log"),
        (LIST, "29.45", "29.54", "not-in-log"),
        (LIST, "loss: 1.80", "loss: 1.90", "not-in-log"),
        (LIST, "Epochs: 3", "Epochs: 5", "setting"),
        (TABLE, "97.52%", "97.25%", "not-in-log"),
        (TABLE, "**41.63**", "**42.63**", "not-in-log"),
        (BY_SPLIT, "| 1.634 |", "| 1.804 |", "not-in-log"),
    ],
)
def test_a_wrong_number_on_it_is_found(tmp_path, card, right, wrong, kind):
    assert kinds(trainer(tmp_path, card.replace(right, wrong, 1))) == {kind}


def test_a_run_that_stopped_early_had_fewer_epochs(tmp_path):
    card = LIST.replace("Epochs: 3", "Epochs: 2")
    assert trainer(tmp_path, card, global_step=200).outcome is Outcome.CONSISTENT


def test_the_values_of_others_are_not_held_against_these_results(tmp_path):
    card = TABLE + "\n## Baseline\n\n| Metric | Value |\n|---|---|\n| ROUGE-1 | 38.11 |\n"
    card += "\n| Metric | Paper |\n|---|---|\n| ROUGE-1 | 43.11 |\n"
    assert trainer(tmp_path, card).outcome is Outcome.CONSISTENT


def test_a_sentence_may_name_a_model_between_the_metric_and_its_value(tmp_path):
    card = "# X\n\nThe highest accuracy for ResNet18 is 97.52%.\n"
    assert trainer(tmp_path, card).outcome is Outcome.CONSISTENT
    wrong = trainer(tmp_path, card.replace("97.52", "97.25"))  # of another model, for all we know
    assert wrong.outcome is Outcome.NOT_CHECKABLE

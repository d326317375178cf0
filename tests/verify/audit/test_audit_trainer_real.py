"""pytest tests/verify/audit/test_audit_trainer_real.py

A folder that transformers 5.23.0 wrote, tests/fixtures/runs/trainer: the checkpoint of step 10, the
best one, was loaded at the end and evaluated, and that is logged under the last step, 15
(findings/trainer_best_is_last.sh).
"""

import json
import shutil

import pytest

from goldenseal.audit.auditor import audit_folder
from goldenseal.audit.model import Outcome
from tests.verify.audit.conftest import kinds

AFTER = {"epoch": 3.0, "eval_accuracy": 1.0, "eval_loss": 0.39125269651412964, "step": 15}


@pytest.fixture(params=["state saved before the evaluation", "state saved after it"])
def folder(request, root, tmp_path):
    shutil.copytree(root / "tests" / "fixtures" / "runs" / "trainer", tmp_path / "run")
    path = tmp_path / "run" / "trainer_state.json"
    state = json.loads(path.read_text())
    if "after" in request.param:
        state["log_history"].append(AFTER)
    path.write_text(json.dumps(state))
    return tmp_path / "run"


def test_what_the_trainer_itself_wrote_is_consistent(folder):
    verdict = audit_folder(folder)
    assert verdict.form == "trainer"
    assert verdict.outcome is Outcome.CONSISTENT, verdict.findings
    assert len(verdict.confirmed) >= 12


@pytest.mark.parametrize(
    ("old", "new", "kind"),
    [
        ("- Loss: 0.3913", "- Loss: 0.3713", "not-in-log"),
        ("| 0.3576 ", "| 0.3476 ", "row-not-in-log"),
        ("| 0.5210 ", "| 0.3913 ", "row-not-in-log"),
        ("- learning_rate: 0.05", "- learning_rate: 0.02", None),
    ],
)
def test_a_number_that_it_did_not_write_is_found(folder, old, new, kind):
    path = folder / "README.md"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    found = kinds(audit_folder(folder))
    assert (kind in found) if kind else found

"""Research folders with several methods, each of several seeds: whose mean is meant?"""

import json

import pytest

from goldenseal.audit.auditor import audit_folder
from goldenseal.audit.model import Outcome
from tests.verify.audit.conftest import kinds

ENDS = {"ours": (0.8531, 0.8522, 0.8510), "plain": (0.8202, 0.8217, 0.8213)}  # means 85.21, 82.11
TABLE = """| Method | Val accuracy (%) | Δ |
|---|---|---|
| plain | 82.11 ± 0.08 | - |
| ours | **85.21 ± 0.11** | +3.10 |
"""
BESIDE = "| | plain | ours |\n|---|---|---|\n| Val accuracy (%) | 82.11 | 85.21 |\n"


@pytest.fixture
def study(tmp_path):
    """Six runs, whose folders are called after method and seed."""
    for method, ends in ENDS.items():
        for seed, end in enumerate(ends):
            folder = tmp_path / "logs" / f"{method}_seed{seed}"
            folder.mkdir(parents=True)
            rows = [f"{e},{end - 0.02 * (3 - e):.4f}" for e in (1, 2, 3)]
            (folder / "metrics.csv").write_text("\n".join(["epoch,val_accuracy", *rows]) + "\n")
            (folder / "config.json").write_text(json.dumps({"lr": 0.0003, "seed": seed}))
    return tmp_path


def audited(folder, text):
    (folder / "README.md").write_text(f"# A study\n\n{text}\n")
    return audit_folder(folder)


@pytest.mark.parametrize(
    ("text", "right", "wrong", "kind"),
    [
        ("The final accuracy is 85.21% (mean over 3 seeds).", "85.21", "85.81", "not-in-log"),
        ("The final accuracy is 85.21% (mean over 3 seeds).", "85.21", "85.31", "best-of-n"),
        ("The final accuracy is 85.21% (mean over 3 seeds).", "3 seeds", "5 seeds", "runs-counted"),
        ("Averaged over three seeds the accuracy is 82.11%.", "82.11", "82.71", "not-in-log"),
        ("The median accuracy over 3 seeds is 85.22%.", "85.22", "85.21", "not-in-log"),
        (TABLE, "85.21", "85.71", "not-in-log"),
        (TABLE, "± 0.11", "± 0.19", "deviation"),
        (TABLE, "+3.10", "+3.60", "difference"),
        (TABLE.replace("85.21 ± 0.11", r"$85.21 \pm 0.11$"), "85.21", "85.71", "not-in-log"),
        (BESIDE, "85.21", "85.71", "not-in-log"),
        (BESIDE, "| 82.11 | 85.21 |", "| 85.21 | 82.11 |", "not-in-log"),
    ],
)
def test_a_mean_is_that_of_one_method(study, text, right, wrong, kind):
    verdict = audited(study, text)
    assert verdict.outcome is Outcome.CONSISTENT, verdict.findings
    assert kind in kinds(audited(study, text.replace(right, wrong)))


@pytest.mark.parametrize(
    "text",
    [
        "The mean accuracy of all networks in the survey was 71.30%.",
        f"{BESIDE}\nThe mean accuracy per class is 61.22%.",
        TABLE.replace("+3.10", "+3.1"),
        TABLE.replace("+3.10", "3.8%"),  # of what it was
        TABLE.replace("| - |", "| 0.00 |"),
    ],
)
def test_another_mean_or_another_way_to_write_it_contradicts_nothing(study, text):
    assert audited(study, text).outcome is not Outcome.MISMATCH

"""pytest tests/verify/audit/test_audit_experiments.py — trackers' folders and research folders."""

import contextlib
import json
import shutil
import sqlite3

import pytest

from goldenseal.audit.auditor import audit_folder
from goldenseal.audit.model import Certainty, Outcome
from tests.verify.audit.conftest import kinds

NOTE, AMBIGUOUS = Certainty.NOTE, Certainty.AMBIGUOUS
# Of each seed the accuracies of three epochs: the last is not the best. Mean of the last 0.9107,
# of the best 0.9161; sample deviation of the last 0.00577.
ACCURACY = {0: ["0.8012", "0.9103", "0.9051"], 1: ["0.8121", "0.9166", "0.9104"],
            2: ["0.8044", "0.9214", "0.9166"]}  # fmt: skip
METHOD = {"ours": "0.0000", "plain": "0.0200"}


def values(method, seed):
    return [f"{float(a) - float(METHOD[method]):.4f}" for a in ACCURACY[seed]]


def csv(folder, name, seed, method):
    rows = [f"{e},{e * 100},{a},0.5" for e, a in enumerate(values(method, seed), start=1)]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "metrics.csv").write_text("\n".join(["epoch,step,val_acc,train_loss", *rows, ""]))
    (folder / "config.json").write_text(json.dumps({"seed": seed, "lr": 0.1, "batch_size": 64}))


def jsonl(folder, name, seed, method):
    folder.mkdir(parents=True, exist_ok=True)
    rows = [
        {"epoch": e, "step": e * 100, "val": {"accuracy": float(a)}}
        for e, a in enumerate(values(method, seed), start=1)
    ]
    head = {"config": {"seed": seed, "lr": 0.1, "batch_size": 64}}
    (folder / "log.jsonl").write_text("\n".join(json.dumps(row) for row in [head, *rows]))


def mlflow(folder, name, seed, method):
    root = folder.parents[1] / "mlruns" / "1" / f"{method}{seed}abc"
    for part in ("metrics", "params", "tags"):
        (root / part).mkdir(parents=True)
    lines = [f"170000000{e} {a} {e * 100}" for e, a in enumerate(values(method, seed), start=1)]
    (root / "meta.yaml").write_text("status: 3\n")
    (root / "metrics" / "val_accuracy").write_text("\n".join(lines) + "\n")
    for key, value in {"seed": seed, "lr": 0.1, "batch_size": 64}.items():
        (root / "params" / key).write_text(str(value))
    (root / "tags" / "mlflow.runName").write_text(name)


FORMS = {"csv": csv, "jsonl": jsonl, "mlflow": mlflow}


@pytest.fixture(params=FORMS)
def folder(request, tmp_path):
    """Two methods, three seeds each."""
    for method in METHOD:
        for seed in ACCURACY:
            name = f"{method}_seed{seed}"
            FORMS[request.param](tmp_path / "runs" / name, name, seed, method)
    return tmp_path


def last(method, seed):
    return f"{100 * float(values(method, seed)[-1]):.2f}"


def readme(cells=None, ours="91.07 ± 0.58", column="Test accuracy (%)", lr="0.1", extra=""):
    rows = [f"| {seed} | {last('ours', seed)} |" for seed in ACCURACY]
    rows = [row.replace(*cells) for row in rows] if cells else rows
    table = "\n".join(row.replace("| ", "| ours_seed", 1) for row in rows)
    return f"""# Our method

- lr: {lr}
- batch_size: 64

| Method | Val accuracy (%) |
|---|---|
| ours | {ours} |
| plain | 89.07 ± 0.58 |

## Seeds of ours

| Run | {column.replace("Test ", "")} |
|---|---|
{table}
| **Mean** | 91.07 |
{extra}
"""


def audit(folder, **changed):
    (folder / "README.md").write_text(readme(**changed))
    return audit_folder(folder)


def test_a_consistent_folder_is_one(folder):
    verdict = audit(folder)
    assert verdict.outcome is Outcome.CONSISTENT, verdict.findings
    assert verdict.form == ("mlflow" if (folder / "mlruns").exists() else "research")
    assert not kinds(verdict, AMBIGUOUS)
    assert len(verdict.confirmed) >= 8, verdict.confirmed


@pytest.mark.parametrize(
    ("changed", "kind"),
    [
        ({"cells": ("90.51", "90.61")}, "not-in-log"),
        ({"ours": "91.77"}, "not-in-log"),
        ({"ours": "91.66 ± 0.58"}, "best-of-n"),
        ({"ours": "91.07 ± 0.91"}, "deviation"),
        ({"column": "Final accuracy (%)", "cells": ("90.51", "91.03")}, "best-for-last"),
        ({"column": "Best accuracy (%)"}, "best-for-last"),
        ({"lr": "0.01"}, "setting"),
        ({"extra": "\nAccuracy of 91.35 % on 400 images.\n"}, "impossible-share"),
    ],
)
def test_what_the_logs_do_not_say_is_found(folder, changed, kind):
    verdict = audit(folder, **changed)
    assert kind in kinds(verdict), (verdict.findings, verdict.confirmed)


@pytest.mark.parametrize(
    "changed",
    [
        {"ours": "91.1"},
        {"ours": "0.9107 ± 0.0058"},
        {"ours": "91.61"},  # the mean of the best
        {"cells": ("90.51", "91.03")},  # the best, of a column that does not say which
        {"column": "Best accuracy (%)", "cells": ("x", "x"), "lr": "0.10"},
    ],
)
def test_other_true_statements_stay_consistent(folder, changed):
    if "Best" in changed.get("column", ""):
        text = readme(**changed)
        for seed in reversed(ACCURACY):
            text = text.replace(last("ours", seed), f"{100 * float(ACCURACY[seed][1]):.2f}")
        (folder / "README.md").write_text(text.replace("| **Mean** | 91.07", "| **Mean** | 91.61"))
        verdict = audit_folder(folder)
    else:
        text = readme(**changed)
        if "cells" in changed:
            text = text.replace("| **Mean** | 91.07", "| **Mean** | 91.24")
        (folder / "README.md").write_text(text)
        verdict = audit_folder(folder)
    assert verdict.outcome is Outcome.CONSISTENT, verdict.findings


def test_a_folder_whose_readme_states_nothing_of_the_logs_is_not_checkable(folder):
    (folder / "README.md").write_text("# Something\n\nWe are fast.\n")
    verdict = audit_folder(folder)
    assert verdict.outcome is Outcome.NOT_CHECKABLE
    assert "no stated value" in verdict.reason


def test_tables_with_a_row_a_run_are_logs_too(tmp_path):
    rows = [f"{m},{s},{values(m, s)[-1]}" for m in METHOD for s in ACCURACY]
    (tmp_path / "results.csv").write_text("\n".join(["method,seed,val_acc", *rows]))
    text = (
        "| Method | Seed | Val acc |\n|---|---|---|\n| ours | 1 | 0.9104 |\n| plain | 1 | {x} |\n"
    )
    (tmp_path / "README.md").write_text(text.format(x="0.8904"))
    assert audit_folder(tmp_path).outcome is Outcome.CONSISTENT
    (tmp_path / "README.md").write_text(text.format(x="0.8964"))
    assert "not-in-log" in kinds(audit_folder(tmp_path))


SUMMARY = {"val/accuracy": 0.9104, "epoch": 3, "_step": 300, "_runtime": 12.5, "_timestamp": 1.7e9}
CONFIG = """wandb_version: 1

_wandb:
    desc: null
    value:
        t: 1
lr:
    value: 0.1
seed:
    value: 7
"""


def test_a_folder_of_weights_and_biases_is_read(tmp_path):
    files = tmp_path / "wandb" / "offline-run-20260101_120000-ab12cd34" / "files"
    files.mkdir(parents=True)
    (files / "wandb-summary.json").write_text(json.dumps(SUMMARY))
    (files / "config.yaml").write_text(CONFIG)
    (files.parent / "run-ab12cd34.wandb").write_bytes(b":W&B\x00\x00")
    (tmp_path / "README.md").write_text("# X\n\nValidation accuracy: 91.04 %\n\n- lr: 0.1\n")
    verdict = audit_folder(tmp_path)
    assert (verdict.form, verdict.outcome) == ("wandb", Outcome.CONSISTENT), verdict.findings
    (tmp_path / "README.md").write_text("# X\n\nValidation accuracy: 92.14 %\n\n- lr: 0.2\n")
    assert kinds(audit_folder(tmp_path)) == {"not-in-log", "setting"}
    (files / "wandb-summary.json").unlink()
    verdict = audit_folder(tmp_path)
    assert verdict.outcome is Outcome.NOT_CHECKABLE
    assert "could not be read" in verdict.reason


WANDB = {  # of tests/fixtures/runs/wandb, which wandb 0.31.0 wrote: a history and no summary
    "consistent": "Final loss: 0.2000\n\nEval accuracy 40.0 %.\n\n- lr: 0.1\n\nBest: 0.25\n",
    "not-in-log": "Final loss: 0.1800\n",
    "setting": "Final loss: 0.2000\n\n- lr: 0.01\n",
}


@pytest.mark.parametrize("kind", ["consistent", "not-in-log", "setting"])
def test_the_history_of_an_offline_run_is_judged(root, tmp_path, kind):
    shutil.copytree(root / "tests" / "fixtures" / "runs" / "wandb", tmp_path / "wandb")
    (tmp_path / "README.md").write_text(f"# A run\n\n{WANDB[kind]}")
    verdict = audit_folder(tmp_path)
    assert verdict.form == "wandb"
    if kind == "consistent":
        assert verdict.outcome is Outcome.CONSISTENT, verdict.findings
        assert len(verdict.confirmed) >= 3
    else:
        assert kinds(verdict) == {kind}


def test_a_step_of_the_history_is_told_from_the_last_one(root, tmp_path):
    shutil.copytree(root / "tests" / "fixtures" / "runs" / "wandb", tmp_path / "wandb")
    (tmp_path / "README.md").write_text("# A run\n\nLoss: 0.3333\n")
    assert kinds(audit_folder(tmp_path), AMBIGUOUS) == {"some-step"}
    (tmp_path / "README.md").write_text("# A run\n\nFinal loss: 1.0\n")
    assert kinds(audit_folder(tmp_path), AMBIGUOUS) == {"some-step"}


def test_a_history_that_was_cut_short_is_named(root, tmp_path):
    shutil.copytree(root / "tests" / "fixtures" / "runs" / "wandb", tmp_path / "wandb")
    (log,) = tmp_path.rglob("*.wandb")
    log.write_bytes(log.read_bytes()[:-30])
    (tmp_path / "README.md").write_text("# A run\n\nFinal loss: 0.2000\n")
    verdict = audit_folder(tmp_path)
    assert verdict.outcome is Outcome.CONSISTENT
    assert any("cut short within a record" in f.evidence for f in verdict.findings)


MLFLOW = """# Two runs

| run | loss | eval/acc |
|---|---|---|
| toy 7 | 0.5000 | 0.3 |
| toy 8 | {loss} | 0.3 |

- lr: {lr}
"""


@pytest.mark.parametrize(
    ("loss", "lr", "found"),
    [
        ("0.50", "0.1", set()),
        ("0.41", "0.1", {"not-in-log"}),
        ("0.50", "0.2", {"setting"}),
    ],
)
def test_the_database_of_mlflow_is_judged(root, tmp_path, loss, lr, found):
    sql = (root / "tests" / "fixtures" / "mlflow_database.sql").read_text()
    with contextlib.closing(sqlite3.connect(tmp_path / "mlflow.db")) as database:
        database.executescript(sql)
    (tmp_path / "README.md").write_text(MLFLOW.format(loss=loss, lr=lr))
    verdict = audit_folder(tmp_path)
    assert verdict.form == "mlflow"
    assert kinds(verdict) == found
    assert (verdict.outcome is Outcome.CONSISTENT) is not bool(found)


def test_links_and_large_numbers_cost_nothing(folder, tmp_path):
    (folder / "loop").symlink_to(folder)
    (folder / "huge.csv").write_text("step,x\n" + "1," + "9" * 100_000 + "\n")
    (folder / "deep.jsonl").write_text('{"a":' * 5000 + "1" + "}" * 5000)
    assert audit(folder).outcome is Outcome.CONSISTENT

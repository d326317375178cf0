"""pytest tests/verify/audit/test_audit_variants.py — variants of a speed-run, and headlines."""

import statistics

import pytest

from goldenseal.audit.auditor import audit_folder
from goldenseal.audit.model import Certainty, Outcome
from goldenseal.stats.student import one_sample
from tests.verify.audit.conftest import kinds

AMBIGUOUS = Certainty.AMBIGUOUS
RULE = "=" * 100
# (losses, seconds) of the runs of each variant, and the steps that they go to.
RUNS = {
    "baseline": (["3.2801", "3.2810", "3.2795", "3.2806"], ["92.51", "92.60", "92.48", "92.55"]),
    "gated": (["3.2779", "3.2784", "3.2790", "3.2781"], ["90.11", "90.02", "90.20", "90.07"]),
}
STEPS = {"baseline": 1490, "gated": 1450}


def log(loss, seconds, steps):
    lines = [
        "import torch", "from torch import nn", RULE, "Running Python 3.12", RULE,
        f"step:0/{steps} val_loss:10.8258 train_time:0ms step_avg:0.03ms",
        f"step:{steps}/{steps} val_loss:{loss} train_time:{float(seconds) * 1000:.0f}ms"
        f" step_avg:{float(seconds) * 1000 / steps:.2f}ms",
    ]  # fmt: skip
    return "\n".join([*lines, ""])


def facts(variant):
    losses, times = ([float(v) for v in held] for held in RUNS[variant])
    return {
        "n": str(len(losses)),
        "steps": str(STEPS[variant]),
        "loss": f"{statistics.mean(losses):.4f}",
        "loss sd": f"{statistics.stdev(losses):.5f}",
        "time": f"{statistics.mean(times):.2f}",
        "p": f"{one_sample(losses, 3.28).less:.4f}",
    }


def in_folders(folder):
    for variant, (losses, times) in RUNS.items():
        (folder / f"{variant}-s{STEPS[variant]}").mkdir()
        for number, pair in enumerate(zip(losses, times, strict=True)):
            path = folder / f"{variant}-s{STEPS[variant]}" / f"0000000{number}-aaaa.txt"
            path.write_text(log(*pair, STEPS[variant]))


def by_name(folder):
    (folder / "logs").mkdir()
    for variant, (losses, times) in RUNS.items():
        for number, pair in enumerate(zip(losses, times, strict=True)):
            path = folder / "logs" / f"{variant}{number}-{STEPS[variant]}.txt"
            path.write_text(log(*pair, STEPS[variant]))


def rows(told):
    yield "| | n | mean val_loss | sd | p(mean<3.28) | mean wall-time |"
    yield "|---|---|---|---|---|---|"
    for name, f in told.items():
        cells = [f[key] for key in ("n", "loss", "loss sd", "p", "time")]
        yield f"| **{name}** | {' | '.join(cells)} s |"


def columns(told):
    heads = {"n": "n", "steps": "steps", "loss": "mean val_loss", "loss sd": "val_loss std",
             "p": "p(mean<3.28)", "time": "mean train_time"}  # fmt: skip
    yield f"| | {' | '.join(told)} |"
    yield "|---|" + "---:|" * len(told)
    for key, head in heads.items():
        yield f"| {head} | {' | '.join(f[key] for f in told.values())} |"


def printed(told):
    yield "```"
    yield "                 Runs  Steps   Time μ   Loss μ   Loss σ   Loss p"
    for name, f in told.items():
        cells = [f[key] for key in ("n", "steps", "time", "loss", "loss sd", "p")]
        yield f"  {name}    {'   '.join(cells)}"
    yield "```"


def verdict_of(folder, table, names, **changed):
    told = {names[variant]: facts(variant) for variant in RUNS}
    told[names["gated"]] |= {key.replace("_", " "): value for key, value in changed.items()}
    text = "\n".join(["# A record", "", "Loss against the target of 3.28:", "", *table(told), ""])
    (folder / "README.md").write_text(text)
    return audit_folder(folder)


CASES = [
    (lay, table, names)
    for lay in (in_folders, by_name)
    for table in (rows, columns, printed)
    for names in (
        {"baseline": "baseline-1490", "gated": "gated-1450"},
        {"baseline": "baseline (WR #80)", "gated": "gated PR @ 1450"},
        {"baseline": "baseline-1490", "gated": "this PR"},
    )
]


@pytest.mark.parametrize(("lay", "table", "names"), CASES)
def test_a_table_that_follows_from_the_logs_is_consistent(tmp_path, lay, table, names):
    lay(tmp_path)
    verdict = verdict_of(tmp_path, table, names)
    assert verdict.form == "speed-run"
    assert verdict.outcome is Outcome.CONSISTENT, (verdict.reason, verdict.findings)
    assert kinds(verdict) == set()
    assert len(verdict.confirmed) >= 9, verdict.confirmed


@pytest.mark.parametrize(
    "changed",
    [{"loss": "3.2773"}, {"loss_sd": "0.00091"}, {"time": "89.10"}, {"p": "0.0001"}],
    ids=lambda changed: next(iter(changed)),
)
@pytest.mark.parametrize(("lay", "table", "names"), CASES[::4])
def test_a_cell_that_does_not_is_found(tmp_path, lay, table, names, changed):
    lay(tmp_path)
    verdict = verdict_of(tmp_path, table, names, **changed)
    assert kinds(verdict) == {"row-not-in-log"}, (verdict.findings, verdict.confirmed)


def test_a_variant_without_logs_here_is_not_accused_of_those_of_another(tmp_path):
    in_folders(tmp_path)
    for path in (tmp_path / "baseline-s1490").iterdir():
        path.unlink()
    (tmp_path / "baseline-s1490").rmdir()
    for names in (
        {"baseline": "previous record", "gated": "gated-1450"},
        {"baseline": "main", "gated": "gated"},
        {"baseline": "main", "gated": "new"},  # which of the two these logs are of, nobody says
    ):
        verdict = verdict_of(tmp_path, rows, names)
        assert kinds(verdict) == set(), verdict.findings


ONE = "# New record\n\nNew record: {} minutes, {} FineWeb val loss\n"


@pytest.mark.parametrize(
    ("minutes", "loss", "outcome"),
    [
        ("1.54", "3.28", Outcome.CONSISTENT),
        ("1.48", "3.28", Outcome.MISMATCH),
        ("1.52", "<3.28", Outcome.CONSISTENT),  # off by a little; the loss is right
    ],
)
def test_the_headline_of_one_log(tmp_path, minutes, loss, outcome):
    (tmp_path / "a.txt").write_text(log("3.2763", "92.51", 1490))
    (tmp_path / "README.md").write_text(ONE.format(minutes, loss))
    assert audit_folder(tmp_path).outcome is outcome


def test_a_target_that_is_only_wished_for_supports_nothing(tmp_path):
    (tmp_path / "a.txt").write_text(log("3.2763", "92.51", 1490))
    (tmp_path / "README.md").write_text("# A run\n\nThe target is a val loss <= 3.28.\n")
    verdict = audit_folder(tmp_path)
    assert verdict.outcome is Outcome.NOT_CHECKABLE
    assert verdict.reason == "no loss or time is stated that these logs could support or contradict"

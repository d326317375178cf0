"""pytest tests/verify/audit/test_audit_speedrun.py — records with a target loss, in two styles."""

import math
import shutil
import statistics

import pytest
from scipy import stats

from goldenseal.audit.auditor import audit_folder
from goldenseal.audit.forms.curve import read_curve
from goldenseal.audit.lists import lists_in
from goldenseal.audit.model import Certainty, Outcome
from tests.verify.audit.conftest import RULE, SCRIPT, kinds

NOTE, AMBIGUOUS = Certainty.NOTE, Certainty.AMBIGUOUS
LOSSES = ["3.2772", "3.2796", "3.2781", "3.2783", "3.2769"]
TIMES = ["140.626", "140.678", "140.693", "140.711", "140.802"]
NAMES = [f"{c * 8}-1111-4222-8333-{c * 12}.txt" for c in "abcde"]


def log(loss, seconds, steps=2000, unit="ms", early=()):
    """A log: the source, a rule, versions, a rule, and the lines of validation."""
    source = (
        SCRIPT + 'print(f"step:{step}/{n} val_loss:{v:.4f} train_time:{t}ms")\nval_loss = 9.9\n'
    )
    lines = [source, RULE, "Running Python 3.12", "nvidia-smi", RULE]
    points = [*early, (steps, loss)]
    for step, value in points:
        ms = float(seconds) * 1000 * step / steps
        shown = f"{ms:.0f}ms" if unit == "ms" else f"{ms / 1000:.3f}s"
        lines.append(f"step:{step}/{steps} val_loss:{value} train_time:{shown} step_avg:70.31ms")
        lines.append(f"step:{step}/{steps} train_time:{shown}")
    return "\n".join([*lines, "peak memory allocated: 30000 MiB", ""])


def readme(losses=LOSSES, times=TIMES, p=None, spread=None, mean=None, title="New WR 140.7s"):
    values = [float(v) for v in losses]
    p = p or f"{stats.ttest_1samp(values, 3.28, alternative='less').pvalue:.4f}"
    spread = spread or f"{statistics.stdev(values):.4f}"
    mean = mean or f"{statistics.fmean(values):.4f}"
    return f"""# {title}

Runs end at or below the target of 3.28.

```
import scipy.stats
losses = [{", ".join(losses)}]
times = [{", ".join(times)}]

print("p=%.4f" % scipy.stats.ttest_1samp(losses, 3.28, alternative="less").pvalue)
# p={p}

print("losses:", torch.std_mean(torch.tensor(losses)))
# losses: (tensor({spread}), tensor({mean}))
```

Previous record on the same machine:

```
times = [147.189, 146.906, 146.690]
print(torch.std_mean(torch.tensor(times)))
# (std=0.2502, mean=146.9283)
```
"""


@pytest.fixture
def race(tmp_path):
    """A consistent record of five runs; times in ms in one log and in s in the next."""
    folder = tmp_path / "2026-01-01_Faster"
    folder.mkdir()
    for i, (name, loss, seconds) in enumerate(zip(NAMES, LOSSES, TIMES, strict=True)):
        (folder / name).write_text(log(loss, seconds, unit="s" if i % 2 else "ms"))
    (folder / "README.md").write_text(readme())
    return folder


def with_readme(folder, text):
    (folder / "README.md").write_text(text)
    return audit_folder(folder)


def test_a_consistent_record_is_one(race):
    verdict = audit_folder(race)
    assert (verdict.form, verdict.outcome) == ("speed-run", Outcome.CONSISTENT), verdict.findings
    assert not kinds(verdict, AMBIGUOUS)
    for said in ("losses of 5 values", "times of 5 values", "p 0.0070", "mean 3.2780"):
        assert any(said in text for text in verdict.confirmed), (said, verdict.confirmed)
    assert any("left out cannot be seen" in f.evidence for f in verdict.findings)


@pytest.mark.parametrize(
    ("changed", "kind"),
    [
        ({"losses": ["3.2772", "3.2796", "3.2781", "3.2783", "3.2759"]}, "not-in-log"),
        ({"losses": ["3.2772", "3.2796", "3.2781", "3.2783", "3.2772"]}, "run-twice"),
        ({"losses": ["3.2712", "3.2736", "3.2741", "3.2763", "3.2759"]}, "not-in-log"),
        ({"times": ["140.626", "140.678", "140.693", "140.711", "139.802"]}, "not-in-log"),
        ({"p": "0.0014"}, "test"),
        ({"mean": "3.2770"}, "list-mean"),
        ({"spread": "0.0016"}, "deviation"),
        ({"title": "New WR 139.1s"}, "time"),
    ],
)
def test_what_does_not_follow_is_found(race, changed, kind):
    assert kind in kinds(with_readme(race, readme(**changed)))


def test_a_population_deviation_is_one_too(race):
    values = [float(v) for v in LOSSES]
    text = readme(spread=f"{statistics.pstdev(values):.5f}")
    assert with_readme(race, text).outcome is Outcome.CONSISTENT


def test_a_list_longer_than_the_logs_is_supported_in_part(race):
    (race / NAMES[0]).unlink()
    verdict = audit_folder(race)
    assert verdict.outcome is Outcome.CONSISTENT
    assert "partly-logged" in kinds(verdict, AMBIGUOUS)


def test_lists_of_other_runs_are_not_checkable(race):
    for name in NAMES[1:]:
        (race / name).unlink()
    (race / NAMES[0]).write_text(log("3.2801", "141.0"))
    verdict = audit_folder(race)
    assert verdict.outcome is Outcome.NOT_CHECKABLE
    assert "other-runs" in kinds(verdict, NOTE)


def test_a_log_that_was_cut_off_is_named(race):
    text = log("3.2772", "140.626", early=[(1000, "3.5"), (1875, "3.2990")])
    (race / NAMES[0]).write_text(text[: text.index("step:2000/2000 val")])
    verdict = audit_folder(race)
    assert {"not-in-log"} <= kinds(verdict)
    assert "log-cut-off" in kinds(verdict, AMBIGUOUS)


def test_one_run_under_two_names_is_found(race):
    shutil.copy(race / NAMES[0], race / NAMES[1])
    assert "duplicate-log" in kinds(audit_folder(race))
    shutil.copy(race / NAMES[0], race / "stdout_of_run_1.stdout")
    (race / NAMES[1]).write_text(log(LOSSES[1], TIMES[1]))
    assert audit_folder(race).outcome is Outcome.CONSISTENT  # its output under another ending


SEEDS = ["3.27894", "3.27754", "3.27810", "3.27881", "3.27795", "3.27820", "3.27768", "3.27902"]
STEPS = {2890: "0.00120", 2925: "0.00035", 2990: "0"}


@pytest.fixture
def optimizers(tmp_path):
    """A record of the optimizer race: eight seeds, losses at three steps."""
    folder = tmp_path / "20260101_better"
    folder.mkdir()
    for seed, last in enumerate(SEEDS):
        early = [(2890, at(last, 2890)), (2925, at(last, 2925))]
        (folder / f"run_seed{seed}.txt").write_text(log(last, "513.8", 2990, "s", early))
    (folder / "README.md").write_text(by_seed())
    return folder


def at(last, step):
    return f"{float(last) + float(STEPS[step]):.5f}"


def by_seed(cell=None, mean=None, n=8, root=None, z=None, p=None, first=2890, extra=""):
    rows = [f"| {s} | {at(v, 2890)} | {at(v, 2925)} | {v} |" for s, v in enumerate(SEEDS)]
    if cell:
        rows[3] = rows[3].replace(SEEDS[3], cell)
    values = [float(at(v, 2925)) for v in SEEDS]
    centre = statistics.fmean(values)
    mean = mean or f"{centre:.8f}"
    root = root or f"{(3.28 - centre) * math.sqrt(8):.5f}"
    exact = (3.28 - centre) * math.sqrt(8) / 0.0013
    tail = p or f"{stats.norm.sf(exact):.3g}"
    last = [f"{statistics.fmean(float(at(v, s)) for v in SEEDS):.8f}" for s in STEPS]
    return f"""# Track 3: 2925 steps

n = {n} seeds, mean val loss = {mean} at step 2925, target <= 3.28.

(3.28 - mean) * sqrt({n}) = {root}. With sigma = 0.0013, this is z = {z or f"{exact:.4f}"},
one-sided p = {tail}: z = {z or f"{exact:.4f}"}, one-sided p = {tail}.

The smallest step at which the mean clears the bar is {first}.

| seed | step 2890 | step 2925 | step 2990 |
|---|---|---|---|
{chr(10).join(rows)}
| **Mean** | {last[0]} | {last[1]} | **{last[2]}** |
{extra}
"""


def test_a_consistent_table_by_seed_is_one(optimizers):
    verdict = audit_folder(optimizers)
    assert verdict.outcome is Outcome.CONSISTENT, verdict.findings
    assert not kinds(verdict, AMBIGUOUS)
    for said in ("significance", "z ", "p ", "smallest step 2890", "mean 3.2"):
        assert any(text.startswith(said) for text in verdict.confirmed), (said, verdict.confirmed)


@pytest.mark.parametrize(
    ("changed", "kind"),
    [
        ({"cell": "3.27831"}, "loss-not-in-log"),
        ({"cell": "3.27754"}, "seed-swapped"),
        ({"mean": "3.27799999"}, "mean-not-in-log"),
        ({"root": "0.00777"}, "significance"),
        ({"z": "5.1234"}, "significance"),
        ({"p": "0.004"}, "p-of-z"),
        ({"first": 2925}, "smallest-step"),
        ({"n": 16}, "runs-counted"),
    ],
)
def test_a_wrong_number_by_seed_is_found(optimizers, changed, kind):
    assert kind in kinds(with_readme(optimizers, by_seed(**changed)))


def test_a_wrong_mean_of_a_column_is_found(optimizers):
    text = by_seed().replace("| **Mean** | 3.2", "| **Mean** | 3.1")
    assert "readme-mean" in kinds(with_readme(optimizers, text))


def test_rows_without_seeds_in_the_logs_are_matched_by_value(optimizers):
    for seed, name in enumerate("abcdefgh"):
        (optimizers / f"run_seed{seed}.txt").rename(optimizers / f"{name * 8}.txt")
    assert audit_folder(optimizers).outcome is Outcome.CONSISTENT
    verdict = with_readme(optimizers, by_seed(cell=SEEDS[2]))
    assert "rows-alike" in kinds(verdict, NOTE)


COMPARED = """# Faster

```
            Runs  Steps  Time mean  Time sd  Loss mean  Loss sd  Loss p
baseline-20    3   2000    147.000   0.1000     3.2790   0.0002  {p}
this_pr        3   2000    140.000   0.1000     {loss}   0.0002  0.0021
```

The target is <= 3.28.
"""


def test_a_printed_comparison_is_held_against_the_folders(tmp_path):
    folder = tmp_path / "compared"
    for name, base, loss in (("baseline-s20", 147.0, 3.279), ("this_pr", 140.0, 3.2785)):
        (folder / name).mkdir(parents=True)
        for i, off in enumerate((-1, 0, 1)):
            text = log(f"{loss + off * 0.0002:.4f}", f"{base + off * 0.1:.1f}")
            (folder / name / f"{i}.txt").write_text(text)
    p = f"{stats.ttest_1samp([3.2788, 3.279, 3.2792], 3.28, alternative='less').pvalue:.4f}"
    text = COMPARED.format(p=p, loss="3.2785").replace(
        "0.0021",
        f"{stats.ttest_1samp([3.2783, 3.2785, 3.2787], 3.28, alternative='less').pvalue:.4f}",
    )
    verdict = with_readme(folder, text)
    assert verdict.outcome is Outcome.CONSISTENT, verdict.findings
    assert "row-not-in-log" in kinds(with_readme(folder, text.replace("3.2785 ", "3.2775 ")))


def test_source_in_front_of_a_log_lends_no_result():
    curve = read_curve("a.txt", [log("3.2772", "140.6").encode()])
    assert [(p.step, p.losses["val_loss"].text) for p in curve.points] == [(2000, "3.2772")]
    assert "def main" in curve.source


def test_lists_are_read_wherever_they_stand():
    text = (
        "Baseline:\n  losses = [3.1,\n   3.2]  # two\n\naccs: [np.float64(3.3), 3.4]\n[a](b)\n[1]\n"
    )
    found = lists_in(text)
    assert [(one.name, one.label, [n.text for n in one.numbers]) for one in found] == [
        ("losses", "Baseline", ["3.1", "3.2"]),
        ("accs", "", ["3.3", "3.4"]),
    ]
    assert (found[0].line, found[0].end) == (2, 3)


def test_a_readme_above_the_records_of_many_states_the_target_of_none(tmp_path):
    for day in range(1, 8):
        folder = tmp_path / "records" / f"2025-01-0{day}"
        folder.mkdir(parents=True)
        (folder / "a1b2c3d4.txt").write_text(log(f"3.27{day}0", 140.0))
    (tmp_path / "README.md").write_text(
        "# A fork\n\nIt attains 3.28 validation loss on the data.\n"
    )
    verdict = audit_folder(tmp_path)
    assert verdict.form == "speed-run"
    assert verdict.outcome is Outcome.NOT_CHECKABLE

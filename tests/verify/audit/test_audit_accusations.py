"""pytest tests/verify/audit/test_audit_accusations.py — what looks wrong and is not, and is."""

import pytest

from goldenseal.audit.auditor import audit_folder
from goldenseal.audit.model import Certainty, Outcome
from tests.verify.audit.conftest import RULE, SCRIPT, OneRun, kinds

NOTE, AMBIGUOUS = Certainty.NOTE, Certainty.AMBIGUOUS


def edit(golf, change):
    """The record with each log's text changed by `change(text, run)`."""
    golf.write()
    for run in golf.runs:
        (golf.folder / run.file).write_text(change(run.text(), run))
    return audit_folder(golf.folder)


def after(text, anchor, line):
    return text.replace(anchor, f"{anchor}{line}\n", 1)


EVENTS = [
    "growth_stage:2 layers:{n} lr_scale:0.{n}",
    "swa:start step:{n} scale:0.{n}",
    "late_qat enabled:True scale:0.{n} step:{n}",
    "phase:{n} alpha:0.{n} beta:2",
]


@pytest.mark.parametrize("line", EVENTS)
@pytest.mark.parametrize("where", ["warmup_step:1/20\n", "train_time:8700ms step_avg:43.50ms\n"])
def test_lines_that_say_what_happens_are_no_settings(golf, line, where):
    change = lambda text, run: after(text, where, line.format(n=run.steps))  # noqa: E731
    verdict = edit(golf, change)
    assert verdict.outcome is Outcome.CONSISTENT, verdict.findings
    assert not kinds(verdict, AMBIGUOUS)


def test_a_line_of_settings_after_the_first_step_is_none_and_before_it_is_one(golf):
    line = "muon_momentum:0.{n} nesterov:True ns_steps:5"
    late = "train_time:8700ms step_avg:43.50ms\n"
    assert not kinds(edit(golf, lambda t, run: after(t, late, line.format(n=run.seed))))
    early = "warmup_step:1/20\n"
    found = kinds(edit(golf, lambda t, run: after(t, early, line.format(n=run.seed))))
    assert found == {"settings-differ"}


def test_the_seed_under_a_short_key_and_what_is_drawn_from_it_may_differ(golf):
    line = "s:{s} data_stride:{d} coprime_stride:{d} warm:20"
    early = "warmup_step:1/20\n"
    change = lambda t, r: after(t, early, line.format(s=r.seed, d=r.seed * 7919))  # noqa: E731
    assert edit(golf, change).outcome is Outcome.CONSISTENT
    line = "s:{s} eval_stride:{d} warm:20 cold:3"
    assert "settings-differ" in kinds(edit(golf, change))


def test_a_log_of_several_runs_holds_the_source_of_each(single):
    run = single.runs[0]
    earlier = OneRun(1337, "1.24110000", source=SCRIPT.replace("environ", "sep"), steps=12_000)
    run.source = SCRIPT
    single.write()
    path = single.folder / run.file
    path.write_text(earlier.text() + run.text())
    verdict = audit_folder(single.folder)
    assert verdict.outcome is Outcome.CONSISTENT, verdict.findings
    assert any("embedded source" in text for text in verdict.confirmed)
    (single.folder / "train_gpt.py").write_text(SCRIPT.replace("main()", "main ( )"))
    assert "script-differs" in kinds(audit_folder(single.folder))


@pytest.mark.parametrize("scored", [False, True])
def test_an_attempt_that_was_given_up_does_not_count(golf, scored):
    def change(text, run):
        lines = text.splitlines(keepends=True)
        stop = next(i for i, line in enumerate(lines) if "stopping_early" in line)
        head = "Hyperparameters:\n  lr: 9.5\n  depth: 3\n  width: 4\n"
        attempt = "".join(lines[: stop if scored else stop - 3]).replace(
            "embed_lr:0.05", "embed_lr:9"
        )
        return (
            f"{head}{attempt}Traceback (most recent call last):\n{head.replace('9.5', '1')}{text}"
        )

    verdict = edit(golf, change)
    assert verdict.outcome is Outcome.CONSISTENT, verdict.findings


def test_an_attempt_of_another_seed_that_died_at_once_does_not_lend_its_seed(single):
    head = "Hyperparameters:\n  seed: 99\n  depth: 3\n  width: 4\nCUDA out of memory\n"
    text = single.runs[0].text().replace("seed:1337", "Hyperparameters:\n  seed: 1337")
    single.facts["seeds"] = [1337]
    single.write()
    (single.folder / "train_seed1337.log").write_text(head + text)
    verdict = audit_folder(single.folder)
    assert verdict.outcome is Outcome.CONSISTENT, verdict.findings


def test_colours_and_bars_are_read_over(golf):
    def change(text, run):
        bar = "eval:  3%|#   | 3/90\reval: 99%|### | 89/90\r"
        text = text.replace("final_int8", f"{bar}\x1b[1;32mfinal_int8").replace(
            "seed:", "\x1b[0mseed:"
        )
        return text.replace("val_bpb:", "\x1b[36mval_bpb:\x1b[0m")

    verdict = edit(golf, change)
    assert verdict.outcome is Outcome.CONSISTENT, verdict.findings
    golf.facts["val_bpb"] = 1.1399
    assert "score-not-in-log" in kinds(edit(golf, change))


def ablation(golf):
    """An ablation of the first seed beside the logs of the seeds."""
    golf.runs.append(
        OneRun(1337, "1.15210000", name="ablation_no_swa.log", lr="0.06", code=77, steps=7100)
    )
    return golf


def test_an_ablation_beside_the_seeds_is_not_one_of_them(golf):
    verdict = ablation(golf).audit()
    assert verdict.outcome is Outcome.CONSISTENT, verdict.findings
    golf.facts["val_bpb"] = 1.1521
    assert golf.audit().outcome is Outcome.MISMATCH


def test_the_logs_that_a_file_names_are_the_runs(golf):
    ablation(golf)
    golf.facts.pop("seed_results")
    golf.readme = "# A record\n\nval_bpb 1.1458\n"
    for run in golf.runs[:3]:
        run.name = f"{'abc'[golf.runs.index(run)]}.log"
    golf.facts["logs"] = {"1337": "a.log", "42": "b.log", "7": "c.log"}
    verdict = golf.audit()
    assert verdict.outcome is Outcome.CONSISTENT, verdict.findings
    golf.facts["logs"]["1337"] = "ablation_no_swa.log"
    assert golf.audit().outcome is Outcome.MISMATCH


OVER = ["This run misses the 16 MB cap by 415 bytes.", "The artifact exceeds the size limit."]


@pytest.mark.parametrize("said", OVER)
def test_a_record_that_says_that_it_is_over_the_cap_is_not_accused_of_it(single, said):
    single.runs[0].total = single.facts["bytes_total"] = 16_000_415
    single.readme = f"# A record\n\n{said}\n"
    verdict = single.audit()
    assert verdict.outcome is Outcome.CONSISTENT
    assert "over-the-cap" in kinds(verdict, NOTE)
    for none in ("It does not exceed the cap.", "We have headroom under the limit, not over it."):
        single.readme = f"# A record\n\n{none}\n"
        assert "over-the-cap" in kinds(single.audit())


DISCLOSED = [
    "The log is of an earlier version of the script; only comments differ.",
    "Seeds were re-run with the cleaned-up train_gpt.py, not with the code that ships.",
]


@pytest.mark.parametrize("said", DISCLOSED)
def test_other_code_that_is_disclosed_is_a_note(single, said):
    single.runs[0].source = SCRIPT.replace("environ", "sep")
    single.runs[0].code = single.facts["bytes_code"] = len(single.runs[0].source)
    single.readme = f"# A record\n\n{said}\n"
    verdict = single.audit()
    assert verdict.outcome is Outcome.CONSISTENT, verdict.findings
    assert "script-differs" in kinds(verdict, NOTE)
    single.readme = "# A record\n\nThe script is the same code as in the log.\n"
    assert "script-differs" in kinds(single.audit())


def test_helpers_that_ship_without_the_trainer_are_not_taken_for_it(single):
    single.script = ""
    single.runs[0].code = single.facts["bytes_code"] = 48_125
    single.write()
    (single.folder / "prepare_data.py").write_text("import os\nprint(os.getcwd())\n")
    verdict = audit_folder(single.folder)
    assert verdict.outcome is Outcome.CONSISTENT, verdict.findings
    assert "code-size" in kinds(verdict, NOTE)
    (single.folder / "train_gpt.py").write_text(SCRIPT)
    assert "code-size" in kinds(audit_folder(single.folder))


def test_a_line_of_equal_signs_between_parts_of_a_log_hides_nothing(single):
    verdict = edit(single, lambda text, run: text.replace("stopping", f"{RULE}\nstopping"))
    assert verdict.outcome is Outcome.CONSISTENT


def test_a_path_that_differs_between_seeds_is_no_setting(golf):
    early = "warmup_step:1/20\n"
    line = "manifest:/data/{s}/m cache:on depth:3"
    verdict = edit(golf, lambda t, r: after(t, early, line.format(s=r.seed)))
    assert verdict.outcome is Outcome.CONSISTENT, verdict.findings


def test_steps_between_the_lines_of_a_log_are_open(golf):
    golf.facts.pop("step_stop")
    for run in golf.runs:
        run.steps = 7300
    golf.readme = "| Seed | Steps | val_bpb |\n|---|---|---|\n| 42 | {n} | 1.14656 |\n"
    text = golf.readme
    golf.readme = text.format(n=7385)
    verdict = golf.audit()
    assert verdict.outcome is Outcome.CONSISTENT, verdict.findings
    golf.readme = text.format(n=7485)
    assert kinds(golf.audit()) == {"readme-steps"}


def test_a_stage_that_no_log_measured_is_open(single):
    head = "| Seed | Post-EMA BPB | val_bpb |\n|---|---|---|\n"
    single.readme = f"{head}| 1337 | 1.2110 | 1.21973 |\n"
    verdict = single.audit()
    assert verdict.outcome is Outcome.CONSISTENT
    assert "readme-bpb" in kinds(verdict, AMBIGUOUS)
    single.write()
    text = single.runs[0].text() + "DIAGNOSTIC post_ema val_loss:2.0400 val_bpb:1.2082\n"
    (single.folder / "train_seed1337.log").write_text(text)
    assert kinds(audit_folder(single.folder)) == {"readme-bpb"}


def test_sizes_of_other_things_are_no_artifact(golf):
    lines = "artifact_bytes_cap: 16000000\nartifacts/run-7/model.pt bytes: 52569703\n"
    verdict = edit(golf, lambda t, r: t + lines)
    assert verdict.outcome is Outcome.CONSISTENT, verdict.findings
    golf.facts["bytes_total"] = 16_000_000
    assert kinds(edit(golf, lambda t, r: t + lines)) & {"bytes", "round-bytes"}


def test_a_double_in_full_is_what_the_runs_give(golf):
    golf.facts["artifact_bytes_mean"] = sum(run.total for run in golf.runs) / 3
    golf.facts["val_bpb_std"] = 0.0008325102231404552
    verdict = golf.audit()
    assert verdict.outcome is Outcome.CONSISTENT, verdict.findings
    golf.facts["val_bpb_std"] = 0.0008411111111111111
    assert kinds(golf.audit()) == {"deviation"}

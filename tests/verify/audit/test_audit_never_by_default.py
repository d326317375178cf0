"""pytest tests/verify/audit/test_audit_never_by_default.py — consistent only by a log."""

import json

import pytest

from goldenseal.audit.auditor import audit_folder
from goldenseal.audit.model import Certainty, Outcome
from tests.verify.audit.conftest import SCRIPT, OneRun, kinds

AMBIGUOUS = Certainty.AMBIGUOUS


def with_log(single, text, name="train_seed1337.log"):
    """The record of one seed, with this text for its only log."""
    single.write()
    (single.folder / "train_seed1337.log").unlink()
    (single.folder / name).write_text(text)
    return audit_folder(single.folder)


def renamed(single, new):
    return single.runs[0].text().replace("val_bpb", new)


@pytest.mark.parametrize(
    "name", ["bits_per_byte", "val_bits_per_byte", "bits per byte", "bits/byte"]
)
def test_a_score_under_its_long_name_is_held_against_the_headline(single, name):
    assert with_log(single, renamed(single, name)).outcome is Outcome.CONSISTENT
    single.facts["val_bpb"] = 1.1197
    verdict = with_log(single, renamed(single, name))
    assert "score-not-in-log" in kinds(verdict)


def test_a_headline_without_a_score_in_the_logs_is_not_checkable(single):
    lines = single.runs[0].text().splitlines()
    text = "\n".join(line for line in lines if "val_loss" not in line)
    verdict = with_log(single, text)
    assert verdict.outcome is Outcome.NOT_CHECKABLE
    assert verdict.reason == "no score was found in the logs"
    assert any("15896222" in text for text in verdict.confirmed)  # the bytes agree all the same


def objects(single, bpb=None, loss=None):
    run = single.runs[0]
    rows = [{"config": {"seed": 1337, "lr": 0.04}}, {"step": 100, "val_bpb": 1.4, "val_loss": 2.4}]
    rows.append(
        {"step": 13692, "val_bpb": float(bpb or run.bpb), "val_loss": float(loss or run.nats)}
    )
    return [*rows, {"artifact_bytes": run.total, "code_bytes": run.code, "step": 13692}]


def json_lines(single, bpb):
    return "metrics.jsonl", "\n".join(json.dumps(row) for row in objects(single, bpb))


def json_in_a_log(single, bpb):
    text = json_lines(single, bpb)[1]
    return "run.log", f"starting\n{text}\ndone\n"


def summary(single, bpb):
    made = {}
    for row in objects(single, bpb):
        made |= row
    return "wandb-summary.json", json.dumps(made | {"_runtime": 12})


def mlperf(single, bpb):
    head = (
        '{"namespace": "", "time_ms": 1, "event_type": "POINT_IN_TIME", "metadata": {"step_num": 9}'
    )
    keys = {"seed": 1337, "eval_bpb": float(bpb or single.runs[0].bpb)}
    return "mlperf.txt", "\n".join(
        f':::MLLOG {head}, "key": "{key}", "value": {value}}}'.replace('{"step_num": 9}', "{}")
        if key == "seed"
        else f':::MLLOG {head}, "key": "{key}", "value": {value}}}'
        for key, value in keys.items()
    )


def table(single, bpb):
    value = bpb or single.runs[0].bpb
    return "metrics.csv", f"step,val_bpb,lr\n100,1.4,0.1\n13692,{value},0.0\n"


@pytest.mark.parametrize("form", [json_lines, json_in_a_log, summary, mlperf, table])
def test_logs_of_programs_are_read(single, form):
    single.facts = {"val_bpb": float(single.runs[0].bpb)}
    name, text = form(single, None)
    verdict = with_log(single, text, name)
    assert verdict.outcome is Outcome.CONSISTENT, (verdict.reason, verdict.findings)
    name, text = form(single, "1.2297")
    verdict = with_log(single, text, name)
    assert kinds(verdict) == {"score-not-in-log"}


def test_event_files_are_read_and_one_that_is_cut_short_is_named(single):
    writer = pytest.importorskip("tensorboard.summary.writer.event_file_writer")
    event_pb2 = pytest.importorskip("tensorboard.compat.proto.event_pb2")
    summary_pb2 = pytest.importorskip("tensorboard.compat.proto.summary_pb2")
    single.facts = {"val_bpb": 1.2197}
    single.write()
    (single.folder / "train_seed1337.log").unlink()
    made = writer.EventFileWriter(str(single.folder))
    for step, value in ((1, 1.4), (2, 1.21973)):
        values = [summary_pb2.Summary.Value(tag="val/bpb", simple_value=value)]
        made.add_event(event_pb2.Event(step=step, summary=summary_pb2.Summary(value=values)))
    made.close()
    assert audit_folder(single.folder).outcome is Outcome.CONSISTENT
    single.facts = {"val_bpb": 1.2185}
    (single.folder / "submission.json").write_text(json.dumps(single.facts))
    assert "score-not-in-log" in kinds(audit_folder(single.folder))
    (path,) = (p for p in single.folder.iterdir() if "tfevents" in p.name)
    path.write_bytes(path.read_bytes()[:-5])
    verdict = audit_folder(single.folder)
    assert any("cut short within a record; only up to" in f.evidence for f in verdict.findings)
    path.write_bytes(b"no event file")
    verdict = audit_folder(single.folder)
    assert verdict.outcome is Outcome.NOT_CHECKABLE
    assert any("nothing of it could be read" in f.evidence for f in verdict.findings)


def test_the_readme_alone_may_state_the_headline(golf):
    golf.facts = {}
    golf.readme = "# A record (mean val_bpb 1.1458)\n\nNothing else.\n"
    assert golf.audit().outcome is Outcome.CONSISTENT
    golf.readme = "# A record (mean val_bpb 1.1448)\n"
    (golf.folder / "submission.json").unlink(missing_ok=True)
    assert "headline-not-in-log" in kinds(golf.audit())
    golf.readme = "# A record\n"
    assert golf.audit().outcome is Outcome.NOT_CHECKABLE


@pytest.mark.parametrize("value", [None, "TODO", "TBD", "n/a", "fill me in", ""])
def test_a_placeholder_for_the_headline_is_named(golf, value):
    golf.facts["val_bpb"] = golf.facts["val_loss"] = value
    golf.facts.pop("seed_results")
    verdict = golf.audit()
    assert verdict.outcome is Outcome.CONSISTENT  # the README's table has the scores
    assert "placeholder" in kinds(verdict, AMBIGUOUS)
    golf.readme = "# A record\n"
    assert golf.audit().outcome is Outcome.NOT_CHECKABLE


def test_nought_as_the_score_is_a_mismatch(golf):
    golf.facts["val_bpb"] = 0.0
    assert "placeholder" in kinds(golf.audit())


def test_a_file_that_the_readme_contradicts_needs_no_log(golf):
    golf.runs = []
    golf.facts = {"val_bpb": 1.1458}
    golf.readme = "# A record, val_bpb 1.1399\n\nWe got it.\n"
    verdict = golf.audit()
    assert kinds(verdict) == {"readme-and-file"}
    golf.readme = "# A record, val_bpb 1.146\n\nWe got it.\n"
    assert golf.audit().outcome is Outcome.NOT_CHECKABLE
    golf.readme = "# A record, val_bpb 1.1399\n\nRounded up from seed 7; the mean is 1.1458.\n"
    assert golf.audit().outcome is Outcome.NOT_CHECKABLE


def test_a_script_without_a_byte_beside_a_code_size_is_found(single):
    single.script = ""
    single.write()
    (single.folder / "train_gpt.py").write_bytes(b"")
    assert "empty-script" in kinds(audit_folder(single.folder))
    (single.folder / "train_gpt.py").write_text(SCRIPT)
    (single.folder / "__init__.py").write_bytes(b"")
    verdict = audit_folder(single.folder)
    assert verdict.outcome is Outcome.CONSISTENT
    assert "empty-script" in kinds(verdict, Certainty.NOTE)


def test_the_score_of_one_seed_with_the_bytes_of_another_is_found(single):
    single.runs.append(OneRun(42, "1.22006458", total=15_811_222))
    single.facts["bytes_total"] = 15_811_222
    single.readme = "| Seed | val_bpb | Artifact |\n|---|---|---|\n| 1337 | 1.21973 | ~15.9MB |\n"
    assert kinds(single.audit()) == {"bytes-of-another-seed"}
    single.facts["bytes_total"] = 15_896_222
    assert single.audit().outcome is Outcome.CONSISTENT
    single.readme = single.readme.replace("~15.9MB", "~15,811,222")
    assert kinds(single.audit()) == {"seed-swapped"}


def test_text_logs_make_a_record_without_a_submission_file(golf):
    golf.facts = {}
    for run in golf.runs:
        run.name = f"log_seed-{run.seed}.txt"
    assert golf.audit().outcome is Outcome.CONSISTENT
    for run in golf.runs:
        (golf.folder / run.file).unlink()
        run.name = f"logs/seed{run.seed}.txt"
    assert golf.audit().outcome is Outcome.CONSISTENT

"""pytest tests/verify/grids/study/test_study_launch.py — no study without verdict or waiver."""

import hashlib
import json
import sys

import pytest

from goldenseal import cli
from goldenseal.disk import canonical
from goldenseal.grids.report import write_report
from goldenseal.grids.study import begin
from goldenseal.launch import gate as launch_gate
from goldenseal.records.check import check
from goldenseal.records.record import read_record, words_on_launch
from goldenseal.records.seal import seal
from goldenseal.records.verdict import PATH
from goldenseal.result import Verdict

PART = "# A study\n\n<!-- study -->\n<!-- /study -->\n"


@pytest.fixture
def study(verified, monkeypatch, capsys):
    """study(*options): exit code and words of `goldenseal study run` in the toy repository."""
    monkeypatch.chdir(verified.root)

    def study(*options):
        arguments = ["goldenseal", "study", "run", verified.plan, verified.folder, *options]
        monkeypatch.setattr(sys, "argv", list(map(str, arguments)))
        with pytest.raises(SystemExit) as ended:
            cli.main()
        shown = capsys.readouterr()
        return ended.value.code, shown.out + shown.err

    return study


def state_of(toy):
    return json.loads((toy.folder / "study.json").read_text())


def sealed_record(toy):
    """record.json, once the study is reported on and sealed."""
    (toy.folder / "README.md").write_text(PART)
    write_report(toy.root, toy.folder)
    seal(toy.folder)
    assert check(toy.folder).reasons() == []
    return read_record(toy.folder)


def test_a_fresh_green_verdict_lets_it_run_and_is_sealed(verified, study):
    digest = hashlib.sha512((verified.root / PATH).read_bytes()).hexdigest()
    assert study("--jobs", 2)[0] == 0
    assert state_of(verified)["verdict"] == digest
    record = sealed_record(verified)
    assert record.facts["verdict"] == digest
    assert "waivers" not in record.facts
    assert words_on_launch(record) == ""


def spoil_nothing(toy):
    (toy.root / PATH).unlink()


def spoil_source(toy):
    (toy.root / "toysystem" / "more.py").write_text("")


def spoil_records(toy):
    (toy.root / "records" / "a.txt").write_text("b")


def spoil_gate(toy):
    toy.write_verdict(Verdict.PASS, Verdict.NOT_RUN)


def spoil_file(toy):
    (toy.root / PATH).write_text("{}")


def spoil_plan(toy):
    toy.write_verdict(names=["theorems"])


@pytest.mark.parametrize(
    ("spoil", "name"),
    [
        (spoil_nothing, "verdict (there is none"),
        (spoil_source, "source (toysystem/more.py is new)"),
        (spoil_records, "records (records/a.txt changed)"),
        (spoil_gate, "theorems (not run: why)"),
        (spoil_file, "verdict (it is none"),
        (spoil_plan, "plan (its system toy is not covered"),
    ],
)
def test_without_one_nothing_runs_and_nothing_is_written(verified, study, spoil, name):
    spoil(verified)
    code, text = study()
    assert code == 1
    assert "nothing was launched" in text
    assert name in text
    assert not verified.folder.exists()
    code, _ = study("--waive", f"{name.split(' ')[0]}=a reason in words")
    assert code == 0
    assert words_on_launch(sealed_record(verified)).endswith("(a reason in words)")


def test_another_torch_than_the_verdicts_is_no_fresh_one(verified, study, monkeypatch):
    now = {**launch_gate.environment_facts(), "torch": "9.9"}
    monkeypatch.setattr(launch_gate, "environment_facts", lambda: now)
    code, text = study()
    assert (code, "environment (torch was " in text) == (1, True)


def test_bad_usage_is_told_before_the_verdict_is_asked_for(verified, study):
    (verified.root / PATH).unlink()
    verified.plan.write_text(verified.plan.read_text().replace("TOY_FACTOR", "TOY_FACTORS"))
    code, text = study()
    assert (code, "TOY_FACTORS" in text) == (2, True)


@pytest.mark.parametrize("waiver", ["theorems=it holds", "theorems", "theorems=", "none=why"])
def test_a_waiver_of_nothing_is_refused(verified, study, waiver):
    assert study("--waive", waiver)[0] == 2
    assert not verified.folder.exists()


def test_a_study_that_was_begun_goes_on_from_its_verified_copy(verified, study):
    verified.write_system(crash=(5, 1))
    verified.write_verdict()
    assert study()[0] == 3
    before = state_of(verified)
    verified.write_system()
    (verified.root / PATH).unlink()
    code, text = study()
    assert (code, "8 finished before, 1 failed" in text) == (3, True)
    assert state_of(verified) == before
    assert study("--waive", "verdict=none here")[0] == 2


def test_a_study_of_the_time_before_the_gate_goes_on_once_it_is_covered(verified, study):
    begin(verified.root, verified.plan, verified.folder)
    old = {k: v for k, v in state_of(verified).items() if k in ("data", "knobs", "plan", "source")}
    old["knobs"] = {  # by cell, and with the seed
        f"{name}/{seed}": {**knobs, "SEED": str(seed)}
        for name, knobs in old["knobs"].items()
        for seed in (3, 5, 8)
    }
    (verified.folder / "study.json").write_bytes(canonical.dumps(old))
    verified.write_verdict(Verdict.FAIL, Verdict.PASS)
    assert study()[0] == 1
    assert state_of(verified) == old
    verified.write_verdict()
    assert study()[0] == 0
    assert state_of(verified)["verdict"]


def test_its_frozen_source_must_be_the_one_that_is_covered(verified, study):
    begin(verified.root, verified.plan, verified.folder)
    verified.write_system(bias=1.0)
    verified.write_verdict()
    code, text = study()
    assert (code, "toysystem/__main__.py changed while the study was launched" in text) == (3, True)


def test_a_source_that_changes_between_gate_and_start_is_not_run(verified, study, monkeypatch):
    from goldenseal.grids import state

    freeze = state.freeze

    def edited_first(root):
        verified.write_system(bias=1.0)
        return freeze(root)

    monkeypatch.setattr(state, "freeze", edited_first)
    code, text = study()
    assert (code, "toysystem/__main__.py changed while the study was launched" in text) == (3, True)
    assert not verified.folder.exists()

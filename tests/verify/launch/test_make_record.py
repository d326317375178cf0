"""pytest tests/verify/launch/test_make_record.py — one run, and what covered it."""

import hashlib
import json
import sys

import pytest

from goldenseal import cli
from goldenseal.disk import canonical
from goldenseal.errors import UsageError
from goldenseal.launch import gate as launch_gate
from goldenseal.records.check import check
from goldenseal.records.record import read_record
from goldenseal.records.verdict import PATH
from goldenseal.result import Verdict


@pytest.fixture
def goldenseal(verified, monkeypatch, capsys):
    """goldenseal(*arguments): exit code and words of the command in the toy repository."""
    monkeypatch.chdir(verified.root)

    def goldenseal(*arguments):
        monkeypatch.setattr(sys, "argv", ["goldenseal", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        shown = capsys.readouterr()
        return ended.value.code, shown.out + shown.err

    verified.folder = verified.root / "records" / "toy" / "2026-01-02_One"
    return goldenseal


def record_of(toy):
    return json.loads((toy.folder / "record.json").read_text())


def test_under_a_fresh_green_verdict_its_digest_is_sealed(verified, goldenseal):
    digest = hashlib.sha512((verified.root / PATH).read_bytes()).hexdigest()
    assert goldenseal("record", "toy", verified.folder)[0] == 0
    assert record_of(verified)["verdict"] == digest
    code, text = goldenseal("seal", verified.folder)
    assert code == 0
    assert "waivers" not in text
    assert "no verdict" not in text
    assert check(verified.folder).holds


@pytest.mark.parametrize(
    ("verdicts", "edit", "name"),
    [
        ((Verdict.FAIL, Verdict.PASS), "", "toy: loss and gradients"),
        ((Verdict.PASS, Verdict.NOT_RUN), "", "theorems"),
        ((), "toysystem/more.py", "source"),
        ((), "records/more.txt", "records"),
    ],
)
def test_a_red_or_stale_verdict_seals_nothing_without_a_reason(
    verified, goldenseal, verdicts, edit, name
):
    verified.write_verdict(*verdicts)
    if edit:
        (verified.root / edit).write_text("")
    code, text = goldenseal("record", "toy", verified.folder)
    assert code == 1
    assert "nothing was launched: no fresh green verdict covers" in text
    assert f"{name} (" in text
    assert not verified.folder.exists()
    code, text = goldenseal("record", "toy", verified.folder, "--waive", f"{name}=known")
    assert code == 0
    assert f"launched under waivers of what did not hold: {name} (known)" in text
    assert record_of(verified)["waivers"] == {name: "known"}
    code, text = goldenseal("seal", verified.folder)
    assert (code, f"{name} (known)" in text) == (0, True)
    assert check(verified.folder).holds
    statement = json.loads((verified.folder / "seal.json").read_text())
    parameters = statement["predicate"]["buildDefinition"]["externalParameters"]
    assert parameters["waivers"] == {name: "known"}


def test_a_waiver_that_is_taken_away_after_the_seal_breaks_it(verified, goldenseal):
    (verified.root / PATH).unlink()
    assert goldenseal("record", "toy", verified.folder, "--waive", "verdict=none here")[0] == 0
    assert "verdict" not in record_of(verified)
    assert goldenseal("seal", verified.folder)[0] == 0
    facts = record_of(verified)
    facts.pop("waivers")
    (verified.folder / "record.json").write_bytes(canonical.dumps(facts))
    assert not check(verified.folder).holds


def test_bad_usage_is_told_before_the_verdict_is_asked_for(verified, goldenseal):
    (verified.root / PATH).unlink()
    code, text = goldenseal("record", "toy", verified.folder, "--set", "TOY_FAKTOR=1")
    assert (code, "TOY_FAKTOR is no knob" in text) == (2, True)


def test_as_json_it_says_what_was_recorded(verified, goldenseal):
    code, text = goldenseal("record", "toy", verified.folder, "--json")
    assert code == 0
    document = json.loads(text[text.index("{") :].rpartition("}")[0] + "}")
    assert document["record"] == record_of(verified)


def test_what_runs_is_the_copy_that_was_covered(verified, goldenseal, monkeypatch):
    """An edit between the gate and the start is refused; one after the start changes nothing."""
    from goldenseal.launch import make_record

    freeze, run_system = make_record.freeze, make_record.run_system

    def edited_first(root):
        verified.write_system(bias="{2: 1.0}")
        return freeze(root)

    with monkeypatch.context() as patch:
        patch.setattr(make_record, "freeze", edited_first)
        code, text = goldenseal("record", "toy", verified.folder)
    assert (code, "toysystem/__main__.py changed while the run was launched" in text) == (3, True)
    assert not verified.folder.exists()
    verified.write_system()
    assert goldenseal("record", "toy", verified.folder)[0] == 0
    plain = record_of(verified)["results"]
    verified.folder = verified.folder.with_name("2026-01-02_Two")

    def edited_late(*arguments, **options):
        verified.write_system(bias="{2: 1.0}")
        return run_system(*arguments, **options)

    verified.write_verdict()
    monkeypatch.setattr(make_record, "run_system", edited_late)
    assert goldenseal("record", "toy", verified.folder)[0] == 0
    assert record_of(verified)["results"] == plain


def test_a_run_that_nobody_held_against_a_verdict_is_sealed_with_that_word(record, capsys):
    """Made by hand, or by an earlier version: sealing says what is not known."""
    from goldenseal.records import command as seal_command

    assert seal_command.seal(record, None, as_json=False) == 0
    assert "no verdict covers what it ran" in capsys.readouterr().out
    assert seal_command.seal(record, None, as_json=True) == 0
    assert json.loads(capsys.readouterr().out)["launch"].startswith("no verdict covers")


@pytest.mark.parametrize("waivers", [{"a": ""}, {"a": " "}, {"a": 1}, ["a"], "a"])
def test_a_waiver_without_a_reason_is_no_record(record, waivers):
    facts = json.loads((record / "record.json").read_text()) | {"waivers": waivers}
    (record / "record.json").write_text(json.dumps(facts))
    with pytest.raises(UsageError, match="`waivers` must be"):
        read_record(record)


def test_the_environment_counts_for_a_single_run_too(verified, goldenseal, monkeypatch):
    now = {**launch_gate.environment_facts(), "cpu_capability": "other"}
    monkeypatch.setattr(launch_gate, "environment_facts", lambda: now)
    code, text = goldenseal("record", "toy", verified.folder)
    assert (code, "environment (cpu_capability was " in text) == (1, True)

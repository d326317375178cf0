"""pytest tests/verify/grids/sweep/test_launch_gate.py — nothing starts unverified."""

import hashlib
import json

import pytest

from goldenseal import cli
from goldenseal.config import system
from goldenseal.errors import ContradictedError, UsageError
from goldenseal.grids.lock import alone
from goldenseal.launch.gate import clear, look, read_waivers, refuse_unverified
from goldenseal.records.verdict import PATH
from goldenseal.result import Verdict
from tests.verify.conftest import GATES
from tests.verify.grids.sweep.toy_sweep import finish


def found(toy):
    return look(toy.root, "toy", GATES).open


def test_a_fresh_green_verdict_lets_it_start(verified):
    assert found(verified) == {}


def test_without_a_verdict_nothing_starts(verified):
    (verified.root / PATH).unlink()
    assert found(verified) == {"verdict": ["there is none: run `goldenseal verify`"]}


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("toysystem/__main__.py", "source"),
        ("theorems/a.txt", "theorems"),
        ("records/a.txt", "records"),
    ],
)
def test_what_changed_since_is_named(verified, path, name):
    with open(verified.root / path, "a") as file:
        file.write("\n")
    assert found(verified) == {name: [f"{path} changed"]}


def test_a_new_file_of_the_source_makes_it_stale(verified):
    (verified.root / "toysystem" / "more.py").write_text("")
    assert found(verified) == {"source": ["toysystem/more.py is new"]}


@pytest.mark.parametrize("verdict", [Verdict.FAIL, Verdict.NOT_RUN])
def test_a_gate_that_did_not_pass_is_named(verified, verdict):
    verified.write_verdict(Verdict.PASS, verdict)
    assert found(verified) == {"theorems": [f"{verdict.value}: why"]}


def test_another_environment_is_named(verified):
    path = verified.root / PATH
    document = json.loads(path.read_text())
    document["predicate"]["environment"]["torch"] = "1.0"
    path.write_text(json.dumps(document))
    (reason,) = found(verified)["environment"]
    assert reason.startswith("torch was 1.0, is ")


def test_a_verdict_on_other_systems_does_not_cover_the_plan(verified):
    verified.write_verdict(names=["other: loss and gradients", "theorems"])
    (reason,) = found(verified)["plan"]
    assert "'toy: loss and gradients'" in reason


def test_a_verdict_that_says_failed_is_no_green_one(verified):
    path = verified.root / PATH
    document = json.loads(path.read_text())
    document["predicate"]["verificationResult"] = "FAILED"
    path.write_text(json.dumps(document))
    assert list(found(verified)) == ["verdict"]


def edited(toy, change):
    """Edit verdict.json; what the gate then says."""
    path = toy.root / PATH
    document = json.loads(path.read_text())
    change(document["predicate"])
    path.write_text(json.dumps(document))
    return found(toy)


def test_a_failed_verdict_is_named_though_something_else_is_stale_too(verified):
    def change(predicate):
        predicate["verificationResult"] = "FAILED"
        predicate["environment"]["torch"] = "1.0"

    assert list(edited(verified, change)) == ["environment", "verdict"]


@pytest.mark.parametrize(
    ("when", "words"),
    [
        ("2999-01-01T00:00:00Z", "it was made in the future, 2999-01-01T00:00:00Z"),
        ("2026-01-01T00:00:00", "it does not say when"),
        ("yesterday", "it does not say when"),
        (None, "it does not say when"),
        (7, "it does not say when"),
    ],
)
def test_a_verdict_of_no_time_or_of_the_future_is_named(verified, when, words):
    (reason,) = edited(verified, lambda predicate: predicate.update(timeVerified=when))["verdict"]
    assert reason.startswith(words)


@pytest.mark.parametrize(
    ("verifier", "name"),
    [
        ({"id": "urn:goldenseal", "version": {"goldenseal": "0.0.1"}}, "environment"),
        ({"id": "urn:goldenseal"}, "verdict"),
        (None, "verdict"),
    ],
)
def test_a_verdict_of_another_goldenseal_is_named(verified, verifier, name):
    assert list(edited(verified, lambda p: p.update(verifier=verifier))) == [name]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"_type":"https://in-toto.io/Statement/v1"}',
        "\x00",
    ],
)
def test_a_file_that_is_no_verdict_is_none(verified, text):
    (verified.root / PATH).write_text(text)
    gate = look(verified.root, "toy", GATES)
    assert list(gate.open) == ["verdict"]
    assert gate.open["verdict"][0].startswith("it is none: verdict.json")
    assert (gate.covered, gate.digest) == ({}, None)


@pytest.mark.parametrize(
    "gates",
    [None, {}, "pass", [[]], [{"gate": "theorems"}], [{"gate": 1, "verdict": "pass"}]],
)
def test_a_list_of_gates_that_is_none_is_no_verdict(verified, gates):
    (reason,) = edited(verified, lambda predicate: predicate.update(gates=gates))["verdict"]
    assert "`gates` must" in reason


def test_a_verdict_without_gates_covers_nothing(verified):
    (reason,) = edited(verified, lambda predicate: predicate.update(gates=[]))["plan"]
    assert "2 gates are not in the verdict" in reason


def test_a_verdict_of_another_tree_covers_nothing(verified):
    path = verified.root / PATH
    document = json.loads(path.read_text())
    document["subject"] = [{"name": "other.py", "digest": {"sha512": "0" * 128}}]
    path.write_text(json.dumps(document))
    assert {"toysystem/__main__.py is new", "other.py is gone"} <= set(found(verified)["source"])


def test_what_is_imported_and_not_sealed_as_source_is_named(verified):
    """A record would be of code that its source does not hold."""
    (verified.root / "helper.py").write_text("")
    main = verified.root / "toysystem" / "__main__.py"
    main.write_text(main.read_text() + "\nimport helper\n")
    verified.write_verdict()
    entry = system(verified.root, "toy")
    with pytest.raises(ContradictedError, match=r"source \(helper\.py is imported, and no part"):
        clear(verified.root, entry, [])
    launch = clear(verified.root, entry, ["source=helper.py is empty"])
    assert launch.waivers == {"source": "helper.py is empty"}
    assert launch.covered == {}


def test_what_lets_runs_start_is_kept(verified):
    launch = clear(verified.root, system(verified.root, "toy"), [])
    assert launch.verdict == hashlib.sha512((verified.root / PATH).read_bytes()).hexdigest()
    assert launch.covered["toysystem/__main__.py"]
    assert launch.environment["torch"]
    assert launch.waivers == {}


def test_every_open_thing_needs_its_own_waiver(verified):
    verified.write_verdict(Verdict.FAIL, Verdict.NOT_RUN)
    gate = look(verified.root, "toy", GATES)
    with pytest.raises(ContradictedError, match=r"covers theorems \(not run: why\)\."):
        refuse_unverified(gate, {GATES[0]: "known"})
    refuse_unverified(gate, {GATES[0]: "known", "theorems": "no Coq here"})


def test_a_waiver_of_what_holds_is_refused(verified):
    with pytest.raises(UsageError, match="'theorems': it holds, or is no gate"):
        refuse_unverified(look(verified.root, "toy", GATES), {"theorems": "just in case"})


@pytest.mark.parametrize("texts", [["theorems"], ["theorems="], ["=why"], ["a=b", "a=c"]])
def test_a_waiver_without_a_reason_or_twice_is_refused(texts):
    with pytest.raises(UsageError):
        read_waivers(texts)


def command(monkeypatch, capsys, *arguments):
    monkeypatch.setattr("sys.argv", ["goldenseal", "sweep", *map(str, arguments)])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    shown = capsys.readouterr()
    return stopped.value.code, shown.out + shown.err


def test_the_command_refuses_with_1_and_writes_nothing(verified, monkeypatch, capsys):
    (verified.root / "toysystem" / "__main__.py").write_text("")
    arguments = ("run", verified.file, "--folder", verified.folder)
    code, text = command(monkeypatch, capsys, *arguments)
    assert code == 1
    assert "nothing was launched" in text
    assert "source (toysystem/__main__.py changed)" in text
    assert not verified.folder.exists()
    code, text = command(monkeypatch, capsys, *arguments, "--dry-run")
    assert code == 1


def test_a_dry_run_lists_the_cells_and_writes_nothing(verified, monkeypatch, capsys):
    arguments = ("run", verified.file, "--folder", verified.folder, "--dry-run")
    code, text = command(monkeypatch, capsys, *arguments)
    assert code == 0
    assert "13 would be launched by local, 0 are sealed" in text
    assert "TOY_FEATURE=3 SEED=34 python -P -m toysystem" in text
    code, text = command(monkeypatch, capsys, *arguments, "--json")
    assert len(json.loads(text)["would_launch"]) == 13
    assert not verified.folder.exists()


def test_a_waiver_is_kept_with_the_sweep(verified, monkeypatch, capsys):
    from goldenseal.grids import sweep_command as commands

    launched = []
    monkeypatch.setattr(commands, "_launch", lambda *arguments: launched.append(arguments) or 0)
    verified.write_verdict(Verdict.PASS, Verdict.NOT_RUN)
    arguments = ("run", verified.file, "--folder", verified.folder)
    code, _ = command(monkeypatch, capsys, *arguments, "--waive", "theorems=no Coq here")
    assert code == 0
    state = json.loads((verified.folder / "sweep.json").read_text())
    assert state["waivers"] == {"theorems": "no Coq here"}
    assert state["verdict"]
    assert len(launched) == 1
    code, text = command(monkeypatch, capsys, *arguments, "--waive", "theorems=better reason")
    assert code == 2
    assert "was begun" in text
    verified.write_system(bias=1.0)
    code, _ = command(monkeypatch, capsys, *arguments)
    assert code == 0  # it goes on from its snapshot, which was verified
    assert len(launched) == 2


def test_plan_prints_cells_cost_and_power_and_seals(toy, monkeypatch, capsys):
    code, text = command(monkeypatch, capsys, "plan", toy.file, "--folder", toy.folder)
    assert code == 0
    assert "off/3  TOY_FACTOR=0.5 SEED=3 python -P -m toysystem" in text
    assert "at most, main: 9 cells, 13.5 hours, 27 GPU-hours, 67.5" in text
    assert "power, grid: 2 seeds, effect -0.1" in text
    assert (toy.folder / "plan" / "SHA512SUMS").exists()
    code, text = command(monkeypatch, capsys, "plan", toy.file, "--folder", toy.folder, "--json")
    document = json.loads(text)
    assert len(document["cells"]) == 13
    assert document["power"]["main"]["comparisons"] == 2
    assert document["cost"]["limits"][0]["gpu_hours"] == "27"


def test_an_unknown_executor_is_refused(verified, monkeypatch, capsys):
    code, text = command(monkeypatch, capsys, "run", verified.file, "--executor", "kubernetes")
    assert code == 2
    assert "expected one of ('local', 'slurm')" in text


def test_what_is_sealed_or_has_a_job_is_not_launched_again(verified, monkeypatch, capsys):
    from goldenseal.grids import executor

    folders = verified.prepare()
    finish(folders[0])
    given = []

    def launch(folders, executor, at_once, state):
        given.append((list(folders), executor, at_once, state))
        return ["17"]

    monkeypatch.setattr(executor, "launch", launch)
    job = {"id": "1", "executor": "local", "cells": ["cells/on/3"]}
    monkeypatch.setattr(executor, "live_jobs", lambda state: [job])
    arguments = ("run", verified.file, "--folder", verified.folder, "--jobs", "2", "--json")
    code, text = command(monkeypatch, capsys, *arguments)
    assert code == 0
    assert given == [(folders[2:], "local", 2, verified.folder)]
    counts = json.loads(text)
    assert (counts["launched"], counts["running"], counts["sealed"]) == (11, 1, 1)


def test_the_order_to_launch_comes_only_under_the_sweeps_lock(verified, monkeypatch, capsys):
    from goldenseal.grids import sweep_command as commands

    def launch(*arguments):
        with (
            pytest.raises(UsageError, match="by another process"),
            alone(verified.folder / ".lock", "it is run"),
        ):
            raise AssertionError("the lock was free")
        return 0

    monkeypatch.setattr(commands, "_launch", launch)
    code, _ = command(monkeypatch, capsys, "run", verified.file, "--folder", verified.folder)
    assert code == 0

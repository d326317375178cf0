"""pytest tests/verify/grids/sweep/test_going_on.py

A sweep that was begun goes on as it was begun.
"""

import json

import pytest

from goldenseal.launch import gate as launch_gate
from goldenseal.records.verdict import PATH
from tests.verify.grids.sweep.test_launch_gate import command


@pytest.fixture
def quiet_launch(monkeypatch):
    """Nothing is started; the launches that would have been."""
    from goldenseal.grids import sweep_command as commands

    launched = []
    monkeypatch.setattr(commands, "_launch", lambda *arguments: launched.append(arguments) or 0)
    return launched


def state_of(toy):
    return json.loads((toy.folder / "sweep.json").read_text())


def test_a_sweep_goes_on_in_the_environment_that_it_was_begun_in(
    verified, monkeypatch, capsys, quiet_launch
):
    arguments = ("run", verified.file, "--folder", verified.folder)
    assert command(monkeypatch, capsys, *arguments)[0] == 0
    assert state_of(verified)["environment"]["torch"]
    now = {**launch_gate.environment_facts(), "torch": "9.9"}
    monkeypatch.setattr(launch_gate, "environment_facts", lambda: now)
    code, text = command(monkeypatch, capsys, *arguments)
    assert code == 1
    assert "torch was " in text
    assert "is 9.9" in text
    waiver = ("--waive", "environment=only the patch level")
    code, text = command(monkeypatch, capsys, *arguments, *waiver, "--waive", "theorems=no")
    assert (code, "was begun" in text) == (2, True)
    assert command(monkeypatch, capsys, *arguments, *waiver)[0] == 0
    assert state_of(verified)["waivers"] == {"environment": "only the patch level"}
    assert command(monkeypatch, capsys, *arguments)[0] == 0
    assert len(quiet_launch) == 3


def test_a_resumed_sweep_passes_the_same_gate(verified, monkeypatch, capsys, quiet_launch):
    from goldenseal.grids import executor

    arguments = ("run", verified.file, "--folder", verified.folder)
    assert command(monkeypatch, capsys, *arguments)[0] == 0
    monkeypatch.setattr(executor, "read_launch", lambda folder: {"executor": "local", "at_once": 1})
    assert command(monkeypatch, capsys, "resume", verified.folder)[0] == 0
    now = {**launch_gate.environment_facts(), "python": "4.0"}
    monkeypatch.setattr(launch_gate, "environment_facts", lambda: now)
    code, text = command(monkeypatch, capsys, "resume", verified.folder)
    assert (code, "python was " in text) == (1, True)
    waiver = ("--waive", "environment=why not")
    assert command(monkeypatch, capsys, "resume", verified.folder, *waiver)[0] == 0


def test_cells_that_no_gate_has_seen_are_not_gone_on_with(
    verified, monkeypatch, capsys, quiet_launch
):
    """A sweep.json that was not written through the gate vouches for nothing."""
    verified.prepare()
    (verified.root / PATH).unlink()
    arguments = ("run", verified.file, "--folder", verified.folder)
    code, text = command(monkeypatch, capsys, *arguments)
    assert (code, "verdict (there is none" in text) == (1, True)
    verified.write_verdict()
    assert command(monkeypatch, capsys, *arguments)[0] == 0
    assert state_of(verified)["verdict"]
    assert len(quiet_launch) == 1


def test_a_verdict_on_another_source_does_not_vouch_for_frozen_cells(verified, monkeypatch, capsys):
    verified.prepare()
    verified.write_system(bias=1.0)
    verified.write_verdict()
    code, text = command(monkeypatch, capsys, "run", verified.file, "--folder", verified.folder)
    assert (code, "toysystem/__main__.py changed while" in text) == (3, True)
    assert not state_of(verified)["verdict"]

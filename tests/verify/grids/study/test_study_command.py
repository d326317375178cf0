"""pytest tests/verify/grids/study/test_study_command.py

The commands, their words and exit codes.
"""

import json
import sys

import pytest

from goldenseal import cli
from goldenseal.grids import study_command as command


@pytest.fixture
def here(verified, monkeypatch):
    """The verified toy repository as the current folder."""
    monkeypatch.chdir(verified.root)
    return verified


def goldenseal(monkeypatch, *arguments):
    """Exit code of the real command line."""
    monkeypatch.setattr(sys, "argv", ["goldenseal", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return ended.value.code


def test_plan_lists_the_runs(here, capsys):
    assert command.plan(here.plan, as_json=True) == 0
    found = json.loads(capsys.readouterr().out)
    assert len(found["runs"]) == 9
    assert found["runs"]["on/5"]["TOY_FEATURE"] == "1"
    assert command.plan(here.plan, as_json=False) == 0
    assert "seeds 3, 5, 8" in capsys.readouterr().out


def test_from_plan_to_report_by_the_command_line(here, monkeypatch, capsys):
    assert goldenseal(monkeypatch, "study", "run", here.plan, here.folder, "--jobs", 2) == 0
    assert "9 run, 0 finished before, 0 failed, of 9" in capsys.readouterr().out
    assert goldenseal(monkeypatch, "study", "status", here.folder) == 0
    assert "9 finished, 0 not" in capsys.readouterr().out
    assert goldenseal(monkeypatch, "study", "report", here.folder) == 0
    assert "on: -0." in capsys.readouterr().out


def test_a_failed_cell_ends_with_3_and_stays_visible(here, monkeypatch, capsys):
    here.write_system(crash=(5, 1))
    here.write_verdict()
    assert goldenseal(monkeypatch, "study", "run", here.plan, here.folder, "--json") == 3
    assert list(json.loads(capsys.readouterr().out)["failed"]) == ["on/5"]
    assert goldenseal(monkeypatch, "study", "status", here.folder) == 3
    assert "on/5: failed, tried 1: python -m toysystem" in capsys.readouterr().out
    assert goldenseal(monkeypatch, "study", "report", here.folder) == 3
    assert "an incomplete grid carries no claim" in capsys.readouterr().err


def test_a_folder_without_a_study_is_bad_usage(here, monkeypatch, capsys):
    here.folder.mkdir(parents=True)
    (here.folder / "plan.toml").write_bytes(here.plan.read_bytes())
    assert goldenseal(monkeypatch, "study", "status", here.folder) == 2
    assert "begin with `goldenseal study run`" in capsys.readouterr().err

"""pytest tests/train_gpt_style/vit_rft/test_vit_energy_launch.py — what lets the study start."""

import datetime
import json
import subprocess

import pytest

from goldenseal.grids.blocks.plan import read_block_plan
from goldenseal.launch import gate as launch_gate
from goldenseal.launch.gate import Gate
from goldenseal.records.check import check
from goldenseal.records.source import SourceTree
from tests.train_gpt_style.vit_rft.test_vit_energy_study import facts_of, plan_folder
from train_gpt_style.vit_rft.energy_study import __main__ as command
from train_gpt_style.vit_rft.energy_study import pilot, profile, runner
from train_gpt_style.vit_rft.energy_study.finish import folder_for

TREE = SourceTree({"some.py": "0" * 128})  # the real one may be edited while tests run


@pytest.fixture
def gate(monkeypatch, root):
    """What the gate finds, to be filled by a test: nothing that does not hold."""
    found = Gate(covered=dict(TREE.files), digest="1" * 128)
    monkeypatch.setattr(launch_gate, "look", lambda *arguments: found)
    for module in (runner, command):
        monkeypatch.setattr(module, "read_source", lambda root: TREE)
    monkeypatch.setattr(profile, "COUNTED", 2)
    monkeypatch.chdir(root)
    return found


@pytest.fixture
def plan(tmp_path):
    return plan_folder(tmp_path, facts_of())


def energy_study(capsys, *arguments):
    """(exit code, what was printed)."""
    code = command.main(list(map(str, arguments)))
    shown = capsys.readouterr()
    return code, shown.out + shown.err


def record_of(folder):
    return json.loads((folder / "record.json").read_text())


def test_without_a_verdict_no_block_is_run(gate, plan, tmp_path, capsys):
    gate.add("theorems", "not run: no Coq")
    folder = tmp_path / "2026-01-02_Study"
    code, text = energy_study(capsys, "run", plan, folder)
    assert code == 1
    assert "nothing was launched: no fresh green verdict covers theorems (not run" in text
    assert text.count("\n") == 1
    assert not folder.exists()


def test_a_waiver_is_sealed_and_a_sealed_study_is_not_run_again(gate, plan, tmp_path, capsys):
    gate.add("theorems", "not run: no Coq")
    folder = tmp_path / "2026-01-02_Study"
    waive = ("--waive", "theorems=no Coq on this machine")
    assert energy_study(capsys, "run", plan, folder, *waive)[0] == 0
    assert check(folder).holds
    assert record_of(folder)["waivers"] == {"theorems": "no Coq on this machine"}
    assert record_of(folder)["verdict"] == "1" * 128
    before = sorted(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    code, text = energy_study(capsys, "run", plan, folder, *waive)
    assert code == 2
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    line = f"make study-energy ENERGY_PLAN={plan} ENERGY_RECORD={tmp_path}/{today}_EnergyStudy\n"
    assert text == f"error: {folder} is sealed already, and a new study is a new folder: {line}"
    assert sorted(path.read_bytes() for path in folder.rglob("*") if path.is_file()) == before


def test_a_source_that_changed_since_its_verdict_is_not_measured(gate, plan, tmp_path, capsys):
    gate.covered = {"some.py": "2" * 128}
    code, text = energy_study(capsys, "run", plan, tmp_path / "2026-01-02_Study")
    assert (code, "some.py changed while the study was launched" in text) == (3, True)
    assert not (tmp_path / "2026-01-02_Study").exists()


def test_without_a_folder_a_study_goes_on_where_it_was_begun_or_begins_anew(plan, tmp_path):
    found = read_block_plan(plan / "plan.toml")
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    new = tmp_path / f"{today}_EnergyStudy"

    def chosen():
        return folder_for(plan, found, TREE.files)

    def begin(name, **changes):
        state = {"plan": found.digest, "source": TREE.files} | changes
        (tmp_path / name).mkdir()
        (tmp_path / name / "study.json").write_text(json.dumps(state))
        return tmp_path / name

    assert chosen() == new
    begin("2026-01-02_OfAnotherPlan", plan="x")
    begin("2026-01-03_OfAnotherSource", source={})
    begin("2026-01-04_OfNoForm").joinpath("study.json").write_text("{")
    (begin("2026-01-05_Sealed") / "SHA512SUMS").write_text("")
    assert chosen() == new
    new.mkdir()
    assert chosen() == tmp_path / f"{today}_EnergyStudy2"
    begun = begin("2026-01-06_Begun")
    assert chosen() == begun


def test_the_pilot_trains_only_under_a_verdict_too(gate, tmp_path, capsys, monkeypatch):
    trained = []
    monkeypatch.setattr(pilot, "pilot", lambda *arguments: trained.append(1) or (1.0, 1.0))
    gate.add("verdict", "there is none")
    folder = tmp_path / "2026-01-01_Plan"
    assert energy_study(capsys, "plan", folder)[0] == 1
    assert (trained, folder.exists()) == ([], False)
    assert energy_study(capsys, "plan", folder, "--waive", "verdict=a pilot only")[0] == 0
    assert record_of(folder)["waivers"] == {"verdict": "a pilot only"}
    assert energy_study(capsys, "plan", folder)[0] == 2


def test_make_names_no_folder_that_is_sealed_already(root):
    """On a fresh clone `make study-energy` runs a study, in a folder of its own."""
    lines = subprocess.run(
        ["make", "-n", "study-energy"], cwd=root, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    (line,) = [line for line in lines if "energy_study" in line]
    named = [root / word for word in line.split() if word.startswith("records/")]
    assert [read_block_plan(folder / "plan.toml").digest for folder in named]
    assert not [folder for folder in named if (folder / "study.json").exists()]

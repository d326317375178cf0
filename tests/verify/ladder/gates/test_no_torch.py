"""pytest tests/verify/ladder/gates/test_no_torch.py — the gates of the repository need no torch."""

import json
import re
import subprocess
import sys

import pytest

HEAVY = ("torch", "numpy", "hypothesis", "scipy", "safetensors", "matplotlib")
BLOCK = f"""
import sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {HEAVY!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Refuse())
sys.argv = ["goldenseal", *sys.argv[1:]]
from goldenseal.cli import main
main()
"""


def run(*arguments):
    command = [sys.executable, "-c", BLOCK, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("gate", ["citation", "seals", "claims"])
def test_a_gate_of_the_repository_is_judged_without_torch(gate):
    done = run("verify", "--json", "--only", gate)
    assert done.returncode == 0, done.stderr or done.stdout
    (result,) = json.loads(done.stdout)["gates"]
    assert (result["gate"], result["verdict"]) == (gate, "pass")


@pytest.mark.parametrize(
    ("gate", "words"),
    [
        ("claims", "there is no list of `claims` in pyproject.toml"),
        ("citation", "there is no CITATION.cff"),
        ("seals", "there is no record below records/"),
        ("theorems", "there is no theorems/_CoqProject"),
    ],
)
def test_a_gate_that_has_nothing_to_judge_could_not_check(monkeypatch, tmp_path, gate, words):
    """It has not failed; where `require` names it, it has."""
    (tmp_path / "pyproject.toml").write_text("[tool.goldenseal]\n")
    monkeypatch.chdir(tmp_path)
    done = run("verify", "--json", "--only", gate)
    (result,) = json.loads(done.stdout)["gates"]
    assert (done.returncode, result["verdict"]) == (3, "not run"), done.stderr
    assert result["findings"] == [f"nothing to check: {words}"]
    (tmp_path / "pyproject.toml").write_text(f'[tool.goldenseal]\nrequire = ["{gate}"]\n')
    assert run("verify", "--json", "--only", gate).returncode == (3 if gate == "theorems" else 1)


def test_theorems_are_asked_for_without_torch(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))  # no Coq either: the gate itself must say so
    done = run("verify", "--json", "--only", "theorems")
    assert done.stdout, done.stderr
    (result,) = json.loads(done.stdout)["gates"]
    assert result["gate"] == "theorems"
    assert "torch" not in done.stdout + done.stderr


def test_a_rung_of_the_ladder_says_in_one_line_what_it_needs():
    done = run("verify", "--only", "training")
    assert (done.returncode, done.stdout) == (3, "")
    assert re.fullmatch(
        r"goldenseal: this needs \w+: pip install 'goldenseal\[gates\]'\n", done.stderr
    )


def test_an_unknown_gate_is_bad_usage_before_anything_is_needed():
    done = run("verify", "--only", "theories")
    assert done.returncode == 2
    assert "no such gate; the gates are knobs," in done.stderr

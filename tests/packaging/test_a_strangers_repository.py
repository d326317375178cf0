"""pytest tests/packaging/test_a_strangers_repository.py — gates, a sweep and records, by the wheel.

The repository has one system and nothing else of ours: no theorems, no CITATION.cff, no records.
"""

import json
import subprocess
import sys

import pytest

from goldenseal.errors import UsageError
from goldenseal.ladder import suite
from tests.packaging import foreign
from tests.packaging.conftest import run
from tests.patience import wait_until


@pytest.fixture(scope="module")
def stranger(empty, tmp_path_factory):
    """(a function that types goldenseal there, the repository), once its gates have been run."""
    folder, variables = empty
    top = tmp_path_factory.mktemp("stranger")
    foreign.write(top)
    variables = {**variables, "OMP_NUM_THREADS": "1"}

    def typed(*arguments, code=0):
        command = [str(folder / "bin/goldenseal"), *map(str, arguments)]
        done = subprocess.run(
            command, cwd=top, env=variables, capture_output=True, text=True, check=False
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout

    typed.first = json.loads(typed("verify", "--jobs", "1", "--json"))
    return typed, top


def test_its_verdict_is_green_and_says_what_there_was_not_to_check(stranger):
    typed, top = stranger
    assert typed.first["verdict"] == "pass"
    assert {gate["gate"].partition(":")[0] for gate in typed.first["gates"]} == {"mine"}
    assert set(typed.first["left_out"]) == {"theorems", "citation", "seals", "claims"}
    assert typed("verdict").startswith("fresh, PASSED")
    assert (top / ".goldenseal" / ".gitignore").read_text() == "*\n"


def test_a_sweep_is_launched_and_finishes(stranger):
    typed, top = stranger
    assert "4 cells launched" in typed("sweep", "run", "sweep.toml", "--jobs", "1")

    def finished():
        logs = top.glob(".goldenseal/sweeps/sweep/cells/*/*/SHA512SUMS")
        return len(list(logs)) == 4

    wait_until(finished, 20, "the sweep does not end", pause=0.5)
    assert "4 finished" in typed("sweep", "status", ".goldenseal/sweeps/sweep")


def test_what_is_added_makes_the_verdict_stale_and_brings_its_gate(stranger):
    typed, top = stranger
    (top / "loose.py").write_text("print(open('data/target.txt').read())\n")
    told = json.loads(typed("record", "--json", "--", sys.executable, "loose.py"))
    prefix = told["identity"][:12]
    assert typed("check", "all").startswith("intact")
    assert "is new" in typed("verdict", code=3)
    marks = (
        f'<!-- claims\nx = {{ record = "{prefix}", file = "record.json", pointer = "/schema" }}\n'
    )
    (top / "README.md").write_text(f"# Mine\n\n{marks}-->\n\nOne is 1<!--=x-->.\n")
    assert "1 numbers bound" in typed("claims", "README.md")
    (top / "README.md").write_text(f"# Mine\n\n{marks}-->\n\nOne is 2<!--=x-->.\n")
    typed("claims", "README.md", code=1)
    there, left_out = suite.repository_gates(top)
    assert (there, list(left_out)) == (["seals"], ["theorems", "citation", "claims"])
    typed("report", told["folder"], "-o", top / "page.html")
    assert "loose.py" in (top / "page.html").read_text()


@pytest.mark.parametrize(
    ("file", "text", "gate"),
    [
        ("CITATION.cff", "cff-version: 1.2.0\n", "citation"),
        ("theorems/_CoqProject", "-R . Mine\n", "theorems"),
        ("pyproject.toml", '[tool.goldenseal]\nconstants = ["a:b"]\n', "theorems"),
        ("pyproject.toml", '[tool.goldenseal]\nclaims = ["README.md"]\n', "claims"),
        ("records/a/2026-01-01_X/record.json", "{}", "seals"),
        ("pyproject.toml", '[tool.goldenseal]\nrequire = ["citation"]\n', "citation"),
    ],
)
def test_a_gate_is_run_where_its_input_is_or_where_it_is_required(tmp_path, file, text, gate):
    assert suite.repository_gates(tmp_path)[0] == []
    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / file).write_text(text)
    assert suite.repository_gates(tmp_path)[0] == [gate]


def test_a_gate_that_is_required_fails_where_its_input_is_gone(tmp_path):
    (tmp_path / "pyproject.toml").write_text('[tool.goldenseal]\nrequire = ["seals"]\n')
    (result,) = suite.run_repository_gates(tmp_path, ["seals"], lambda name: None)
    assert result.findings == ("records/ holds no record",)
    (tmp_path / "pyproject.toml").write_text('[tool.goldenseal]\nrequire = ["seal"]\n')
    with pytest.raises(UsageError, match="expected a list of theorems, citation"):
        suite.repository_gates(tmp_path)


def test_a_run_log_takes_ten_lines(empty, root, tmp_path):
    """The block of docs/records.md, run as it stands."""
    folder, variables = empty
    text = (root / "docs" / "records.md").read_text(encoding="utf-8")
    block = text.split("```python\n")[1].split("```")[0]
    assert "from goldenseal import RunLog" in block
    run(folder / "bin/python", "-c", block, env=variables, cwd=tmp_path)
    lines = (tmp_path / "train.jsonl").read_text().splitlines()
    assert len(lines) > 2
    assert '"kind":"end"' in lines[-1]

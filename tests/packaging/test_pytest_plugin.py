"""pytest tests/packaging/test_pytest_plugin.py — the fixture `off_is_off`, in a foreign project."""

import subprocess

import pytest

from tests.packaging import foreign

TESTS = """
import sys

def test_off_is_off(off_is_off):
    assert "torch" not in sys.modules
    judged = off_is_off("pair/baseline.py", "pair/candidate.py", only=["initial state"], jobs=1)
    assert judged.document["gates"][0]["gate"] == "initial state"
    assert "torch" not in sys.modules

def test_it_can_be_asked_in_vain(off_is_off):
    off_is_off("pair/baseline.py", "pair/gone.py", probe="pair/probe.toml")

def test_what_is_not_described(off_is_off):
    off_is_off("baseline.py", "candidate.py")
"""


@pytest.fixture
def project(empty, tmp_path):
    """(a function that runs pytest of the wheel's environment there, the folder of the pair)."""
    folder, variables = empty
    (tmp_path / "pair").mkdir()
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "test_mine.py").write_text(TESTS)

    def tested(*arguments):
        command = (folder / "bin/python", "-m", "pytest", "-p", "no:cacheprovider", *arguments)
        done = subprocess.run(
            [*map(str, command)],
            cwd=tmp_path,
            env=variables,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    return tested, tmp_path / "pair"


def test_a_good_pair_passes_and_bad_input_is_one_line(project):
    tested, pair = project
    foreign.write_pair(pair)
    code, said = tested()
    assert code == 1
    assert "1 passed" in said.replace("2 failed, ", "")
    assert "gone.py is no .py file that is there" in said
    assert "there is no command: give it after `--`" in said
    assert "Traceback" not in said


def test_a_fault_fails_the_test_and_is_named(project):
    tested, pair = project
    foreign.write_pair(pair, rate=foreign.FAULT)
    code, said = tested("-k", "test_off_is_off")
    assert code == 1
    assert "off is not off:" in said
    assert "fail: initial state:" in said
    assert "weight" in said


def test_the_plugin_is_there_and_costs_nothing(project):
    tested, _ = project
    _, said = tested("--fixtures", "-q")
    assert "off_is_off" in said
    assert "A function of (baseline, candidate) that fails the test" in said


REVISIONS = """
def test_off_is_off(off_is_off):
    command = ["python", "train.py"]
    off_is_off("HEAD~1", "HEAD", command=command, only=["training"], jobs=1)
"""


def test_revisions_and_a_command_are_judged(project):
    tested, pair = project
    top = pair.parent
    (top / "test_mine.py").write_text(REVISIONS)
    text = foreign.BASELINE + "\n\nif __name__ == '__main__':\n    main()\n"
    (top / "data").mkdir()
    (top / "data" / "target.txt").write_text("1")
    git = ("git", "-c", "user.name=a", "-c", "user.email=a@b", "-C", str(top))
    subprocess.run([*git, "init", "-q"], check=True)
    for rate in (0.1, 0.2):
        (top / "train.py").write_text(text.replace("lr=0.1", f"lr={rate}"))
        subprocess.run([*git, "add", "."], check=True)
        subprocess.run([*git, "commit", "-qm", "one"], check=True)
    code, said = tested()
    assert code == 1
    assert "is 0.2, expected 0.1" in said

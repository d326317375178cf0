"""pytest tests/verify/kept/test_verify_twice.py — kept the second time, and without torch."""

import json
import os
import subprocess
import sys
import time

import pytest

from tests.verify.kept.toys import repository

WITHOUT_TORCH = "import sys; sys.modules['torch'] = None\n"
MAIN = "from goldenseal.cli import main; main()"


def typed(top, *words, first="", **variables):
    """What `goldenseal verify` prints in JSON there."""
    kept = {name: text for name, text in os.environ.items() if name != "CI"}
    done = subprocess.run(
        [sys.executable, "-c", first + MAIN, "verify", "--jobs", "1", *words],
        cwd=top,
        env={**kept, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout) if "--json" in words else done.stdout


@pytest.fixture(scope="module")
def verified(tmp_path_factory):
    """A repository that was verified whole once, and what was printed."""
    top = repository(tmp_path_factory.mktemp("twice") / "repository")
    time.sleep(2.1)  # what is younger is not kept
    return top, typed(top, "--json")


def test_nothing_is_run_again_and_no_torch_is_loaded(verified):
    top, first = verified
    log = (top / "smoke.log").read_bytes()
    assert log.index(b"width = 3") < log.index(b"depth = 1")
    again = typed(top, "--json", first=WITHOUT_TORCH)
    assert (first["kept"], again["kept"]) == (0, len(first["gates"]))
    for one, two in zip(first["gates"], again["gates"], strict=True):
        assert {**two, "kept": ""} == {**one, "kept": ""}
    assert (top / "smoke.log").read_bytes() == log
    verdicts = [each["written"]["predicate"] for each in (first, again)]
    assert verdicts[0]["environment"] == verdicts[1]["environment"]
    assert all(gate["kept"] for gate in verdicts[1]["gates"])
    assert not any("kept" in gate for gate in verdicts[0]["gates"])
    assert (top / ".goldenseal" / ".gitignore").read_text() == "*\n"
    shown = typed(top)
    assert shown.count("(kept)") == len(first["gates"])
    assert f"{len(first['gates'])} of them kept, the oldest of 2" in shown


def test_fresh_and_ci_run_what_is_kept(verified):
    top, _ = verified
    assert typed(top, "--json", "--only", "knobs")["kept"] == 1
    assert typed(top, "--json", "--only", "knobs", "--fresh")["kept"] == 0
    assert typed(top, "--json", "--only", "knobs", CI="true")["kept"] == 0

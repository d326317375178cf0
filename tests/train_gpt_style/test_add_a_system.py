"""pytest tests/train_gpt_style/test_add_a_system.py — the guide, as a newcomer types it.

In a copy of what the repository holds, one shell after the other, as they stand in the guide.
"""

import os
import re
import shutil
import subprocess
import sys

import pytest

from goldenseal.config import python_path
from tests.patience import patience

CODE = ("train_gpt_style", "verify", "tests")


@pytest.fixture(scope="module")
def copy(root, tmp_path_factory):
    """The code alone, where a system may be added."""
    top = tmp_path_factory.mktemp("newcomer") / "goldenseal"
    for name in CODE:
        shutil.copytree(root / name, top / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "constraints.txt"):
        shutil.copy(root / name, top / name)
    os.symlink(root / "records", top / "records")
    os.symlink(sys.prefix, top / ".venv")
    return top


@pytest.fixture(scope="module")
def blocks(root):
    """The shell blocks of the guide, in order."""
    guide = (root / "docs" / "add-a-system.md").read_text(encoding="utf-8")
    found = re.findall(r"^```sh\n(.*?)^```", guide, re.MULTILINE | re.DOTALL)
    assert len(found) == 5
    return found


def test_every_command_of_the_guide_does_what_it_says(copy, blocks):
    environ = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": python_path(copy),
        "OMP_NUM_THREADS": "1",
        "COLUMNS": "100",
        "HOME": os.environ.get("HOME", "/"),
    }
    shown = []
    for block in blocks:
        done = subprocess.run(
            ["bash", "-e", "-c", block],
            cwd=copy,
            env=environ,
            capture_output=True,
            text=True,
            check=False,
            timeout=patience(300),
        )
        assert done.returncode == 0, f"{block}\n{done.stdout}\n{done.stderr}"
        shown.append(done.stdout)
    _, trained, knobs, ladder, _ = shown
    assert "usage: [NAME=value ...] python -m train_gpt_style.line" in trained
    assert "step:8/8 loss:" in trained
    assert (copy / "checkpoints" / "step-00000008").is_dir()
    assert "CHECKPOINT_EVERY" in knobs
    assert "13 of 13 gates pass" in ladder
    golden = (copy / "tests/golden/knobs_line.txt").read_text(encoding="utf-8")
    assert golden.startswith("SEED int default=7 ")

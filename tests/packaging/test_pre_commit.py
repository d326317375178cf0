"""pytest tests/packaging/test_pre_commit.py — the hooks, by the real pre-commit, elsewhere.

pre-commit clones this repository and installs it for itself. Here pip may neither fetch nor build
apart: what the hooks need is shown to it in the running environment.
"""

import os
import shutil
import subprocess
import sys
import sysconfig

import pytest

from goldenseal.launch.collect import Asked
from goldenseal.launch.outside_command import record_command

pytest.importorskip("pre_commit", reason="pre-commit is not installed")

OFFLINE = {"PIP_NO_DEPS": "1", "PIP_NO_INDEX": "1", "PIP_NO_BUILD_ISOLATION": "false"}
CONFIG = """
repos:
  - repo: {source}
    rev: {rev}
    hooks:
      - id: goldenseal-claims
        args: [README.md]
      - id: goldenseal-check
"""
CLAIM = """# Mine

<!-- claims
loss = {{ record = "{prefix}", file = "outputs/loss.json", pointer = "/loss" }}
-->

The loss is {loss}<!--=loss-->.
"""


def git(folder, *arguments):
    who = ("-c", "user.name=A", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false")
    done = subprocess.run(
        ["git", *who, *arguments], cwd=folder, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


@pytest.fixture(scope="module")
def source(root, tmp_path_factory):
    """(this repository, as far as the hooks need it, in a history of its own; its commit)."""
    folder = tmp_path_factory.mktemp("hooks")
    for name in ("pyproject.toml", "README.md", "LICENSE", ".pre-commit-hooks.yaml"):
        shutil.copy(root / name, folder)
    left = shutil.ignore_patterns("__pycache__", "*.egg-info")
    shutil.copytree(root / "verify", folder / "verify", ignore=left)
    git(folder, "init", "-q")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "x")
    return folder, git(folder, "rev-parse", "HEAD")


@pytest.fixture(scope="module")
def project(source, tmp_path_factory):
    """(a function that runs all hooks, the project, the identity of its one record)."""
    folder, rev = source
    top = tmp_path_factory.mktemp("project")
    git(top, "init", "-q")
    (top / ".pre-commit-config.yaml").write_text(CONFIG.format(source=folder, rev=rev))
    before = os.getcwd()
    os.chdir(top)
    try:
        print_loss = "import json; json.dump({'loss': 0.25}, open('loss.json', 'w'))"
        command = (sys.executable, "-c", print_loss)
        done = record_command(top, top / "records/a/2026-01-02_Mine", Asked(command), print)
    finally:
        os.chdir(before)
    home = {"PRE_COMMIT_HOME": str(tmp_path_factory.mktemp("home")), **OFFLINE}
    variables = {**os.environ, **home, "PYTHONPATH": sysconfig.get_path("purelib")}

    def hooks():
        git(top, "add", "-A")
        done = subprocess.run(
            [sys.executable, "-m", "pre_commit", "run", "--all-files"],
            cwd=top,
            env=variables,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    return hooks, top, done.identity


def test_hooks_pass_on_a_true_claim_and_an_intact_record(project):
    hooks, top, identity = project
    (top / "README.md").write_text(CLAIM.format(prefix=identity[:8], loss="0.25"))
    code, said = hooks()
    assert code == 0, said
    assert said.count("Passed") == 2


def test_a_wrong_number_and_a_changed_record_stop_a_commit(project):
    hooks, top, identity = project
    (top / "README.md").write_text(CLAIM.format(prefix=identity[:8], loss="0.26"))
    with open(top / "records/a/2026-01-02_Mine/stdout.txt", "a") as file:
        file.write("more")
    code, said = hooks()
    assert code == 1
    assert said.count("Failed") == 2
    assert "stdout.txt changed" in said
    assert "README.md" in said

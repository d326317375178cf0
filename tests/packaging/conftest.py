"""The wheel, and an environment that holds nothing else."""

import os
import shutil
import subprocess
import sys
import sysconfig

import pytest


def run(*arguments, **more):
    done = subprocess.run(
        [*map(str, arguments)], capture_output=True, text=True, check=False, **more
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def wheel(root, tmp_path_factory):
    """Built from a copy, for setuptools leaves its work beside the sources."""
    source = tmp_path_factory.mktemp("source")
    left = shutil.ignore_patterns("__pycache__", "*.egg-info")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(root / name, source)
    shutil.copytree(root / "verify", source / "verify", ignore=left)
    pip = (sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-index")
    run(*pip, "--no-build-isolation", "-w", source / "dist", source, cwd=source)
    (made,) = (source / "dist").glob("goldenseal-*.whl")
    return made


@pytest.fixture(scope="session")
def empty(wheel, tmp_path_factory):
    """(folder of an environment with the wheel alone, variables for its commands).

    Of the running environment only the folder is shown to it, by a .pth file: the .pth files in
    there, through which it finds this very repository, count for nothing.
    """
    folder = tmp_path_factory.mktemp("empty") / "env"
    run(sys.executable, "-m", "venv", "--without-pip", folder)
    pip = (sys.executable, "-m", "pip", "--python", folder / "bin/python", "install", "-q")
    run(*pip, "--no-deps", "--no-index", wheel)
    (packages,) = folder.glob("lib/python*/site-packages")
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    kept = {name: text for name, text in os.environ.items() if name != "PYTHONPATH"}
    return folder, kept

"""pytest tests/test_wheel.py — the wheel alone, in an environment that holds nothing else."""

import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile

import pytest

SMALL = "records/track_cpu_small/2026-11-23_SmallGPT"
WHERE = (
    "from importlib.metadata import entry_points as e\n"
    "(c,) = e(group='console_scripts', name='goldenseal')\n"
    "import importlib; print(importlib.import_module(c.module).__file__)"
)


def run(*arguments, **more):
    done = subprocess.run(
        [*map(str, arguments)], capture_output=True, text=True, check=False, **more
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
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


@pytest.fixture(scope="module")
def empty(wheel, tmp_path_factory):
    """(folder of an environment with the wheel alone, variables that show it our dependencies)."""
    folder = tmp_path_factory.mktemp("empty") / "env"
    run(sys.executable, "-m", "venv", "--without-pip", folder)
    pip = (sys.executable, "-m", "pip", "--python", folder / "bin/python", "install", "-q")
    run(*pip, "--no-deps", "--no-index", wheel)
    # Of the running environment only the folder is shown: its .pth files, through which it finds
    # this very repository, count for nothing there.
    return folder, {**os.environ, "PYTHONPATH": sysconfig.get_path("purelib")}


def test_the_command_of_the_wheel_runs_and_is_the_installed_one(empty, tmp_path):
    folder, variables = empty
    shown = run(folder / "bin/goldenseal", "--version", env=variables, cwd=tmp_path)
    assert shown.startswith("goldenseal ")
    place = run(folder / "bin/python", "-c", WHERE, env=variables, cwd=tmp_path)
    assert place.startswith(str(folder.resolve())), place


def test_the_wheel_checks_a_sealed_record(empty, root, tmp_path):
    folder, variables = empty
    shutil.copytree(root / SMALL, tmp_path / "record")
    shown = run(folder / "bin/goldenseal", "check", "record", env=variables, cwd=tmp_path)
    assert shown.startswith("intact")


def test_the_wheel_holds_one_package_and_every_file_that_it_reads(wheel, root):
    names = set(zipfile.ZipFile(wheel).namelist())
    tops = {name.split("/")[0] for name in names if name.endswith(".py")}
    assert tops == {"goldenseal"}
    base = root / "verify"
    for path in (base / "goldenseal").rglob("*"):
        if path.suffix in (".html", ".toml", ".txt", ".lock") or path.name == "py.typed":
            assert path.relative_to(base).as_posix() in names, path

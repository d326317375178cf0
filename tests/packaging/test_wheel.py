"""pytest tests/packaging/test_wheel.py — the wheel, in an environment with nothing else."""

import shutil
import zipfile

from tests.packaging.conftest import run

SMALL = "records/track_cpu_small/2026-11-23_SmallGPT"
WHERE = (
    "from importlib.metadata import entry_points as e\n"
    "(c,) = e(group='console_scripts', name='goldenseal')\n"
    "import importlib; print(importlib.import_module(c.module).__file__)"
)


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
        if path.suffix in (".html", ".toml", ".txt", ".lock", ".py") or path.name == "py.typed":
            assert path.relative_to(base).as_posix() in names, path

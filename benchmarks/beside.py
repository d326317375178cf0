"""An earlier build beside this one: its tree, and the processor time of a command in each."""

import io
import os
import subprocess
import sys
import tarfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def checkout(revision: str, folder: Path) -> Path:
    """The files of a revision of this repository, in `folder`."""
    packed = subprocess.run(
        ["git", "archive", revision], cwd=ROOT, stdout=subprocess.PIPE, check=True
    )
    with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as archive:
        archive.extractall(folder, filter="data")
    return folder


def package(tree: Path) -> tuple[str, Path]:
    """(name of the package in a tree, which changed once, the folder that it is imported from)."""
    if (tree / "verify" / "goldenseal").is_dir():
        return "goldenseal", tree / "verify"
    return "verify", tree


def processor(tree: Path, arguments: list[str], cwd: Path) -> float:
    """Processor seconds of one Python process that runs a tree's code, its children included."""
    env = {**os.environ, "PYTHONPATH": str(package(tree)[1]), "OMP_NUM_THREADS": "1"}
    env.pop("PYTHONDONTWRITEBYTECODE", None)  # nobody's second start compiles anything
    process = subprocess.Popen(
        [sys.executable, *arguments], cwd=cwd, env=env, stdout=subprocess.DEVNULL
    )
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{' '.join(arguments)}: exit status {process.returncode} in {tree}")
    return used.ru_utime + used.ru_stime

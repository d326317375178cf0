"""Running a system of this repository in a folder of its own, as a record and a re-run both do."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from goldenseal.config import System, python_path
from goldenseal.disk.files import hash_file
from goldenseal.errors import CannotCheckError

INHERITED = ("PATH", "HOME", "LANG", "LD_LIBRARY_PATH", "TMPDIR")
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
POLL_SECONDS = 0.2


def run_system(
    root: Path,
    system: System,
    knobs: Mapping[str, str],
    folder: Path,
    show: Callable[[str], None],
    steps: int | None = None,
    source: Path | None = None,
    arguments: Sequence[str] = (),
    variables: Mapping[str, str] | None = None,
) -> None:
    """`python -m <module>` in `folder` under exactly these knobs; `show` is given each line.

    Knobs that hold relative paths of data find it: the folder gets links to the repository's.
    With `steps`, the run is ended when its log has that many steps. The code is that in `source`,
    by default the repository's; `arguments` for Python stand in for `-m <module>`; `variables` are
    what else the process has in its environment. The caller vouches for these, and that the knobs
    are the system's: any other variable could make Python or the loader run foreign code.
    Raises CannotCheckError when the run fails, with the last line that it printed.
    """
    links = link_data(root, system, knobs, folder)
    kept = {name: os.environ[name] for name in INHERITED if name in os.environ}
    python = {
        "PYTHONPATH": python_path(source or root),
        "PYTHONUNBUFFERED": "1",
        # A cache entry is matched by size and second, so it may be older than the source.
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    environment = {**knobs, **kept, **(variables or {}), **python}
    process = subprocess.Popen(
        # -P: no module comes from the folder
        [sys.executable, "-P", *(arguments or ("-m", system.module))],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    last = ""
    ended = False
    try:
        for line in process.stdout or ():
            last = line.rstrip() or last
            show(line.rstrip())
            if steps is not None and steps_logged(folder / system.log) >= steps:
                ended = True
                process.terminate()
                break
        code = process.wait()
    finally:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()
        for link in links:
            link.unlink()
            remove_empty_parents(link, folder)
    if code != 0 and not ended:
        raise CannotCheckError(f"python -m {system.module} ended with {code}: {last}")


def steps_logged(log: Path) -> int:
    """How many optimizer steps a log that is being written holds."""
    if not log.exists():
        time.sleep(POLL_SECONDS)
        return 0
    return log.read_bytes().count(b'"kind":"step"')


def data_path(root: Path, value: str) -> Path:
    """Where a knob's path leads: relative ones begin at the repository's top."""
    return (root / value).resolve()


def knob_of(knobs: Mapping[str, str], knob: str) -> str:
    """The value of a knob that holds a path.

    Raises CannotCheckError when it is not given, or climbs: a link could then be made anywhere.
    """
    value = knobs.get(knob, "")
    if not value or ".." in Path(value).parts:
        raise CannotCheckError(f"{knob}={value} is no path inside the repository, nor absolute")
    return value


def link_data(root: Path, system: System, knobs: Mapping[str, str], folder: Path) -> list[Path]:
    """Make the relative paths of the local knobs lead to the repository's data."""
    links = []
    for knob in system.local_knobs:
        value = Path(knob_of(knobs, knob))
        link = folder / value
        if value.is_absolute() or link.exists():
            continue
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(data_path(root, str(value)))
        links.append(link)
    return links


def remove_empty_parents(path: Path, folder: Path) -> None:
    """Remove the folders that were made for a link."""
    for parent in path.parents:
        if parent == folder or any(parent.iterdir()):
            return
        parent.rmdir()


def data_digests(root: Path, system: System, knobs: Mapping[str, str]) -> dict[str, str]:
    """SHA-512 by file name of all data that the local knobs lead to.

    Raises CannotCheckError when a path leads nowhere, or to two different files of one name.
    """
    digests: dict[str, str] = {}
    for knob in system.local_knobs:
        path = data_path(root, knob_of(knobs, knob))
        if not path.exists():
            raise CannotCheckError(
                f"{knob}={knobs[knob]} leads nowhere: fetch the data first, or set {knob}"
            )
        files = sorted(p for p in path.iterdir() if p.is_file()) if path.is_dir() else [path]
        for file in files:
            digest = hash_file(file.resolve())
            if digests.setdefault(file.name, digest) != digest:
                raise CannotCheckError(f"two different data files are called {file.name}")
    return digests

"""A study: a grid of one group that is run here, in the foreground, a process for each cell.

A cell is run as in a sweep (cell.py), in runs/<configuration>/<seed>/ of the study's folder, which
becomes the record. Of a finished one the log and the metrics are kept; what a failed one left says
why, and how far it came.
"""

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path

import goldenseal
from goldenseal.disk.files import atomic_write
from goldenseal.errors import GoldensealError, UsageError
from goldenseal.grids.attempts import read_attempts, read_running
from goldenseal.grids.cell import OUT
from goldenseal.grids.lock import alone, lock_of
from goldenseal.grids.resolve import planned
from goldenseal.grids.state import STUDY, Grid, data_files, write_cell
from goldenseal.grids.state import begin as begin_grid
from goldenseal.launch.gate import UNCHECKED, Launch
from goldenseal.records.kinds.cells import Cell
from goldenseal.records.kinds.logs import read_end

PLAN, METRICS = "plan.toml", "metrics.json"


@dataclass
class Progress:
    """What became of each cell."""

    done: list[Cell] = field(default_factory=list)
    skipped: list[Cell] = field(default_factory=list)
    failed: dict[Cell, str] = field(default_factory=dict)


def begin(root: Path, path: Path, folder: Path, launch: Launch = UNCHECKED) -> Grid:
    """Begin the study of a plan.toml, or go on with it; the plan is copied beside its state."""
    grid = begin_grid(root, planned(root, path, sweep=False), folder, launch, STUDY)
    if not (folder / PLAN).exists():
        atomic_write(folder / PLAN, path.read_bytes())
    return grid


def is_finished(grid: Grid, cell: Cell) -> bool:
    """Whether the run's log is there, whole, of this seed and of these knobs."""
    try:
        read_end(grid.cell_folder(cell) / grid.system.log, cell.seed, grid.logged(cell))
    except GoldensealError:
        return False
    return True


def failure(grid: Grid, cell: Cell) -> tuple[int, str] | None:
    """(how often a cell was tried, why the last try did not finish it); None when none was."""
    folder = grid.cell_folder(cell)
    past = read_attempts(folder)
    if read_running(folder) is not None:
        return len(past) + 1, "an attempt was begun that has not ended"
    if not past:
        return None
    last = past[-1]
    ended = f"python -m {grid.system.module} ended with {last['exit']}: " if last["exit"] else ""
    return len(past), f"{ended}{last['reason']}"


def run_study(
    root: Path,
    study: Grid,
    jobs: int,
    told: Callable[[Cell, str], None] = lambda cell, word: None,
) -> Progress:
    """Run every cell that is not finished, `jobs` at a time; a failed one does not stop the rest.

    `told` is called for each cell that ends, with `done`, `skipped` or why it failed. Raises
    UsageError for jobs < 1 and while another process runs this study.
    """
    if jobs < 1:
        raise UsageError(f"--jobs {jobs}: at least one run at a time")
    progress, cells = Progress(), list(study.plan.cells())
    with alone(lock_of(root, study.folder), f"{study.folder} is being run"):
        data = data_files(study)
        progress.skipped = [cell for cell in cells if is_finished(study, cell)]
        for cell in progress.skipped:
            keep(study.cell_folder(cell), (study.system.log, METRICS))
            told(cell, "skipped")
        left = [cell for cell in cells if cell not in set(progress.skipped)]
        folders = {cell: write_cell(study, cell, data) for cell in left}
        pool = ThreadPoolExecutor(jobs)
        waiting = {pool.submit(run_cell, study, cell, folders[cell]): cell for cell in left}
        try:
            for future in as_completed(waiting):
                cell, reason = waiting[future], future.result()
                if reason is None:
                    progress.done.append(cell)
                else:
                    progress.failed[cell] = reason
                told(cell, reason or "done")
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
    return progress


def run_cell(study: Grid, cell: Cell, folder: Path) -> str | None:
    """Run one cell in a process of its own, and tidy up; the reason when it fails."""
    words = ("--under", str(os.getpid()), str(folder.resolve()))
    process = subprocess.run(
        [sys.executable, "-P", "-m", "goldenseal.grids.cell", *words],
        env={**os.environ, "PYTHONPATH": str(Path(goldenseal.__file__).parents[1])},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if process.returncode != 0:
        found = failure(study, cell)
        said = (process.stderr.strip() or f"ended with {process.returncode}").splitlines()[-1]
        return found[1] if found else said
    keep(folder, (study.system.log, METRICS))
    return None


def keep(folder: Path, names: tuple[str, ...]) -> None:
    """Of a finished cell keep these of its files alone: weights are large, and paths are ours."""
    for name in names:
        if (folder / OUT / name).is_file():
            os.replace(folder / OUT / name, folder / name)
    for path in sorted(folder.iterdir()):
        if path.name not in names:
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    with contextlib.suppress(FileNotFoundError):
        (folder.parent / f".{folder.name}.lock").unlink()

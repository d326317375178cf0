"""Running every cell of a plan, from one frozen source; what is finished is never run twice."""

import contextlib
import fcntl
import hashlib
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from verify import canonical
from verify.config import System, system
from verify.errors import CannotCheckError, GoldensealError, UsageError
from verify.files import atomic_write
from verify.make_record import RUN_LOG, all_knobs
from verify.plan import Cell, Plan, check_against, read_plan
from verify.rerun import data_digests, run_system
from verify.study.cells import (
    PLAN,
    cell_folder,
    is_finished,
    keep_only,
    read_end,
    read_failure,
    write_failure,
)
from verify.study.freeze import freeze, thaw
from verify.sweep.launch_gate import LAUNCH_KEYS, UNCHECKED, Launch, launched

STATE = "study.json"
STATE_KEYS = {"data", "knobs", "plan", "source"}  # LAUNCH_KEYS too, since launches are recorded
METRICS = "metrics.json"
THREADS = 1  # a run: sums are split by the number of threads, so it decides bytes


@dataclass(frozen=True)
class Study:
    """A study that was begun: its plan, every run's knobs, and the frozen source."""

    folder: Path
    plan: Plan
    system: System
    knobs: dict[Cell, dict[str, str]]
    snapshot: Path
    state: dict[str, Any]

    def logged(self, cell: Cell) -> dict[str, str]:
        """The knobs that the run's log must name: all but those that say where data lies."""
        local = self.system.path_knobs
        return {name: text for name, text in self.knobs[cell].items() if name not in local}


@dataclass
class Progress:
    """What became of each cell."""

    done: list[Cell] = field(default_factory=list)
    skipped: list[Cell] = field(default_factory=list)
    failed: dict[Cell, str] = field(default_factory=dict)


def begin(root: Path, plan_path: Path, folder: Path, launch: Launch = UNCHECKED) -> Study:
    """Begin a study in `folder`, or go on with the one that was begun there.

    Begun, it holds the plan and study.json: digests of plan, source and data, the resolved knobs,
    and what let it start. Raises UsageError when that is another plan's or the source cannot be had
    any more, CannotCheckError when data is missing or has changed, or the source since it was
    verified.
    """
    plan = read_plan(plan_path)
    entry = system(root, str(plan.facts["system"]))
    state_path = folder / STATE
    if not state_path.exists():
        knobs = check_against(plan, all_knobs(entry))
        for resolved in knobs.values():
            resolved.update(RUN_LOG)
        data = _data(root, entry, plan, knobs)
        snapshot, source = freeze(root)
        launch.check(source.files, "the study")
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / PLAN).exists() or not (folder / PLAN).samefile(plan_path):
            atomic_write(folder / PLAN, plan_path.read_bytes())
        state = {
            "data": data,
            "knobs": {str(cell): resolved for cell, resolved in knobs.items()},
            "plan": plan.digest,
            "source": source.files,
            **launch.state(),
        }
        atomic_write(state_path, canonical.dumps(state))
        return Study(folder, plan, entry, knobs, snapshot, state)
    state = read_state(folder)
    if state["plan"] != plan.digest:
        raise UsageError(
            f"{folder} was begun with another plan ({state['plan'][:16]}, this is "
            f"{plan.digest[:16]}): a changed plan is a new study"
        )
    knobs = {cell: state["knobs"][str(cell)] for cell in plan.cells()}
    if _data(root, entry, plan, knobs) != state["data"]:
        raise CannotCheckError(f"the data is no longer that with which {folder} was begun")
    snapshot = thaw(root, state["source"], f"the source of {folder} is not in the history")
    going_on = launched(state, launch, "the study")
    if going_on != state:
        atomic_write(state_path, canonical.dumps(going_on))
    return Study(folder, plan, entry, knobs, snapshot, going_on)


def read_state(folder: Path) -> dict[str, Any]:
    """study.json. Raises UsageError when there is none, or it is of another form."""
    if not (folder / STATE).is_file():
        raise UsageError(f"{folder} holds no {STATE}: begin with `goldenseal study run`")
    state = canonical.read(folder / STATE, f"{folder.name}/{STATE}")
    if not isinstance(state, dict) or set(state) not in (STATE_KEYS, STATE_KEYS | LAUNCH_KEYS):
        wanted = sorted(STATE_KEYS | LAUNCH_KEYS)
        raise UsageError(f"{folder.name}/{STATE}: expected the keys {wanted}")
    return state


def _data(root: Path, entry: System, plan: Plan, knobs: dict[Cell, dict[str, str]]) -> Any:
    paths = {tuple(knobs[cell].get(k, "") for k in entry.local_knobs) for cell in plan.cells()}
    if len(paths) != 1:
        raise UsageError(f"{plan.name}: its runs read different data; {entry.local_knobs} differ")
    return data_digests(root, entry, next(iter(knobs.values())))


def run_study(
    root: Path,
    study: Study,
    jobs: int,
    told: Callable[[Cell, str], None] = lambda cell, word: None,
) -> Progress:
    """Run every cell that is not finished, `jobs` at a time; a failed one does not stop the rest.

    Finished is a cell whose whole chained log names this seed and these knobs. Anything else in its
    folder is deleted and the run is started anew. `told` is given each cell that ends, with `done`,
    `skipped` or the reason of its failure. Raises UsageError for jobs < 1 and while the same study
    is running elsewhere.
    """
    if jobs < 1:
        raise UsageError(f"--jobs {jobs}: at least one run at a time")
    progress = Progress()
    with alone(root, study.folder), ThreadPoolExecutor(jobs) as pool:
        waiting = {}
        for cell in study.plan.cells():
            if is_finished(study.folder, cell, study.system.log, study.logged(cell)):
                keep_only(cell_folder(study.folder, cell), (study.system.log, METRICS))
                progress.skipped.append(cell)
                told(cell, "skipped")
            else:
                waiting[pool.submit(run_cell, root, study, cell)] = cell
        try:
            for future in as_completed(waiting):
                cell, reason = waiting[future], future.result()
                if reason is None:
                    progress.done.append(cell)
                else:
                    progress.failed[cell] = reason
                told(cell, reason or "done")
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return progress


def run_cell(root: Path, study: Study, cell: Cell) -> str | None:
    """Run one cell; the reason when it fails, which is also left in its folder."""
    folder = cell_folder(study.folder, cell)
    earlier = read_failure(study.folder, cell)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    lines: list[str] = []
    try:
        run_system(
            root,
            study.system,
            study.knobs[cell],
            folder,
            lines.append,
            source=study.snapshot,
            threads=THREADS,
        )
        read_end(folder / study.system.log, cell.seed, study.logged(cell))
    except GoldensealError as error:
        attempts = int(earlier["attempts"]) + 1 if earlier else 1
        keep_only(folder, (study.system.log,))
        write_failure(study.folder, cell, str(error), attempts)
        return str(error)
    keep_only(folder, (study.system.log, METRICS))
    return None


@contextlib.contextmanager
def alone(root: Path, folder: Path) -> Iterator[None]:
    """Hold the study's lock, which ends with this process, however it ends."""
    locks = root / ".goldenseal" / "locks"
    locks.mkdir(parents=True, exist_ok=True)
    name = hashlib.sha512(str(folder.resolve()).encode()).hexdigest()[:32]
    with open(locks / name, "wb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise UsageError(f"{folder} is being run by another process") from None
        yield

"""Handing cells to submitit: processes of this machine, or arrays of Slurm.

What is handed over is the name of a cell's folder, or of a list of them; the process that is
started runs `python -m goldenseal.grids.cell` from the frozen source. jobs.json in the sweep's
folder says which job was given which cells, so that they can be asked after and cancelled later.
"""

import json
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from goldenseal.config import python_path
from goldenseal.disk import canonical
from goldenseal.disk.files import atomic_write
from goldenseal.errors import CannotCheckError, UsageError
from goldenseal.grids import slurm
from goldenseal.grids.attempts import read_attempts
from goldenseal.grids.cell import read_cell

JOBS, JOBS_FOLDER = "jobs.json", "jobs"
REQUEUES = 1000  # a job that is preempted or out of time goes on as often as it takes
SIGNAL_DELAY_S = 90  # Slurm warns a job so long before its time is up
FOR_EVER_MIN = 60 * 24 * 365  # a local worker has no time limit
TEXTS = ("partition", "account", "constraint")


@dataclass(frozen=True)
class RunCells:
    """What a job does: run `arguments` of grids/cell.py, and be requeued when it is stopped."""

    arguments: tuple[str, ...]

    def __call__(self) -> int:
        """Run to the end; a failed cell has written its reason, and is no failure of the job."""
        command = [sys.executable, "-P", "-m", "goldenseal.grids.cell", *self.arguments]
        with subprocess.Popen(command) as process:
            try:
                return process.wait()
            except BaseException:  # submitit leaves by SystemExit; the cell closes its books first
                process.terminate()
                process.wait()
                raise

    def checkpoint(self) -> Any:
        """What is submitted in place of a stopped job: the same; the cell knows how far it came."""
        from submitit.helpers import DelayedSubmission

        return DelayedSubmission(self)


def launch(
    folders: Sequence[Path],
    executor: str,
    at_once: int,
    state: Path,
    signal_delay_s: int = SIGNAL_DELAY_S,
) -> list[str]:
    """Submit the cells that no job has yet, `at_once` at a time; returns the new jobs' ids.

    Raises CannotCheckError where submitit or the scheduler is missing, or it refuses a job.
    """
    try:
        import submitit
    except ImportError:
        raise CannotCheckError("a sweep needs submitit: pip install 'goldenseal[sweep]'") from None
    if executor not in ("local", "slurm"):
        raise UsageError(f"executor {executor!r}: expected local or slurm")
    taken = {cell for job in live_jobs(state) for cell in job["cells"]}
    cells = {path.resolve().relative_to(state.resolve()).as_posix(): path for path in folders}
    waiting = [name for name in cells if name not in taken]
    if not waiting:
        return []
    place = state.resolve() / JOBS_FOLDER
    place.mkdir(parents=True, exist_ok=True)
    found = {name: read_cell(cells[name]) for name in waiting}
    sources = {cell["cwd"] for cell in found.values()}
    if len(sources) != 1:
        raise UsageError(f"{state}: its cells run from different sources")
    try:
        with _surviving_hangup(python_path(Path(sources.pop()))) as source:
            if executor == "local":
                jobs = _submit_local(submitit, place, state.resolve(), waiting, at_once)
            else:
                jobs = _submit_slurm(submitit, place, found, at_once, signal_delay_s, source)
    except (RuntimeError, OSError, subprocess.SubprocessError) as error:
        words = [line.strip() for line in str(error).splitlines() if line.strip()]
        raise CannotCheckError(f"{executor}: {words[-1] if words else type(error)}") from None
    facts = {"at_once": at_once, "executor": executor, "jobs": [*read_jobs(state), *jobs]}
    atomic_write(state / JOBS, canonical.dumps(facts))
    return [job["id"] for job in jobs]


def _submit_local(
    submitit: Any, place: Path, state: Path, waiting: Sequence[str], at_once: int
) -> list[dict[str, Any]]:
    """So many workers, which share one list: each runs what nobody else does."""
    number = len(list(place.glob("cells-*.txt")))
    listed = place / f"cells-{number}.txt"
    tried = {name: len(read_attempts(state / name)) for name in waiting}
    atomic_write(listed, "".join(f"{tried[n]} {state / n}\n" for n in waiting).encode())
    local = submitit.LocalExecutor(folder=place)
    local.update_parameters(timeout_min=FOR_EVER_MIN, stderr_to_stdout=True)
    workers = [
        local.submit(RunCells(("--list", str(listed)))) for _ in range(min(at_once, len(waiting)))
    ]
    return [{"cells": list(waiting), "executor": "local", "id": job.job_id} for job in workers]


def _submit_slurm(
    submitit: Any,
    place: Path,
    found: Mapping[str, Mapping[str, Any]],
    at_once: int,
    signal_delay_s: int,
    source: str,
) -> list[dict[str, Any]]:
    """Arrays of cells that take the same, none longer than the cluster allows."""
    kinds: dict[str, list[str]] = {}
    for name, cell in found.items():
        kinds.setdefault(json.dumps(cell["resources"], sort_keys=True), []).append(name)
    most, jobs = slurm.largest_array(), []
    for kind, names in kinds.items():
        cluster = submitit.SlurmExecutor(folder=place, max_num_timeout=REQUEUES)
        cluster.update_parameters(
            **slurm_parameters(json.loads(kind)),
            additional_parameters={"requeue": True},  # where JobRequeue=0, nothing else requeues
            array_parallelism=at_once,
            job_name="goldenseal",
            setup=[f"export PYTHONPATH={shlex.quote(source)}"],
            signal_delay_s=signal_delay_s,
            stderr_to_stdout=True,
        )
        for first in range(0, len(names), most):
            part = names[first : first + most]
            units = [RunCells((str(place.parent / name),)) for name in part]
            submitted = cluster.submit_array(units)
            jobs += [
                {"cells": [name], "executor": "slurm", "id": job.job_id}
                for name, job in zip(part, submitted, strict=True)
            ]
    return jobs


def slurm_parameters(resources: Mapping[str, Any]) -> dict[str, Any]:
    """submitit's names for what a cell takes."""
    found: dict[str, Any] = {
        "cpus_per_task": int(resources["cpus"]),
        "nodes": int(resources["nodes"]),
        "ntasks_per_node": 1,
        "time": int(resources["minutes"]),
    }
    if int(resources["gpus"]):
        found["gpus_per_node"] = int(resources["gpus"])
    if "memory_gb" in resources:
        found["mem"] = f"{resources['memory_gb']}GB"
    return found | {name: resources[name] for name in TEXTS if name in resources}


def notes(folders: Sequence[Path]) -> list[str]:
    """What a launch of these cells should know of the cluster, a line each.

    Raises CannotCheckError when the controller does not answer.
    """
    partitions = {str(read_cell(path)["resources"].get("partition", "")) for path in folders}
    return slurm.notes(partitions) if partitions else []


def read_jobs(state: Path) -> list[dict[str, Any]]:
    """The jobs of every launch, in order. Raises UsageError for a file of another form."""
    facts = read_launch(state)
    return list(facts["jobs"]) if facts else []


def read_launch(state: Path) -> dict[str, Any] | None:
    """jobs.json; None before the first launch."""
    path = state / JOBS
    if not path.is_file():
        return None
    facts = canonical.read(path, JOBS)
    if not isinstance(facts, dict) or set(facts) != {"at_once", "executor", "jobs"}:
        raise UsageError(f"{path}: expected `at_once`, `executor` and `jobs`")
    return facts


def live_jobs(state: Path) -> list[dict[str, Any]]:
    """The jobs that are not over: they run, wait, or are stuck in the queue.

    Raises CannotCheckError when the scheduler does not answer.
    """
    jobs = read_jobs(state)
    states = job_states(jobs)
    return [job for job in jobs if job["id"] in states]


def job_states(jobs: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """RUNNING, PENDING and so on by id, of the jobs that are not over."""
    jobs = list(jobs)
    found = {job["id"]: "RUNNING" for job in jobs if job["executor"] == "local" and _runs(job)}
    return found | {job.id: job.state for job in _queued(jobs).values()}


@dataclass(frozen=True)
class Queue:
    """Cells by what the jobs do that were given them: names, relative to the sweep's folder."""

    going: frozenset[str]  # a job of theirs runs, or waits for its turn
    stuck: Mapping[str, slurm.Stuck]  # every job of theirs that is not over is stuck


def queue(state: Path) -> Queue:
    """What becomes of the cells that were launched.

    Raises CannotCheckError when the scheduler does not answer.
    """
    jobs = read_jobs(state)
    queued = _queued(jobs)
    going: set[str] = set()
    stuck: dict[str, slurm.Stuck] = {}
    for job in jobs:
        if job["id"] in queued and (why := queued[job["id"]].stuck) is not None:
            stuck |= dict.fromkeys(job["cells"], why)
        elif job["id"] in queued or (job["executor"] == "local" and _runs(job)):
            going.update(job["cells"])
    return Queue(frozenset(going), {cell: why for cell, why in stuck.items() if cell not in going})


def _queued(jobs: Iterable[Mapping[str, Any]]) -> dict[str, slurm.Job]:
    """Those of Slurm that are not over; it is not asked where there are none."""
    ids = {job["id"] for job in jobs if job["executor"] == "slurm"}
    return slurm.queue(ids) if ids else {}


def cancel(state: Path) -> list[str]:
    """End the jobs that are not over; returns their ids."""
    live = live_jobs(state)
    for job in live:
        if job["executor"] == "local":
            for pid in (*descendants(int(job["id"])), int(job["id"])):
                with _gone():
                    os.kill(pid, signal.SIGTERM)
    if ids := [job["id"] for job in live if job["executor"] == "slurm"]:
        slurm.ask("scancel", *ids)
    return [job["id"] for job in live]


def descendants(pid: int) -> Iterator[int]:
    """The processes below one, the deepest first."""
    for path in sorted(Path(f"/proc/{pid}/task").glob("*/children")):
        for child in path.read_text().split():
            yield from descendants(int(child))
            yield int(child)


def _runs(job: Mapping[str, Any]) -> bool:
    """Whether a local job's process is there, and is submitit's."""
    try:
        words = Path(f"/proc/{int(job['id'])}/cmdline").read_bytes().split(b"\0")
    except (OSError, ValueError):
        return False
    return b"submitit.local._local" in words


@contextmanager
def _surviving_hangup(source: str) -> Iterator[str]:
    """Inside, processes are started that outlive this terminal and import the frozen source.

    They hold none of our outputs, either: who reads those through a pipe would wait for them.
    """
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    sys.stdout.flush()
    outputs, nothing = [os.dup(1), os.dup(2)], os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nothing, 1)
        os.dup2(nothing, 2)
        with mock.patch.dict(os.environ, {"PYTHONPATH": source}):
            yield source
    finally:
        for number, kept in enumerate(outputs, start=1):
            os.dup2(kept, number)
            os.close(kept)
        os.close(nothing)
        signal.signal(signal.SIGHUP, before)


@contextmanager
def _gone() -> Iterator[None]:
    """A process that has ended meanwhile needs no signal."""
    try:
        yield
    except ProcessLookupError:
        pass

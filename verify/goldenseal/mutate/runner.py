"""Runs mutants side by side, each in a copy of the tree and a process group of its own.

The copy, the process and the limits are the runner's; what is judged there is a stage's.
"""

import json
import multiprocessing
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from goldenseal.disk.files import atomic_write
from goldenseal.errors import CannotCheckError
from goldenseal.ladder.numeric import settle
from goldenseal.mutate.arena import Executed, make_reference
from goldenseal.mutate.coverage import reached
from goldenseal.mutate.operators import Mutant
from goldenseal.mutate.plan import Plan, copy_tree
from goldenseal.mutate.reach import read_reach
from goldenseal.mutate.stages import Stage, stages_of

POLL = 0.02
FORK = multiprocessing.get_context("fork")
LATE = "still running long after the unchanged code has ended"


@dataclass
class _Run:
    """A mutant that is being judged at one of the stages."""

    mutant: Mutant | None
    stage: Stage
    folder: Path
    process: Any
    started: float
    first: float
    whole: float

    @property
    def out(self) -> Path:
        return self.folder / "outcome.json"


class Runner:
    """Judges mutants of one snapshot of a tree. Use as a context manager: it owns the snapshot."""

    def __init__(self, plan: Plan, jobs: int, quick_only: bool = False):
        self.plan, self.jobs, self.quick_only = plan, max(1, jobs), quick_only
        self.stages: list[Stage] = []

    def __enter__(self) -> "Runner":
        self.work = Path(tempfile.mkdtemp(prefix="mutants-")).resolve()
        self.tree = self.work / "tree"
        self.tree.mkdir()
        copy_tree(self.plan, self.plan.root, self.tree, whole=True)
        self.sources = self.plan.sources(self.tree)
        return self

    def __exit__(self, *exc_info: object) -> None:
        shutil.rmtree(self.work, ignore_errors=True)

    def prepare(self) -> list[Mutant]:
        """Record the baseline; returns the mutants that count, by area and place."""
        off, on = self.record()
        mutants = self.plan.mutants(self.sources)
        default = set(reached(mutants, self.sources, off))
        if not self.plan.on:
            return [mutant for mutant in mutants if mutant in default]
        more = set(reached(mutants, self.sources, on)) - default
        return [m for m in mutants if m.file not in self.plan.shared or m in more]

    def record(self, follow: bool = True) -> tuple[Executed, Executed]:
        """Record the baseline; what the candidate executes, off and on, if that is followed."""
        settle()  # before any fork: a child must not inherit a thread pool
        data = self.work / "data"
        data.mkdir()
        self.reference, off, on = apart(make_reference, self.plan, self.tree, data, follow)
        return off, on

    def control(self, known: Path | None = None) -> None:
        """The unchanged code must pass every stage, and shows how long a mutant may take.

        known: where it is written which unit tests reach what, or will be. Raises CannotCheckError
        when it does not pass: then no mutant proves anything.
        """
        reach = None
        if self.plan.on and known is not None:
            if not known.is_file():
                apart(_make_map, self.plan, self.tree, known)
            reach = read_reach(known, self.sources)
        self.stages = stages_of(self.plan, self.reference, self.quick_only, reach)
        for stage in self.stages:
            ((_, result),) = self._results([None], [stage])
            if result["outcome"] != "survived":
                raise CannotCheckError(f"the unchanged code does not pass: {result['reason']}")
            stage.learn(result)

    def judge(self, mutants: Sequence[Mutant]) -> Iterator[tuple[Mutant, dict[str, Any]]]:
        """(mutant, result) of each mutant, in the order in which they end."""
        for mutant, result in self._results(mutants, self.stages):
            if mutant is not None:
                yield mutant, result

    def _results(
        self, mutants: Sequence[Mutant | None], stages: Sequence[Stage]
    ) -> Iterator[tuple[Mutant | None, dict[str, Any]]]:
        waiting = [(mutant, list(stages)) for mutant in reversed(mutants)]
        running: list[tuple[_Run, list[Stage]]] = []
        try:
            while waiting or running:
                while waiting and len(running) < self.jobs:
                    mutant, (stage, *later) = waiting.pop()
                    running.append((self._start(mutant, stage), later))
                time.sleep(POLL)
                for entry in list(running):
                    run, later = entry
                    result = self._look(run)
                    if result is None:
                        continue
                    running.remove(entry)
                    self._end(run)
                    if result["outcome"] == "survived" and later:
                        waiting.append((run.mutant, later))
                    else:
                        yield run.mutant, result
        finally:
            for run, _ in running:
                self._end(run)

    def _start(self, mutant: Mutant | None, stage: Stage) -> _Run:
        folder = Path(tempfile.mkdtemp(prefix="mutant-", dir=self.work))
        tree = folder / "tree"
        tree.mkdir()
        copy_tree(self.plan, self.tree, tree)
        if mutant is not None:
            path = tree / mutant.file
            path.write_bytes(mutant.apply(path.read_bytes()))
        out = folder / "outcome.json"
        process = FORK.Process(target=_child, args=(stage, tree, mutant, out))
        sys.stdout.flush()
        process.start()
        return _Run(mutant, stage, folder, process, time.monotonic(), *stage.limits(mutant))

    def _look(self, run: _Run) -> dict[str, Any] | None:
        """The result, once there is one."""
        if run.process.is_alive():
            if used_seconds(run.process.pid, run.started) <= run.first:
                return None
            if run.first < run.whole and run.out.exists():
                run.first = run.whole  # its first word was said in time
                return None
            return summarise({"timeout": LATE, "failed": {}})
        outcome = json.loads(run.out.read_bytes()) if run.out.exists() else {}
        if outcome.get("cannot check"):
            raise CannotCheckError(outcome["cannot check"])
        if not outcome.get("complete"):
            ended = f"the process ended with {run.process.exitcode}"
            return summarise({"crash": ended, "failed": {}})
        return summarise(outcome)

    def _end(self, run: _Run) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(run.process.pid, signal.SIGKILL)
        run.process.join()
        shutil.rmtree(run.folder, ignore_errors=True)


def apart(work: Callable[..., Any], *arguments: Any) -> Any:
    """What `work` returns, in a process of its own, which leaves nothing imported here."""
    with ProcessPoolExecutor(1, FORK) as pool:
        return pool.submit(_silently, work, *arguments).result()


def _make_map(plan: Plan, tree: Path, path: Path) -> None:
    try:
        from goldenseal.mutate.watch import make_map
    except ImportError as error:
        raise CannotCheckError(f"{error.name} is not installed: pip install {error.name}") from None
    make_map(plan, tree, path)


def _silently(work: Callable[..., Any], *arguments: Any) -> Any:
    with _silence():
        return work(*arguments)


def used_seconds(pid: int, started: float) -> float:
    """What a process has cost so far, fair on a busy machine: its processor time.

    One that waits for ever is stopped too: a tenth of the time on the clock counts if it is more.
    """
    elapsed = time.monotonic() - started
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:  # no such file here: the clock is all there is
        return elapsed
    ticks = int(fields[11]) + int(fields[12])  # in user and in system mode
    return max(ticks / os.sysconf("SC_CLK_TCK"), elapsed / 10)


def summarise(outcome: dict[str, Any]) -> dict[str, Any]:
    """The result of a mutant at one stage."""
    failed: dict[str, str] = outcome["failed"]
    if outcome.get("timeout"):
        kind, reason = "timeout", outcome["timeout"]
    elif failed:
        name, finding = next(iter(failed.items()))
        kind, reason = "killed", f"{name}: {finding}"
    elif outcome.get("crash"):
        kind, reason = "crash", outcome["crash"]
    else:
        kind, reason = "survived", "every gate passes"
    return {
        "outcome": kind,
        "failed": list(failed),
        "reason": reason,
        "seconds": round(outcome.get("seconds", 0.0), 3),
        "all_seconds": round(outcome.get("all_seconds", 0.0), 3),
    }


def _child(stage: Stage, tree: Path, mutant: Mutant | None, out: Path) -> None:
    os.setpgid(0, 0)
    with _silence():

        def tell(outcome: dict[str, Any]) -> None:
            atomic_write(out, json.dumps(outcome).encode())

        try:
            stage.judge(tree, mutant, tell)
        except CannotCheckError as error:
            tell({"cannot check": str(error)})


@contextmanager
def _silence() -> Iterator[None]:
    """What a mutant prints, also from C, goes nowhere."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)
    yield

"""Runs mutants side by side, each in a copy of the tree and a process group of its own."""

import json
import multiprocessing
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from verify.errors import CannotCheckError
from verify.files import atomic_write
from verify.mutate.arena import Executed, Reference, judge_tree, make_reference
from verify.mutate.operators import Mutant
from verify.mutate.plan import Plan, copy_tree
from verify.recorder import settle

PATIENCE = 6.0  # times as long as the unchanged code takes
LEAST_SECONDS = 20.0
FIRST_SECONDS = 600.0  # for the unchanged code itself
POLL = 0.02
FORK = multiprocessing.get_context("fork")


@dataclass
class _Run:
    """A mutant that is being judged."""

    mutant: Mutant | None
    folder: Path
    process: Any
    started: float
    limit: float

    @property
    def out(self) -> Path:
        return self.folder / "outcome.json"


class Runner:
    """Judges mutants of one snapshot of a tree. Use as a context manager: it owns the snapshot."""

    def __init__(self, plan: Plan, jobs: int, quick_only: bool = False):
        self.plan, self.jobs, self.quick_only = plan, max(1, jobs), quick_only
        self.quick_seconds = self.all_seconds = FIRST_SECONDS

    def __enter__(self) -> "Runner":
        self.work = Path(tempfile.mkdtemp(prefix="mutants-")).resolve()
        self.tree = self.work / "tree"
        self.tree.mkdir()
        copy_tree(self.plan, self.plan.root, self.tree)
        return self

    def __exit__(self, *exc_info: object) -> None:
        shutil.rmtree(self.work, ignore_errors=True)

    def prepare(self) -> Executed:
        """Record the baseline; returns what the candidate executes with its features off."""
        settle()  # before any fork: a child must not inherit a thread pool
        data = self.work / "data"
        data.mkdir()
        with ProcessPoolExecutor(1, FORK) as pool:
            done = pool.submit(make_reference, self.plan, self.tree, data).result()
        self.reference: Reference = done[0]
        return done[1]

    def control(self) -> None:
        """The unchanged code must pass, and shows how long a mutant may take.

        Raises CannotCheckError when it does not pass: then no mutant proves anything.
        """
        ((_, result),) = self._results([None])
        if result["outcome"] != "survived":
            raise CannotCheckError(f"the unchanged code does not pass: {result['reason']}")
        everything = result["all_seconds"]
        self.quick_seconds = max(LEAST_SECONDS, PATIENCE * result["seconds"])
        self.all_seconds = self.quick_seconds + max(LEAST_SECONDS, PATIENCE * everything)

    def judge(self, mutants: Sequence[Mutant]) -> Iterator[tuple[Mutant, dict[str, Any]]]:
        """(mutant, result) of each mutant, in the order in which they end."""
        for mutant, result in self._results(mutants):
            if mutant is not None:
                yield mutant, result

    def _results(
        self, mutants: Sequence[Mutant | None]
    ) -> Iterator[tuple[Mutant | None, dict[str, Any]]]:
        waiting, running = list(reversed(mutants)), list[_Run]()
        try:
            while waiting or running:
                while waiting and len(running) < self.jobs:
                    running.append(self._start(waiting.pop()))
                time.sleep(POLL)
                for run in list(running):
                    result = self._look(run)
                    if result is not None:
                        running.remove(run)
                        self._end(run)
                        yield run.mutant, result
        finally:
            for run in running:
                self._end(run)

    def _start(self, mutant: Mutant | None) -> _Run:
        folder = Path(tempfile.mkdtemp(prefix="mutant-", dir=self.work))
        tree = folder / "tree"
        tree.mkdir()
        copy_tree(self.plan, self.tree, tree)
        if mutant is not None:
            path = tree / mutant.file
            path.write_bytes(mutant.apply(path.read_bytes()))
        out = folder / "outcome.json"
        arguments = (self.plan, tree, self.reference, self.quick_only, out)
        process = FORK.Process(target=_child, args=arguments)
        sys.stdout.flush()
        process.start()
        return _Run(mutant, folder, process, time.monotonic(), self.quick_seconds)

    def _look(self, run: _Run) -> dict[str, Any] | None:
        """The result, once there is one."""
        if run.process.is_alive():
            if used_seconds(run.process.pid, run.started) <= run.limit:
                return None
            if run.limit < self.all_seconds and run.out.exists():
                run.limit = self.all_seconds  # the quick rungs pass: it may go on
                return None
            return {
                "outcome": "timeout",
                "failed": [],
                "reason": "still running long after the unchanged code has ended",
            }
        outcome = json.loads(run.out.read_bytes()) if run.out.exists() else {}
        if outcome.get("cannot check"):
            raise CannotCheckError(outcome["cannot check"])
        if not outcome.get("complete"):
            code = run.process.exitcode
            return {"outcome": "crash", "failed": [], "reason": f"the process ended with {code}"}
        return summarise(outcome)

    def _end(self, run: _Run) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(run.process.pid, signal.SIGKILL)
        run.process.join()
        shutil.rmtree(run.folder, ignore_errors=True)


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
    """The result of a mutant that ended by itself."""
    failed: dict[str, str] = outcome["failed"]
    if failed:
        name, finding = next(iter(failed.items()))
        kind, reason = "killed", f"{name}: {finding}"
    elif outcome["crash"]:
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


def _child(plan: Plan, tree: Path, reference: Reference, quick_only: bool, out: Path) -> None:
    os.setpgid(0, 0)
    with _silence():

        def tell(outcome: dict[str, Any]) -> None:
            atomic_write(out, json.dumps(outcome).encode())

        try:
            judge_tree(plan, tree, reference, quick_only, tell)
        except CannotCheckError as error:
            tell({"cannot check": str(error)})


@contextmanager
def _silence() -> Iterator[None]:
    """What a mutant prints, also from C, goes nowhere."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)
    yield

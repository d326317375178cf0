"""One tree against the gates, in a process of its own that has not yet imported the system.

The baseline does the same whatever is planted in the candidate, so its recordings are made once. A
mutant that changes the probe's data is judged with recordings of its own.
"""

import contextlib
import hashlib
import importlib
import io
import os
import resource
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from goldenseal.coq import gate as theorems
from goldenseal.coq import project, reading, settings
from goldenseal.coq.actions import FOLDER
from goldenseal.errors import CannotCheckError, UsageError
from goldenseal.ladder.events import Recording
from goldenseal.ladder.executed import Executed as Tracer
from goldenseal.ladder.gates import changed_lines, liveness, pairs, smoke
from goldenseal.ladder.inspection import Inspection
from goldenseal.ladder.probe import Probe, load_probe
from goldenseal.ladder.recordings import Job, Recordings
from goldenseal.ladder.suite import LADDER, Rung, judged, ladder
from goldenseal.mutate.operators import Mutant
from goldenseal.mutate.plan import Plan
from goldenseal.mutate.source import Extent
from goldenseal.result import Verdict

# The rungs that look at the code with features off, as it stands; a mutant that all of these miss
# meets the others, which cost several times as much.
QUICK = ("knobs", "published figures", "initial state", "random numbers", "operations",
         "loss and gradients", "training", "evaluation and export", "refusals")  # fmt: skip
ON = (smoke.NAME, liveness.NAME, pairs.NAME)  # those that look at features that are on
WORDS = 240  # of a finding or a reason
MEMORY = 8 << 30  # bytes that a mutant may add: one that never stops collecting is stopped

Executed = dict[str, list[Extent]]  # by file, as Tracer gives them, sorted
Tell = Callable[[dict[str, Any]], None]


@dataclass(frozen=True)
class Reference:
    """The baseline's results, the data that they were made with, and that data's digest."""

    folder: Path
    variables: dict[str, str]
    digest: str
    results: dict[Job, Recording | Inspection]


class Arena(Recordings):
    """Recordings that begin with the baseline's when the candidate left its data alone."""

    def __init__(self, probe: Probe, reference: Reference | None = None):
        # This process is the mutant's own, and a fork costs as much as a job.
        super().__init__(probe, workers=1, apart=False)
        self.reference = reference

    def __enter__(self) -> "Arena":
        super().__enter__()
        same = self.reference and self.reference.digest == data_digest(
            Path(self._folder.name), self._data
        )
        if self.reference and same:
            self._data = dict(self.reference.variables)
            self._results = dict(self.reference.results)
        return self

    def _do(self, job: Job) -> Recording | Inspection:
        return super()._do(replace(job, follow=False))  # the mutants are chosen by other means

    def result(self, job: Job) -> Recording | Inspection:
        """What `job` gives, of either kind."""
        return self.recording(job) if job.what == "record" else self.inspection(job)


def data_digest(folder: Path, variables: dict[str, str]) -> str:
    """SHA-512 over the folder's files and the variables, wherever the folder lies."""
    h = hashlib.sha512()
    for name, value in sorted(variables.items()):
        h.update(repr((name, value.replace(str(folder), "…"))).encode())
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        h.update(repr((path.relative_to(folder).as_posix(), path.read_bytes())).encode())
    return h.hexdigest()


def enter_tree(plan: Plan, tree: Path) -> Probe:
    """Import the system from `tree`. Raises CannotCheckError when it comes from elsewhere."""
    packages = {file.split("/")[0] for file in plan.files}
    early = sorted(name for name in sys.modules if name.split(".")[0] in packages)
    if early:
        raise CannotCheckError(f"{early[0]} was imported before the mutant was planted")
    os.chdir(tree)
    sys.dont_write_bytecode = True
    sys.path.insert(0, str(tree))
    importlib.invalidate_caches()
    probe = load_probe(plan.probe)
    module = sys.modules[plan.probe.partition(":")[0]]
    if not Path(module.__file__ or "").resolve().is_relative_to(tree.resolve()):
        raise CannotCheckError(f"{module.__file__} was imported, which is not in {tree}")
    if not isinstance(probe, Probe):
        raise UsageError(f"{plan.probe} is no probe")
    return probe


def make_reference(
    plan: Plan, tree: Path, folder: Path, follow: bool = True
) -> tuple[Reference, Executed, Executed]:
    """Record the baseline, with data in `folder`, and what the candidate executes: off, then on.

    To be called in a process of its own. follow: whether that is wanted; it takes far longer.
    """
    paths = {str(tree / file) for file in plan.files}
    off, on = (Tracer(paths.__contains__) for _ in range(2))
    with off.tracing():
        probe = enter_tree(plan, tree)
        with probe.candidate.opened():
            pass
    variables = dict(probe.prepare(folder)) if probe.prepare else {}
    reference = Reference(folder, variables, data_digest(folder, variables), {})
    with contextlib.redirect_stdout(io.StringIO()), Arena(probe, reference) as recordings:
        for job in _jobs(probe, ON if plan.on else tuple(LADDER)):
            if job.side == "baseline":
                reference.results[job] = recordings.result(job)
        runs = ((off, QUICK), (on, (liveness.NAME,) if plan.on else ())) if follow else ()
        for coverage, names in runs:
            with coverage.tracing():
                for job in _jobs(probe, names):
                    if job.side == "candidate":
                        recordings.result(replace(job, trace=False))  # the same path, only faster
    return reference, _relative(off, tree), _relative(on, tree)


def _jobs(probe: Probe, names: tuple[str, ...]) -> list[Job]:
    rungs = [rung for rung in ladder() if rung.NAME in names]
    return list(dict.fromkeys(job for rung in rungs for job in rung.jobs(probe)))


def _relative(tracer: Tracer, tree: Path) -> Executed:
    return {
        Path(file).relative_to(tree).as_posix(): sorted(extents)
        for file, extents in sorted(tracer.extents().items())
    }


def judge_off(
    plan: Plan,
    reference: Reference,
    quick_only: bool,
    tree: Path,
    mutant: Mutant | None,
    tell: Tell,
) -> None:
    """Run the quick rungs, then, when all of them pass, the others until one fails.

    `tell` is given the outcome so far after the quick rungs, and the whole at the end.
    """
    with _judging(plan, reference, tree, tell) as (recordings, outcome):
        for rung in ladder():
            if rung.NAME in QUICK:
                _judge(rung, recordings, outcome)
        if findings := theorem_findings(tree):
            outcome["failed"][theorems.NAME] = findings[0][:WORDS]
        outcome["seconds"] = time.process_time()
        tell({**outcome, "complete": bool(outcome["failed"])})
        done = (*QUICK, changed_lines.NAME)  # what no run executes, no run can judge
        others = [rung for rung in ladder() if rung.NAME not in done and not quick_only]
        _until_one_fails(others, recordings, outcome)


def judge_on(
    plan: Plan, reference: Reference, tree: Path, mutant: Mutant | None, tell: Tell
) -> None:
    """Run the rungs that look at features that are on, until one fails."""
    with _judging(plan, reference, tree, tell) as (recordings, outcome):
        _until_one_fails([rung for rung in ladder() if rung.NAME in ON], recordings, outcome)


@contextlib.contextmanager
def _judging(
    plan: Plan, reference: Reference, tree: Path, tell: Tell
) -> Iterator[tuple[Arena, dict[str, Any]]]:
    """Recordings of the tree's system, and the outcome, which is sent at the end."""
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, hard))
    outcome: dict[str, Any] = {"failed": {}, "crash": None}
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            with Arena(enter_tree(plan, tree), reference) as recordings:
                yield recordings, outcome
    except CannotCheckError:
        raise
    except BaseException as error:  # SystemExit of a mutant included: it is what is looked for
        outcome["crash"] = f"{type(error).__name__}: {error}"[:WORDS]
    tell({**outcome, "all_seconds": time.process_time(), "complete": True})


def _until_one_fails(
    rungs: Sequence[Rung], recordings: Recordings, outcome: dict[str, Any]
) -> None:
    for rung in rungs:
        if not outcome["failed"]:
            _judge(rung, recordings, outcome)


def theorem_findings(tree: Path) -> list[str]:
    """What the theorem gate reads in the code: float literals, and constants with their theorems.

    Its other half depends on the theorems alone, where no mutant of the code is planted.
    """
    if not (tree / FOLDER / project.PROJECT_FILE).is_file():
        return []
    known = settings.read(tree)
    declared = settings.load_constants(tree, known.constants)
    loaded = project.load(tree / FOLDER)
    findings = reading.readable_findings(loaded, declared.constants)
    return reading.code_findings(tree, known, declared) + findings


def _judge(rung: Rung, recordings: Recordings, outcome: dict[str, Any]) -> None:
    try:
        result = judged(rung.NAME, lambda: rung.judge(recordings))
    except Exception as error:
        outcome["failed"][rung.NAME] = f"{type(error).__name__}: {error}"[:WORDS]
        return
    if result.verdict is Verdict.FAIL:
        outcome["failed"][rung.NAME] = result.findings[0][:WORDS] if result.findings else ""

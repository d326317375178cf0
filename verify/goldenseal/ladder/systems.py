"""The ladder of each system of a repository, in a process of its own, unless all of it is kept.

What one system's package does to the process as it is imported reaches no other system, and what
one has read is told apart from what another has.
"""

import contextlib
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from rich.progress import TimeElapsedColumn

from goldenseal.config import System
from goldenseal.errors import CannotCheckError
from goldenseal.kept.evidence import Evidence, as_result
from goldenseal.kept.reads import reading
from goldenseal.kept.store import Entry
from goldenseal.ladder import suite
from goldenseal.records.verdict import environment_facts, keep_from_git
from goldenseal.result import GateResult
from goldenseal.terminal import progress_bar

if TYPE_CHECKING:  # where all is kept, no torch is imported
    from goldenseal.ladder.probe import Probe

ALWAYS = ("pyproject.toml", "constraints*.txt")  # what is installed, and how
MANY = 1000  # files of a folder that a variable names


@dataclass(frozen=True)
class Ran:
    """What the process of a system hands over; `why`: why nothing is kept, without `inputs`."""

    results: list[GateResult]
    rungs: tuple[str, ...]
    inputs: dict[str, str] | None
    facts: Mapping[str, str]
    why: str


def judge_systems(
    systems: Sequence[System], only: Sequence[str], jobs: int, evidence: Evidence
) -> list[GateResult]:
    """The rungs of every system, each named after its system; kept ones are not run again."""
    results = []
    for system in systems:
        subject = f"{system.name} by {system.probe}"
        entry = evidence.find(subject)
        for result in judge_system(system, subject, entry, only, jobs, evidence):
            results.append(result.of(system.name))
    return results


def judge_system(
    system: System,
    subject: str,
    entry: Entry | None,
    only: Sequence[str],
    jobs: int,
    evidence: Evidence,
) -> list[GateResult]:
    """One system's rungs, in order. Raises what says that nothing can be checked."""
    kept = {
        name: as_result(name, passed) for name, passed in (entry.gates if entry else {}).items()
    }
    wanted = only or (entry.rungs if entry else ())
    missing = [name for name in suite.LADDER if name in wanted and name not in kept]
    fresh: dict[str, GateResult] = {}
    if missing or not entry:
        with contextlib.suppress(OSError):  # where nothing can be written, nothing is kept
            keep_from_git(evidence.root / ".goldenseal")
        ran = _apart(partial(run_system, system, missing or only, jobs, evidence), system.name)
        evidence.keep(subject, ran.results, ran.inputs, ran.rungs, ran.facts, entry)
        if ran.why:
            print(f"{system.name}: nothing is kept: {ran.why}", file=sys.stderr)
        fresh = {result.gate: result for result in ran.results}
    return [(fresh | kept)[n] for n in suite.LADDER if n in fresh or (n in kept and n in wanted)]


def _apart(run: "partial[Ran]", name: str) -> Ran:
    from goldenseal.ladder.processes import in_processes
    from goldenseal.ladder.recordings import warm_up  # imports torch, for all systems at once

    warm_up()
    ((_, ended),) = in_processes([run], 1)
    if ended.value is None:
        words = f"the gates of {name} ended their process, with exit code {ended.exit_code}"
        raise ended.error or CannotCheckError(words)
    return ended.value


def run_system(system: System, only: Sequence[str], jobs: int, evidence: Evidence) -> Ran:
    """Run rungs of a system, all that it has when `only` names none, and see what they read."""
    with reading() as reads:
        probe, imported = load(system.probe)
        rungs = [n for n in suite.LADDER if n != suite.FIGURES or probe.smoke is not None]
        results = ladder(probe, only or rungs, jobs, imported)
    reads.files.update(named_files(probe))
    for pattern in ALWAYS:
        reads.files.update(map(str, evidence.root.glob(pattern)))
    inputs = evidence.states.inputs(reads)
    return Ran(results, tuple(rungs), inputs, environment_facts(), evidence.states.why)


def named_files(probe: "Probe") -> Iterator[str]:
    """The files that a scenario's variables name, which native code may read unseen."""
    for value in {v for scenario in probe.scenarios for v in scenario.environment.values()}:
        if os.path.isabs(value) and os.path.isfile(value):
            yield value
        elif os.path.isabs(value) and os.path.isdir(value):
            files = (path for path in sorted(Path(value).rglob("*")) if path.is_file())
            for _, path in zip(range(MANY), files, strict=False):
                yield str(path)


def load(reference: str) -> "tuple[Probe, list[str]]":
    """A system's probe, and what its import changed of torch's global switches."""
    from goldenseal.ladder.flags import changed, global_flags  # imports torch
    from goldenseal.ladder.probe import load_probe

    before = global_flags()
    probe = load_probe(reference)
    return probe, [f"with the probe: {text}" for text in changed(before, global_flags())]


def ladder(
    probe: "Probe", only: Sequence[str], jobs: int, imported: Sequence[str] = ()
) -> list[GateResult]:
    """The rungs of a probe, with a bar."""
    with progress_bar(TimeElapsedColumn()) as progress:
        task = progress.add_task(f"{probe.name}: recording", total=None)

        def advance(done: int, total: int) -> None:
            progress.update(task, completed=done, total=total)

        return suite.run_ladder(probe, only, advance, jobs, imported)

"""Which gates there are, in which order, and how they are run."""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from verify.errors import GoldensealError, UsageError
from verify.gates import (
    citation,
    claims,
    dormant,
    evaluation,
    gradients,
    initial_state,
    knobs,
    liveness,
    operations,
    pairs,
    refusals,
    rng,
    seals,
    smoke,
    theorems,
    training,
)
from verify.probe import Probe
from verify.result import GateResult, Verdict, conclude
from verify.studio import Job, Studio


class Rung(Protocol):
    """A gate of the ladder, a module: the runs that it needs, then its judgement over them."""

    NAME: str
    __doc__: str | None

    def jobs(self, probe: Probe) -> list[Job]:
        """What has to be run."""

    def judge(self, studio: Studio) -> GateResult:
        """The verdict."""


@dataclass(frozen=True)
class GateInfo:
    """A gate by name, with the sentence that says what it holds."""

    name: str
    promise: str


LADDER: tuple[Rung, ...] = (
    knobs,
    smoke,
    initial_state,
    rng,
    operations,
    gradients,
    training,
    evaluation,
    refusals,
    dormant,
    liveness,
    pairs,
)
REPOSITORY: tuple[tuple[Any, Callable[[Path], GateResult]], ...] = (
    (theorems, theorems.check_theorems),
    (citation, citation.check_citation),
    (seals, seals.check_seals),
    (claims, claims.check_claims),
)


def ladder() -> tuple[Rung, ...]:
    """The rungs, in the order of the design."""
    return LADDER


def catalogue() -> list[GateInfo]:
    """Every gate with the first sentence of its module."""
    modules = [*LADDER, *(module for module, _ in REPOSITORY)]
    return [
        GateInfo(module.NAME, " ".join((module.__doc__ or "").split("\n\n")[0].split()))
        for module in modules
    ]


def run_ladder(
    probe: Probe, only: Sequence[str], progress: Callable[[int, int], None], workers: int = 0
) -> list[GateResult]:
    """Run the selected rungs on one probe; `progress` is told (done, total) runs."""
    rungs = [rung for rung in LADDER if selected(rung.NAME, only)]
    with Studio(probe, workers or None) as studio:
        jobs = list(dict.fromkeys(job for rung in rungs for job in rung.jobs(probe)))
        done = itertools.count(1)
        progress(0, len(jobs))
        studio.run(jobs, lambda: progress(next(done), len(jobs)))
        return [judged(rung.NAME, partial(rung.judge, studio)) for rung in rungs]


def judged(name: str, judge: Callable[[], GateResult]) -> GateResult:
    """A gate that cannot do its work fails with the reason; it never takes the others with it."""
    try:
        return judge()
    except GoldensealError as error:
        return conclude(name, "the gate stopped", [str(error)])


def selected(name: str, only: Sequence[str]) -> bool:
    """Whether `--only` names this gate (all are selected when it names none)."""
    return not only or name in only


def refuse_unknown(only: Sequence[str]) -> None:
    """Raise UsageError when `--only` names a gate that does not exist."""
    known = [gate.name for gate in catalogue()]
    for name in only:
        if name not in known:
            raise UsageError(f"--only {name!r}: no such gate; the gates are {', '.join(known)}")


def run_repository_gates(
    root: Path, only: Sequence[str], progress: Callable[[str], None]
) -> list[GateResult]:
    """Theorems, citation, seals, claims: what holds of the repository rather than of one system."""
    results = []
    for module, gate in REPOSITORY:
        if selected(module.NAME, only):
            progress(module.NAME)
            results.append(judged(module.NAME, partial(gate, root)))
    return results


def worst(results: Sequence[GateResult]) -> Verdict:
    """Fail over not run over pass."""
    verdicts = {result.verdict for result in results}
    for verdict in (Verdict.FAIL, Verdict.NOT_RUN):
        if verdict in verdicts:
            return verdict
    return Verdict.PASS

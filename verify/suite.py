"""Which gates there are, in which order, and how they are run."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from verify.errors import GoldensealError, UsageError
from verify.gates.citation import check_citation
from verify.result import GateResult, Verdict, conclude, not_run

Progress = Callable[[str], None]


class Rung(Protocol):
    """A gate of the ladder: the runs that it needs, then its judgement over them."""

    NAME: str

    def jobs(self, probe: object) -> list[object]:
        """What has to be run."""

    def judge(self, studio: object) -> GateResult:
        """The verdict."""


@dataclass(frozen=True)
class GateInfo:
    """A gate by name, with the sentence that says what it holds."""

    name: str
    promise: str


def ladder() -> Sequence[Rung]:
    """The rungs, in the order of the design. Imports torch."""
    from verify.gates import (
        dormant,
        evaluation,
        gradients,
        initial_state,
        knobs,
        liveness,
        operations,
        rng,
        training,
    )
    from verify.gates import smoke

    return [  # type: ignore[list-item]  # modules serve as rungs
        knobs, smoke, initial_state, rng, operations, gradients, training, evaluation, dormant,
        liveness,
    ]  # fmt: skip


def catalogue() -> list[GateInfo]:
    """Every gate with the first sentence of its module."""
    from verify.gates import citation, seals, theorems

    modules = [*ladder(), theorems, citation, seals]
    return [
        GateInfo(module.NAME, (module.__doc__ or "").strip().split("\n\n")[0].replace("\n", " "))
        for module in modules
    ]


def run_ladder(probe: object, only: Sequence[str], progress: Progress) -> list[GateResult]:
    """Run the selected rungs on one probe."""
    from verify.studio import Studio

    rungs = [rung for rung in ladder() if selected(rung.NAME, only)]
    with Studio(probe) as studio:  # type: ignore[arg-type]
        jobs = [job for rung in rungs for job in rung.jobs(probe)]
        progress(f"{len(set(jobs))} runs")
        studio.run(jobs, lambda: progress(""))  # type: ignore[arg-type]
        return [judged(rung, studio) for rung in rungs]


def judged(rung: Rung, studio: object) -> GateResult:
    """A gate that cannot do its work fails with the reason; it never takes the others with it."""
    try:
        return rung.judge(studio)
    except GoldensealError as error:
        return conclude(rung.NAME, "the gate stopped", [str(error)])


def selected(name: str, only: Sequence[str]) -> bool:
    """Whether `--only` names this gate (all are selected when it names none)."""
    return not only or name in only


def refuse_unknown(only: Sequence[str]) -> None:
    """Raise UsageError when `--only` names a gate that does not exist."""
    known = [gate.name for gate in catalogue()]
    for name in only:
        if name not in known:
            raise UsageError(f"--only {name!r}: there is no such gate; the gates are {', '.join(known)}")


def run_repository_gates(root: Path, only: Sequence[str], progress: Progress) -> list[GateResult]:
    """Theorems, citation, seals: what holds of the repository rather than of one system."""
    from verify.gates import citation, seals, theorems

    gates: list[tuple[str, Callable[[Path], GateResult]]] = [
        (theorems.NAME, theorems.check_theorems),
        (citation.NAME, check_citation),
        (seals.NAME, seals.check_seals),
    ]
    results = []
    for name, gate in gates:
        if selected(name, only):
            progress(name)
            try:
                results.append(gate(root))
            except GoldensealError as error:
                results.append(conclude(name, "the gate stopped", [str(error)]))
    return results


def worst(results: Sequence[GateResult]) -> Verdict:
    """Fail over not run over pass."""
    verdicts = {result.verdict for result in results}
    for verdict in (Verdict.FAIL, Verdict.NOT_RUN):
        if verdict in verdicts:
            return verdict
    return Verdict.PASS


__all__ = [
    "GateInfo", "catalogue", "not_run", "refuse_unknown", "run_ladder", "run_repository_gates",
    "worst",
]  # fmt: skip

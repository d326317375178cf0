"""Which gates there are, in which order, and how they are run.

A gate's module is imported when it is run: the gates of the repository need no torch.
"""

import itertools
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from goldenseal.config import settings
from goldenseal.errors import CannotCheckError, GoldensealError, UsageError
from goldenseal.result import GateResult, Verdict, conclude, not_run

if TYPE_CHECKING:
    from goldenseal.kept.evidence import Evidence
    from goldenseal.ladder.probe import Probe
    from goldenseal.ladder.recordings import Job, Recordings

# Name: module. The first are the rungs of the ladder, which run once a system.
RUNGS = "goldenseal.ladder.gates"
LADDER = {
    "knobs": f"{RUNGS}.knobs",
    "published figures": f"{RUNGS}.smoke",
    "initial state": f"{RUNGS}.initial_state",
    "random numbers": f"{RUNGS}.rng",
    "operations": f"{RUNGS}.operations",
    "loss and gradients": f"{RUNGS}.gradients",
    "training": f"{RUNGS}.training",
    "evaluation and export": f"{RUNGS}.evaluation",
    "refusals": f"{RUNGS}.refusals",
    "dormant knobs": f"{RUNGS}.dormant",
    "liveness": f"{RUNGS}.liveness",
    "pairs": f"{RUNGS}.pairs",
    "changed lines": f"{RUNGS}.changed_lines",
}
FIGURES = "published figures"  # the one rung that has nothing to judge where a probe names none
# Of a pair of commands: what shows at run time, without expressions that build a model.
COMMANDS = {
    "command": f"{RUNGS}.command",
    **{name: module for name, module in LADDER.items() if name not in (FIGURES, "refusals")},
    "knobs": f"{RUNGS}.options",
    "resume": f"{RUNGS}.resumed",
}
REPOSITORY = {
    "theorems": "goldenseal.coq.gate",
    "citation": f"{RUNGS}.citation",
    "seals": "goldenseal.records.gate",
    "claims": "goldenseal.claims.gate",
}
# What a gate of the repository judges: in words, and whether it is there.
INPUTS: dict[str, tuple[str, Callable[[Path], bool]]] = {
    "theorems": (
        "theorems/_CoqProject",
        lambda root: (
            (root / "theorems" / "_CoqProject").exists() or bool(settings(root).get("constants"))
        ),
    ),
    "citation": ("CITATION.cff", lambda root: (root / "CITATION.cff").exists()),
    "seals": ("record below records/", lambda root: any(root.glob("records/*/*"))),
    "claims": ("list of `claims` in pyproject.toml", lambda root: "claims" in settings(root)),
}


class Rung(Protocol):
    """A gate of the ladder, a module: the runs that it needs, then its judgement over them."""

    NAME: str
    __doc__: str | None

    def jobs(self, probe: "Probe") -> "list[Job]":
        """What has to be run."""

    def judge(self, recordings: "Recordings") -> GateResult:
        """The verdict."""


@dataclass(frozen=True)
class GateInfo:
    """A gate by name, with the sentence that says what it holds."""

    name: str
    promise: str


def ladder() -> tuple[Rung, ...]:
    """The rungs, in the order of the design."""
    return tuple(map(import_module, LADDER.values()))


def catalogue() -> list[GateInfo]:
    """Every gate with the first sentence of its module."""
    own = {name: module for name, module in COMMANDS.items() if name not in LADDER}
    modules = {name: import_module(module) for name, module in (LADDER | own | REPOSITORY).items()}
    return [
        GateInfo(name, " ".join((module.__doc__ or "").split("\n\n")[0].split()))
        for name, module in modules.items()
    ]


def run_ladder(
    probe: "Probe",
    only: Sequence[str],
    progress: Callable[[int, int], None],
    workers: int = 0,
    imported: Sequence[str] = (),
    apart: bool = True,
) -> list[GateResult]:
    """Run the selected rungs on one probe; `progress` is called with (done, total) runs.

    imported: what the import of the probe changed of torch's global switches. apart: each run in a
    process of its own. Raises UsageError for a probe that is wrong, CannotCheckError for a script
    that cannot be imported.
    """
    from goldenseal.ladder.recordings import Recordings  # imports torch

    rungs = [import_module(module) for name, module in LADDER.items() if selected(name, only)]
    with Recordings(probe, workers or None, imported, apart) as recordings:
        jobs, broken = jobs_of(rungs, probe)
        done = itertools.count(1)
        progress(0, len(jobs))
        recordings.run(jobs, lambda: progress(next(done), len(jobs)))
        return [
            broken.get(rung.NAME) or judged(rung.NAME, partial(rung.judge, recordings))
            for rung in rungs
        ]


def run_commands(
    probe: "Probe",
    only: Sequence[str],
    told: "Callable[[Job, int, int], None]",
    workers: int = 0,
) -> list[GateResult]:
    """The rungs on two commands; `told` hears of each recording, with (done, total).

    The first rung decides whether there is anything to judge. Raises UsageError and
    CannotCheckError when there is not.
    """
    from goldenseal.ladder.recordings import Recordings  # imports torch

    first, *others = [
        import_module(module)
        for name, module in COMMANDS.items()
        if name == "command" or selected(name, only)
    ]
    with Recordings(probe, workers or None) as recordings:
        jobs, _ = jobs_of([first], probe)
        more, broken = jobs_of(others, probe)
        total, done = len(dict.fromkeys([*jobs, *more])), itertools.count(1)
        recordings.told = lambda job: told(job, next(done), total)
        recordings.run(jobs)
        sound: GateResult = first.judge(recordings)
        results = [sound] if selected(first.NAME, only) or sound.verdict is not Verdict.PASS else []
        if sound.verdict is Verdict.FAIL or (
            sound.verdict is Verdict.NOT_RUN and recordings.mask is None
        ):
            return results
        if sound.verdict is Verdict.NOT_RUN and "nothing can be held" in sound.summary:
            return results
        recordings.run(more)
        return results + [
            broken.get(rung.NAME) or judged(rung.NAME, partial(rung.judge, recordings))
            for rung in others
        ]


def jobs_of(rungs: Sequence[Rung], probe: "Probe") -> "tuple[list[Job], dict[str, GateResult]]":
    """Every run that the rungs need, each once, and the result of each rung that cannot say."""
    jobs: dict[Job, None] = {}
    broken: dict[str, GateResult] = {}
    for rung in rungs:
        listed: list[Job] = []

        def ask(rung: Rung = rung, listed: "list[Job]" = listed) -> GateResult:
            listed += rung.jobs(probe)
            return conclude(rung.NAME, "", ())

        asked = judged(rung.NAME, ask)
        if asked.verdict is not Verdict.PASS:
            broken[rung.NAME] = asked
        jobs |= dict.fromkeys(listed)
    return list(jobs), broken


def judged(name: str, judge: Callable[[], GateResult]) -> GateResult:
    """A gate that cannot do its work fails with the reason; it never takes the others with it.

    Neither does one with a bug: what it raised, and where, is its finding.
    """
    try:
        return judge()
    except CannotCheckError as error:
        return GateResult(name, Verdict.NOT_RUN, "could not run", (str(error),))
    except GoldensealError as error:
        return conclude(name, "the gate stopped", [str(error)])
    except Exception as error:
        last = traceback.extract_tb(error.__traceback__)[-1]
        words = " ".join(traceback.format_exception_only(error)[-1].split())
        place = f"{Path(last.filename).name}:{last.lineno}"
        return conclude(name, "the gate stopped", [f"the gate itself stopped: {words} ({place})"])


def selected(name: str, only: Sequence[str]) -> bool:
    """Whether `--only` names this gate (all are selected when it names none)."""
    return not only or name in only


def refuse_unknown(only: Sequence[str]) -> None:
    """Raise UsageError when `--only` names a gate that does not exist."""
    known = list(dict.fromkeys((*LADDER, *COMMANDS, *REPOSITORY)))
    for name in only:
        if name not in known:
            raise UsageError(f"--only {name!r}: no such gate; the gates are {', '.join(known)}")


def repository_gates(root: Path) -> tuple[list[str], dict[str, str]]:
    """(gates of the repository that have something to judge, what the others would judge, by name).

    A gate that `require` of [tool.goldenseal] names is never left out: that its input is gone is
    then for it to say. Raises UsageError for a `require` that names something else.
    """
    required = settings(root).get("require", [])
    if not isinstance(required, list) or not all(name in REPOSITORY for name in required):
        raise UsageError(
            f"pyproject.toml: [tool.goldenseal] require = {required!r}: expected a list of "
            f"{', '.join(REPOSITORY)}"
        )
    there = [name for name, (_, holds) in INPUTS.items() if name in required or holds(root)]
    return there, {name: words for name, (words, _) in INPUTS.items() if name not in there}


def run_repository_gates(
    root: Path,
    names: Sequence[str],
    progress: Callable[[str], None],
    evidence: "Evidence | None" = None,
) -> list[GateResult]:
    """Theorems, citation, seals, claims: what holds of the repository rather than of one system.

    With `evidence`, what is kept is not run again; theorems keep what Coq has built by themselves.
    """
    results = []
    for name in names:
        progress(name)
        judge = partial(judged, name, partial(_check, name, REPOSITORY[name], root))
        results.append(evidence.judged(name, judge) if evidence else judge())
    return results


def _check(name: str, module: str, root: Path) -> GateResult:
    _, lacking = repository_gates(root)
    if name in lacking:  # asked for by name: there is nothing that could fail
        return not_run(name, f"nothing to check: there is no {lacking[name]}")
    result: GateResult = getattr(import_module(module), f"check_{name}")(root)
    return result


def worst(results: Sequence[GateResult]) -> Verdict:
    """Fail over not run over pass; nothing at all is not run."""
    verdicts = {result.verdict for result in results} or {Verdict.NOT_RUN}
    for verdict in (Verdict.FAIL, Verdict.NOT_RUN):
        if verdict in verdicts:
            return verdict
    return Verdict.PASS

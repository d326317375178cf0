"""The jobs and comparisons that several rungs of the ladder share."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

from goldenseal.ladder.events import Event, Recording, by_rank
from goldenseal.ladder.findings import ranked
from goldenseal.ladder.flags import changed
from goldenseal.ladder.inspection import Inspection
from goldenseal.ladder.probe import Probe
from goldenseal.ladder.recordings import Job, Recordings, Side, changes

SIDES: tuple[Side, Side] = ("baseline", "candidate")
SHOWN = 3  # entries of a table that differ
Run = TypeVar("Run", Inspection, Recording)


def followed_sides(probe: Probe) -> tuple[Side, ...]:
    """Whose executed code is noted: of two scripts, both, since a line that is gone is a change.

    A system's candidate is a package, beside which little of the baseline's text is left.
    """
    pair = probe.commands or probe.candidate.location.endswith(".py")
    return SIDES if pair else ("candidate",)


def traced_scenario(probe: Probe) -> str:
    """Operations are traced in the first scenario only: tracing costs four times the run."""
    return probe.scenarios[0].name


def inspect_job(
    probe: Probe, side: Side, scenario: str, variables: Mapping[str, str] | None = None
) -> Job:
    """Look at a freshly built model; a command shows its own as it runs."""
    if probe.commands:
        return record_job(probe, side, scenario, variables)
    off = not variables
    follow = off and side in followed_sides(probe)
    return Job("inspect", side, scenario, changes(variables or {}), off, follow=follow)


def record_job(
    probe: Probe,
    side: Side,
    scenario: str,
    variables: Mapping[str, str] | None = None,
    follow: bool = False,
) -> Job:
    """Perform and record the real run; of the sides that are followed, also what it executes.

    Not of the traced run: to watch the trace at work as well costs more than a run of its own.
    """
    trace = not variables and scenario == traced_scenario(probe)
    follow = follow or (not variables and not trace and side in followed_sides(probe))
    return Job("record", side, scenario, changes(variables or {}), trace, follow=follow)


def inspect_jobs(probe: Probe) -> list[Job]:
    """Both sides in every scenario, features off."""
    return [inspect_job(probe, side, s.name) for s in probe.scenarios for side in SIDES]


def record_jobs(probe: Probe) -> list[Job]:
    """Both sides in every scenario, features off."""
    return [record_job(probe, side, s.name) for s in probe.scenarios for side in SIDES]


def difference_of_tables(expected: Mapping[str, str], actual: Mapping[str, str]) -> list[str]:
    """The first few entries that differ, in words."""
    differences = []
    for name in [*expected, *(n for n in actual if n not in expected)]:
        p, q = expected.get(name), actual.get(name)
        if p is None:
            differences.append(f"{name} is extra")
        elif q is None:
            differences.append(f"{name} is missing")
        elif p != q:
            differences.append(f"{name} is {q}, expected {p}")
    more = [f"and {len(differences) - SHOWN} more"] if len(differences) > SHOWN else []
    return differences[:SHOWN] + more


def inspected(
    recordings: Recordings, findings: list[str]
) -> Iterator[tuple[str, Inspection, Inspection]]:
    """(scenario, baseline, candidate): a fresh model of both sides; see `_both`."""
    return _both(recordings, findings, inspect_job, recordings.inspection)


def recorded(
    recordings: Recordings, findings: list[str]
) -> Iterator[tuple[str, Recording, Recording]]:
    """(scenario, baseline, candidate): the real run of both sides; see `_both`."""
    return _both(recordings, findings, record_job, recordings.recording)


def _both(
    recordings: Recordings,
    findings: list[str],
    job: Callable[[Probe, Side, str], Job],
    read: Callable[[Job], Run],
) -> Iterator[tuple[str, Run, Run]]:
    """Every scenario, features off; a side that could not be run at all is a finding first."""
    for scenario in recordings.scenarios:
        runs = [read(job(recordings.probe, side, scenario.name)) for side in SIDES]
        for side, run in zip(SIDES, runs, strict=True):
            if run.error:
                findings.append(f"{scenario.name}: the {side} stopped: {run.error}")
        yield scenario.name, runs[0], runs[1]


def without_operations(events: Iterable[Event]) -> list[Event]:
    """The same events, comparable with those of an untraced run."""
    return [Event(event.where, event.facts, place=event.place) for event in events]


def compare_runs(expected: Recording, actual: Recording) -> str | None:
    """The first difference of two whole runs, operations aside; a crash is a difference."""
    if actual.error != expected.error:
        return f"stopped: {actual.error}" if actual.error else f"did not stop: {expected.error}"
    if actual.preceding:  # what an earlier run of its process set is no change any more
        apart = changed(expected.left_flags, actual.left_flags)
    else:
        apart = flags_apart(expected.flags, actual.flags)
    if apart:
        return apart[0]
    for rank, a, b in by_rank(expected, actual):
        found = ranked(without_operations(a.events), without_operations(b.events))
        if found:
            return f"{rank}{found[0]}"
    return None


def flags_apart(a: Sequence[str], b: Sequence[str]) -> list[str]:
    """Which changes of torch's global switches the candidate's run has, or the baseline's alone."""
    a, b = steady(a, b)
    if a == b:
        return []
    only = [f"{text}, and not in the baseline" for text in b if text not in a]
    only += [f"{text} in the baseline only" for text in a if text not in b]
    return only or ["the same global switches change in another order"]


PASSING = ("torch.grad_enabled", "torch.inference_mode")


def steady(a: Sequence[str], b: Sequence[str]) -> tuple[list[str], list[str]]:
    """Without what calls set and set back, where both sides do: which call, is told elsewhere."""
    passing, kept = list[set[str]](), list[list[str]]()
    for side in (a, b):
        passing.append({t.partition(": ")[2] for t in side if any(p in t for p in PASSING)})
        kept.append([t for t in side if not any(p in t for p in PASSING)])
    return (kept[0], kept[1]) if passing[0] == passing[1] else (list(a), list(b))

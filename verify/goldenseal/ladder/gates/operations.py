"""Rung 4: off costs nothing. The same ATen operations in order, with the same shapes, dtypes.

And under the same global switches of torch, from the import to the end: a flag such as TF32 changes
what an operation computes, and on a CPU perhaps no byte of it.
"""

from collections.abc import Sequence
from itertools import zip_longest

from goldenseal.ladder.events import Event, by_rank, without_lines
from goldenseal.ladder.findings import other_call
from goldenseal.ladder.gates.common import (
    SIDES,
    flags_apart,
    inspect_jobs,
    inspected,
    record_job,
    record_jobs,
    recorded,
    traced_scenario,
)
from goldenseal.ladder.probe import Probe
from goldenseal.ladder.recordings import Job, Recordings
from goldenseal.ladder.stretches import WINDOW, Op, stretch_in_words
from goldenseal.result import GateResult, conclude

NAME = "operations"


def jobs(probe: Probe) -> list[Job]:
    """One forward and backward pass of every scenario, and the whole run of each.

    The operations of a whole run are traced in the first scenario, its switches in all.
    """
    return [*inspect_jobs(probe), *record_jobs(probe)]


def judge(recordings: Recordings) -> GateResult:
    """Name the first operation, and each switch, that differs."""
    probe, findings, total = recordings.probe, switches_apart(recordings), 0
    for scenario, a, b in inspected(recordings, findings):
        for label in sorted({*a.operations, *b.operations}):
            expected, actual = (departure.operations.get(label, ()) for departure in (a, b))
            total += len(expected)
            difference = stretch_in_words(*([(op, "") for op in ops] for ops in (expected, actual)))
            if difference:
                findings.append(f"{scenario}, {label}: {difference}")
    scenario_name = traced_scenario(probe)
    whole, other = (recordings.recording(record_job(probe, side, scenario_name)) for side in SIDES)
    for rank, expected_run, actual_run in by_rank(whole, other):
        total += sum(len(event.operations) for event in expected_run.events)
        departure = first_event(expected_run.events, actual_run.events)
        findings += [f"{scenario_name}, whole run, {rank}{departure}"] if departure else []
    return conclude(NAME, f"{total} dispatched operations, the same in the same order", findings)


def switches_apart(recordings: Recordings) -> list[str]:
    """Which of torch's global switches change otherwise than in the baseline, by scenario."""
    findings = list[str]()
    for scenario, baseline, candidate in recorded(recordings, findings):
        for rank, a, b in by_rank(baseline, candidate):
            apart = flags_apart(a.flags, b.flags)
            said = {text.partition(": ")[2] for text in apart}
            passing = flags_apart(a.passing, b.passing)
            apart += [text for text in passing if text.partition(": ")[2] not in said]
            findings += [f"{scenario}, {rank}{text}" for text in apart]
    return findings


def first_event(expected: Sequence[Event], actual: Sequence[Event]) -> str | None:
    """The first event before which two whole runs dispatch other operations, or that one lacks.

    The traces are realigned over the events that follow: of a step more or less only that is told.
    Where lines are printed among them decides nothing.
    """
    nothing = Event("nothing", {})
    expected, actual = without_lines(expected), without_lines(actual)
    for i, (a, b) in enumerate(zip_longest(expected, actual, fillvalue=nothing)):
        if a.operations != b.operations:
            stretch = stretch_in_words(*(operations_from(run, i) for run in (expected, actual)))
            if stretch or a.where == b.where:
                words = stretch or "some of its operations come at another place"
                return f"{leading_to(a if a is not nothing else b)}: {words}"
        if a.where != b.where:
            return other_call(expected, actual, i)
    return None


def leading_to(event: Event) -> str:
    """Where the operations stand that lead up to an event."""
    if event.where.startswith("after "):  # an optimizer's step: in between is what it does itself
        return f"in {event.where.removeprefix('after ')}"
    return event.where if event.where.startswith("before ") else f"before {event.where}"


def operations_from(events: Sequence[Event], index: int) -> list[Op]:
    """The operations that lead up to an event and to those that follow, as far as is looked at."""
    found: list[Op] = []
    for event in events[index:]:
        places = event.places or ("",) * len(event.operations)
        found += zip(event.operations, places, strict=True)
        if len(found) > WINDOW + len(events[index].operations):
            break
    return found

"""Rung 4: off costs nothing. The same ATen operations in order, with the same shapes, dtypes.

And under the same global switches of torch, from the import to the end: a flag such as TF32 changes
what an operation computes, and on a CPU perhaps no byte of it.
"""

from collections.abc import Sequence
from itertools import zip_longest

from goldenseal.ladder.events import Event, by_rank
from goldenseal.ladder.gates.common import (
    SIDES,
    errors_of,
    flags_apart,
    inspect_job,
    inspect_jobs,
    record_job,
    record_jobs,
    traced_scenario,
)
from goldenseal.ladder.probe import Probe
from goldenseal.ladder.recordings import Job, Recordings
from goldenseal.result import GateResult, conclude

NAME = "operations"


def jobs(probe: Probe) -> list[Job]:
    """One forward and backward pass of every scenario, and the whole run of each.

    The operations of a whole run are traced in the first scenario, its switches in all.
    """
    return [*inspect_jobs(probe), *record_jobs(probe)]


def judge(recordings: Recordings) -> GateResult:
    """Name the first operation, and each switch, that differs."""
    probe, findings, total = recordings.probe, [], 0
    for scenario in recordings.scenarios:
        findings += errors_of(recordings, scenario.name, "inspect")
        a, b = (recordings.inspection(inspect_job(probe, side, scenario.name)) for side in SIDES)
        for label in sorted({*a.operations, *b.operations}):
            expected, actual = (departure.operations.get(label, ()) for departure in (a, b))
            total += len(expected)
            difference = first_operation(expected, actual)
            if difference:
                findings.append(f"{scenario.name}, {label}: {difference}")
    scenario_name = traced_scenario(probe)
    whole, other = (recordings.recording(record_job(probe, side, scenario_name)) for side in SIDES)
    for rank, expected_run, actual_run in by_rank(whole, other):
        total += sum(len(event.operations) for event in expected_run.events)
        departure = first_event(expected_run.events, actual_run.events)
        findings += [f"{scenario_name}, whole run, {rank}{departure}"] if departure else []
    findings += switches_apart(recordings)
    return conclude(NAME, f"{total} dispatched operations, the same in the same order", findings)


def switches_apart(recordings: Recordings) -> list[str]:
    """Which of torch's global switches change otherwise than in the baseline, by scenario."""
    findings = []
    for scenario in recordings.scenarios:
        findings += errors_of(recordings, scenario.name, "record")
        jobs = (record_job(recordings.probe, side, scenario.name) for side in SIDES)
        baseline, candidate = map(recordings.recording, jobs)
        for rank, a, b in by_rank(baseline, candidate):
            apart = flags_apart(a.flags, b.flags)
            said = {text.partition(": ")[2] for text in apart}
            passing = flags_apart(a.passing, b.passing)
            apart += [text for text in passing if text.partition(": ")[2] not in said]
            findings += [f"{scenario.name}, {rank}{text}" for text in apart]
    return findings


def first_event(expected: Sequence[Event], actual: Sequence[Event]) -> str | None:
    """The first event before which two whole runs dispatch other operations, or that one lacks."""
    nothing = Event("nothing", {})
    for a, b in zip_longest(expected, actual, fillvalue=nothing):
        difference = first_operation(a.operations, b.operations)
        if difference:
            return f"before {a.where if a is not nothing else b.where}: {difference}"
        if a is nothing:
            return f"{b.where} is extra"
        if b is nothing:
            return f"{a.where} is missing"
    return None


def first_operation(expected: tuple[str, ...], actual: tuple[str, ...]) -> str | None:
    """The first operation at which two traces part, in words."""
    for number, (p, q) in enumerate(zip_longest(expected, actual), start=1):
        if p != q:
            return f"operation {number} is {q or 'missing'}, expected {p or 'none'}"
    return None

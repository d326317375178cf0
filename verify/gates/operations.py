"""Rung 4: off costs nothing. The same ATen operations in order, with the same shapes, dtypes."""

from itertools import zip_longest

from verify.gates.common import (
    SIDES,
    errors_of,
    inspect_job,
    inspect_jobs,
    record_job,
    traced_scenario,
)
from verify.probe import Probe
from verify.result import GateResult, conclude
from verify.studio import Job, Studio

NAME = "operations"


def jobs(probe: Probe) -> list[Job]:
    """One forward and backward pass of every scenario, and the whole run of the first one."""
    whole = [record_job(probe, side, traced_scenario(probe)) for side in SIDES]
    return [*inspect_jobs(probe), *whole]


def judge(studio: Studio) -> GateResult:
    """Name the first operation that differs."""
    probe, findings, total = studio.probe, [], 0
    for scenario in studio.scenarios:
        findings += errors_of(studio, scenario.name, "inspect")
        a, b = (studio.inspection(inspect_job(probe, side, scenario.name)) for side in SIDES)
        for label in a.operations:
            total += len(a.operations[label])
            difference = first_operation(a.operations[label], b.operations.get(label, ()))
            if difference:
                findings.append(f"{scenario.name}, {label}: {difference}")
    scenario_name = traced_scenario(probe)
    runs = [studio.recording(record_job(probe, side, scenario_name)) for side in SIDES]
    for event_a, event_b in zip(runs[0].events, runs[1].events, strict=False):
        total += len(event_a.operations)
        difference = first_operation(event_a.operations, event_b.operations)
        if difference:
            findings.append(f"{scenario_name}, whole run, before {event_a.where}: {difference}")
            break
    return conclude(NAME, f"{total} dispatched operations, the same in the same order", findings)


def first_operation(expected: tuple[str, ...], actual: tuple[str, ...]) -> str | None:
    """The first operation at which two traces part, in words."""
    for number, (p, q) in enumerate(zip_longest(expected, actual), start=1):
        if p != q:
            return f"operation {number} is {q or 'missing'}, expected {p or 'none'}"
    return None

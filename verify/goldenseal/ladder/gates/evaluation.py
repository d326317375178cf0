"""Rung 7: validation, test-time training and the exported artifact."""

from goldenseal.ladder.events import Event, Recording, by_rank, first_difference
from goldenseal.ladder.gates.common import (
    SIDES,
    errors_of,
    record_job,
    record_jobs,
    without_operations,
)
from goldenseal.ladder.gates.training import end_of_training
from goldenseal.ladder.recordings import Recordings
from goldenseal.result import GateResult, conclude

NAME = "evaluation and export"
jobs = record_jobs


def judge(recordings: Recordings) -> GateResult:
    """Every evaluation batch and output, what is printed after training, and every file's bytes."""
    findings, forwards, files = [], 0, 0
    for scenario in recordings.scenarios:
        findings += errors_of(recordings, scenario.name, "record")
        a, b = (recordings.recording(record_job(recordings.probe, s, scenario.name)) for s in SIDES)
        for rank, expected_run, actual_run in by_rank(a, b):
            expected, actual = evaluation_events(expected_run), evaluation_events(actual_run)
            difference = first_difference(expected, actual)
            if difference:
                differences = [difference, *file_differences(expected_run, actual_run)]
                findings += [f"{scenario.name}: {rank}{text}" for text in differences]
            forwards += sum(event.where.startswith("forward (eval)") for event in expected)
            files += len(file_facts(expected_run))
    if not forwards:
        findings.append("the baseline evaluated nothing: lengthen the probe's scenarios")
    return conclude(
        NAME, f"{forwards} evaluation batches and {files} files, byte for byte", findings
    )


def evaluation_events(run: Recording) -> list[Event]:
    """Forward calls in evaluation mode, then everything after the last training step."""
    events = without_operations(run.events)
    end = end_of_training(run)
    before = [event for event in events[:end] if event.where.startswith("forward (eval)")]
    return before + events[end:]


def file_facts(run: Recording) -> dict[str, str]:
    """Output files by name."""
    return {e.where: repr(e.facts) for e in run.events if e.where.startswith("file ")}


def file_differences(a: Recording, b: Recording) -> list[str]:
    """Which output files differ."""
    left, right = file_facts(a), file_facts(b)
    names = sorted(n for n in {*left, *right} if left.get(n) != right.get(n))
    return [f"{name} differs" for name in names]

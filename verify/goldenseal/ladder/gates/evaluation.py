"""Rung 7: validation, test-time training and the exported artifact."""

from goldenseal.ladder.events import Event, Recording, by_rank
from goldenseal.ladder.findings import ranked
from goldenseal.ladder.gates.common import (
    record_jobs,
    recorded,
    without_operations,
)
from goldenseal.ladder.gates.training import end_of_training
from goldenseal.ladder.gates.unchanged import frozen_jobs, leaks
from goldenseal.ladder.probe import Probe
from goldenseal.ladder.recordings import Job, Recordings
from goldenseal.result import GateResult, conclude

NAME = "evaluation and export"


def jobs(probe: Probe) -> list[Job]:
    """Both sides in every scenario; and what is to evaluate alike with a feature on, frozen."""
    return [*record_jobs(probe), *frozen_jobs(probe)]


def judge(recordings: Recordings) -> GateResult:
    """Every evaluation batch and output, what is printed after training, and every file's bytes."""
    findings, forwards, files = list[str](), 0, 0
    for scenario, a, b in recorded(recordings, findings):
        for rank, expected_run, actual_run in by_rank(a, b):
            expected, actual = evaluation_events(expected_run), evaluation_events(actual_run)
            found = ranked(expected, actual)
            if found:
                found = list(dict.fromkeys([*found, *file_differences(expected_run, actual_run)]))
                findings += [f"{scenario}: {rank}{text}" for text in found]
            forwards += sum(event.where.startswith("forward (eval)") for event in expected)
            files += len(file_facts(expected_run))
    if not forwards and not recordings.probe.commands:
        findings.append("the baseline evaluated nothing: lengthen the probe's scenarios")
    findings += leaks(recordings)
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
    """Which output files differ, and of a checkpoint in what first."""
    left, right = (
        {e.where: e for e in run.events if e.where.startswith("file ")} for run in (a, b)
    )
    found = []
    for name in sorted({*left, *right}):
        if name not in right:
            found.append(f"{name} is missing")
        elif name not in left:
            found.append(f"{name} is extra")
        elif "digest" in left[name].facts:
            found += [f"{name} differs"] if left[name].facts != right[name].facts else []
        elif left[name].facts != right[name].facts:
            found += ranked([left[name]], [right[name]])
    return found

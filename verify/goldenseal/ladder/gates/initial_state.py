"""Rung 2: the state dict of a fresh model has the same names, shapes, dtypes and bytes."""

from goldenseal.ladder.gates.common import (
    difference_of_tables,
    errors_of,
    inspect_job,
    inspect_jobs,
)
from goldenseal.ladder.recordings import Recordings
from goldenseal.result import GateResult, conclude

NAME = "initial state"
jobs = inspect_jobs


def judge(recordings: Recordings) -> GateResult:
    """Compare tensor by tensor, in every scenario."""
    findings, evidence, tensors = [], {}, 0
    for scenario in recordings.scenarios:
        findings += errors_of(recordings, scenario.name, "inspect")
        a, b = (
            recordings.inspection(inspect_job(recordings.probe, side, scenario.name))
            for side in ("baseline", "candidate")
        )
        for difference in difference_of_tables(a.state, b.state):
            findings.append(f"{scenario.name}: {difference}")
        evidence[scenario.name] = b.published
        tensors += len(a.state)
    summary = f"{tensors} tensors in {len(evidence)} scenarios, byte for byte"
    return conclude(NAME, summary, findings, evidence)

"""Rung 2: the state dict of a fresh model has the same names, shapes, dtypes and bytes."""

from goldenseal.ladder.gates.common import difference_of_tables, inspect_jobs, inspected
from goldenseal.ladder.recordings import Recordings
from goldenseal.result import GateResult, conclude

NAME = "initial state"
jobs = inspect_jobs


def judge(recordings: Recordings) -> GateResult:
    """Compare tensor by tensor, in every scenario."""
    findings, evidence, tensors = list[str](), {}, 0
    for scenario, a, b in inspected(recordings, findings):
        for difference in difference_of_tables(a.state, b.state):
            findings.append(f"{scenario}: {difference}")
        evidence[scenario] = b.published
        tensors += len(a.state)
    summary = f"{tensors} tensors in {len(evidence)} scenarios, byte for byte"
    return conclude(NAME, summary, findings, evidence)

"""Rung 3: construction leaves every random generator where the baseline leaves it."""

from goldenseal.ladder.gates.common import difference_of_tables, inspect_jobs, inspected
from goldenseal.ladder.recordings import Recordings
from goldenseal.result import GateResult, conclude

NAME = "random numbers"
jobs = inspect_jobs


def judge(recordings: Recordings) -> GateResult:
    """Compare the positions of torch's, Python's and NumPy's global generators."""
    findings = list[str]()
    for scenario, a, b in inspected(recordings, findings):
        for difference in difference_of_tables(a.rng, b.rng):
            findings.append(f"{scenario}: after construction, {difference}")
    return conclude(
        NAME, "no draw more or less during construction: torch, python, numpy", findings
    )

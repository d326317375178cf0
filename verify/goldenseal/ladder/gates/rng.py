"""Rung 3: construction leaves every random generator where the baseline leaves it."""

from goldenseal.ladder.gates.common import (
    difference_of_tables,
    errors_of,
    inspect_job,
    inspect_jobs,
)
from goldenseal.ladder.recordings import Recordings
from goldenseal.result import GateResult, conclude

NAME = "random numbers"
jobs = inspect_jobs


def judge(recordings: Recordings) -> GateResult:
    """Compare the positions of torch's, Python's and NumPy's global generators."""
    findings = []
    for scenario in recordings.scenarios:
        findings += errors_of(recordings, scenario.name, "inspect")
        a, b = (
            recordings.inspection(inspect_job(recordings.probe, side, scenario.name))
            for side in ("baseline", "candidate")
        )
        for difference in difference_of_tables(a.rng, b.rng):
            findings.append(f"{scenario.name}: after construction, {difference}")
    return conclude(
        NAME, "no draw more or less during construction: torch, python, numpy", findings
    )

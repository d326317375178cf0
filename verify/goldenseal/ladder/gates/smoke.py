"""The published figures of a system, recomputed on the real objects."""

from goldenseal.ladder.numeric import settle
from goldenseal.ladder.probe import Probe, environment
from goldenseal.ladder.recordings import Job, Recordings
from goldenseal.result import GateResult, conclude, not_run

NAME = "published figures"


def jobs(probe: Probe) -> list[Job]:
    """Nothing is recorded: the system computes its own figures."""
    return []


def judge(recordings: Recordings) -> GateResult:
    """Compare what the system computes with what was published."""
    if recordings.probe.smoke is None:
        return not_run(NAME, "the probe names no published figures")
    settle()
    with environment({}):
        figures = recordings.probe.smoke()
    findings = [
        f"{name}: published {expected}, computed {computed}"
        for name, expected, computed in figures
        if expected != computed
    ]
    summary = f"{len(figures)} published figures recomputed"
    return conclude(NAME, summary, findings, {name: value for name, _, value in figures})

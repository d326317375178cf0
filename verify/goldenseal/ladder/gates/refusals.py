"""Bad input: what stops the baseline stops the candidate, no later, and with a word on the cause.

A check that is never true in a healthy run could be deleted unseen. So each of the probe's
refusals spoils the input in one way, and both scripts are run on it. What the candidate alone
refuses, such as knobs of features that contradict each other, must stop it before its first step.
"""

from goldenseal.ladder.events import Recording
from goldenseal.ladder.probe import Probe
from goldenseal.ladder.recordings import Job, Recordings
from goldenseal.result import GateResult, conclude

NAME = "refusals"


def jobs(probe: Probe) -> list[Job]:
    """Both sides on every spoiled input; the candidate on what it alone refuses."""
    both = [
        refusal_job(side, name) for name in probe.refusals for side in ("baseline", "candidate")
    ]
    return both + [refusal_job("candidate", name) for name in probe.own_refusals]


def refusal_job(side: str, name: str) -> Job:
    """One side on one spoiled input."""
    if side == "baseline":
        return Job("record", "baseline", name)
    return Job("record", "candidate", name, follow=True)


def judge(recordings: Recordings) -> GateResult:
    """Findings name the refusal."""
    findings = []
    for name, words in recordings.probe.refusals.items():
        a, b = (recordings.recording(refusal_job(side, name)) for side in ("baseline", "candidate"))
        if a.error is None:
            findings.append(f"{name}: the baseline accepts it, so it tests nothing")
        elif b.error is None:
            findings.append(f"{name}: accepted, the baseline stops: {a.error}")
        elif words not in b.error:
            findings.append(f"{name}: stopped by {b.error!r}, which does not say {words!r}")
        elif steps(b) > steps(a):
            findings.append(
                f"{name}: stopped after {steps(b)} steps, the baseline after {steps(a)}"
            )
    for name, words in recordings.probe.own_refusals.items():
        b = recordings.recording(refusal_job("candidate", name))
        if b.error is None or words not in b.error:
            findings.append(f"{name}: {b.error or 'accepted'}, expected the words {words!r}")
        elif steps(b):
            findings.append(f"{name}: stopped after {steps(b)} steps, expected before the first")
    count = len(recordings.probe.spoiled)
    summary = f"{count} kinds of bad input are refused, each for its own reason"
    return conclude(NAME, summary, findings)


def steps(run: Recording) -> int:
    """Optimizer steps, one for each optimizer."""
    return sum(event.where.startswith("after ") for event in run.events)

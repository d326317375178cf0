"""A run that is interrupted and goes on ends in the same bytes as one that is not.

Of commands whose description says how they resume. What the baseline does not resume itself is told
and not held against the candidate.
"""

import re

from goldenseal.ladder.events import Event, Recording
from goldenseal.ladder.findings import decimal
from goldenseal.ladder.gates.common import SIDES, record_job, traced_scenario
from goldenseal.ladder.probe import Probe
from goldenseal.ladder.recordings import Job, Recordings, Side
from goldenseal.result import GateResult, Verdict, conclude

NAME = "resume"
STATE = re.compile(r"rng |parameter |left |.* of |group ")


def jobs(probe: Probe) -> list[Job]:
    """Both sides, whole and interrupted."""
    if probe.resume is None:
        return []
    whole = [record_job(probe, side, traced_scenario(probe)) for side in SIDES]
    return [*whole, *(resumed_job(probe, side) for side in SIDES)]


def resumed_job(probe: Probe, side: Side) -> Job:
    """A side, interrupted."""
    return Job("resume", side, traced_scenario(probe))


def judge(recordings: Recordings) -> GateResult:
    """The first state that differs, by name."""
    probe = recordings.probe
    if probe.resume is None:
        return GateResult(NAME, Verdict.PASS, "no [resume] is described: not applicable")
    found = {}
    for side in SIDES:
        whole = recordings.recording(record_job(probe, side, traced_scenario(probe)))
        found[side] = apart(whole, recordings.recording(resumed_job(probe, side)))
    summary = "the interrupted and the whole run end in the same bytes"
    if not found["candidate"]:
        return conclude(NAME, summary, ())
    if found["candidate"] == found["baseline"]:
        words = "the baseline does not resume in the same bytes, and neither does the candidate"
        return GateResult(NAME, Verdict.NOT_RUN, words, tuple(found["baseline"]))
    return conclude(NAME, summary, found["candidate"])


def apart(whole: Recording, resumed: Recording) -> list[str]:
    """In what the ends of two runs differ; and whether the resumed one started anew."""
    if resumed.error:
        return [f"the resumed run stops: {resumed.error}"]
    steps = [sum(e.where.startswith("after ") for e in run.events) for run in (whole, resumed)]
    if steps[1] >= steps[0]:
        return [f"the resumed run made {steps[1]} steps, as many as a whole run: it did not resume"]
    if not steps[1]:
        return ["the resumed run made no step: interrupt it earlier"]
    findings = []
    for a, b in (last_steps(whole, resumed), ends(whole, resumed)):
        names = [
            n for n in {**a.facts, **b.facts} if STATE.match(n) and a.facts.get(n) != b.facts.get(n)
        ]
        if names:
            p, q = a.facts.get(names[0], "nothing"), b.facts.get(names[0], "nothing")
            more = f", and {len(names) - 1} more" if len(names) > 1 else ""
            findings.append(
                f"{a.where}: {names[0]} is {decimal(q, p)}, uninterrupted {decimal(p, q)}{more}"
            )
    return findings


def last_steps(a: Recording, b: Recording) -> tuple[Event, Event]:
    """The first step that both made, counted from the end: where a wrong state shows first."""
    steps = [[e for e in run.events if e.where.startswith(("before ", "after "))] for run in (a, b)]
    count = min(map(len, steps))
    for p, q in zip(steps[0][-count:], steps[1][-count:], strict=True):
        if {n: t for n, t in p.facts.items() if "holds" not in n} != {
            n: t for n, t in q.facts.items() if "holds" not in n
        }:
            return Event(p.where, p.facts), Event(
                p.where, {**q.facts, **{n: t for n, t in p.facts.items() if "holds" in n}}
            )
    return steps[0][-1], steps[0][-1]


def ends(a: Recording, b: Recording) -> tuple[Event, Event]:
    """How both left their networks."""
    found = [next((e for e in run.events if e.where == "end"), Event("end", {})) for run in (a, b)]
    return found[0], found[1]

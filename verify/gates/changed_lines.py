"""Every changed line of the candidate was executed by some run; the others are named as not run.

Two runs can only be equal, or differ, in what they execute: a draw that happens at each tenth step
passes a run of five. A line counts as run when each expression on it that has instructions of its
own was executed, so that the half of `a if cuda else b` which is never taken shows. Code that only
runs with a feature on is the liveness rung's. What no run here can reach is named in the probe,
with the reason. Of two scripts, a line that the candidate dropped must have run in the baseline.
"""

import difflib
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from verify.executed import Extent, instructions
from verify.gates.common import SIDES, inspect_job, is_followed, record_job
from verify.gates.liveness import on_job, trials
from verify.gates.refusals import refusal_job
from verify.probe import Probe
from verify.result import GateResult, Verdict
from verify.script import Script, own_folder
from verify.studio import Job, Side, Studio

NAME = "changed lines"
Line = tuple[str, int]  # file, number
MAKERS = (inspect_job, record_job)
WORDS: Mapping[Side, str] = {
    "candidate": "not run",
    "baseline": "not run, and not in the candidate",
}


def jobs(probe: Probe) -> list[Job]:
    """Every run whose executed code is noted."""
    return [job for side in SIDES for job in jobs_of(probe, side)]


def jobs_of(probe: Probe, side: Side) -> list[Job]:
    """A side in every scenario; the candidate also on spoiled input, and with each feature on."""
    if not is_followed(probe, side):
        return []
    found = [make(probe, side, s.name) for s in probe.scenarios for make in MAKERS]
    if side == "baseline":
        return found
    found += [refusal_job("candidate", name) for name in probe.refusals]
    for feature in probe.features:
        found.append(on_job(probe, feature))
        found += [on_job(probe, feature, *trial) for trial in trials(feature)]
    return found


def judge(studio: Studio) -> GateResult:
    """Each changed line that nothing executed, with its text."""
    probe = studio.probe
    findings, total, excused = [], 0, 0
    for side, words in WORDS.items():
        script, other = probe.candidate, probe.baseline
        if side == "baseline":
            script, other = other, script
        executed = executed_by(studio, jobs_of(probe, side))
        changed = changed_lines(script, other, executed)
        total += len(changed)
        imported = not script.location.endswith(".py")
        idle = {file: lines_not_run(file, ran, imported) for file, ran in executed.items()}
        for (file, number), text in changed.items():
            if number not in idle[file]:
                continue
            place = f"{os.path.relpath(file, own_folder(script.location))}:{number}"
            if any(re.search(pattern, f"{place}: {text}") for pattern in probe.unreached):
                excused += 1
            else:
                findings.append(f"{place}: {words}: {text}")
    also = f", {excused} that no run here can reach" if excused else ""
    if findings:
        summary = f"{len(findings)} of {total} changed lines were executed by no run{also}"
        return GateResult(NAME, Verdict.NOT_RUN, summary, tuple(findings))
    return GateResult(NAME, Verdict.PASS, f"{total} changed lines, all executed{also}")


def executed_by(studio: Studio, followed: Iterable[Job]) -> dict[str, set[Extent]]:
    """What these runs executed, every rank of theirs, by file."""
    executed: dict[str, set[Extent]] = {}
    for job in followed:
        ran = studio.recording(job).ranks() if job.what == "record" else [studio.inspection(job)]
        for each in ran:
            for file, extents in each.executed.items():
                executed.setdefault(file, set()).update(extents)
    return executed


def changed_lines(script: Script, other: Script, files: Iterable[str]) -> dict[Line, str]:
    """The lines of the script's files that are not the other's, each with its text."""
    found: dict[Line, str] = {}
    for file in sorted(files):
        lines = Path(file).read_text("utf-8").splitlines()
        for number in new_numbers(counterpart(script, other, file), lines):
            text = lines[number - 1].strip()
            if text and not text.startswith("#"):
                found[file, number] = text
    return found


def counterpart(script: Script, other: Script, file: str) -> list[str]:
    """The lines of the other script that a file of this one is held against."""
    this, place = Path(script.location), Path(other.location)
    if this.suffix == ".py" and Path(file) != this:
        place = place.parent / Path(file).relative_to(this.parent)
        return place.read_text("utf-8").splitlines() if place.is_file() else []
    return place.read_text("utf-8").splitlines()


def new_numbers(before: list[str], after: list[str]) -> list[int]:
    """Numbers of the lines of `after` that a comparison with `before` finds changed or new."""
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    return [
        number
        for kind, _, _, first, last in matcher.get_opcodes()
        if kind in ("replace", "insert")
        for number in range(first + 1, last + 1)
    ]


def lines_not_run(file: str, ran: set[Extent], imported: bool) -> set[int]:
    """Numbers of the lines on which an instruction begins that was never executed."""
    every = instructions(Path(file).read_bytes(), file, imported)
    return {extent[0] for extent in every if extent not in ran}

"""Every changed line of the candidate was executed by some run; the others are named as not run.

Two runs can only be equal, or differ, in what they execute: a draw that happens at each tenth step
passes a run of five. A line counts as run when each expression on it that has instructions of its
own was executed, so that the half of `a if cuda else b` which is never taken shows. Code that only
runs with a feature on is the liveness rung's. What no run here can reach is named in the probe,
with the reason.
"""

import ast
import difflib
import os
import re
from collections.abc import Iterable
from pathlib import Path

from verify.executed import Extent, instructions
from verify.gates.common import inspect_job, record_job
from verify.gates.liveness import on_job, trials, trip_jobs
from verify.gates.refusals import refusal_job
from verify.probe import Probe
from verify.result import GateResult, Verdict
from verify.script import own_folder
from verify.studio import Job, Studio

NAME = "changed lines"
Line = tuple[str, int]  # file below the script's own folder, number


def jobs(probe: Probe) -> list[Job]:
    """The candidate in every scenario, on every spoiled input, and with each feature on."""
    found = [make(probe, "candidate", s.name) for s in probe.scenarios for make in MAKERS]
    found += [refusal_job("candidate", name) for name in probe.refusals]
    for feature in probe.features:
        found.append(on_job(probe, feature))
        found += trip_jobs(probe, feature) if feature.kind == "guards" else []
        found += [on_job(probe, feature, *trial) for trial in trials(feature)]
    return found


MAKERS = (inspect_job, record_job)


def judge(studio: Studio) -> GateResult:
    """Each changed line that nothing executed, with its text."""
    probe = studio.probe
    executed: dict[str, set[Extent]] = {}
    for job in jobs(probe):
        ran = studio.recording(job).ranks() if job.what == "record" else [studio.inspection(job)]
        for each in ran:
            for file, extents in each.executed.items():
                executed.setdefault(file, set()).update(extents)
    changed = changed_lines(probe, executed)
    imported = not probe.candidate.location.endswith(".py")
    idle = {file: lines_not_run(file, ran, imported) for file, ran in executed.items()}
    first = {file: statement_lines(Path(file).read_bytes()) for file in executed}
    home = own_folder(probe.candidate.location)
    findings, excused = list[str](), 0
    for (file, number), text in changed.items():
        if number not in idle[file]:
            continue
        begin = first[file].get(number, number)  # where the statement of this line begins
        place = f"{os.path.relpath(file, home)}:{begin}"
        text = Path(file).read_text("utf-8").splitlines()[begin - 1].strip()
        if any(re.search(pattern, f"{place}: {text}") for pattern in probe.unreached):
            excused += 1
        else:
            findings.append(f"{place}: not run: {text}")
    findings = list(dict.fromkeys(findings))
    also = f", {excused} that no run here can reach" if excused else ""
    if findings:
        what = "statement" if len(findings) == 1 else "statements"
        summary = f"{len(findings)} changed {what} that no run executes{also}"
        return GateResult(NAME, Verdict.NOT_RUN, summary, tuple(findings))
    return GateResult(NAME, Verdict.PASS, f"{len(changed)} changed lines, all executed{also}")


def changed_lines(probe: Probe, files: Iterable[str]) -> dict[Line, str]:
    """The lines of the candidate's files that are not the baseline's, each with its text."""
    found: dict[Line, str] = {}
    for file in sorted(files):
        lines = Path(file).read_text("utf-8").splitlines()
        before = counterpart(probe, file)
        for number in new_numbers(before, lines):
            text = lines[number - 1].strip()
            if text and not text.startswith("#"):
                found[file, number] = text
    return found


def counterpart(probe: Probe, file: str) -> list[str]:
    """The lines of the baseline that a file of the candidate is held against."""
    baseline, candidate = (Path(script.location) for script in (probe.baseline, probe.candidate))
    if candidate.suffix == ".py" and Path(file) != candidate:
        relative = Path(file).relative_to(candidate.parent)
        other = baseline.parent / relative
        return other.read_text("utf-8").splitlines() if other.is_file() else []
    return baseline.read_text("utf-8").splitlines()


def new_numbers(before: list[str], after: list[str]) -> list[int]:
    """Numbers of the lines of `after` that a comparison with `before` finds changed or new."""
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    return [
        number
        for kind, _, _, first, last in matcher.get_opcodes()
        if kind in ("replace", "insert")
        for number in range(first + 1, last + 1)
    ]


def statement_lines(source: bytes) -> dict[int, int]:
    """Of each line that goes on with a statement, the first line; a body is no part of a header."""
    found: dict[int, int] = {}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.stmt):
            body = getattr(node, "body", None)
            last = body[0].lineno - 1 if body else node.end_lineno or node.lineno
            for number in range(node.lineno + 1, last + 1):
                found[number] = max(found.get(number, 0), node.lineno)
    return found


def lines_not_run(file: str, ran: set[Extent], imported: bool) -> set[int]:
    """Numbers of the lines on which an instruction begins that was never executed."""
    every = instructions(Path(file).read_bytes(), file, imported)
    return {extent[0] for extent in every if extent not in ran}

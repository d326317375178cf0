"""Every changed line was executed by some run; the others are named as not run.

Of a pair of scripts, the baseline's lines that the candidate has not are held to the same.

Two runs can only be equal, or differ, in what they execute: a draw that happens at each tenth step
passes a run of five. A line counts as run when each expression on it that has instructions of its
own was executed, so that the half of `a if cuda else b` which is never taken shows. Of commands a
half that is a plain constant may be idle, such as the `0.0` of `rate if self.training else 0.0`,
unless it is the constant that changed. Code that only runs with a feature on is the liveness
rung's. What no run here can reach is named in the probe, with the reason.
"""

import ast
import difflib
import functools
import os
import re
from collections.abc import Iterable
from pathlib import Path

from goldenseal.bundle.imports import needs_of
from goldenseal.errors import UsageError
from goldenseal.ladder.executed import Extent, idle_constants, instructions
from goldenseal.ladder.gates.common import followed_sides, inspect_job, record_job, traced_scenario
from goldenseal.ladder.gates.liveness import on_job, on_runs, trials, trip_jobs, turned_on
from goldenseal.ladder.gates.refusals import refusal_job
from goldenseal.ladder.launch import Command
from goldenseal.ladder.probe import Probe
from goldenseal.ladder.recordings import Job, Recordings, Side
from goldenseal.ladder.script import Script, own_folder, source_text
from goldenseal.result import GateResult, Verdict

NAME = "changed lines"
Line = tuple[str, int]  # file below the script's own folder, number


def jobs(probe: Probe) -> list[Job]:
    """What executes lines of either side."""
    return [job for side in followed_sides(probe) for job in jobs_of(probe, side)]


def jobs_of(probe: Probe, side: Side) -> list[Job]:
    """A side in every scenario; the candidate also on every spoiled input and with features on."""
    made = [make(probe, side, s.name) for s in probe.scenarios for make in MAKERS]
    if side == "baseline" or not probe.features or probe.commands:
        made.append(Job("record", side, traced_scenario(probe), follow=True))
    if side == "baseline":
        return made
    made += [refusal_job("candidate", name) for name in probe.spoiled]
    if probe.features:
        made += turned_on(probe)  # of expressions, the last run has all of them off
    for feature in probe.features:
        made += trip_jobs(probe, feature) if feature.kind == "guards" else []
    return made


def trial_jobs(probe: Probe) -> list[Job]:
    """Each feature with one knob moved, followed: there are many, so only where lines are left."""
    return [
        on_job(probe, feature, *trial, follow=True)
        for feature in probe.features
        for trial in trials(feature)
    ]


MAKERS = (inspect_job, record_job)


def judge(recordings: Recordings) -> GateResult:
    """Each changed line that nothing executed, with its text."""
    left, total, excused = left_over(recordings)
    if left and (more := trial_jobs(recordings.probe)):
        recordings.run(more)
        left, total, excused = left_over(recordings)
    also = f", {excused} that the probe excuses" if excused else ""
    if left:
        what = "statement" if len(left) == 1 else "statements"
        summary = f"{len(left)} changed {what} that no run executes{also}"
        return GateResult(NAME, Verdict.NOT_RUN, summary, tuple(left))
    return GateResult(NAME, Verdict.PASS, f"{total - excused} changed lines executed{also}")


def left_over(recordings: Recordings) -> tuple[list[str], int, int]:
    """The changed lines that nothing executed so far; how many changed; how many are excused."""
    probe = recordings.probe
    findings, total, excused = list[str](), 0, 0
    for side in followed_sides(probe)[::-1]:
        this, other = (probe.candidate, probe.baseline)[:: 1 if side == "candidate" else -1]
        words = "not run" if side == "candidate" else "not run, and not in the candidate"
        executed = executed_by(recordings, side)
        changed = changed_lines(this, other, executed)
        imported = not probe.commands and not this.location.endswith(".py")
        if probe.commands:
            for file in executed:
                before = "\n".join(counterpart(this, other, file)).encode()
                executed[file] |= idle_constants(Path(file).read_bytes(), before)
        idle = {file: lines_not_run(file, ran, imported) for file, ran in executed.items()}
        first = {file: statement_lines(Path(file).read_bytes()) for file in idle}
        home = home_of(this)
        total += len(changed)
        for file, number in changed:
            if number not in idle[file] or (probe.commands and number in refusing(file)):
                continue
            begin = first[file].get(number, number)  # where the statement of this line begins
            place = f"{os.path.relpath(file, home)}:{begin}"
            text = source_text(file).splitlines()[begin - 1].strip()
            if any(re.search(pattern, f"{place}: {text}") for pattern in probe.unreached):
                excused += 1
            else:
                findings.append(f"{place}: {words}: {text}")
    return list(dict.fromkeys(findings)), total, excused


def executed_by(recordings: Recordings, side: Side) -> dict[str, set[Extent]]:
    """What all runs of a side execute, by file; a file of a script that none imports, nothing."""
    script = getattr(recordings.probe, side)
    executed: dict[str, set[Extent]] = {file: set() for file in imports_of(script)}
    recordings.run(jobs_of(recordings.probe, side))
    if side == "candidate":
        on_runs(recordings)  # of features whose common process was cut short
    for file, extents in recordings.executed[side].items():
        executed.setdefault(file, set()).update(extents)
    return executed


def imports_of(script: Script) -> list[str]:
    """The files below a script's folder that it may import, as far as its text tells."""
    path = Path(script.location)
    if path.suffix != ".py":
        return []
    try:
        return [str(path.parent / file) for file in needs_of(path.parent, path.stem).files]
    except UsageError:  # an import whose name is computed, or one that only the checks need
        return []


def changed_lines(this: Script, other: Script, files: Iterable[str]) -> dict[Line, str]:
    """The lines of a script's files that are not the other's, each with its text."""
    changed: dict[Line, str] = {}
    for file in sorted(file for file in files if file.endswith(".py")):
        source = source_text(file)
        lines = source.splitlines()
        numbers = set(new_numbers(counterpart(this, other, file), lines))
        for number in sorted(numbers | decided_by(numbers, ast.parse(source))):
            text = lines[number - 1].strip()
            if re.search(r"\w", text) and not text.startswith("#"):
                changed[file, number] = text
    return changed


def home_of(script: Script) -> str | None:
    """The folder that a script's files are named from."""
    return script.tree.root if isinstance(script, Command) else own_folder(script.location)


def counterpart(this: Script, other: Script, file: str) -> list[str]:
    """The lines of the other script that a file of this one is held against."""
    here, there = Path(this.location), Path(other.location)
    if isinstance(this, Command) and isinstance(other, Command) and Path(file) != here:
        there = Path(other.tree.root) / Path(file).relative_to(this.tree.root)
    elif here.suffix == ".py" and Path(file) != here:
        there = there.parent / Path(file).relative_to(here.parent)
    return source_text(there).splitlines() if there.is_file() else []


def new_numbers(before: list[str], after: list[str]) -> list[int]:
    """Numbers of the lines of `after` that a comparison with `before` finds changed or new."""
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    return [
        number
        for kind, _, _, first, last in matcher.get_opcodes()
        if kind in ("replace", "insert")
        for number in range(first + 1, last + 1)
    ]


def decided_by(numbers: set[int], tree: ast.AST) -> set[int]:
    """The lines of every branch whose condition, or what it goes through, is on one of `numbers`.

    `step == 10` for `step == 20` is no other run, where neither comes to what it decides.
    """
    decided: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.If | ast.While | ast.For):
            head = node.iter if isinstance(node, ast.For) else node.test
            if not numbers.isdisjoint(range(head.lineno, (head.end_lineno or head.lineno) + 1)):
                for each in (*node.body, *node.orelse):
                    decided.update(range(each.lineno, (each.end_lineno or each.lineno) + 1))
    return decided


@functools.cache
def refusing(file: str) -> frozenset[int]:
    """Lines that only raise: of two commands bad input is not tried, and good input meets none."""
    raised = (
        node for node in ast.walk(ast.parse(source_text(file))) if isinstance(node, ast.Raise)
    )
    return frozenset(
        number for node in raised for number in range(node.lineno, (node.end_lineno or 0) + 1)
    )


def statement_lines(source: bytes) -> dict[int, int]:
    """Of each line that goes on with a statement, the first line; a body is no part of a header."""
    starts: dict[int, int] = {}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.stmt):
            body = getattr(node, "body", None)
            begin = body[0] if body else None
            if isinstance(node, ast.Match):
                begin = node.cases[0].pattern
            last = begin.lineno - 1 if begin is not None else node.end_lineno or node.lineno
            for number in range(node.lineno + 1, last + 1):
                starts[number] = max(starts.get(number, 0), node.lineno)
    return starts


def lines_not_run(file: str, ran: set[Extent], imported: bool) -> set[int]:
    """Numbers of the lines on which an instruction begins that was never executed.

    A line on which none begins is the middle of one, such as `.zero_()` alone: of the smallest.
    """
    every = instructions(Path(file).read_bytes(), file, imported)
    begun = {extent[0] for extent in every}
    inside: dict[int, Extent] = {}
    for extent in sorted(every, key=lambda extent: (extent[2] - extent[0], -extent[1]))[::-1]:
        middle = range(extent[0] + 1, extent[2] + 1)
        inside |= {line: extent for line in middle if line not in begun}
    numbers = {extent[0] for extent in every if extent not in ran}
    return numbers | {line for line, extent in inside.items() if extent not in ran}

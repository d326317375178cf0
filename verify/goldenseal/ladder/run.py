"""`goldenseal verify`: run the gates, show them, write the verdict and smoke.log."""

import os
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Literal

from rich.console import Console
from rich.markup import escape
from rich.progress import TimeElapsedColumn
from rich.table import Table

from goldenseal.config import repository, systems
from goldenseal.config import system as system_of
from goldenseal.disk.files import atomic_write
from goldenseal.errors import CannotCheckError, UsageError
from goldenseal.kept.evidence import Evidence, is_ci
from goldenseal.ladder import suite
from goldenseal.ladder.systems import judge_systems, ladder
from goldenseal.records.source import read_source
from goldenseal.records.verdict import (
    ALSO_COVERED,
    environment_facts,
    verdict_document,
    write_verdict,
)
from goldenseal.result import EXIT_CODES, GateResult, Verdict
from goldenseal.terminal import progress_bar

if TYPE_CHECKING:  # the gates of the repository need no torch
    from goldenseal.ladder.recordings import Job

MARKS = {Verdict.PASS: "[green]pass[/]", Verdict.FAIL: "[red]FAIL[/]"}
FINDINGS_SHOWN = 8


@dataclass(frozen=True)
class Outcome:
    """All results of one call."""

    results: tuple[GateResult, ...]
    document: dict[str, Any] | None = None
    left_out: Mapping[str, str] = field(default_factory=dict)  # gates without an input, which one

    @property
    def exit_code(self) -> int:
        """0 when every gate passed, 1 when one failed, 3 when one could not run."""
        return EXIT_CODES[suite.worst(self.results)]

    def to_json(self) -> dict[str, Any]:
        """For --json: every gate with its findings, and the verdict that was written, if any."""
        gates = [result.to_json() for result in self.results]
        verdict = suite.worst(self.results).value
        return {
            "verdict": verdict,
            "gates": gates,
            "kept": sum(bool(result.kept) for result in self.results),
            "left_out": dict(self.left_out),
            "written": self.document,
        }

    def render(self, console: Console) -> None:
        """One line a gate; under a gate that did not pass, its reasons."""
        table = Table(box=None, pad_edge=False)
        for heading in ("verdict", "gate", "what was checked"):
            table.add_column(heading, overflow="fold")
        for result in self.results:
            mark = MARKS.get(result.verdict, "[yellow]not run[/]")
            words = escape(result.summary) + (" [dim](kept)[/]" if result.kept else "")
            table.add_row(mark, result.gate, words)
            for finding in result.findings[:FINDINGS_SHOWN]:
                table.add_row("", "", "[red]·[/] " + escape(finding))
            if len(result.findings) > FINDINGS_SHOWN:
                hidden = len(result.findings) - FINDINGS_SHOWN
                table.add_row("", "", f"… {hidden} more findings: --json shows all")
        console.print(table)
        passed = sum(r.verdict is Verdict.PASS for r in self.results)
        console.print(f"\n{passed} of {len(self.results)} gates pass")
        if kept := [r.kept for r in self.results if r.kept]:
            console.print(
                f"{len(kept)} of them kept, the oldest of {min(kept)}: nothing that they read has "
                "changed; --fresh runs all"
            )
        for name, words in self.left_out.items():
            console.print(f"[dim]· nothing to check for {name}: there is no {escape(words)}[/]")


def print_catalogue(console: Console) -> None:
    """The gates in order, each with the sentence that says what it holds."""
    table = Table(box=None, pad_edge=False)
    table.add_column("gate", no_wrap=True)
    table.add_column("what it holds")
    for gate in suite.catalogue():
        table.add_row(gate.name, escape(gate.promise))
    console.print(table)


def verify_pair(
    baseline: Path, candidate: Path, description: Path, only: Sequence[str], jobs: int
) -> Outcome:
    """The ladder on two foreign scripts."""
    from goldenseal.ladder.probe_file import probe_from_toml  # imports torch

    suite.refuse_unknown(only)
    probe = probe_from_toml(description, str(baseline.resolve()), str(candidate.resolve()))
    if probe.smoke is None:
        rungs = [name for name in suite.LADDER if name != "published figures"]
        only = [name for name in rungs if suite.selected(name, only)]
        if not only:
            raise UsageError("--only 'published figures': a probe of two scripts names none")
    return Outcome(tuple(ladder(probe, only, jobs)))


def verify_commands(
    baseline: str,
    candidate: str,
    words: Sequence[str],
    description: Path | None,
    only: Sequence[str],
    jobs: int,
    link: Sequence[str] = (),
    device: str = "",
) -> Outcome:
    """The ladder on two commands: a revision or a folder each, and what to run there."""
    from goldenseal.ladder import description as describing  # imports torch

    suite.refuse_unknown(only)
    unknown = [name for name in only if name not in suite.COMMANDS]
    if unknown:
        raise UsageError(f"--only {unknown[0]!r}: two commands are not held to that gate")
    written, file = describing.read(description)
    if device not in ("", "cpu"):
        raise UsageError(f"--device {device}: must be cpu")
    files = replace(written.files, link=(*written.files.link, *link))
    chosen: Literal["", "cpu"] = "cpu" if device else written.device
    written = replace(written, files=files, device=chosen)
    with TemporaryDirectory() as folder:
        into = Path(folder).resolve()
        probe = describing.probe_of(written, file, into, baseline, candidate, words)
        started = time.monotonic()

        def told(job: "Job", done: int, total: int) -> None:
            spent = time.monotonic() - started
            said = f"{done}/{total} recorded the {job.side}: {in_words(job)} ({spent:.1f} s)"
            print(said, file=sys.stderr, flush=True)

        return Outcome(tuple(suite.run_commands(probe, only, told, jobs)))


def in_words(job: "Job") -> str:
    """What is run, for people who wait."""
    from goldenseal.ladder.program import spelled

    settings = " ".join(spelled(name, value) for name, value in job.changes)
    how = {"traced": job.trace, "followed": job.follow, "frozen": job.frozen}
    words = [job.scenario, settings, *(word for word, is_so in how.items() if is_so)]
    return ", ".join(word for word in (*words, "resumed" if job.what == "resume" else "") if word)


def verify_repository(
    only: Sequence[str], jobs: int, name: str = "", fresh: bool = False
) -> Outcome:
    """Every system of this repository, then theorems, citation, seals and claims, as far as there
    are any.

    With `name`, the ladder of that system alone. `fresh`, or in CI: what is kept is not used. A
    full run writes the verdict, and smoke.log where there are systems; a part of one cannot stand
    for the whole. Raises CannotCheckError where there is nothing to check.
    """
    root = repository()
    suite.refuse_unknown(only)
    results: list[GateResult] = []
    chosen = [system_of(root, name)] if name else systems(root)
    gates, left_out = suite.repository_gates(root)
    if only:
        gates, left_out = [gate for gate in suite.REPOSITORY if gate in only], {}
    if not (chosen and any(suite.selected(gate, only) for gate in suite.LADDER)) and not gates:
        raise CannotCheckError(
            f"nothing to check in {root}: there is no system in pyproject.toml and no "
            f"{', no '.join(words for words, _ in suite.INPUTS.values())}; two versions of a "
            "script are compared by --baseline and --candidate, or as goldenseal.toml says, which "
            "`goldenseal init -- python train.py` writes"
        )
    # Before any gate runs: what is edited meanwhile was not judged. A part writes no verdict.
    source = None if name or only else read_source(root, ALSO_COVERED)
    evidence = Evidence(root, fresh or is_ci(os.environ), source.files if source else None)
    if any(suite.selected(gate, only) for gate in suite.LADDER):
        results += judge_systems(chosen, only, jobs, evidence)
    if name:
        return Outcome(tuple(results))
    with progress_bar(TimeElapsedColumn()) as progress:
        task = progress.add_task("theorems, citation, seals", total=None)
        results += suite.run_repository_gates(
            root, gates, lambda name: progress.update(task, description=name), evidence
        )
    if source is None:
        return Outcome(tuple(results))
    facts = evidence.facts or environment_facts()
    document = verdict_document(root, results, source, facts)
    write_verdict(root, document)
    if chosen:
        atomic_write(root / "smoke.log", smoke_log(results, str(facts.get("torch"))).encode())
    return Outcome(tuple(results), document, left_out)


def smoke_log(results: Sequence[GateResult], torch: str) -> str:
    """What the gates saw, without times, hosts or paths: it can be compared whole.

    torch: its version.
    """
    width = max(len(result.gate) for result in results)
    lines = [
        "# What `goldenseal verify` saw. No times, hosts or paths: the file is compared whole.",
        f"# torch {torch.partition('+')[0]}, CPU, one thread, deterministic algorithms",
    ]
    for result in results:
        lines.append(f"{result.verdict.value:<8}{result.gate:<{width}}  {result.summary}")
        lines += [f"{'':<8}· {finding}" for finding in result.findings]
        if result.gate.endswith("published figures"):
            lines += [f"{'':<8}{name} = {value}" for name, value in result.evidence.items()]
    return "\n".join(lines) + "\n"

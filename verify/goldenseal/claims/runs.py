"""Values by configuration and seed: what a claim's source is made of.

The record's kind says which runs there are: each has a configuration, a seed, knobs and a log.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import Any

from goldenseal.claims.definition import Source
from goldenseal.claims.evidence import (
    LINES,
    Library,
    SealedRecord,
    resolve_pointer,
    select_line,
)
from goldenseal.claims.findings import ClaimError
from goldenseal.claims.formats import is_rows, with_value
from goldenseal.claims.numerals import exact_value
from goldenseal.records.kinds import Cell


@dataclass(frozen=True)
class Run:
    """One run of a record, and what must agree between runs that are compared."""

    sealed: SealedRecord = field(repr=False)
    configuration: str
    seed: int
    log: str
    knobs: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True)
class Observation:
    """A value, where it stands, the seeds that it rests on, and the facts of its run."""

    value: Any
    where: str
    seeds: tuple[int, ...]
    sealed: SealedRecord = field(repr=False)
    knobs: Mapping[str, str] = field(repr=False)
    file: str = ""
    pointer: str = ""

    @cached_property
    def exact(self) -> Fraction:
        """The value as a number. Raises ClaimError `no-evidence` when it is none."""
        number = exact_value(self.value)
        if number is None:
            raise ClaimError("no-evidence", f"{self.where} holds {self.value!r:.60}, no number")
        return number


def runs_of(sealed: SealedRecord) -> list[Run]:
    """The runs that a record holds, by configuration and seed. Raises ClaimError."""
    if not sealed.runs:
        facts = sealed.record.facts
        listed = sealed.record.kind.cells(facts, sealed.lines)
        runs = [
            Run(sealed, each.cell.configuration, each.cell.seed, each.log, each.knobs)
            for each in listed
            if each.finished
        ]
        sealed.runs = sorted(runs, key=lambda run: (run.configuration, run.seed, run.log))
    return sealed.runs


def missing_cells(sealed: SealedRecord, runs: list[Run]) -> list[str]:
    """Cells of the grid without a run.

    The grid is that of the record's plan; without one, the configurations and seeds that
    record.json lists.
    """
    facts = sealed.record.facts
    plan = sealed.toml(facts["plan"]) if facts.get("plan") in sealed.sums else None
    have = {Cell(run.configuration, run.seed) for run in runs}
    planned = sealed.record.kind.planned(facts, plan, have)
    return [f"{c.configuration or 'seed'} {c.seed}" for c in planned if c not in have]


def check_complete(sealed: SealedRecord, runs: list[Run]) -> None:
    """Raise ClaimError `incomplete-grid` when a cell of the record's grid has no run."""
    if missing := missing_cells(sealed, runs):
        shown = ", ".join(missing[:5]) + (", …" if len(missing) > 5 else "")
        raise ClaimError("incomplete-grid", f"{sealed.name} has no finished run of {shown}")


def observations(library: Library, source: Source, several: bool) -> list[Observation]:
    """The values of a source, in the order of its records and seeds.

    `several` is for a statistic over runs: then the seeds stated must be all that the records
    list, and no cell may be missing. Raises ClaimError.
    """
    seen: list[Observation] = []
    for reference in source.records:
        sealed = library.usable(reference) if source.standing else library.find(reference)
        if source.file is not None:
            seen.append(_from_file(sealed, source))
        else:
            seen += _from_runs(sealed, source, several)
    if several:
        _check_seeds(source, seen)
    return seen


def _from_file(sealed: SealedRecord, source: Source) -> Observation:
    file = source.file or ""
    where = f"{sealed.name}/{file}"
    if source.line or file.endswith(LINES) or is_rows(file):
        lines = sealed.lines_with(file, source.line)
        if is_rows(file):
            lines = with_value(lines, source.pointer)
        if not source.line and not (is_rows(file) and len(lines) == 1):
            raise ClaimError("bad-claim", f"{where} has {len(lines)} lines: say which by `line`")
        document = select_line(lines, source.line, where)
        where += _selector(source.line) if source.line else ""
    else:
        document = sealed.json(file)
    facts = sealed.record.facts
    seeds = tuple(facts["seeds"])
    own = [int(seed) for seed, log in facts.get("logs", {}).items() if log == file]
    if own:
        seeds = tuple(own)
    value = resolve_pointer(document, source.pointer, where)
    place, knobs = f"{where}#{source.pointer}", facts.get("knobs", {})
    return Observation(value, place, seeds, sealed, knobs, file, source.pointer)


def _from_runs(sealed: SealedRecord, source: Source, several: bool) -> list[Observation]:
    runs = runs_of(sealed)
    if several:
        check_complete(sealed, runs)
    names = sorted({run.configuration for run in runs})
    wanted = source.configuration
    if wanted is None:
        if len(names) > 1:
            raise ClaimError(
                "bad-claim", f"{sealed.name} has several configurations: {', '.join(names)}"
            )
        wanted = names[0] if names else ""
    chosen = [run for run in runs if run.configuration == wanted]
    if not chosen:
        known = ", ".join(names) or "none"
        raise ClaimError("no-evidence", f"{sealed.name} has no run of {wanted!r}; it has {known}")
    if source.seeds is not None:
        left = sorted({run.seed for run in chosen} - set(source.seeds))
        if several and left:
            alone = len(source.records) == len(chosen) == 1 < len(source.seeds)
            raise ClaimError(
                "single-seed" if alone else "incomplete-grid",
                f"{sealed.name} has {'only' if alone else 'also'} seed {_list(left)}, which is "
                "not among those stated",
            )
        chosen = [run for run in chosen if run.seed in source.seeds]
    return [_of_run(run, source) for run in chosen]


def _of_run(run: Run, source: Source) -> Observation:
    wanted = source.line or {"kind": "end"}
    key = (run.configuration, run.seed, run.log, source.pointer, repr(wanted))
    if key not in run.sealed.seen:
        run.sealed.seen[key] = _observed(run, source, wanted)
    found: Observation = run.sealed.seen[key]
    return found


def _observed(run: Run, source: Source, wanted: dict[str, Any]) -> Observation:
    where = f"{run.sealed.name}/{run.log}"
    last = run.sealed.last_line(run.log)
    if not isinstance(last, dict) or last.get("kind") != "end":
        raise ClaimError("incomplete-grid", f"{where} was cut short: the run did not end")
    line = select_line(run.sealed.lines_with(run.log, wanted), wanted, where)
    where += _selector(wanted)
    value = resolve_pointer(line, source.pointer, where)
    place = f"{where}#{source.pointer}"
    return Observation(value, place, (run.seed,), run.sealed, run.knobs, run.log, source.pointer)


def _check_seeds(source: Source, seen: list[Observation]) -> None:
    """The stated seeds are exactly those of the evidence, each once."""
    for observation in seen:
        if len(observation.seeds) != 1:
            raise ClaimError(
                "bad-claim",
                f"{observation.where} is of a record of {len(observation.seeds)} seeds: a "
                "statistic over runs takes its values from their logs, so leave out `file`",
            )
    have = [seed for observation in seen for seed in observation.seeds]
    distinct = sorted(set(have))
    if source.seeds is not None:
        if len(distinct) == 1 and len(source.seeds) > 1:
            raise ClaimError(
                "single-seed",
                f"seeds {_list(list(source.seeds))} are claimed, the evidence has {distinct[0]}",
            )
        if absent := sorted(set(source.seeds) - set(distinct)):
            raise ClaimError("incomplete-grid", f"there is no run of seed {_list(absent)}")
        if left := sorted(set(distinct) - set(source.seeds)):
            raise ClaimError("incomplete-grid", f"seed {_list(left)} is left out")
    if len(distinct) < len(seen):
        raise ClaimError(
            "single-seed" if len(distinct) == 1 else "bad-claim",
            f"{len(seen)} runs share {len(distinct)} seeds ({_list(distinct)}): they are no "
            "independent runs",
        )


def _selector(line: Mapping[str, Any]) -> str:
    return "[" + ",".join(f"{key}={value}" for key, value in sorted(line.items())) + "]"


def _list(seeds: list[int]) -> str:
    return ", ".join(str(seed) for seed in seeds)

"""Tables of variants in the README of a speed-run: runs, steps, times, losses and p of each.

Its script prints them with blanks between; in Markdown a row is a variant, or a column is one.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from goldenseal.audit.checks.spread import both
from goldenseal.audit.forms.curve import Curve
from goldenseal.audit.forms.race import Race
from goldenseal.audit.forms.race_groups import assigned
from goldenseal.audit.forms.race_lists import close, p_is, target_of
from goldenseal.audit.match import Value, best
from goldenseal.audit.model import Certainty, Notes, Readme, Table
from goldenseal.audit.numbers import Number, mean, parse, plain
from goldenseal.stats.student import one_sample

MISMATCH = Certainty.MISMATCH
COLUMNS: dict[str, str] = {
    "runs": r"(?:#\s*)?(?:runs|n|seeds)",
    "steps": r"(?:final )?steps",
    "time": r"time\s*(?:μ|mean|avg)|(?:mean|avg)\s*(?:train|wall|run)?[-_ ]?time(?: \(s\))?",
    "time sd": r"(?:train|wall|run)?[-_ ]?time\s*(?:σ|sd|std)",
    "loss": r"loss\s*(?:μ|mean|avg)|(?:mean|avg)\s*(?:final )?(?:val[-_. ]*)?loss",
    "loss sd": r"(?:val[-_ ]?)?loss\s*(?:σ|sd|std)|(?:sd|std)\s*(?:of )?(?:val[-_ ]?)?loss",
    "p": r"(?:loss\s*)?p(?:[-_ ]?val(?:ue)?)?|p\s*\((?:mean|loss)\s*<=?\s*\d\.\d+\)",
}
NUM = r"[-+\u2212]?\d[\d,]*(?:\.\d+)?(?:[eE][-+\u2212]?\d+)?"
CELL = re.compile(rf"{NUM}(?=\s*(?:s|sec|seconds|✓)?\s*$)")


@dataclass(frozen=True)
class Variant:
    """A row, or a column, of such a table."""

    line: int
    name: str
    values: dict[str, Number]


def check(readme: Readme, race: Race, notes: Notes) -> None:
    """Each variant of such a table against the runs that it is of."""
    for table in (*printed(readme.text), *map(of_markdown, readme.tables)):
        rows = [row for row in table if "loss" in row.values]
        told = [(row.name, row.values.get("runs"), row.values.get("steps")) for row in rows]
        for row, curves in zip(rows, assigned(told, race), strict=True):
            if curves:
                judge(readme, row.line, row.name, row.values, curves, race, notes)


def printed(text: str) -> Iterator[list[Variant]]:
    """The tables that a script printed."""
    header: list[str] = []
    rows: list[Variant] = []
    for number, line in enumerate(text.splitlines(), start=1):
        cells = re.split(r"\s{2,}", line.strip())
        if {"runs", "steps"} <= {cell.lower() for cell in cells}:
            yield rows
            header, rows = cells, []
        elif header and (row := row_of(header, line)):
            rows.append(Variant(number, *row))
        elif not line.strip() or line.startswith("```"):
            header = []
    yield rows


def row_of(header: list[str], line: str) -> tuple[str, dict[str, Number]] | None:
    """(name, numbers by column) of one row; None for a line that is none."""
    names = header if header[0].lower() == "runs" else header[1:]
    parts = line.split()
    if len(parts) <= len(names):
        return None
    name, cells = " ".join(parts[: -len(names)]), parts[-len(names) :]
    # Of two columns of p, the last one is that of the loss.
    values = quantities(zip(names, cells, strict=True))
    return (name, values) if "runs" in values and "loss" in values else None


def quantities(pairs: Iterator[tuple[str, str]]) -> dict[str, Number]:
    """The numbers under headings that are known, each by what it is."""
    values = {}
    for heading, cell in pairs:
        match = CELL.match(cell.strip("*~≈ "))
        number = parse(match[0].replace("\u2212", "-")) if match else None
        for key, pattern in COLUMNS.items():
            if number is not None and re.fullmatch(pattern, heading.strip("* "), re.IGNORECASE):
                values[key] = number
    return values


def of_markdown(table: Table) -> list[Variant]:
    """The variants of a table, which are its rows, or its columns where those are the quantities.

    A column that only says `sd` is that of the loss, where it follows the loss.
    """
    header = list(table.header)
    for at, heading in enumerate(header[1:], start=1):
        before = re.fullmatch(COLUMNS["loss"], header[at - 1].strip("* "), re.IGNORECASE)
        if before and heading.strip("* ").lower() in ("sd", "std", "σ"):
            header[at] = "loss sd"
    rows = [
        Variant(line, cells[0].strip("* "), quantities(zip(header[1:], cells[1:], strict=False)))
        for line, cells in table.rows
        if cells
    ]
    if any(row.values for row in rows):
        return rows
    headings = [cells[0] if cells else "" for _, cells in table.rows]
    line = table.rows[0][0] if table.rows else 0
    return [
        Variant(
            line,
            name.strip("* "),
            quantities(
                (heading, cells[at])
                for heading, (_, cells) in zip(headings, table.rows, strict=True)
                if at < len(cells)
            ),
        )
        for at, name in enumerate(table.header)
        if at
    ]


def judge(
    readme: Readme,
    line: int,
    name: str,
    values: dict[str, Number],
    curves: list[Curve],
    race: Race,
    notes: Notes,
) -> None:
    """One row: its count, its means and deviations, and its p."""
    place = f"{readme.name}:{line}"
    losses = [next(iter(c.last.losses.values())).value for c in curves]
    times = [c.last.ms / 1000 for c in curves if c.last.ms is not None]

    def say(key: str, holds: bool, evidence: str, score: bool = False) -> None:
        shown = f"{name}: {key} {values[key]}"
        if not holds:
            return notes.add("row-not-in-log", MISMATCH, shown, place, evidence)
        return (
            notes.score(shown, place, evidence) if score else notes.confirm(shown, place, evidence)
        )

    if "runs" in values:
        stated = values["runs"].value
        say("runs", stated == len(curves), f"{len(curves)} logs of them are here")
        if stated != len(curves):
            return
    checks: list[tuple[str, list[Decimal], Callable[[Number], tuple[bool, str]]]] = [
        ("loss", losses, lambda n: mean_is(n, losses)),
        ("time", times, lambda n: mean_is(n, times)),
        ("loss sd", losses, lambda n: spread_is(n, losses)),
        ("time sd", times, lambda n: spread_is(n, times)),
    ]
    for key, held, test in checks:
        if key in values and len(held) > 1:
            holds, evidence = test(values[key])
            say(key, holds, evidence, score=key == "loss")
    target = target_of(readme.text, race) or Decimal("3.28")
    test_of = one_sample([float(v) for v in losses], float(target)) if len(losses) > 1 else None
    if "p" in values and test_of is not None:
        shown = f"against {target}, one-sided: {test_of.less:.4g}"
        say("p", p_is(values["p"], "=", test_of.less), shown)


def mean_is(number: Number, values: list[Decimal]) -> tuple[bool, str]:
    """Whether a number is the mean of these, and what is."""
    exact = mean(values)
    return close(number, exact), f"the mean of {len(values)} logs is {plain(exact, 6)}"


def spread_is(number: Number, values: list[Decimal]) -> tuple[bool, str]:
    """Whether a number is a deviation of these, and what is."""
    candidates = [Value(v.value, None, v.what) for v in both(values, "the logs", number.digits)]
    nearest = best(number, candidates)
    return nearest.holds, nearest.how

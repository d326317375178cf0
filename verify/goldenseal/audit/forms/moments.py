"""Numbers that a README gives for an epoch or a step: `at epoch 10`, a table by epoch."""

import re
from collections.abc import Iterator

from goldenseal.audit.forms.metric_runs import Meant, MetricRun, fit, meant
from goldenseal.audit.match import Value
from goldenseal.audit.model import Certainty, Notes, Table
from goldenseal.audit.numbers import Number, parse

MISMATCH = Certainty.MISMATCH
NAMED = re.compile(r"\b(?:at|after|in|by)\s+(epoch|step|iteration)\s+#?(\d[\d,]*)\b", re.IGNORECASE)
HEADS = {"epoch": "epoch", "epochs": "epoch", "step": "step", "steps": "step", "iteration": "step"}
CELL = re.compile(r"^[~≈]?\s*(\d[\d,]*(?:\.\d+)?|\.\d+)\s*(%?)$")


def named_in(line: str, start: int, end: int) -> tuple[str, int] | None:
    """(kind, number) of the one moment that the clause around a number names."""
    clause = line[max(line.rfind(mark, 0, start) for mark in ",;.") + 1 : end]
    after = re.split(r"[,;]|\.\s", line[end:], maxsplit=1)[0]
    found = [(m[1].lower(), int(m[2].replace(",", ""))) for m in NAMED.finditer(clause + after)]
    return (HEADS[found[0][0]], found[0][1]) if len(found) == 1 else None


def at(runs: list[MetricRun], wanted: Meant, moment: tuple[str, int]) -> list[Value]:
    """What the runs logged of a quantity at a moment."""
    kind, number = moment
    return [
        Value(point.number.value, point.number.digits, f"{name} of {run.name} at {kind} {number}")
        for run in runs
        for name, series in run.named(wanted)
        if wanted.same_split(name)
        for point in series.points
        if (point.epoch if kind == "epoch" else point.step) == number
    ]


def judge(
    number: Number, percent: bool, held: list[Value], shown: str, place: str, notes: Notes
) -> None:
    """One number against the values of its moment."""
    nearest = fit(number, held, percent)
    if nearest.holds or nearest.agreement:
        return notes.score(shown, place, nearest.how)
    return notes.add("not-in-log", MISMATCH, shown, place, nearest.how)


def by_moment(table: Table) -> tuple[int, str] | None:
    """The column of epochs or steps that a table is ordered by, which is its first one."""
    head = table.header[0].strip("* ").lower() if table.header else ""
    return (0, HEADS[head]) if head in HEADS else None


def check_table(name: str, table: Table, runs: list[MetricRun], notes: Notes) -> bool:
    """Whether a table is one by epoch or step of the only run; then its cells are judged."""
    found = by_moment(table)
    if found is None or len(runs) != 1:
        return False
    for line, cells in table.rows:
        moment = parse(cells[0].strip("* ")) if cells else None
        if moment is None or not moment.is_integer:
            continue
        for wanted, number, percent, shown in _cells(table.header, cells):
            held = at(runs, wanted, (found[1], int(moment.value)))
            if held:
                place = f"{name}:{line}"
                judge(number, percent, held, f"{shown} at {found[1]} {moment}", place, notes)
    return True


def _cells(header: list[str], cells: list[str]) -> Iterator[tuple[Meant, Number, bool, str]]:
    for head, cell in list(zip(header, cells, strict=False))[1:]:
        match = CELL.match(cell.strip("* "))
        number = parse(match[1]) if match else None
        if match and number is not None:
            wanted = meant(head)
            yield wanted, number, bool(match[2]) or wanted.percent, f"{head} {cell}"

"""Tables of a README with a row a metric: its value, or its values by split or by run."""

import re

from goldenseal.audit.forms.judged import judge, single
from goldenseal.audit.forms.metric_runs import SPLITS, MetricRun, meant, normal
from goldenseal.audit.forms.named_runs import called
from goldenseal.audit.model import Notes, Readme, Table
from goldenseal.audit.numbers import parse

CORNER = re.compile(
    r"(?:evaluation |performance |test )?(?:metrics?|measures?|scores?|names?)?", re.I
)
VALUES = re.compile(
    r"(?:final |best |our |test |validation |val |eval )?"
    r"(?:values?|scores?|results?|ours|performance)"
    r"(?: \(?%\)?)?",
    re.IGNORECASE,
)
CELL = re.compile(r"~?\s*(\d+(?:\.\d+)?|\.\d+)\s*(%?)(?:\s|$)")
OTHERS = re.compile(r"baseline|previous|paper|reported|target|\bgoal|human|chance|ablat", re.I)


def check(readme: Readme, table: Table, runs: list[MetricRun], notes: Notes) -> bool:
    """Every cell of a row that names a metric; whether the table is of this kind."""
    header = [cell.strip() for cell in table.header]
    if len(header) < 2 or not CORNER.fullmatch(header[0]) or OTHERS.search(table.heading):
        return False
    whose = {
        i: own
        for i in range(1, len(header))
        if not is_split(header[i]) and (own := called(header[i], runs))
    }
    known = [
        i
        for i in range(1, len(header))
        if i in whose or VALUES.fullmatch(header[i]) or is_split(header[i])
    ]
    found = False
    for line, cells in table.rows:
        if not cells or OTHERS.search(cells[0]):
            continue
        for i in known:
            wanted = meant(cells[0] if i in whose else f"{header[i]} {cells[0]}")
            fitting = [run for run in whose.get(i, runs) if run.named(wanted)]
            match = CELL.match(cells[i].strip("* ")) if i < len(cells) else None
            number = parse(match[1]) if match else None
            if not fitting or match is None or number is None or not number.digits:
                continue
            found = True
            percent = bool(match[2]) or wanted.percent
            shown, place = f"{cells[0]} {cells[i]}", f"{readme.name}:{line}"
            if len(fitting) > 1 and i not in whose:
                single(number, percent, wanted, fitting, shown, place, notes)
            else:
                judge(number, percent, wanted, fitting, shown, place, notes)
    return found


def is_split(name: str) -> bool:
    """Whether a heading is that of a split alone."""
    return bool(normal(name)) and normal(name) <= SPLITS | {"set", "split"}

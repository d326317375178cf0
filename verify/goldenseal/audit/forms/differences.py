"""A column of differences beside the values that they are of, in a table of a README."""

import re
from decimal import Decimal

from goldenseal.audit.model import Certainty, Notes, Readme, Table
from goldenseal.audit.numbers import Number, parse, plain

HEADING = re.compile(
    r"(?:[Δδ∆]|delta|diff(?:erence)?|gain|improvement|change)(?:\s*\(?(?:%|pp|points?|abs\.?)\)?)?",
    re.IGNORECASE,
)
REFERENCE = re.compile(r"[-–—−/]*|0(?:\.0+)?|ref(?:erence)?|n/?a|baseline", re.IGNORECASE)
VALUE = re.compile(r"~?\s*(\d[\d,]*(?:\.\d+)?|\.\d+)\s*%?(?:\s*(?:±|\+/-)\s*[\d.]+)?\s*%?")
SIGNED = re.compile(r"([-+−–]?)\s*(\d+(?:\.\d+)?|\.\d+)\s*(?:%|pp|points?)?")


def check(readme: Readme, table: Table, notes: Notes) -> None:
    """The column right of the values, where one row says that it is the one compared with."""
    at = [i for i, cell in enumerate(table.header) if i > 1 and HEADING.fullmatch(cell.strip())]
    if len(at) != 1:
        return
    (column,) = at
    rows = [(line, cells) for line, cells in table.rows if len(cells) > column]
    bases = [cells for _, cells in rows if REFERENCE.fullmatch(cells[column].strip())]
    base = value(bases[0][column - 1]) if len(bases) == 1 else None
    for line, cells in rows if base is not None else ():
        own, match = value(cells[column - 1]), SIGNED.fullmatch(cells[column].strip("* "))
        stated = parse(match[2]) if match else None
        if (
            own is None
            or base is None
            or match is None
            or stated is None
            or own.value == base.value
        ):
            continue
        exact = own.value - base.value
        claim, place = f"{table.header[column]} {cells[column]}", f"{readme.name}:{line}"
        evidence = f"{own} less {base} is {plain(exact)}"
        slack = Decimal(1).scaleb(-min(own.digits, base.digits, stated.digits))
        if abs(abs(exact) - stated.value) <= slack:
            notes.confirm(claim, place, evidence)
        elif not is_relative(stated, exact, base, slack):
            notes.add("difference", Certainty.MISMATCH, claim, place, evidence)


def value(cell: str) -> Number | None:
    """The value of a cell, when it is nothing else."""
    match = VALUE.fullmatch(cell.strip("* "))
    return parse(match[1]) if match else None


def is_relative(stated: Number, exact: Decimal, base: Number, slack: Decimal) -> bool:
    """Whether it is a difference in percent of the base, or of values in percent as fractions."""
    percent = abs(exact / base.value) * 100 if base.value else abs(exact)
    wide = max(slack, percent * Decimal("0.02"))
    return (
        abs(percent - stated.value) <= wide or abs(abs(exact) * 100 - stated.value) <= 100 * slack
    )

"""Evidence that is no JSON: CSV files, and the event files of TensorBoard, as rows of named values.

Cells of a CSV file are decimals as text, so a claim is on what is written there. TensorBoard stores
scalars as float32: 0.1 is 0.100000001490…, and 16777217 is 16777216.
"""

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from goldenseal.claims.findings import ClaimError
from goldenseal.claims.numerals import exact_value
from goldenseal.disk.events import CutShort, is_events, records, scalars_of
from goldenseal.errors import UsageError

DELIMITERS = {".csv": ",;\t", ".tsv": "\t"}


class Cell(str):
    """A cell of a CSV file; it equals a number that it spells."""

    __slots__ = ()

    def spells(self, value: Any) -> bool:
        """Whether this is `value` as text."""
        if isinstance(value, str):
            return str(self) == value
        return not isinstance(value, bool) and exact_value(str(self)) == exact_value(value)


def is_rows(file: str) -> bool:
    """Whether a file is one of those that this module reads."""
    return Path(file).suffix.lower() in DELIMITERS or is_events(file)


def rows_of(data: bytes, file: str, where: str) -> list[dict[str, Any]]:
    """The rows of a file. Raises ClaimError for one that cannot be read."""
    if is_events(file):
        return _events(data, where)
    return _csv(data, DELIMITERS[Path(file).suffix.lower()], where)


def _csv(data: bytes, delimiters: str, where: str) -> list[dict[str, Any]]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _unreadable(where, f"not UTF-8: {error.reason}") from None
    first = text.partition("\n")[0]
    delimiter = max(delimiters, key=first.count)
    try:
        table = [r for r in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if r]
    except csv.Error as error:
        raise _unreadable(where, str(error)) from None
    head = [name.strip() for name in table[0]] if table else []
    if twice := [name for name in head if head.count(name) > 1]:
        raise _unreadable(where, f"two columns are called {twice[0]!r}")
    for number, row in enumerate(table[1:], start=2):
        if len(row) != len(head):
            raise _unreadable(where, f"row {number} has {len(row)} cells, the head {len(head)}")
    return [
        {name: Cell(cell.strip()) for name, cell in zip(head, row, strict=True) if cell.strip()}
        for row in table[1:]
    ]


def _events(data: bytes, where: str) -> list[dict[str, Any]]:
    """Every scalar; of a file that was cut short, as by a run that was killed, those before."""
    rows: list[dict[str, Any]] = []
    try:
        for count, record in enumerate(records(io.BytesIO(data)), start=1):
            rows += [
                {"tag": s.tag, "step": s.step, "wall_time": s.wall_time, "value": s.value}
                for s in scalars_of(record, count)
            ]
    except CutShort:
        return rows
    except UsageError as error:
        raise _unreadable(where, str(error)) from None
    return rows


def with_value(rows: Sequence[dict[str, Any]], pointer: str) -> list[dict[str, Any]]:
    """The rows that have a value in the column of a pointer; loggers leave others empty."""
    column = pointer.removeprefix("/").replace("~1", "/").replace("~0", "~")
    return [row for row in rows if column in row]


def _unreadable(where: str, why: str) -> ClaimError:
    return ClaimError("no-evidence", f"{where}: {why}")

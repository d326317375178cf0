"""Tables of others as text: a row an epoch, or an experiment; and what goes back to what."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from goldenseal.claims.sourced.numbers import number
from goldenseal.errors import UsageError
from goldenseal.schema import CLOSED

MISSING = ("-", "nan", "")


@dataclass(frozen=True)
class Rows:
    """A table as printed: names of columns, then a row a line; the first column names the row.

    `-` is a cell without a value. epochs, where given, is what a row's name counts.
    """

    __pydantic_config__ = CLOSED
    label: str
    text: str
    origin: str = ""

    @property
    def columns(self) -> list[str]:
        """Their names; the first is that of the rows."""
        return self.text.strip().splitlines()[0].split()

    @property
    def rows(self) -> list[dict[str, str]]:
        """One dict of texts a line."""
        return [
            dict(zip(self.columns, line.split(), strict=True))
            for line in self.text.strip().splitlines()[1:]
        ]

    @property
    def key(self) -> str:
        """The first column."""
        return self.columns[0]

    def column(self, name: str) -> list[tuple[str, Fraction]]:
        """(row, value) of every row that has one. Raises UsageError for a column that is none."""
        if name not in self.columns:
            raise UsageError(f"{self.label}: no column {name!r}; it has {', '.join(self.columns)}")
        return [(r[self.key], number(r[name])) for r in self.rows if r[name] not in MISSING]

    def check(self, name: str) -> None:
        """Raise UsageError for rows of another length than the head, or of one name."""
        lines = [line for line in self.text.strip().splitlines() if line.strip()]
        if len(lines) < 2:
            raise UsageError(f"table {name}: a line of columns, then a line a row")
        for line in lines[1:]:
            if len(line.split()) != len(self.columns):
                raise UsageError(
                    f"table {name}: {len(line.split())} cells in {line.strip()!r}, "
                    f"{len(self.columns)} columns"
                )
        names = [row[self.key] for row in self.rows]
        if twice := [n for n in names if names.count(n) > 1]:
            raise UsageError(f"table {name}: two rows are called {twice[0]}")


def places(table: Rows, value: Fraction) -> list[tuple[str, str]]:
    """(row, column) of every place where a value stands."""
    return [
        (row[table.key], name)
        for row in table.rows
        for name, text in row.items()
        if name != table.key and _is(text, value)
    ]


def _is(text: str, value: Fraction) -> bool:
    try:
        return text not in MISSING and number(text) == value
    except UsageError:  # a word, such as yes
        return False


def origins(lineage: Mapping[str, tuple[str, ...]], name: str) -> set[str]:
    """All that a thing goes back to, step by step; a circle ends where it began."""
    found: set[str] = set()
    ahead = list(lineage.get(name, ()))
    while ahead:
        each = ahead.pop()
        if each not in found:
            found.add(each)
            ahead += lineage.get(each, ())
    return found

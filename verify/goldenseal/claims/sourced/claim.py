"""What was said of numbers, and what is found wrong with it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from goldenseal.claims.sourced.numbers import Source
from goldenseal.claims.sourced.tables import Rows


@dataclass(frozen=True)
class Said:
    """What was said. kind: which checks apply; the rest as the kind needs it."""

    says: str
    kind: str
    incident: int = 0
    printed: str = ""
    deviation: str = ""
    ddof: int = 1
    seeds: int = 0
    times: str = "1"
    values: tuple[str, ...] = ()
    low: str = ""
    high: str = ""
    by: str = ""
    which: str = ""
    column: str = ""
    row: dict[str, str] = field(default_factory=dict)
    at: str = ""
    what: str = ""
    free_of: tuple[str, ...] = ()


@dataclass(frozen=True)
class Claim(Said):
    """With the numbers, groups of numbers and table that it speaks of."""

    sources: tuple[Source, ...] = ()
    table: Rows | None = None
    groups: tuple[tuple[Source, ...], ...] = ()
    lineage: dict[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Fault:
    """What is wrong: a kind, words, and the number that the sources give, where there is one."""

    kind: str
    words: str
    right: str = ""


Check: TypeAlias = Callable[[Claim], Iterator[Fault]]

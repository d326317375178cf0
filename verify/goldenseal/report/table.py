"""A table of a page."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Table:
    """Rows that a reader may sort; columns of numbers by value."""

    title: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]

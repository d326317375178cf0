"""Printed numbers, exactly, and sources of them."""

import re
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction

from goldenseal.claims.numerals import short
from goldenseal.errors import UsageError
from goldenseal.schema import CLOSED
from goldenseal.stats.student import mean

PRINTED = re.compile(r"(?a:[+-]?(?:\d{1,60}(?:\.\d{0,60})?|\.\d{1,60})(?:[eE][+-]?\d{1,3})?)")


def number(text: str) -> Fraction:
    """A printed number, exactly. Raises UsageError for what is none."""
    plain = text.replace("−", "-")
    if not PRINTED.fullmatch(plain):
        shown = text if len(text) < 40 else f"{text[:40]}…"
        raise UsageError(f"{shown!r} is not a number: write it as printed, such as '.5853'")
    return Fraction(Decimal(plain))


def unit(text: str) -> Fraction:
    """One of the last digit that is printed."""
    exponent = Decimal(text.replace("−", "-")).as_tuple().exponent
    return Fraction(10) ** int(exponent)


def follows(value: Fraction, printed: str) -> bool:
    """Whether a value rounds to what is printed, half up or half even."""
    return abs(value - number(printed)) <= unit(printed) / 2


def shown(value: Fraction, digits: int = 4) -> str:
    """A number as short as it is clear."""
    return f"{float(value):.{digits}g}" if abs(value) < 10**300 else short(value)


@dataclass(frozen=True)
class Source:
    """Numbers as printed, and all that a comparison must know of them.

    seeds: a number by seed; cells: several by seed; mean, of: where only the mean of so many seeds
    is known; sd, ddof: a printed deviation, of a sample (1) or a population (0). epochs, examples
    (N, of the batch or set that it was measured on) and setting must agree between two sides.
    tracked: the seeds whose files anybody can look at; all when left out. origin: where it stands.
    """

    __pydantic_config__ = CLOSED
    label: str
    origin: str = ""
    seeds: dict[str, str] = field(default_factory=dict)
    cells: dict[str, tuple[str, ...]] = field(default_factory=dict)
    mean: str = ""
    of: int = 0
    sd: str = ""
    ddof: int = 1
    epochs: int | None = None
    examples: int | None = None
    tracked: tuple[str, ...] | None = None
    setting: dict[str, str | int | float] = field(default_factory=dict)

    @property
    def values(self) -> dict[str, Fraction]:
        """One number a seed: its own, or the mean of its cells."""
        if self.cells:
            return {seed: mean([number(t) for t in row]) for seed, row in self.cells.items()}
        return {seed: number(text) for seed, text in self.seeds.items()}

    @property
    def all_cells(self) -> list[Fraction]:
        """Every number, over all seeds."""
        if not self.cells:
            return list(self.values.values())
        return [number(text) for row in self.cells.values() for text in row]

    @property
    def centre(self) -> Fraction:
        """The mean: the printed one, or that of the seeds."""
        return number(self.mean) if self.mean else mean(list(self.values.values()))

    @property
    def texts(self) -> list[str]:
        """Every number as it is printed."""
        rows = [text for row in self.cells.values() for text in row]
        return [self.mean] if self.mean else rows or list(self.seeds.values())

    @property
    def slack(self) -> Fraction:
        """By how much the mean may be off because its numbers were rounded."""
        return max(map(unit, self.texts)) / 2

    @property
    def count(self) -> int:
        """Of seeds."""
        return self.of or len(self.seeds) or len(self.cells)

    def check(self, name: str) -> None:
        """Raise UsageError for a source without numbers, or with too many kinds of them."""
        if not (self.seeds or self.cells or self.mean):
            raise UsageError(f"source {name}: it needs `seeds`, `cells` or `mean` with `of`")
        if self.seeds and self.cells:
            raise UsageError(f"source {name}: `seeds` or `cells`, not both")
        if self.mean and not self.of:
            raise UsageError(f"source {name}: `mean` of how many seeds? say it by `of`")
        for text in [*self.texts, *self.seeds.values(), *([self.sd] if self.sd else [])]:
            try:
                number(text)
            except UsageError as error:
                raise UsageError(f"source {name}: {error}") from None


def by_rounding(low: Fraction, high: Fraction, printed: str) -> bool:
    """Whether some value between the two rounds to what is printed."""
    half, middle = unit(printed) / 2, number(printed)
    return low < middle + half and middle - half < high

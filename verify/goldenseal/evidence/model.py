"""What a foreign run says: its metrics by name and step, its settings, and whether it ended."""

import datetime
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from goldenseal.errors import UsageError

MAX_TEXT = 64 * 1024 * 1024  # bytes of one file that is read whole
MAX_POINTS = 2_000_000
NOT_FINITE = {"nan": math.nan, "infinity": math.inf, "-infinity": -math.inf}


class Point(NamedTuple):
    """One logged value; `step` None where the tool wrote none, as in a summary."""

    name: str
    step: int | None
    value: float


@dataclass
class Run:
    """One run of a folder. What is not known is empty."""

    identifier: str
    points: list[Point] = field(default_factory=list)
    settings: dict[str, Any] = field(default_factory=dict)
    state: str = ""  # finished, failed, or "" where nothing says whether it ended
    started: str = ""  # UTC
    label: str = ""  # what its user called it
    problems: list[str] = field(default_factory=list)  # what could not be read, and where

    def add(self, points: Iterable[Point]) -> None:
        """More values. Raises UsageError when they are too many for one run."""
        self.points.extend(points)
        if len(self.points) > MAX_POINTS:
            raise UsageError(f"more than {MAX_POINTS} values: what follows is not read")

    def seed(self) -> int | None:
        """The seed, where a setting of that very name holds a whole number."""
        for name, value in self.settings.items():
            text = str(value)
            if name.lower() == "seed" and text.isascii() and text.isdigit() and len(text) < 16:
                return int(text)
        return None


def number(value: Any) -> float | None:
    """A logged value as a number; None for what is none, such as a text or a switch."""
    if isinstance(value, str):
        return NOT_FINITE.get(value.lower())
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def numbers(name: str, value: Any, depth: int = 8) -> Iterator[tuple[str, float]]:
    """The numbers in a value, those of a table by its name and a point before theirs."""
    if isinstance(value, dict) and depth:
        for key in value:
            yield from numbers(f"{name}.{key}" if name else str(key), value[key], depth - 1)
    elif (found := number(value)) is not None:
        yield name, found


def utc(seconds: int) -> str:
    """A moment in seconds since 1970, as text; "" for one that no calendar has."""
    try:
        moment = datetime.datetime.fromtimestamp(seconds, datetime.UTC)
    except (OverflowError, ValueError, OSError):
        return ""
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")

"""Lists of numbers in a README, in prose and in blocks of code: `losses = [3.2781, 3.2784]`."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from goldenseal.audit.numbers import Number, parse

BEGIN = re.compile(r"\[(?=\s*(?:[-+]?\.?\d|np\.|torch\.|numpy\.))")
NAMED = re.compile(r"([A-Za-z_][\w .-]{0,40}?)[*`\"']*\s*[:=]\s*(?:\w+\.\w+\()?$")
WRAPPED = re.compile(r"\b(?:np|torch|numpy)\.\w+\(([^()]{1,40})\)")
LABEL = re.compile(r"^(?:#+\s+|\*\*)?[>\s-]*([A-Za-z][\w ()/.+-]{1,60}?)\s*(?::\**|\*\*:?)?\s*$")
MAX_LISTS = 60
MAX_VALUES = 5000
MAX_SPAN = 12_000  # characters


@dataclass(frozen=True)
class Listed:
    """One list: where it stands, what it is called, and what the line above calls the group."""

    line: int
    end: int  # its last line
    name: str
    label: str
    numbers: tuple[Number, ...]

    @property
    def values(self) -> list[Decimal]:
        """The numbers as values."""
        return [number.value for number in self.numbers]

    @property
    def shown(self) -> str:
        """How messages call it."""
        name = f"{self.label} {self.name}".strip() or "list"
        return f"{name} of {len(self.numbers)} values"


def lists_in(text: str) -> list[Listed]:
    """Every list of two numbers or more, in order."""
    found = []
    for listed in _lists(text):
        found.append(listed)
        if len(found) >= MAX_LISTS:
            break
    return found


def _lists(text: str) -> Iterator[Listed]:
    lines = text.split("\n")
    position = 0
    while match := BEGIN.search(text, position):
        position = match.end()
        close = text.find("]", position, position + MAX_SPAN)
        if close < 0:
            continue
        body = text[position:close]
        numbers = numbers_of(body)
        if len(numbers) < 2 or text[close + 1 : close + 2] == "(":
            continue  # one number, or a link
        position = close
        first = text.count("\n", 0, match.start()) + 1
        begin = max(text.rfind("\n", 0, match.start()) + 1, match.start() - 80)
        named = NAMED.search(text[begin : match.start()])
        name = named[1].strip() if named else ""
        last = text.count("\n", 0, close) + 1
        yield Listed(first, last, name, label_above(lines, first), tuple(numbers))


def numbers_of(body: str) -> list[Number]:
    """The numbers that a text lists, with commas between them; none when it holds anything else."""
    plain = WRAPPED.sub(r"\1", body)
    plain = re.sub(r"#[^\n]*", "", plain)
    parts = [part.strip() for part in plain.split(",")]
    if parts and not parts[-1]:
        parts.pop()
    numbers = [parse(part) for part in parts[:MAX_VALUES]]
    return [n for n in numbers if n is not None] if all(n is not None for n in numbers) else []


def label_above(lines: list[str], first: int) -> str:
    """The name of the group: the nearest line above that is only a few words, such as
    `Baseline:`.
    """
    for back in range(2, 5):
        line = lines[first - back] if 0 <= first - back < len(lines) else ""
        marked = line.rstrip(" *").endswith(":") or line.startswith(("#", "**"))
        if marked and (match := LABEL.match(line)):
            return match[1].strip()
        if not line.strip() and back > 2:
            break
    return ""

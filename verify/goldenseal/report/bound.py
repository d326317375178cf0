"""The last value of a curve as a claim: drawn into the picture under an id, with its definition.

`goldenseal claims` then judges a document that shows the picture: claims/documents/svg.py.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from goldenseal.disk import canonical

DIGITS = 5


@dataclass(frozen=True)
class Origin:
    """Where a run's log is sealed: the record's identity, in short, and the file in it."""

    record: str
    file: str


@dataclass(frozen=True)
class Last:
    """A claim on the last value of a curve: its name, its definition, and how it is printed."""

    name: str
    definition: str
    printed: str


def last_of(
    origin: Origin, run: str, lines: Sequence[Mapping[str, Any]], kind: str, key: str, value: float
) -> Last | None:
    """The claim on a number at the last step that has it; None where no one line holds it."""
    path = key.split(".")
    held = [line for line in lines if line.get("kind") == kind and _holds(line, path)]
    step = held[-1].get("step") if held else None
    if sum(line.get("kind") == kind and line.get("step") == step for line in lines) != 1:
        return None
    pointer = "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in path)
    name = re.sub(r"[^A-Za-z0-9_]+", "-", f"last-{kind}-{key}-{run}").strip("-")
    where = f"record = {_quoted(origin.record)}, file = {_quoted(origin.file)}"
    line = f"line = {{ kind = {_quoted(kind)}, step = {step} }}"
    definition = f"{name} = {{ {where}, {line}, pointer = {_quoted(pointer)} }}"
    return Last(name, definition, format(Decimal(f"{value:.{DIGITS}g}"), "f"))


def _holds(line: Mapping[str, Any], path: Sequence[str]) -> bool:
    inner: Any = line
    for part in path:
        if not isinstance(inner, Mapping) or part not in inner:
            return False
        inner = inner[part]
    return True


def _quoted(text: str) -> str:
    """A TOML string, which is a JSON one; nothing in it ends a comment of XML."""
    return canonical.dumps(text).decode().replace("-", "\\u002d").replace(">", "\\u003e")


def comment(claims: Iterable[Last]) -> str:
    """The definitions, as a picture holds them; "" without any."""
    lines = [claim.definition for claim in claims]
    return "\n".join(["<!-- claims", *lines, "-->", ""]) if lines else ""

"""The last value of a curve as a claim: drawn into the picture under an id, with its definition.

`goldenseal claims` then judges a document that shows the picture: claims/documents/svg.py.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from goldenseal.disk import canonical
from goldenseal.disk.files import atomic_write
from goldenseal.errors import UsageError
from goldenseal.records.check import check
from goldenseal.records.record import read_record
from goldenseal.records.sums import refuse_inside_sealed

DIGITS = 5
SHORT = 16  # hex digits of an identity


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


def write_pictures(folder: Path, out: Path) -> list[str]:
    """Draw each curve of a sealed record into a file of the folder `out`, whose names it returns.

    Raises UsageError for a record that is not sealed and intact, or a folder that is.
    """
    from goldenseal.report.curves import pictures
    from goldenseal.report.page import logs_by_file

    report = check(folder)
    if not report.holds:
        raise UsageError(f"{folder.name}: {report.reasons()[0]}: only what is sealed can be bound")
    refuse_inside_sealed(out / "picture.svg")
    identity = str(report.identity)[:SHORT]
    runs = logs_by_file(read_record(folder))
    origins = {run: Origin(identity, file) for run, (file, _) in runs.items()}
    out.mkdir(parents=True, exist_ok=True)
    names = []
    for title, svg in pictures({run: lines for run, (_, lines) in runs.items()}, origins).items():
        names.append(re.sub(r"[^A-Za-z0-9_.-]+", "-", title) + ".svg")
        atomic_write(out / names[-1], svg.encode())
    return names

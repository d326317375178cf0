"""The lines of a sweep's cells.jsonl, and their form; what the keys mean is told in recorded.py."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from goldenseal.disk import canonical
from goldenseal.disk.files import open_regular
from goldenseal.errors import UsageError
from goldenseal.records.kinds.cells import FAILED, FINISHED, MISSING
from goldenseal.runlog import MAX_LINE_BYTES

Kinds = dict[str, type | tuple[type, ...]]
ALWAYS: Kinds = {
    "attempts": int,
    "configuration": str,
    "reason": (str, type(None)),
    "seed": int,
    "state": str,
}
WHEN_FINISHED: Kinds = {
    "identity": str,
    "knobs": dict,
    "log": str,
    "results": dict,
    "weights": str,
}


def lines_of(path: Path) -> Iterator[dict[str, Any]]:
    """The lines of a cells.jsonl, each once its form is checked. Raises UsageError."""
    with open_regular(path) as file:
        number = 0
        while raw := file.readline(MAX_LINE_BYTES + 1):
            number += 1
            where = f"{path.name}:{number}"
            if not raw.endswith(b"\n"):
                raise UsageError(f"{where}: the line does not end")
            yield checked_line(canonical.loads(raw[:-1], where), where)


def checked_line(line: Any, where: str) -> dict[str, Any]:
    """A line of that form. Raises UsageError."""
    if not isinstance(line, dict):
        raise UsageError(f"{where}: not a JSON object")
    types = ALWAYS | (WHEN_FINISHED if line.get("state") == FINISHED else {})
    if set(line) != set(types):
        raise UsageError(f"{where}: expected the keys {sorted(types)}")
    for key, kind in types.items():
        if not isinstance(line[key], kind) or isinstance(line[key], bool):
            raise UsageError(f"{where}: `{key}` is of another kind")
    if line["state"] not in (FINISHED, FAILED, MISSING):
        raise UsageError(f"{where}: {line['state']!r} is no state of a cell")
    return line

"""Which value of a file a claim means: JSON pointers, and lines by what they hold."""

import re
from collections.abc import Iterator
from typing import Any

from goldenseal.claims.findings import ClaimError
from goldenseal.claims.formats import Cell

Json = Any


def resolve_pointer(document: Json, pointer: str, where: str) -> Json:
    """The value that a JSON pointer (RFC 6901) names. Raises ClaimError `no-evidence`."""
    if pointer and not pointer.startswith("/"):
        raise ClaimError("bad-claim", f"pointer {pointer!r}: a JSON pointer begins with /")
    value = document
    for token in pointer.split("/")[1:]:
        key = token.replace("~1", "/").replace("~0", "~")
        if isinstance(value, dict) and key in value:
            value = value[key]
        elif isinstance(value, list) and _is_index(key) and int(key) < len(value):
            value = value[int(key)]
        else:
            raise ClaimError("no-evidence", f"{where} has nothing at {pointer!r}: no {key!r}")
    return value


def _is_index(key: str) -> bool:
    return key.isascii() and key.isdigit() and len(key) < 10 and (key == "0" or key[0] != "0")


def select_line(lines: list[Json], wanted: dict[str, Json], where: str) -> Json:
    """The one line of a log that has these keys and values. Raises ClaimError `no-evidence`."""
    fitting = [
        line
        for line in lines
        if isinstance(line, dict)
        and all(key in line and _same(line[key], value) for key, value in wanted.items())
    ]
    if len(fitting) != 1:
        chosen = ", ".join(f"{key} = {value!r}" for key, value in sorted(wanted.items()))
        raise ClaimError(
            "no-evidence", f"{where}: {len(fitting)} lines have {chosen}, expected one"
        )
    return fitting[0]


def _same(a: Json, b: Json) -> bool:
    if isinstance(a, Cell):
        return a.spells(b)
    return a == b and isinstance(a, bool) == isinstance(b, bool)


def rows(data: bytes) -> list[bytes]:
    """The lines of a log, without their ends."""
    return data.removesuffix(b"\n").split(b"\n") if data else []


def rows_with(data: bytes, needles: tuple[bytes, ...]) -> Iterator[bytes]:
    """The rows that hold all needles, and those with a backslash, which could spell them so."""
    if b"\\" in data:
        for row in rows(data):
            if b"\\" in row or all(needle in row for needle in needles):
                yield row
        return
    at = data.find(needles[0])  # a needle spans no rows: to look for it takes no splitting
    while at >= 0:
        end = data.find(b"\n", at)
        end = len(data) if end < 0 else end
        row = data[data.rfind(b"\n", 0, at) + 1 : end]
        if all(needle in row for needle in needles):
            yield row
        at = data.find(needles[0], end)


def is_plain(value: Json) -> bool:
    """Whether a value is a string whose letters JSON writes as they are, unless it escapes them."""
    return isinstance(value, str) and re.fullmatch(r"[\w .-]+", value, re.ASCII) is not None

"""Canonical JSON (RFC 8785), and a parser that trusts nobody."""

import json
import math
from typing import Any

import rfc8785

from verify.errors import UsageError

MAX_BYTES = 64 * 1024 * 1024
MAX_DEPTH = 64
MAX_DIGITS = 1000
MAX_INTEGER = 2**53 - 1


def dumps(value: Any) -> bytes:
    """The one canonical encoding of a JSON value: UTF-8, sorted keys, no spaces."""
    return rfc8785.dumps(value)


def loads(data: bytes, where: str) -> Any:
    """Parse JSON that a stranger may have written.

    Raises UsageError, one line that begins with `where`, for what is not JSON, and for duplicate
    keys, NaN and infinities, numbers of absurd length, deep nesting, or more than 64 MiB.
    """
    if len(data) > MAX_BYTES:
        raise UsageError(f"{where}: {len(data)} bytes of JSON, at most {MAX_BYTES} are read")
    try:
        text = data.decode("utf-8")
        _refuse_deep(text, where)
        return json.loads(
            text,
            object_pairs_hook=_unique_keys,
            parse_constant=_refuse_constant,
            parse_int=_read_integer,
            parse_float=_read_float,
        )
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        reason = str(error).splitlines()[0]
        raise UsageError(f"{where}: {reason}") from None


def _refuse_deep(text: str, where: str) -> None:
    depth, inside_string, escaped = 0, False, False
    for character in text:
        if inside_string:
            escaped, closing = character == "\\" and not escaped, character == '"' and not escaped
            inside_string = not closing
        elif character == '"':
            inside_string = True
        elif character in "[{":
            depth += 1
            if depth > MAX_DEPTH:
                raise UsageError(f"{where}: nested deeper than {MAX_DEPTH} levels")
        elif character in "]}":
            depth -= 1


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key {twice!r} is given twice")
    return found


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _read_float(text: str) -> float:
    if len(text) > MAX_DIGITS:
        raise ValueError(f"a number of {len(text)} digits")
    value = float(text)
    if math.isinf(value):
        raise ValueError("a number beyond the doubles")
    return value


def _read_integer(text: str) -> int | float:
    """JSON numbers are doubles: an integer beyond 2^53 is read as the double that it stands for."""
    if len(text) > MAX_DIGITS:
        raise ValueError(f"a number of {len(text)} digits")
    value = int(text)
    return value if abs(value) <= MAX_INTEGER else _read_float(text)

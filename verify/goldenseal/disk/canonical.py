"""Canonical JSON (RFC 8785), and a parser that trusts nobody."""

import json
import math
import re
from collections import Counter
from pathlib import Path
from typing import Any

import rfc8785

from goldenseal.disk.files import read_small
from goldenseal.errors import UsageError

MAX_BYTES = 16 * 1024 * 1024  # parsed, the worst of it takes some 25 times as much memory
MAX_DEPTH = 64
MAX_DIGITS = 1000
MAX_INTEGER = 2**53 - 1
# A string is one token, whatever brackets are in it; one that never ends reaches to the end.
TOKENS = re.compile(r'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)|[][{}]', re.DOTALL)


def dumps(value: Any) -> bytes:
    """The one canonical encoding of a JSON value: UTF-8, sorted keys, no spaces.

    A value in ASCII alone whose floats are written without an exponent or a zero at the end, as
    nearly all of ours are, reads the same from the standard library, many times as fast; what reads
    back as another value is none of those.
    """
    try:
        text = _ENCODER.encode(value)
        if text.isascii() and _DECODER.decode(text) == value:
            return text.encode()
    except (TypeError, ValueError, RecursionError):
        pass
    return rfc8785.dumps(value)


def is_canonical(data: bytes, value: Any) -> bool:
    """Whether `data`, from which `loads` read `value`, is `dumps(value)`, told in half the time:
    without a float in it, what was read need not be read back.
    """
    if not _without_float(value):
        return dumps(value) == data
    text = _ENCODER.encode(value)
    return (text.encode() if text.isascii() else dumps(value)) == data


def _without_float(value: Any) -> bool:
    kind = type(value)
    if kind is dict or kind is list:
        return all(map(_without_float, value.values() if kind is dict else value))
    return kind is not float


def _read_plain_float(text: str) -> float:
    if "e" in text or text.endswith(".0"):
        raise ValueError(f"{text}: such a double has a form of its own in canonical JSON")
    return float(text)


def _read_safe_integer(text: str) -> int:
    if len(text) >= len(str(MAX_INTEGER)):
        raise ValueError(f"{text}: perhaps beyond what canonical JSON can hold")
    return int(text)


_ENCODER = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")
)
_DECODER = json.JSONDecoder(parse_float=_read_plain_float, parse_int=_read_safe_integer)


def read(path: Path, where: str) -> Any:
    """Parse a file as `loads` does; one that is no regular file, or too large, is not read."""
    return loads(read_small(path, MAX_BYTES), where)


def loads(data: bytes, where: str) -> Any:
    """Parse JSON that a stranger may have written.

    Raises UsageError, one line that begins with `where`, for what is not JSON, and for duplicate
    keys, NaN and infinities, numbers of absurd length, halves of surrogate pairs, deep nesting,
    or more than 16 MiB.
    """
    if len(data) > MAX_BYTES:
        raise UsageError(f"{where}: {len(data)} bytes of JSON, at most {MAX_BYTES} are read")
    try:
        text = data.decode("utf-8")
        _refuse_deep(text)
        if text.startswith("\ufeff"):
            raise ValueError("Unexpected UTF-8 BOM (decode using utf-8-sig)")
        value = _READER.decode(text)
        if "\\ud" in text or "\\uD" in text:
            json.dumps(value, ensure_ascii=False).encode()  # half a surrogate pair fails here
        return value
    except (UnicodeError, ValueError, RecursionError) as error:
        reason = str(error).splitlines()[0]
        raise UsageError(f"{where}: {reason}") from None


def _refuse_deep(text: str) -> None:
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return  # not even if all of them were open at once
    depth = 0
    for token in TOKENS.finditer(text):
        if token[0] in "[{":
            depth += 1
            if depth > MAX_DEPTH:
                raise ValueError(f"nested deeper than {MAX_DEPTH} levels")
        elif token[0] in "]}":
            depth -= 1


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) != len(pairs):
        key, _ = Counter(key for key, _ in pairs).most_common(1)[0]
        raise ValueError(f"the key {key!r} is given twice")
    return table


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


_READER = json.JSONDecoder(
    object_pairs_hook=_unique_keys,
    parse_constant=_refuse_constant,
    parse_int=_read_integer,
    parse_float=_read_float,
)

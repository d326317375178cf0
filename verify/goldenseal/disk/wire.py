"""Protocol buffers on the wire, as far as event files and W&B's need them; everything is bounded.

<https://protobuf.dev/programming-guides/encoding/>
"""

import struct
from collections.abc import Iterator

from goldenseal.errors import UsageError

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
MAX_VARINT = 10  # bytes
Value = int | bytes


def fields(data: bytes) -> Iterator[tuple[int, Value]]:
    """(number, value) of each field: an int, or bytes, of fixed fields little-endian ones.

    Raises UsageError for what is no message.
    """
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        kind = tag & 7
        if kind == VARINT:
            value, at = _varint(data, at)
            yield tag >> 3, value
            continue
        if kind == BYTES:
            size, at = _varint(data, at)
        elif kind in (FIXED64, FIXED32):
            size = 8 if kind == FIXED64 else 4
        else:
            raise UsageError(f"no message: a field of wire type {kind}")
        if at + size > len(data):
            raise UsageError("no message: a field reaches beyond its end")
        yield tag >> 3, data[at : at + size]
        at += size


def first(data: bytes, wanted: int) -> Value | None:
    """The last value of a field, as a reader of protocol buffers takes it; None without one."""
    found = None
    for field, value in fields(data):
        if field == wanted:
            found = value
    return found


def inner(data: bytes, wanted: int) -> Iterator[bytes]:
    """The messages in a field that may be repeated."""
    for field, value in fields(data):
        if field == wanted and isinstance(value, bytes):
            yield value


def text(value: Value | None) -> str:
    """A string field; what is no UTF-8 is replaced."""
    return value.decode("utf-8", errors="replace") if isinstance(value, bytes) else ""


def whole(value: Value | None) -> int:
    """A signed 64-bit field; 0 without one."""
    if not isinstance(value, int):
        return 0
    return value - (1 << 64) if value >= 1 << 63 else value


def real(value: Value | None) -> float | None:
    """A float or a double."""
    if not isinstance(value, bytes) or len(value) not in (4, 8):
        return None
    return float(struct.unpack("<f" if len(value) == 4 else "<d", value)[0])


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for place in range(MAX_VARINT):
        if at + place >= len(data):
            raise UsageError("no message: a number is cut short")
        byte = data[at + place]
        value |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:
            return value & ((1 << 64) - 1), at + place + 1
    raise UsageError("no message: a number without an end")

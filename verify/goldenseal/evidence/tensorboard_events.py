"""TensorBoard's event files: TFRecords of protocol buffers, of which the scalars are read.

A record is its length, a checksum of that, its bytes, a checksum of them: CRC-32C, masked. Scalars
are `simple_value`, or a tensor with one element of float or double.
<https://github.com/tensorflow/tensorboard/blob/master/tensorboard/compat/proto/event.proto>
"""

import mmap
import struct
from collections.abc import Iterator
from pathlib import Path

from goldenseal.errors import UsageError
from goldenseal.evidence import wire
from goldenseal.evidence.model import Point, Run, mapped

TOOL = "TensorBoard"
MARK = "tfevents"
MAX_RECORD = 16 * 1024 * 1024
MAX_CHECKED = 64 * 1024  # bytes whose own checksum is computed: a scalar has some fifty
FLOAT, DOUBLE = 1, 2
CASTAGNOLI = 0x82F63B78


def files_of(names: list[str]) -> list[str]:
    """The files that hold events."""
    return [name for name in names if MARK in name.rpartition("/")[2]]


def read(folder: Path, names: list[str]) -> Iterator[Run]:
    """A run for each folder with event files, as TensorBoard takes them; its files in order."""
    runs: dict[str, Run] = {}
    for name in files_of(names):
        run = runs.setdefault(name.rpartition("/")[0] or ".", Run(name.rpartition("/")[0] or "."))
        try:
            with mapped(folder / name) as data:
                for record in records(data):
                    run.add(_points(record))
        except UsageError as error:
            run.problems.append(f"{name}: {error}")
    yield from runs.values()


def records(data: bytes | mmap.mmap) -> Iterator[bytes]:
    """The records of a file. Raises UsageError at the first that is cut short or damaged."""
    at = 0
    while at < len(data):
        if at + 12 > len(data):
            raise UsageError("it was cut short within a record")
        (size,) = struct.unpack_from("<Q", data, at)
        if masked(data[at : at + 8]) != struct.unpack_from("<I", data, at + 8)[0]:
            raise UsageError(f"the record at byte {at} is damaged: the checksum of its length")
        if size > MAX_RECORD:
            raise UsageError(f"the record at byte {at} is larger than {MAX_RECORD} bytes")
        record = data[at + 12 : at + 12 + size]
        tail = data[at + 12 + size : at + 16 + size]
        if len(tail) < 4:
            raise UsageError("it was cut short within a record")
        if size <= MAX_CHECKED and masked(record) != struct.unpack("<I", tail)[0]:
            raise UsageError(f"the record at byte {at} is damaged: its checksum is another")
        yield record
        at += 16 + size


def masked(data: bytes) -> int:
    """CRC-32C as TFRecords have it: rotated by 15 bits, and a constant added."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = TABLE[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def _entry(value: int) -> int:
    for _ in range(8):
        value = value >> 1 ^ (CASTAGNOLI if value & 1 else 0)
    return value


TABLE = [_entry(value) for value in range(256)]


def _points(event: bytes) -> Iterator[Point]:
    step = wire.whole(wire.first(event, 2))
    for summary in wire.inner(event, 5):
        for each in wire.inner(summary, 1):
            value = wire.real(wire.first(each, 2))
            if value is None:
                value = next(map(_scalar, wire.inner(each, 8)), None)
            if value is not None:
                yield Point(wire.text(wire.first(each, 1)), step, value)


def _scalar(tensor: bytes) -> float | None:
    """The one element of a tensor of float or double; None for another tensor."""
    kind, shaped = 0, False
    found: list[float] = []
    for field, value in wire.fields(tensor):
        if field == 1:
            kind = wire.whole(value)
        elif field == 2 and isinstance(value, bytes):
            shaped = bool(value)
        elif field in (4, 5, 6) and isinstance(value, bytes):
            size, code = (8, "d") if kind == DOUBLE else (4, "f")
            if kind in (FLOAT, DOUBLE) and len(value) % size == 0:
                found += struct.unpack(f"<{len(value) // size}{code}", value)
    return found[0] if len(found) == 1 and not shaped else None

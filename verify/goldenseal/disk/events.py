"""TensorBoard's event files: TFRecords of protocol buffers, of which every scalar is read.

A record is its length, a checksum of that, its bytes, a checksum of them: CRC-32C, masked. Scalars
are `simple_value`, or a tensor with one element of float or double; most writers keep single
precision: 0.1 is 0.100000001490…
<https://github.com/tensorflow/tensorboard/blob/master/tensorboard/compat/proto/event.proto>

TensorBoard's own loader ends in silence at a record that is cut short or damaged; this one says so.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from goldenseal.disk import wire
from goldenseal.disk.files import open_regular
from goldenseal.errors import UsageError

EVENTS = "tfevents"  # in the name of every event file
MAX_RECORD = 16 * 1024 * 1024
MAX_CHECKED = 64 * 1024  # bytes whose own checksum is computed: a scalar has some fifty
FLOAT, DOUBLE = 1, 2
CASTAGNOLI = 0x82F63B78


class CutShort(UsageError):
    """The file ends within a record, as that of a run that was killed does."""


@dataclass(frozen=True)
class Scalar:
    """One value of a summary. wall_time in seconds; event: which record holds it, from 1."""

    tag: str
    step: int
    wall_time: float
    value: float
    event: int


def is_events(name: str) -> bool:
    """Whether a file holds events, by its name."""
    return EVENTS in name.rpartition("/")[2]


def scalars(path: Path) -> Iterator[Scalar]:
    """Every scalar of a file, in its order, in constant memory.

    Raises UsageError where it is no event file or damaged, CutShort where it ends within a record:
    both after the scalars before.
    """
    with open_regular(path) as file:
        for count, record in enumerate(records(file), start=1):
            yield from scalars_of(record, count)


def records(file: BinaryIO) -> Iterator[bytes]:
    """The records of a file. Raises UsageError at the first that is cut short or damaged."""
    at = 0
    while head := file.read(12):
        if len(head) < 12:
            raise CutShort("it was cut short within a record")
        (size,) = struct.unpack_from("<Q", head)
        if masked(head[:8]) != struct.unpack_from("<I", head, 8)[0]:
            raise UsageError(f"the record at byte {at} is damaged: the checksum of its length")
        if size > MAX_RECORD:
            raise UsageError(f"the record at byte {at} is larger than {MAX_RECORD} bytes")
        record, tail = file.read(size), file.read(4)
        if len(tail) < 4:
            raise CutShort("it was cut short within a record")
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


def scalars_of(event: bytes, count: int) -> Iterator[Scalar]:
    """The scalars of one event, which is the file's record number `count`."""
    step = wire.whole(wire.first(event, 2))
    wall_time = wire.real(wire.first(event, 1)) or 0.0
    for summary in wire.inner(event, 5):
        for each in wire.inner(summary, 1):
            value = wire.real(wire.first(each, 2))
            if value is None:
                value = next(map(_of_tensor, wire.inner(each, 8)), None)
            if value is not None:
                tag = wire.text(wire.first(each, 1))
                yield Scalar(tag, step, wall_time, value, count)


def _of_tensor(tensor: bytes) -> float | None:
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

"""W&B offline runs: `run-ID.wandb`, records of protocol buffers in a log like LevelDB's.

The log has blocks of 32 KiB; a record is in one piece or in several, each with a CRC-32, its length
and its kind. Fields are numbered as in wandb's wandb_internal.proto, of version 0.31.
"""

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from goldenseal.disk import canonical, wire
from goldenseal.disk.files import open_regular
from goldenseal.errors import UsageError
from goldenseal.evidence.model import MAX_TEXT, NOT_FINITE, Point, Run, numbers, utc

TOOL = "W&B"
SUMMARY = "wandb-summary.json"
MAGIC = b":W&B"
FILE_HEADER, HEADER, BLOCK = 7, 7, 32 * 1024
FULL, FIRST, MIDDLE, LAST = 1, 2, 3, 4
HISTORY, SUMMARIES, CONFIG, RUN, EXIT = 2, 3, 5, 17, 18
KEY, NESTED, INTEGER, NUMBER, JSON = 1, 2, 5, 6, 16


def files_of(names: list[str]) -> list[str]:
    """The files that hold a run: its log, and, where that is gone, its summary."""
    logs = [name for name in names if name.endswith(".wandb")]
    whole = {name.rpartition("/")[0] for name in logs}
    summaries = [name for name in names if name.rpartition("/")[2] == SUMMARY]
    return logs + [name for name in summaries if folder_of(name) not in whole]


def folder_of(summary: str) -> str:
    """The folder of the run whose summary this is: it lies in `files/`."""
    return summary.removesuffix(SUMMARY).removesuffix("files/").rstrip("/")


def read(folder: Path, names: list[str]) -> Iterator[Run]:
    """The runs of a folder."""
    for name in files_of(names):
        read_one = read_run if name.endswith(".wandb") else read_summary
        yield read_one(folder / name, name)


def read_summary(path: Path, name: str) -> Run:
    """The last value of each metric, without a step."""
    run = Run(folder_of(name).rpartition("/")[2] or ".")
    try:
        facts = canonical.read(path, name)
        found = facts.items() if isinstance(facts, dict) else ()
        for key, value in found:
            if not key.startswith("_"):
                run.add(Point(each, None, number) for each, number in numbers(key, value))
    except UsageError as error:
        run.problems.append(str(error))
    return run


def read_run(path: Path, name: str) -> Run:
    """One run. A record that cannot be read ends the reading, and is a problem of the run.

    What was only ever put into the run's summary is a value without a step.
    """
    run = Run(path.stem.removeprefix("run-"))
    summary: dict[str, Any] = {}
    try:
        with open_regular(path) as file:
            for record in records(file):
                _take(run, summary, record)
    except UsageError as error:
        run.problems.append(f"{name}: {error}")
    logged = {point.name for point in run.points}
    told = [pair for key, value in summary.items() for pair in numbers(key, value)]
    run.points += [Point(each, None, number) for each, number in told if each not in logged]
    return run


def records(file: BinaryIO) -> Iterator[bytes]:
    """The records of a log. Raises UsageError at the first that is cut short or damaged."""
    if file.read(FILE_HEADER)[:4] != MAGIC:
        raise UsageError("no W&B run: it does not begin with :W&B")
    at, pieces = FILE_HEADER, b""
    while True:
        left = BLOCK - at % BLOCK
        if left < HEADER:  # the rest of a block is filled up
            at += len(file.read(left))
        if not (head := file.read(HEADER)):
            return
        if len(head) < HEADER:
            raise UsageError("it was cut short within a record")
        crc, size, kind = struct.unpack("<IHB", head)
        piece = file.read(size)
        if len(piece) < size:
            raise UsageError("it was cut short within a record")
        if zlib.crc32(piece, zlib.crc32(bytes([kind]))) != crc:
            raise UsageError(f"the record at byte {at} is damaged: its checksum is another")
        at += HEADER + size
        pieces = piece if kind in (FULL, FIRST) else pieces + piece
        if len(pieces) > MAX_TEXT:
            raise UsageError(f"the record before byte {at} is larger than {MAX_TEXT} bytes")
        if kind in (FULL, LAST):
            yield pieces
            pieces = b""


def _take(run: Run, summary: dict[str, Any], record: bytes) -> None:
    for field, value in wire.fields(record):
        if not isinstance(value, bytes):
            continue
        if field == HISTORY:
            run.add(_points(value))
        elif field == SUMMARIES:
            summary |= {key: each for key, each in _pairs(value) if not key.startswith("_")}
        elif field == RUN:
            run.settings |= _settings(value, 4)
            if start := wire.first(value, 17):
                seconds = wire.whole(wire.first(start, 1)) if isinstance(start, bytes) else 0
                run.started = utc(seconds)
        elif field == CONFIG:
            run.settings |= _items(value)
        elif field == EXIT:
            run.state = "failed" if wire.whole(wire.first(value, 1)) else "finished"


def _points(history: bytes) -> Iterator[Point]:
    found = dict(_pairs(history))
    step = found.get("_step")
    told = next(wire.inner(history, 2), None)
    if told is not None:
        step = wire.whole(wire.first(told, 1))
    at = step if isinstance(step, int) else None
    for name, value in found.items():
        if not name.startswith("_"):
            for each, number in numbers(name, value):
                yield Point(each, at, number)


def _settings(run: bytes, field: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for config in wire.inner(run, field):
        found |= _items(config)
    return found


def _items(config: bytes) -> dict[str, Any]:
    return {name: value for name, value in _pairs(config) if not name.startswith("_wandb")}


def _pairs(items: bytes) -> Iterator[tuple[str, Any]]:
    """(name, value) of the items in a history or a config; nested names with a point between."""
    for item in wire.inner(items, 1):
        keys: list[str] = []
        value: Any = None
        for field, raw in wire.fields(item):
            if field in (KEY, NESTED):
                keys.append(wire.text(raw))
            elif field == JSON:
                value = _json(wire.text(raw))
            elif field == INTEGER:
                value = wire.whole(raw)
            elif field == NUMBER:
                value = wire.real(raw)
        if keys:
            yield ".".join(keys), value


def _json(text: str) -> Any:
    if text.lower() in NOT_FINITE:
        return NOT_FINITE[text.lower()]
    try:
        return canonical.loads(text.encode("utf-8", "replace"), "a value")
    except UsageError:
        return None

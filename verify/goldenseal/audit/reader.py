"""Reading a record folder: only its own regular files, only so much of each, nothing executed."""

import contextlib
import json
import os
import stat
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from goldenseal.audit.numbers import Number, parse
from goldenseal.disk.files import open_regular, read_small
from goldenseal.errors import UsageError

MAX_JSON = 1 << 20  # bytes
PIECE = 1 << 23  # of a log, which may be of any size
PEEK = 1 << 16
MAX_SCRIPT = 1 << 23
MAX_README = 1 << 18
MAX_FILES = 5000
WATCHER: ContextVar[Callable[[int], object]] = ContextVar("WATCHER", default=int)
MAX_DEPTH = 8
LOG_SUFFIXES = (".log", ".txt")
NOT_LOGS = (
    "requirements",
    "license",
    "licence",
    "cmakelists",
    "vocab",
    "constraints",
    "readme",
    "notice",
    "merges",
    "environment",
    "pip_freeze",
    "robots",
)


@dataclass(frozen=True)
class Odd:
    """A JSON constant that is no number: NaN or an infinity."""

    text: str


def scan(folder: Path, depth: int = MAX_DEPTH) -> dict[str, int]:
    """(name, bytes) of each regular file below `folder`, sorted; links are neither followed nor
    listed. Folders that cannot be read count as empty.
    """
    sizes: dict[str, int] = {}
    for name, size in sorted(_walk(folder, "", depth)):
        sizes[name] = size
        if len(sizes) >= MAX_FILES:
            break
    return sizes


def _walk(folder: Path, prefix: str, depth: int) -> Iterator[tuple[str, int]]:
    for entry in _entries(folder / prefix):
        try:
            status = entry.stat(follow_symlinks=False)
        except OSError:
            continue
        name = prefix + entry.name
        if stat.S_ISREG(status.st_mode):
            yield name, status.st_size
        elif stat.S_ISDIR(status.st_mode) and depth > 0 and entry.name != ".git":
            yield from _walk(folder, f"{name}/", depth - 1)


def _entries(folder: Path) -> list["os.DirEntry[str]"]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)[:MAX_FILES]
    except OSError:
        return []


def subfolders(folder: Path) -> list[Path]:
    """The folders directly within, without links and hidden ones."""
    return [
        Path(entry.path)
        for entry in _entries(folder)
        if entry.is_dir(follow_symlinks=False) and not entry.name.startswith(".")
    ]


def is_submission(name: str) -> bool:
    """Whether a file name is that of a submission file."""
    base = name.rsplit("/", 1)[-1].lower()
    return base.startswith("submission") and base.endswith(".json")


def is_log(name: str) -> bool:
    """Whether a file may be a run log, by its name."""
    base = name.rsplit("/", 1)[-1].lower()
    return base.endswith(LOG_SUFFIXES) and not base.startswith(NOT_LOGS)


def encoding_of(data: bytes) -> str:
    """The encoding that a byte order mark says, else UTF-8."""
    for mark, name in (
        (b"\xff\xfe", "utf-16"),
        (b"\xfe\xff", "utf-16"),
        (b"\xef\xbb\xbf", "utf-8-sig"),
    ):
        if data.startswith(mark):
            return name
    return "utf-8"


def decode(data: bytes) -> str:
    """Text in whatever encoding its byte order mark says, else UTF-8; never fails."""
    return data.decode(encoding_of(data), errors="replace")


def read(folder: Path, name: str, limit: int) -> bytes | None:
    """The bytes of a file below the folder; None when it is too large, a link or unreadable."""
    try:
        return read_small(folder / name, limit)
    except (UsageError, ValueError):
        return None


@contextlib.contextmanager
def watched(advance: Callable[[int], object]) -> Iterator[None]:
    """Within it `advance` is called with the bytes of logs as they are read."""
    token = WATCHER.set(advance)
    try:
        yield
    finally:
        WATCHER.reset(token)


def pieces(folder: Path, name: str) -> Iterator[bytes]:
    """A file of any size, piece by piece, each of whole lines; of a line that is longer than a
    piece only the pieces are whole. Whoever `watched` is told the bytes read.

    Raises UsageError when it is a link or unreadable.
    """
    with open_regular(folder / name) as file:
        rest, left = b"", os.fstat(file.fileno()).st_size
        while left > 0 and (data := file.read(min(PIECE, left))):
            left -= len(data)
            WATCHER.get()(len(data))
            cut = data.rfind(b"\n") + 1
            if cut or len(rest) > PIECE:
                yield rest + data[:cut]
                rest = data[cut:]
            else:
                rest += data
        if rest:
            yield rest


def ends(folder: Path, name: str) -> bytes:
    """The first and the last bytes of a file, to tell what it is; nothing of one that is none."""
    try:
        with open_regular(folder / name) as file:
            head = file.read(PEEK)
            size = os.fstat(file.fileno()).st_size
            if size <= len(head):
                return head
            file.seek(max(len(head), size - PEEK))
            return head + file.read(PEEK)
    except UsageError:
        return b""


def parse_json(data: bytes) -> tuple[Any, str]:
    """(value, problem): numbers stay as written, as `Number` or, where absurd, as text.

    The problem is empty, or one line that says what is wrong and where.
    """
    if not data.strip(b"\x00 \t\r\n\xef\xbb\xbf"):
        return None, "the file is empty"
    text = decode(data)
    problem = "it begins with a byte order mark" if data[:1] in (b"\xef", b"\xff", b"\xfe") else ""
    twice: list[str] = []

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(items)
        if len(made) != len(items):
            twice.extend(key for key, _ in items)
        return made

    try:
        value = json.loads(
            text,
            parse_float=_number,
            parse_int=_number,
            parse_constant=Odd,
            object_pairs_hook=pairs,
            strict=False,
        )
    except json.JSONDecodeError as error:
        where = f"line {error.lineno} column {error.colno}"
        return None, f"invalid JSON: {error.msg} at {where}"
    except (RecursionError, ValueError) as error:
        return None, f"invalid JSON: {str(error).splitlines()[0] if str(error) else 'too deep'}"
    if not isinstance(value, dict):
        return None, f"not an object but {_named(value)}"
    if twice:
        problem = f"a key is given twice, among {sorted(set(twice))[:4]}"
    return value, problem


def _number(text: str) -> Number | str:
    return parse(text) or text[:80]


def _named(value: object) -> str:
    return {list: "a list", str: "a string", bool: "a boolean", type(None): "null"}.get(
        type(value), "a number"
    )


def cores() -> set[int]:
    """The cores that this process may use."""
    return set(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else {0}

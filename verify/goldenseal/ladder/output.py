"""What a run prints and writes, as facts that do not depend on where it ran."""

import contextlib
import fnmatch
import hashlib
import io
import json
import logging
import os
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any
from unittest import mock

from goldenseal.disk.events import EVENTS, scalars
from goldenseal.ladder.checkpoints import checkpoint_facts


class LineSink(io.TextIOWrapper):
    """A standard output that hands over whole lines, and else is like the real one.

    heard: asked at each writing whether it counts.
    """

    def __init__(self, take: Callable[[str], None], heard: Callable[[], bool]):
        super().__init__(open(os.devnull, "wb"), encoding="utf-8", write_through=True)
        self.take, self.heard, self.rest = take, heard, ""

    def write(self, text: str) -> int:
        """Keep what has no end yet."""
        if not self.heard():
            return len(text)
        *lines, self.rest = (self.rest + text).split("\n")
        for line in lines:
            self.take(line)
        return len(text)

    def finish(self) -> None:
        """Hand over a last line without an end."""
        if self.rest:
            self.take(self.rest)
            self.rest = ""


@contextlib.contextmanager
def logged(own: Callable[[str], bool], take: Callable[[str], None]) -> Iterator[None]:
    """Hand over what the script's own files log: most handlers write it to standard error."""
    handle = logging.Logger.handle

    def handle_and_take(logger: logging.Logger, record: logging.LogRecord) -> None:
        if own(record.pathname):
            for line in record.getMessage().split("\n"):
                take(line)
        handle(logger, record)

    with mock.patch.object(logging.Logger, "handle", handle_and_take):
        yield


@contextlib.contextmanager
def muted() -> Iterator[Callable[[], str]]:
    """Inside, nothing of this process is shown; gives what says the last line that it wrote."""
    with tempfile.TemporaryFile() as file:
        kept = [(stream, os.dup(stream)) for stream in (1, 2)]

        def last() -> str:
            sys.stderr.flush()
            file.seek(max(0, os.fstat(file.fileno()).st_size - TAIL))
            lines = file.read().decode("utf-8", errors="replace").split("\n")
            spoken = [line.strip() for line in lines if line.strip()]
            return f" after it said: {spoken[-1]}" if spoken else ""

        sys.stderr.flush()
        for stream, _ in kept:
            os.dup2(file.fileno(), stream)
        try:
            with open(2, "w", buffering=1, closefd=False) as own:
                with contextlib.redirect_stderr(own):
                    yield last
        finally:
            for stream, real in kept:
                os.dup2(real, stream)
                os.close(real)


TAIL = 4096  # bytes of what a command wrote
SOURCE = 64  # bytes of a source that a log is searched for
TEXT = 1 << 20  # bytes of a file that is compared line by line
Stamps = Mapping[str, tuple[int, int, int]]


def stamps(folder: Path) -> Stamps:
    """Of each file below a folder, what changes when it is written; links are not followed."""
    found = {}
    for above, _, files in os.walk(folder):
        for name in files:
            path = os.path.join(above, name)
            status = os.lstat(path)
            found[path] = status.st_ino, status.st_size, status.st_mtime_ns
    return found


def file_facts(
    folder: Path,
    ignored: Sequence[str],
    logs: Mapping[str, str],
    sources: Sequence[str],
    volatile: Sequence[str],
    there: Stamps | None = None,
    by_value: bool = False,
) -> Iterator[tuple[str, dict[str, str]]]:
    """(name, facts) of each output file, by name: of those that were not `there` as they are now.

    ignored: glob patterns of files that are left out.
    logs: glob patterns of logs that begin with the source, each with the line that ends it.
    The folder itself, which another run has not, counts as `.` where a file names it.
    """
    known, texts = there or {}, sources_in(folder) if by_value else {}
    number: Counter[str] = Counter()
    for place, stamp in sorted(stamps(folder).items()):
        path = Path(place)
        if known.get(place) == stamp or not path.is_file() or "__pycache__" in path.parts:
            continue
        name = path.relative_to(folder).as_posix()
        marker = next((m for p, m in logs.items() if fnmatch.fnmatch(name, p)), None)
        if marker is not None:
            text = path.read_text("utf-8", errors="backslashreplace").replace(str(folder), ".")
            yield name, log_facts(text, marker, sources, volatile)
        elif by_value and EVENTS in path.name:
            # Called by host and process, and full of times: of these, what they hold is compared.
            number[name := f"{os.path.dirname(name)}/{EVENTS}".lstrip("/")] += 1
            facts = logged_values(path)
            if facts and not any(fnmatch.fnmatch(name, pattern) for pattern in ignored):
                yield f"{name} {number[name]}" if number[name] > 1 else name, facts
        elif not any(fnmatch.fnmatch(name, pattern) for pattern in ignored):
            yield name, content_facts(path, os.fsencode(folder), by_value, texts)


def logged_values(path: Path) -> dict[str, str]:
    """The scalars of a TensorBoard log by tag and step; none where it cannot be read here."""
    try:
        return {f"{each.tag}, step {each.step}": repr(each.value) for each in scalars(path)}
    except (ImportError, ValueError):
        return {}


def sources_in(folder: Path) -> dict[str, bytes]:
    """The source of each loaded module that lies below a folder, by its name."""
    found = {}
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None)
        if isinstance(file, str) and os.path.realpath(file).startswith(f"{folder}{os.sep}"):
            with contextlib.suppress(OSError):
                text = Path(file).read_bytes().strip()
                if len(text) >= SOURCE and file.endswith(".py"):
                    found[os.path.relpath(os.path.realpath(file), folder)] = text
    return found


def content_facts(
    path: Path, folder: bytes, by_value: bool, sources: Mapping[str, bytes] = MappingProxyType({})
) -> dict[str, str]:
    """A file's digest. by_value: of a checkpoint each value by name, of a text each line.

    sources: where one of them stands in a log, its name is put, since it says nothing of the run.
    """
    values = checkpoint_facts(path, folder) if by_value else None
    if values is not None:
        return values
    content = path.read_bytes().replace(folder, b".")
    for name, text in sources.items():
        content = content.replace(text, f"(the source of {name})".encode())
    digest = hashlib.sha512(content).hexdigest()[:16]
    if by_value and len(content) <= TEXT and b"\0" not in content:
        with contextlib.suppress(UnicodeDecodeError):
            return text_facts(content.decode(), path.suffix == ".json")
    return {"digest": digest, "bytes": str(len(content))}


def text_facts(text: str, is_json: bool) -> dict[str, str]:
    """Each value of a JSON document by its place, else each line by its number."""
    if is_json:
        with contextlib.suppress(ValueError, RecursionError):
            return dict(_values(json.loads(text), "")) or {"value": text.strip()}
    return {f"line {number}": line for number, line in enumerate(text.splitlines(), start=1)}


def _values(value: Any, place: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict | list):
        each = value.items() if isinstance(value, dict) else enumerate(value)
        for key, inner in each:
            yield from _values(inner, f"{place}.{key}" if place else str(key))
    else:
        yield place, repr(value)


def log_facts(
    text: str, marker: str, sources: Sequence[str], volatile: Sequence[str]
) -> dict[str, str]:
    """The lines of a log after `marker`, by number, and whether `sources` stand before it.

    Sizes that include the source's are given relative to it, so that two scripts can be compared.
    """
    source, end, rest = text.partition(f"{marker}\n")
    size = len(source.removesuffix("\n").encode())

    def relative(number: re.Match[str]) -> str:
        n = int(number[0])
        return f"source + {n - size}" if n >= size else number[0]

    def comparable(line: str) -> str:
        for pattern in volatile:
            line = re.sub(pattern, lambda part: re.sub(r"\d+", relative, part[0]), line)
        return line

    facts = {"source": str(bool(end) and all(part in source for part in sources))}
    for number, line in enumerate(rest.splitlines(), start=1):
        facts[f"line {number}"] = comparable(line)
    return facts

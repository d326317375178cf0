"""What a process and all that it forks read: files that are opened, folders that are listed.

Python itself tells of each (PEP 578). Every process writes them to one log at once, so that what
one has read is known however it ends. What started another program, or spoke to the network, has
read what nobody can name: of that, nothing is kept.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import source_from_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

LISTED, LOADED = ("os.listdir", "os.scandir"), ("import", "ctypes.dlopen")
STARTED = ("subprocess.Popen", "os.exec", "os.posix_spawn", "os.system")
# `platform` asks the one, whose answer is a fact of the machine; the other is a gate's own tool,
# which reads the one file among its words.
KNOWN = ("uname", "cffconvert")
NEARBY = ("127.", "::1", "localhost")


@dataclass
class Reads:
    """Absolute paths of what was read; `beyond`: programs and addresses, behind which none is.

    Of a name in a folder that was opened, Python does not tell the folder: `loose` are such names
    below the folder that a process was in, which count where there is such a file. `loaded`: the
    files of the modules that were there in the end.
    """

    files: set[str] = field(default_factory=set)
    folders: set[str] = field(default_factory=set)
    loose: set[str] = field(default_factory=set)
    beyond: set[str] = field(default_factory=set)
    loaded: set[str] = field(default_factory=set)


_log: int | None = None  # a descriptor; every fork has it
_seen: set[tuple[str, str]] = set()
_hooked = False


@contextmanager
def reading() -> Iterator[Reads]:
    """Inside, this process and its forks write down what they read; afterwards it is told."""
    global _log, _hooked
    if not _hooked:  # a hook can never be taken away
        sys.addaudithook(_hook)
        _hooked = True
    reads = Reads()
    with TemporaryDirectory() as folder:
        place = Path(folder) / "reads"
        _seen.clear()
        _log = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            yield reads
        finally:
            log, _log = _log, None
            os.close(log)
        _tell(reads, place.read_bytes())
    reads.loaded = modules_loaded()


def _tell(reads: Reads, written: bytes) -> None:
    """Fill in what was written down. A compiled module counts as its source."""
    for line in written.split(b"\0"):
        kind, text = line[:1].decode(), os.fsdecode(line[1:])
        if kind == "f":
            reads.files.add(_source_of(text))
        elif kind == "d":
            reads.folders.add(text)
        elif kind == "r":
            reads.loose.add(text)
        elif kind:
            reads.beyond.add(text)


def modules_loaded() -> set[str]:
    """The files of all modules that this process has loaded, shared libraries included."""
    files = set()
    for module in list(sys.modules.values()):
        place = getattr(module, "__file__", None)
        if isinstance(place, str) and os.path.isabs(place):
            files.add(_source_of(place))
    try:
        with open("/proc/self/maps", encoding="utf-8", errors="surrogateescape") as maps:
            files |= {
                part[5].rstrip("\n")
                for part in (line.split(None, 5) for line in maps)
                if len(part) == 6 and part[5].startswith("/") and ".so" in part[5]
            }
    except OSError:  # not Linux: the modules themselves must do
        pass
    return files


def _source_of(path: str) -> str:
    if path.endswith(".pyc") and f"{os.sep}__pycache__{os.sep}" in path:
        try:
            return source_from_cache(path)
        except ValueError:
            return path
    return path


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if _log is None:
        return
    try:
        if event == "open":
            path, mode, flags = arguments
            if flags & os.O_ACCMODE != os.O_WRONLY:
                _note("f" if isinstance(mode, str) or os.path.isabs(path) else "r", path)
        elif event in LISTED:
            _note("d", "." if arguments[0] is None else arguments[0])
        elif event in LOADED:
            _note("f", arguments[1] if event == "import" else arguments[0])
        elif event in STARTED:
            program = os.fsdecode(arguments[0])
            if os.path.basename(program) not in KNOWN:
                _note("x", f"{event} {program!r}")
            else:
                for path in (program, *map(os.fsdecode, arguments[1])):
                    _note("f", path if os.path.isabs(path) else None)
        elif event == "socket.connect" and isinstance(arguments[1], tuple):
            if not str(arguments[1][0]).startswith(NEARBY):
                _note("x", f"{event} {arguments[1][0]}")
    except (OSError, TypeError, ValueError):  # what cannot be named, such as a folder that is gone
        return


def _note(kind: str, what: Any) -> None:
    if what is None or isinstance(what, int):  # a descriptor: it was opened by name before
        return
    text = os.fsdecode(what)
    if kind != "x" and not os.path.isabs(text):
        if kind == "f" and os.sep not in text and ".so" in text:
            return  # of the system's linker, which is among the libraries that are mapped
        text = os.path.join(os.getcwd(), text)
    if (kind, text) not in _seen and _log is not None:
        _seen.add((kind, text))
        os.write(_log, kind.encode() + os.fsencode(text) + b"\0")

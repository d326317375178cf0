"""Reading folders that strangers made, and writing files that are whole or not there."""

import contextlib
import errno
import functools
import hashlib
import os
import re
import stat
import tempfile
import unicodedata
from collections.abc import Callable, Iterator
from io import BufferedReader, FileIO
from pathlib import Path
from typing import Any, NamedTuple

from goldenseal.disk.characters import odd_character
from goldenseal.errors import UsageError

CHUNK = 1 << 20  # bytes read at a time; larger ones are not faster
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)  # of a disk that is written to
MAX_NAME_BYTES = 4096
MAX_PARTS = 64  # folders within folders
SHA512, SHA256 = re.compile("[0-9a-f]{128}"), re.compile("[0-9a-f]{64}")
WINDOWS_CHARACTERS = frozenset('\\:*?"<>|')
WINDOWS_DEVICES = frozenset(
    ("con", "prn", "aux", "nul", *(f"{port}{i}" for port in ("com", "lpt") for i in range(10)))
)


def atomic_write(path: Path, data: bytes, beside: Path | None = None) -> None:
    """Write `data` to `path`, whole or not at all, also when the machine stops meanwhile.

    A process that is killed leaves its temporary file: in `beside`, a folder of the same file
    system, or else in the folder of `path`. An OSError names `path`, which is what was asked for.
    """
    try:
        _write(path, data, beside or path.parent)
    except OSError as error:
        raise type(error)(error.errno, error.strerror, str(path)) from error


def _write(path: Path, data: bytes, beside: Path) -> None:
    descriptor, temporary = tempfile.mkstemp(dir=beside, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@functools.lru_cache(maxsize=1 << 16)  # a check asks of each name four times
def problem_with_name(name: str) -> str | None:
    """Why a relative POSIX path cannot be part of a record; None when it can."""
    try:
        size = len(name.encode("utf-8"))
    except UnicodeEncodeError:
        return "the name is not UTF-8"
    parts = name.split("/")
    if not 0 < size <= MAX_NAME_BYTES or len(parts) > MAX_PARTS:
        return "the name is empty, too long or nested too deep"
    if (odd := odd_character(name)) is not None:
        return (
            "the name holds a control or invisible character, or one newer than Unicode 13: "
            f"U+{ord(odd):04X}"
        )
    if any(part in ("", ".", "..") for part in parts):
        return "the name is absolute, or holds an empty, `.` or `..` part"
    if WINDOWS_CHARACTERS & set(name) or any(_odd_on_windows(part) for part in parts):
        return "the name cannot exist on Windows, or means something else there"
    return None


def _odd_on_windows(part: str) -> bool:
    return part.endswith((".", " ")) or part.split(".")[0].strip().lower() in WINDOWS_DEVICES


def fold(name: str) -> str:
    """What a file system that ignores case and Unicode form would take the name for."""
    if name.isascii():
        return name.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFKC", name).casefold())


def colliding(names: list[str]) -> list[tuple[str, str]]:
    """Pairs of names, of files or of their folders, that some file systems cannot tell apart."""
    seen: dict[str, str] = {}
    folded, collisions = set(), set()
    for name in names:
        path = name
        while path and path not in folded:  # else its folders were folded with it
            folded.add(path)
            other = seen.setdefault(fold(path), path)
            if other != path:
                collisions.add((other, path))
            path = path.rpartition("/")[0]
    return sorted(collisions)


def walk(folder: Path) -> tuple[list[str], list[str]]:
    """(names of regular files, problems), both sorted; nothing is followed or opened.

    Links, devices, sockets, pipes, files with a second hard link, unusable names, names that some
    file systems take for one, also of empty folders, and folders that cannot be listed are
    problems. Raises UsageError when `folder` itself is none or unreadable.
    """
    if folder.is_symlink() or not folder.is_dir():
        raise UsageError(f"{folder} is not a folder")
    names, folders, problems, pending = [], [], [], [""]
    while pending:
        prefix = pending.pop()
        try:
            with os.scandir(folder / prefix) as scan:
                entries = list(scan)
        except OSError as error:
            if not prefix:
                raise UsageError(f"{folder} cannot be read: {error.strerror}") from error
            problems.append(f"{prefix!r}: the folder cannot be read: {error.strerror}")
            continue
        for entry in entries:
            name = prefix + entry.name
            if reason := problem_with_name(name) or _problem_with_entry(entry):
                problems.append(f"{name!r}: {reason}")
            elif entry.is_dir(follow_symlinks=False):
                pending.append(f"{name}/")
                folders.append(name)
            else:
                names.append(name)
    names.sort()
    problems += [
        f"{a!r} and {b!r} differ only in case or form"
        for a, b in colliding(sorted(names + folders))
    ]
    return names, sorted(problems)


def _problem_with_entry(entry: "os.DirEntry[str]") -> str | None:
    try:
        status = entry.stat(follow_symlinks=False)
    except OSError as error:
        return f"it cannot be looked at: {error.strerror}"
    if stat.S_ISLNK(status.st_mode):
        return "a link; a record holds its files itself"
    if stat.S_ISDIR(status.st_mode):
        return None
    if not stat.S_ISREG(status.st_mode):
        return "neither a file nor a folder"
    if status.st_nlink > 1:
        return "the file has a second hard link, through which it can be changed"
    return None


@contextlib.contextmanager
def open_regular(path: Path | str) -> Iterator[BufferedReader]:
    """Open a regular file for reading, and nothing else: a pipe would block, a link lead away.

    Raises UsageError when it is something else or cannot be read, also while it is read.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        file: BufferedReader = BufferedReader(FileIO(descriptor))  # open() would ask for a terminal
        with file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise UsageError(f"{path} is not a regular file")
            yield file
    except OSError as error:
        if error.errno in NO_ROOM:  # what is read from here is written elsewhere
            raise
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error


def read_small(path: Path | str, limit: int) -> bytes:
    """The bytes of a regular file. Raises UsageError when it holds more than `limit` of them."""
    with open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size <= limit:
            data = file.read(size + 1)  # room for the limit would be cleared first
            if len(data) > size:  # it has grown
                data += file.read(limit + 1 - len(data))
            if len(data) <= limit:
                return data
    raise UsageError(f"{path} is larger than {limit} bytes, which is all that is read of its kind")


def is_sha512(text: str) -> bool:
    """Whether the text is 128 lower-case hex digits."""
    return SHA512.fullmatch(text) is not None


def is_sha256(text: str) -> bool:
    """Whether the text is 64 lower-case hex digits."""
    return SHA256.fullmatch(text) is not None


class Digests(NamedTuple):
    """Two digests of the same bytes, in hex."""

    sha512: str
    sha256: str


def hash_file(path: Path | str, advance: Callable[[int], None] = lambda count: None) -> str:
    """SHA-512 of a regular file in constant memory; `advance` is called with the bytes read.

    Raises UsageError when it is a link, cannot be read, or changes while it is read.
    """
    h = hashlib.sha512()
    for chunk in _chunks(path, advance):
        h.update(chunk)
    return h.hexdigest()


def copy_file(path: Path | str, target: Path) -> str:
    """Copy a regular file; the SHA-512 of what was written. Raises UsageError as `hash_file`."""
    h = hashlib.sha512()
    with open(target, "wb") as copy:
        for chunk in _chunks(path, lambda count: None):
            h.update(chunk)
            copy.write(chunk)
    return h.hexdigest()


def hash_both(path: Path | str, advance: Callable[[int], None] = lambda count: None) -> Digests:
    """Both digests of one reading, else as `hash_file`.

    SHA-256 of whole chunks is computed on a second core, if there is one: hashlib lets go of the
    interpreter meanwhile.
    """
    long, short = hashlib.sha512(), hashlib.sha256()
    beside: Any = None
    with contextlib.ExitStack() as stack:
        for chunk in _chunks(path, advance):
            if len(chunk) < CHUNK:
                short.update(chunk)
                long.update(chunk)
                continue
            if beside is None:  # a thread only once there is work for it
                from concurrent.futures import ThreadPoolExecutor

                beside = stack.enter_context(ThreadPoolExecutor(1))
            other = beside.submit(short.update, chunk)
            long.update(chunk)
            other.result()
    return Digests(long.hexdigest(), short.hexdigest())


def _chunks(path: Path | str, advance: Callable[[int], None]) -> Iterator[memoryview]:
    """A regular file's bytes, in one buffer that each step overwrites; errors as `hash_file`."""
    with open_regular(path) as file:
        before = os.fstat(file.fileno())
        buffer = bytearray(min(CHUNK, before.st_size + 1))  # to clear a large one takes longer
        view = memoryview(buffer)
        total = 0
        while count := file.raw.readinto(view):
            yield view[:count]
            total += count
            if total > before.st_size:
                break  # it grows while we read, perhaps for ever
            advance(count)
        after = os.fstat(file.fileno())
    unchanged = (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns)
    if total != before.st_size or not unchanged:
        raise UsageError(f"{path} changed while it was hashed")

"""Reading folders that strangers made, and writing files that are whole or not there."""

import contextlib
import hashlib
import os
import stat
import tempfile
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath

from verify.errors import UsageError

CHUNK = 1 << 20  # bytes read at a time; larger ones are not faster
MAX_NAME_BYTES = 4096


def atomic_write(path: Path, data: bytes) -> None:
    """Write `data` to `path`, whole or not at all, also when the machine stops meanwhile."""
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
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


def problem_with_name(name: str) -> str | None:
    """Why a relative POSIX path cannot be part of a record; None when it can."""
    if name == "" or len(name.encode("utf-8", "surrogateescape")) > MAX_NAME_BYTES:
        return "the name is empty or too long"
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return "the name is not UTF-8"
    if any(unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp") for c in name):
        return "the name holds a control or invisible character"
    if "\\" in name or ":" in name:
        return "the name holds a backslash or a colon, which Windows reads as a path"
    if name.startswith("/") or any(p in ("", ".", "..") for p in name.split("/")):
        return "the name is absolute, or holds an empty, `.` or `..` part"
    if PurePosixPath(name).as_posix() != name:
        return "the name is not in its plain form"
    return None


def fold(name: str) -> str:
    """What a file system that ignores case and Unicode form would take the name for."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFKC", name).casefold())


def colliding(names: list[str]) -> list[tuple[str, str]]:
    """Pairs of names that some file systems cannot tell apart."""
    seen: dict[str, str] = {}
    found = []
    for name in names:
        other = seen.setdefault(fold(name), name)
        if other != name:
            found.append((other, name))
    return found


def walk(folder: Path) -> tuple[list[str], list[str]]:
    """(names of regular files, problems), both sorted; nothing is followed or opened.

    Links, devices, sockets, pipes, files with a second hard link and unusable names are problems.
    Raises UsageError when there is no such folder or it cannot be read.
    """
    if folder.is_symlink() or not folder.is_dir():
        raise UsageError(f"{folder} is not a folder")
    names, problems = [], []
    for name, entry in _entries(folder, ""):
        reason = problem_with_name(name)
        if reason is None and entry.is_symlink():
            reason = "a link; a record holds its files itself"
        elif reason is None:
            mode = entry.stat(follow_symlinks=False)
            if not stat.S_ISREG(mode.st_mode):
                reason = "neither a file nor a folder"
            elif mode.st_nlink > 1:
                reason = "the file has a second hard link, through which it can be changed"
        if reason:
            problems.append(f"{name!r}: {reason}")
        else:
            names.append(name)
    problems += [f"{a!r} and {b!r} differ only in case or form" for a, b in colliding(names)]
    return names, problems


def _entries(folder: Path, prefix: str) -> Iterator[tuple[str, "os.DirEntry[str]"]]:
    try:
        with os.scandir(folder) as scan:
            entries = sorted(scan, key=lambda entry: entry.name)
    except OSError as error:
        raise UsageError(f"{folder} cannot be read: {error.strerror}") from error
    for entry in entries:
        name = prefix + entry.name
        if entry.is_dir(follow_symlinks=False) and problem_with_name(name) is None:
            yield from _entries(folder / entry.name, f"{name}/")
        else:
            yield name, entry


def hash_file(path: Path, advance: Callable[[int], None] = lambda count: None) -> str:
    """SHA-512 of a regular file in constant memory; `advance` is told of the bytes read.

    Raises UsageError when it is a link, cannot be read, or changes while it is read.
    """
    h = hashlib.sha512()
    buffer = bytearray(CHUNK)
    view = memoryview(buffer)
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with open(descriptor, "rb", buffering=0) as file:
            before = os.fstat(descriptor)
            if not stat.S_ISREG(before.st_mode):
                raise UsageError(f"{path} is not a regular file")
            total = 0
            while count := file.readinto(buffer):
                h.update(view[:count])
                total += count
                if total > before.st_size:
                    break  # it grows while we read, perhaps for ever
                advance(count)
            after = os.fstat(descriptor)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    if (total, before.st_size, before.st_mtime_ns) != (
        after.st_size,
        after.st_size,
        after.st_mtime_ns,
    ):
        raise UsageError(f"{path} changed while it was hashed")
    return h.hexdigest()

"""Locks: one process at a time launches a grid, runs a cell. They end with their process."""

import contextlib
import hashlib
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from goldenseal.errors import UsageError

LOCK, LOCKS = ".lock", Path(".goldenseal") / "locks"


@contextlib.contextmanager
def held(path: Path, wait: bool = False) -> Iterator[bool]:
    """Hold the lock of a file; False, without `wait`, when another process has it."""
    lock = FileLock(path, timeout=-1 if wait else 0)
    try:
        lock.acquire()
    except Timeout:
        yield False
        return
    try:
        yield True
    finally:
        lock.release()


@contextlib.contextmanager
def alone(path: Path, what: str) -> Iterator[None]:
    """The same, or UsageError, in words on `what`, at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with held(path) as mine:
        if not mine:
            raise UsageError(f"{what} by another process")
        yield


def lock_of(root: Path, folder: Path) -> Path:
    """The lock of a folder that will be sealed, and may hold none."""
    name = hashlib.sha512(str(folder.resolve()).encode()).hexdigest()[:32]
    return root / LOCKS / name

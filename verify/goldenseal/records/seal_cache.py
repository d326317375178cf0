"""Digests remembered between two seals of a folder, so that only changed files are hashed again.

Nobody trusts this cache: `check` never reads it, and a wrong entry makes a seal that fails its
check. An entry counts only while device, inode, size, mtime and ctime are all as they were, and is
only made when the file had rested for two seconds before it was hashed: a file that changes twice
within one tick of a file system's clock would look the same (git calls such entries racily clean).
"""

import hashlib
import json
import os
import time
from collections.abc import Callable
from pathlib import Path

from goldenseal.disk.files import (
    Digests,
    atomic_write,
    hash_both,
    is_sha256,
    is_sha512,
    read_small,
)
from goldenseal.errors import UsageError

SCHEMA = 2  # 1 knew SHA-512 alone
REST_NS = 2_000_000_000  # FAT keeps time in steps of two seconds; nothing in use is coarser
MAX_BYTES = 256 * 1024 * 1024
Facts = list[int]


class SealCache:
    """The digests of one folder, by name. `REST_NS` as `rest_ns` is shorter only in tests."""

    def __init__(self, path: Path, folder: Path, rest_ns: int = REST_NS):
        self._path, self._rest_ns = path, rest_ns
        self._folder, self._prefix = os.path.realpath(folder), os.path.join(folder, "")
        self._old = _read(path, self._folder)
        self._new: dict[str, tuple[Facts, Digests]] = {}
        self.hashed = 0  # bytes that had to be read

    @classmethod
    def of(cls, root: Path, folder: Path) -> "SealCache":
        """The cache of a folder, under .goldenseal/ of a repository."""
        key = hashlib.sha512(os.path.realpath(folder).encode("utf-8", "surrogateescape"))
        return cls(root / ".goldenseal" / "seal-cache" / f"{key.hexdigest()[:32]}.json", folder)

    def digest(self, path: Path, advance: Callable[[int], None] = lambda count: None) -> Digests:
        """Both digests of a file of the folder; hashed only when it may have changed."""
        name = os.fspath(path).removeprefix(self._prefix)
        try:
            before = _facts(path)
        except OSError as error:
            raise UsageError(f"{path} cannot be read: {error.strerror}") from error
        known = self._old.get(name)
        if known and known[0] == before:
            self._new[name] = known
            advance(before[2])
            return known[1]
        started = time.time_ns()
        digest = hash_both(path, advance)
        self.hashed += before[2]
        if max(before[3], before[4]) + self._rest_ns <= started and _facts(path) == before:
            self._new[name] = before, digest
        return digest

    def save(self) -> None:
        """Write what is known now. A cache that cannot be written is none: nothing is raised."""
        if self._new == self._old:
            return
        files = {name: [*facts, *digests] for name, (facts, digests) in sorted(self._new.items())}
        document = {"schema": SCHEMA, "folder": self._folder, "files": files}
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            atomic_write(self._path, json.dumps(document).encode())
        except (OSError, UnicodeError):
            return


def _facts(path: Path) -> Facts:
    """Device, inode, size, mtime and ctime in nanoseconds; of the name itself, not of a target."""
    status = os.lstat(path)
    return [status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns]


def _read(path: Path, folder: str) -> dict[str, tuple[Facts, Digests]]:
    """What a cache file says of this folder; nothing when anything about it is odd."""
    try:
        document = json.loads(read_small(path, MAX_BYTES))
        if document["schema"] != SCHEMA or document["folder"] != folder:
            return {}
        entries = {}
        for name, (*facts, sha512, sha256) in document["files"].items():
            if len(facts) != 5 or set(map(type, facts)) != {int}:
                return {}
            if not is_sha512(sha512) or not is_sha256(sha256):
                return {}
            entries[name] = facts, Digests(sha512, sha256)
        return entries
    except (UsageError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return {}

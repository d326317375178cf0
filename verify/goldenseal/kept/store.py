"""Kept judgements on disk: .goldenseal/evidence/, one file each, a digest and then JSON.

The digest finds what was torn or changed by accident. It is no defence against who can write there,
for who can do that can write the verdict too: so entries of other users, and such as others may
write, are not read, CI reads none, and `--fresh` neither.
"""

import contextlib
import hashlib
import os
import stat
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from goldenseal.disk import canonical
from goldenseal.disk.files import atomic_write, open_regular
from goldenseal.errors import UsageError
from goldenseal.schema import parse

FOLDER = Path(".goldenseal") / "evidence"
SCHEMA = 2
EACH = 4  # entries of one subject: a few branches, back and forth
MAX_FILES = 64
MAX_BYTES = canonical.MAX_BYTES


@dataclass(frozen=True)
class Passed:
    """A gate that passed: its sentence, and the evidence that the verdict digests.

    evidence: name and value in the order of smoke.log, which an object of JSON does not keep.
    """

    summary: str
    evidence: tuple[tuple[str, Any], ...]
    when: str  # UTC, of the run


@dataclass(frozen=True)
class Entry:
    """Judgements that stand as long as the machine and all inputs are as they were.

    gates: by name, those that passed; no other is ever kept. rungs: all that there were to judge.
    facts: what the verdict says of the environment.
    """

    subject: str
    machine: str
    inputs: dict[str, str]
    gates: dict[str, Passed]
    rungs: tuple[str, ...]
    facts: dict[str, str]


class Store:
    """The entries of a repository."""

    def __init__(self, root: Path):
        self.folder = root / FOLDER

    def entries(self, subject: str) -> Iterator[Entry]:
        """Those of a subject, the newest first; what is odd in any way is none."""
        for path in self._files(f"{_name(subject)}-"):
            with contextlib.suppress(UsageError, OSError):
                entry = _read(path)
                if entry.subject == subject:
                    yield entry

    def add(self, entry: Entry) -> None:
        """Keep an entry, and take old ones away. Where nothing can be written, nothing is kept."""
        from filelock import FileLock  # where all is kept, it is not needed

        gates = {
            name: {**asdict(passed), "evidence": [list(pair) for pair in passed.evidence]}
            for name, passed in entry.gates.items()
        }
        document = {"schema": SCHEMA, **asdict(entry), "rungs": list(entry.rungs), "gates": gates}
        body = canonical.dumps(document)
        digest = hashlib.sha512(body).hexdigest()
        data = f"{digest}\n".encode() + body
        if len(data) > MAX_BYTES:
            return
        with contextlib.suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True)
            with FileLock(self.folder / ".lock"):
                prefix = f"{_name(entry.subject)}-"
                atomic_write(self.folder / f"{prefix}{digest[:16]}.json", data)
                for path in self._files(prefix)[EACH:] + self._files("")[MAX_FILES:]:
                    path.unlink(missing_ok=True)

    def _files(self, prefix: str) -> list[Path]:
        """Names that begin so, the newest first; none where others may write."""
        try:
            status = os.lstat(self.folder)
            if not stat.S_ISDIR(status.st_mode) or not _is_ours(status):
                return []
            with os.scandir(self.folder) as entries:
                found = [
                    (-entry.stat(follow_symlinks=False).st_mtime_ns, entry.name)
                    for entry in entries
                    if entry.name.startswith(prefix) and entry.name.endswith(".json")
                ]
        except OSError:
            return []
        return [self.folder / name for _, name in sorted(found)]


def now() -> str:
    """The time in UTC, to the second."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def _name(subject: str) -> str:
    return hashlib.sha512(subject.encode()).hexdigest()[:16]


def _is_ours(status: os.stat_result) -> bool:
    """Whether it belongs to this user, and nobody else may write it."""
    owner = os.geteuid() if hasattr(os, "geteuid") else status.st_uid
    return status.st_uid == owner and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def _read(path: Path) -> Entry:
    """Raises UsageError for a file that is not whole, not ours, or no entry."""
    with open_regular(path) as file:
        status = os.fstat(file.fileno())
        if not _is_ours(status) or status.st_nlink != 1 or status.st_size > MAX_BYTES:
            raise UsageError(f"{path} is not ours")
        digest, _, body = file.read(MAX_BYTES).partition(b"\n")
    if hashlib.sha512(body).hexdigest().encode() != digest:
        raise UsageError(f"{path} is not whole")
    document = canonical.loads(body, path.name)
    if not isinstance(document, Mapping) or document.get("schema") != SCHEMA:
        raise UsageError(f"{path} is of another version")
    fields = {name: value for name, value in document.items() if name != "schema"}
    return parse(Entry, fields, path.name)

"""What a judgement stood on, written down so that it can be asked later: does it still stand?

Of a file in the repository its bytes count. Of any other, and of a large one, device, inode, size
and times, as in git's index: there are thousands of installed ones, and any edit changes a time. Of
a folder that code was loaded from, the names count too, since a new file may hide an old one, and
what lies beside the code, which native code may read unseen. That of the machine is machine.py.
"""

import hashlib
import os
import stat
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from goldenseal.disk.files import hash_file
from goldenseal.errors import UsageError
from goldenseal.kept.machine import packages
from goldenseal.kept.reads import Reads

ABSENT = "absent"
# Of a folder: its names, what an import could find in it, or its code with what lies beside.
NAMES, FOUND, CODE = "names", "found", "code"
LARGE = 16 << 20  # bytes above which a file is not read again
REST_NS = 2_000_000_000  # FAT keeps time in steps of two seconds; nothing in use is coarser
PASSING = ("/proc", "/dev", "/sys")  # no files, but what the machine is doing
OURS = {".goldenseal", ".hypothesis"}  # made by the checks themselves, from what counts anyway
WRITTEN = ("__pycache__", "smoke.log")  # by Python, and by `verify`
TEMPORARY = os.path.realpath(tempfile.gettempdir())
INSTALLED = tuple(
    f"{folder}{os.sep}"
    for folder in sorted(
        {*packages(), *(os.path.realpath(sysconfig.get_path(n)) for n in ("stdlib", "platstdlib"))}
    )
)


class States:
    """How files and folders are now; each is looked at once."""

    def __init__(self, root: Path, known: Mapping[str, str] | None = None, rest_ns: int = REST_NS):
        """`known`: SHA-512 by path below `root` of what was hashed just now.

        `rest_ns` is shorter only in tests.
        """
        self.root, self.why = os.path.realpath(root), ""
        self._begun = time.time_ns() - rest_ns
        self._seen = {
            (os.path.join(self.root, name), ""): text for name, text in (known or {}).items()
        }

    def of(self, path: str, kind: str = "") -> str:
        """The state of a file; of a folder with `kind`, that of what counts in it."""
        key = os.path.join(self.root, path), kind
        if key not in self._seen:
            self._seen[key] = self._state(*key)
        return self._seen[key]

    def stand(self, inputs: Mapping[str, str]) -> bool:
        """Whether everything is as it was written down."""
        return all(self.of(path, _kind(text)) == text for path, text in inputs.items())

    def inputs(self, reads: Reads) -> dict[str, str] | None:
        """All of `reads`, the files of loaded modules with their folders among them, as they are.

        By path, below the root where it lies there. None when nothing may be kept, and `why` says
        the reason: something was read that cannot be named, or has changed since the beginning.
        """
        if reads.beyond:
            self.why = f"what {min(reads.beyond)} reads is not known"
            return None
        found = {}
        for path, kind in self._wanted(reads):
            if path.startswith(PASSING) or OURS & set(path.split(os.sep)):
                continue
            text = self._state(path, kind)
            mine = path.startswith(f"{self.root}{os.sep}")
            if text == ABSENT and path.startswith(f"{TEMPORARY}{os.sep}") and not mine:
                continue  # made and taken away by the run itself
            if not self._rested(path, kind, text):
                self.why = f"{path} has changed meanwhile, or just before"
                return None
            found[os.path.relpath(path, self.root) if mine else path] = text
        return found

    def _wanted(self, reads: Reads) -> list[tuple[str, str]]:
        files = {os.path.realpath(path) for path in (*reads.files, *reads.loaded)}
        files |= {real for path in reads.loose if os.path.isfile(real := os.path.realpath(path))}
        places = {os.path.realpath(place) for place in sys.path}
        folders = {
            folder: FOUND if folder in places else NAMES
            for folder in map(os.path.realpath, reads.folders)
        }
        folders |= {os.path.dirname(path): CODE for path in files if path.endswith((".py", ".so"))}
        below = self.root + os.sep
        listed = {
            folder: kind
            for folder, kind in folders.items()
            if not f"{folder}{os.sep}".startswith(INSTALLED)
            and (kind != CODE or f"{folder}{os.sep}".startswith(below))
        }
        return sorted([*((path, "") for path in files - set(listed)), *listed.items()])

    def _state(self, path: str, kind: str) -> str:
        try:
            status = os.lstat(path)  # what was no link may have become one
            if stat.S_ISLNK(status.st_mode):
                return f"link {os.readlink(path)}"
            if kind:
                lines = sorted(self._line(entry, kind) for entry in _entries(path, kind))
                text = "\n".join(lines).encode("utf-8", "surrogateescape")
                return f"{kind} {hashlib.sha512(text).hexdigest()}"
            mine = path.startswith(f"{self.root}{os.sep}") and not path.startswith(INSTALLED)
            if stat.S_ISREG(status.st_mode) and mine and status.st_size <= LARGE:
                links = f" {status.st_nlink} links" if status.st_nlink > 1 else ""
                return hash_file(Path(path)) + links
        except (OSError, UsageError):
            return ABSENT
        facts = (status.st_dev, status.st_ino, status.st_size)
        times = (status.st_mtime_ns, status.st_ctime_ns)
        return " ".join(map(str, (*facts, *times) if stat.S_ISREG(status.st_mode) else facts[:2]))

    def _line(self, entry: "os.DirEntry[str]", kind: str) -> str:
        beside = kind == CODE and not entry.name.endswith(".py") and entry.is_file()
        what = "link" if entry.is_symlink() else "folder" if entry.is_dir() else "file"
        return f"{entry.name} {what} {self._state(entry.path, '') if beside else ''}"

    def _rested(self, path: str, kind: str, text: str) -> bool:
        """Whether it is now as it was before the run."""
        if (path, kind) in self._seen:
            return self._seen[path, kind] == text
        if text == ABSENT:
            return True
        # Not the folder's own time: Python makes __pycache__ in it.
        paths = [e.path for e in _entries(path, kind) if e.is_file()] if kind else [path]
        try:
            return all(os.stat(each).st_ctime_ns <= self._begun for each in paths)
        except OSError:  # it is gone meanwhile
            return False


def _kind(text: str) -> str:
    kind = text.partition(" ")[0]
    return kind if kind in (NAMES, FOUND, CODE) else ""


def _entries(folder: str, kind: str) -> Iterator["os.DirEntry[str]"]:
    """What counts in a folder."""
    with os.scandir(folder) as entries:
        for entry in entries:
            name = entry.name
            if name.startswith(".") or name in WRITTEN or name.endswith(".pyc"):
                continue
            if kind != FOUND or name.endswith((".py", ".so")) or entry.is_dir():
                yield entry

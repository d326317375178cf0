"""Sealing: SHA512SUMS, which coreutils can check, and seal.json, an in-toto Statement.

A folder is sealed when it holds SHA512SUMS. That file is written last, and whole or not at all, so
a seal that was interrupted leaves an unsealed folder. The record's identity is its SHA-512.
"""

import hashlib
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from verify import canonical
from verify.check import SEAL, SUMS, check, problems_inside
from verify.errors import ContradictedError, UsageError
from verify.files import atomic_write, hash_file, walk
from verify.record import provenance, read_record
from verify.statement import SEAL_PREDICATE, statement

Advance = Callable[[int], None]
LEFTOVER = re.compile(rf"\.({re.escape(SEAL)}|{SUMS})\.[a-z0-9_]{{8}}")  # of an interrupted seal


@dataclass(frozen=True)
class Sealed:
    """What sealing did: the record's identity, and whether the folder was sealed before."""

    folder: Path
    identity: str
    already: bool
    files: int


def seal(folder: Path, advance: Advance = lambda count: None) -> Sealed:
    """Seal a record's folder; a folder that is sealed and intact stays as it is.

    `advance` is told of the bytes hashed. Raises ContradictedError when the folder was sealed and
    has changed since, UsageError when it holds what no record may hold or what a check would
    refuse for ever, such as a log that was cut short.
    """
    names, problems = walk(folder)
    if problems:
        raise UsageError(f"{folder.name}: {problems[0]}")
    if SUMS in names:
        report = check(folder)
        if not report.holds:
            raise ContradictedError(
                f"{folder.name} is sealed and has changed since ({report.reasons()[0]}): "
                "a correction is a new record that names this one"
            )
        return Sealed(folder, str(report.identity), already=True, files=len(names) - 1)
    if inside := problems_inside(folder, set(names)):
        raise UsageError(f"{folder.name} would not pass its check: {inside[0]}")
    record = read_record(folder)
    leftovers = [name for name in names if LEFTOVER.fullmatch(name)]
    for name in leftovers:
        os.unlink(folder / name)
    covered = [name for name in names if name not in (SEAL, *leftovers)]
    digests = {name: hash_file(folder / name, advance) for name in covered}
    document = canonical.dumps(statement(digests, SEAL_PREDICATE, provenance(record)))
    atomic_write(folder / SEAL, document)
    sums = sums_text({**digests, SEAL: hashlib.sha512(document).hexdigest()})
    atomic_write(folder / SUMS, sums)
    return Sealed(folder, hashlib.sha512(sums).hexdigest(), already=False, files=len(covered) + 1)


def bytes_to_hash(folder: Path) -> int:
    """How much `seal` will read, for a progress bar."""
    return sum((folder / name).lstat().st_size for name in walk(folder)[0])


def sums_text(digests: Mapping[str, str]) -> bytes:
    """Lines of digest, two spaces, relative path; sorted by path; LF."""
    return "".join(f"{digests[name]}  {name}\n" for name in sorted(digests)).encode()

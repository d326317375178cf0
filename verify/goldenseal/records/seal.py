"""Sealing: SHA512SUMS, which coreutils can check, and seal.json, an in-toto Statement.

The Statement gives each file's SHA-256 too, by which hubs and signing tools know files.
A folder is sealed when it holds SHA512SUMS. That file is written last, and whole or not at all, so
a seal that was interrupted leaves an unsealed folder. The record's identity is its SHA-512. Every
record also gets check_seal.py, a checker for readers who install nothing, covered by the sums.
"""

import hashlib
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from goldenseal.disk import canonical
from goldenseal.disk.files import CHUNK, Digests, atomic_write, hash_both, read_small, walk
from goldenseal.errors import ContradictedError, UsageError
from goldenseal.records.check import check, problems_inside
from goldenseal.records.record import provenance, read_record
from goldenseal.records.seal_cache import SealCache
from goldenseal.records.signing import ENVELOPE, SEAL
from goldenseal.records.statement import SEAL_PREDICATE, statement
from goldenseal.records.sums import SUMS
from goldenseal.records.sums import sums_text as sums_text

Advance = Callable[[int], None]
CHECKER = "check_seal.py"
WRITTEN = (CHECKER, SEAL, SUMS)  # in this order
LEFTOVER = re.compile(rf"\.({'|'.join(map(re.escape, WRITTEN))})\.[a-z0-9_]{{8}}")  # interrupted


@dataclass(frozen=True)
class Sealed:
    """What sealing did: the record's identity, and whether the folder was sealed before."""

    folder: Path
    identity: str
    already: bool
    files: int


def seal(
    folder: Path, advance: Advance = lambda count: None, cache: SealCache | None = None
) -> Sealed:
    """Seal a record's folder; a folder that is sealed and intact stays as it is.

    `advance` is called with the number of bytes hashed; `cache` spares those that it knows. Raises
    ContradictedError when the folder was sealed and has changed since, UsageError when it holds
    what no record may hold or what a check would refuse for ever, such as a log that was cut
    short, or cannot be written.
    """

    def digest(path: Path) -> Digests:
        return cache.digest(path, advance) if cache else hash_both(path, advance)

    if os.path.isfile(folder / SUMS) and not os.path.islink(folder / SUMS):
        report = check(folder, digest)
        if not report.holds:
            raise ContradictedError(
                f"{folder.name} is sealed and has changed since ({report.reasons()[0]}): "
                "a correction is a new record that names this one"
            )
        if cache:
            cache.save()
        return Sealed(folder, str(report.identity), already=True, files=report.files)
    names, problems = walk(folder)
    if problems:
        raise UsageError(f"{folder.name}: {problems[0]}")
    if inside := problems_inside(folder, set(names)):
        raise UsageError(f"{folder.name} would not pass its check: {inside[0]}")
    checker = _checker(folder, names)
    record = read_record(folder)
    leftovers = [name for name in names if LEFTOVER.fullmatch(name)]
    covered = [name for name in names if name not in (SEAL, CHECKER, *leftovers)]
    both = {name: digest(folder / name) for name in covered}
    both[CHECKER] = Digests(
        hashlib.sha512(checker).hexdigest(), hashlib.sha256(checker).hexdigest()
    )
    digests = {name: each.sha512 for name, each in both.items()}
    short = {name: each.sha256 for name, each in both.items()}
    document = canonical.dumps(statement(digests, SEAL_PREDICATE, provenance(record), short))
    sums = sums_text({**digests, SEAL: hashlib.sha512(document).hexdigest()})
    try:
        for name in leftovers:
            os.unlink(folder / name)
        for name, data in zip(WRITTEN, (checker, document, sums), strict=True):
            atomic_write(folder / name, data)
    except OSError as error:
        raise UsageError(f"{folder} cannot be written: {error.strerror}") from error
    if cache:
        cache.save()
    return Sealed(folder, hashlib.sha512(sums).hexdigest(), already=False, files=len(digests) + 1)


def _checker(folder: Path, names: list[str]) -> bytes:
    """The bytes of check_seal.py. Raises UsageError where a name is taken that sealing needs."""
    checker = read_small(Path(__file__).with_name(CHECKER), CHUNK)
    if ENVELOPE in names:
        raise UsageError(f"{folder.name}/{ENVELOPE} signs another seal: delete it, then seal")
    if CHECKER in names and read_small(folder / CHECKER, CHUNK) != checker:
        raise UsageError(
            f"{folder.name}/{CHECKER} is not the checker that every record gets under this name: "
            "delete or rename it, then seal"
        )
    return checker


def bytes_to_hash(folder: Path) -> int:
    """How much `seal` will read, for a progress bar."""
    return sum((folder / name).lstat().st_size for name in walk(folder)[0])

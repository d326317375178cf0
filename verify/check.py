"""Checking a sealed folder: everything that is wrong, at once. Needs no torch and no network."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from verify.errors import ContradictedError, GoldensealError, UsageError
from verify.files import hash_file, problem_with_name, walk
from verify.record import Record, read_record, record_folders
from verify.runlog import read_run_log
from verify.statement import SEAL_PREDICATE, is_sha512, read_statement

SUMS, SEAL = "SHA512SUMS", "seal.json"
MAX_SUMS_BYTES = 64 * 1024 * 1024


@dataclass
class CheckReport:
    """What was found. `changed` holds (name, sealed digest, found digest)."""

    folder: Path
    identity: str | None = None
    files: int = 0
    extra: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    changed: list[tuple[str, str, str]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Whether the folder is sealed and nothing is wrong with it."""
        return self.identity is not None and not self.reasons()

    def reasons(self) -> list[str]:
        """Every finding as one line."""
        return [
            *self.problems,
            *(
                f"{name} is extra: it was not there when the record was sealed"
                for name in self.extra
            ),
            *(f"{name} is missing" for name in self.missing),
            *(
                f"{name} changed: sealed {sealed}, found {found}"
                for name, sealed, found in self.changed
            ),
        ]

    def to_json(self) -> dict[str, Any]:
        """For --json."""
        return {
            "folder": self.folder.as_posix(),
            "holds": self.holds,
            "identity": self.identity,
            "files": self.files,
            "extra": self.extra,
            "missing": self.missing,
            "changed": [
                {"name": name, "sealed": sealed, "found": found}
                for name, sealed, found in self.changed
            ],
            "problems": self.problems,
        }


def check(folder: Path) -> CheckReport:
    """Compare a folder with its seal. Raises UsageError only when there is no such folder."""
    report = CheckReport(folder)
    names, report.problems = walk(folder)
    if SUMS not in names:
        report.problems.append(f"not sealed: there is no {SUMS}")
        return report
    try:
        data = _read_small(folder / SUMS)
        sealed = parse_sums(data)
    except UsageError as error:
        report.problems.append(str(error))
        return report
    report.identity = hashlib.sha512(data).hexdigest()
    report.files = len(sealed)
    present = set(names) - {SUMS}
    report.extra = sorted(present - set(sealed))
    report.missing = sorted(set(sealed) - present)
    for name in sorted(present & set(sealed)):
        try:
            found = hash_file(folder / name)
        except UsageError as error:
            report.problems.append(f"{name}: {error}")
            continue
        if found != sealed[name]:
            report.changed.append((name, sealed[name], found))
    for part in (_check_statement, _check_record):
        try:
            part(folder, sealed)
        except (GoldensealError, OSError) as error:
            report.problems.append(str(error))
    return report


def parse_sums(data: bytes) -> dict[str, str]:
    """Digests by name. Raises UsageError with the line for anything but the one plain form."""
    sums: dict[str, str] = {}
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UsageError(f"{SUMS}: not UTF-8: {error.reason}") from None
    if text and not text.endswith("\n"):
        raise UsageError(f"{SUMS}: the last line does not end")
    for number, line in enumerate(text.split("\n")[:-1], start=1):
        digest, name = line[:128], line[130:]
        if not is_sha512(digest) or line[128:130] != "  ":
            raise UsageError(f"{SUMS}:{number}: expected 128 hex digits, two spaces and a path")
        problem = problem_with_name(name)
        if problem:
            raise UsageError(f"{SUMS}:{number}: {problem}")
        if name == SUMS:
            raise UsageError(f"{SUMS}:{number}: the file cannot hold its own digest")
        if sums and name <= next(reversed(sums)):
            raise UsageError(f"{SUMS}:{number}: paths must be sorted, each once")
        sums[name] = digest
    if SEAL not in sums:
        raise UsageError(f"{SUMS}: {SEAL} is not covered")
    return sums


def _read_small(path: Path) -> bytes:
    if path.lstat().st_size > MAX_SUMS_BYTES:
        raise UsageError(f"{path.name} is larger than {MAX_SUMS_BYTES} bytes")
    return path.read_bytes()


def _check_statement(folder: Path, sealed: dict[str, str]) -> None:
    digests, _ = read_statement(folder / SEAL, SEAL_PREDICATE)
    expected = {name: digest for name, digest in sealed.items() if name != SEAL}
    if digests != expected:
        odd = sorted(n for n in {*digests, *expected} if digests.get(n) != expected.get(n))
        raise ContradictedError(f"{SEAL} and {SUMS} do not agree about {odd[0]}")


def _check_record(folder: Path, sealed: dict[str, str]) -> None:
    record = read_record(folder)
    for seed, name in sorted(record.facts.get("logs", {}).items()):
        if name not in sealed:
            raise ContradictedError(f"record.json: the log {name} of seed {seed} is not sealed")
        header = read_run_log(folder / name)[0]
        if str(header.get("seed")) != seed:
            raise ContradictedError(
                f"{name}: its header says seed {header.get('seed')}, record.json says {seed}"
            )


def resolve(root: Path, prefix: str) -> tuple[Record, str]:
    """(record, identity) of the one sealed record whose identity begins with `prefix`.

    Raises UsageError for no match, several, or a prefix that is no hex.
    """
    if not prefix or not set(prefix) <= set("0123456789abcdef"):
        raise UsageError(f"{prefix!r} is no prefix of an identity: expected lower-case hex digits")
    identities = {}
    for folder in record_folders(root):
        sums = folder / SUMS
        if sums.is_file() and not sums.is_symlink():
            identities[hashlib.sha512(sums.read_bytes()).hexdigest()] = folder
    matching = sorted(identity for identity in identities if identity.startswith(prefix))
    if not matching:
        known = ", ".join(f"{i[:12]} {identities[i].name}" for i in sorted(identities))
        raise UsageError(f"no sealed record begins with {prefix}; there are {known or 'none'}")
    if len(matching) > 1:
        raise UsageError(f"{prefix} is ambiguous: {', '.join(i[:16] for i in matching)}")
    return read_record(identities[matching[0]]), matching[0]

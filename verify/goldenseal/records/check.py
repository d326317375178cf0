"""Checking a sealed folder: everything that is wrong, at once. Needs no torch and no network."""

import hashlib
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from goldenseal.disk import canonical
from goldenseal.disk.files import (
    Digests,
    hash_both,
    hash_file,
    read_small,
    walk,
)
from goldenseal.disk.line_ends import REMEDY, as_lf, line_ends_only
from goldenseal.errors import ContradictedError, GoldensealError, UsageError
from goldenseal.records.record import Record, provenance, read_record, record_folders
from goldenseal.records.signing import ENVELOPE, problems_of_envelope
from goldenseal.records.signing import SEAL as SEAL
from goldenseal.records.statement import SEAL_PREDICATE, Read, parse
from goldenseal.records.sums import MAX_SUMS_BYTES as MAX_SUMS_BYTES
from goldenseal.records.sums import SUMS as SUMS
from goldenseal.records.sums import is_translated
from goldenseal.records.sums import parse_sums as parse_sums
from goldenseal.runlog import run_log_lines


@dataclass
class CheckReport:
    """What was found. `changed` holds (name, sealed digest, found digest); `line_ends`, by name, in
    what those of a changed file differ, when nothing else does.
    """

    folder: Path
    identity: str | None = None
    files: int = 0
    extra: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    changed: list[tuple[str, str, str]] = field(default_factory=list)
    line_ends: dict[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Whether the folder is sealed and nothing is wrong with it."""
        return self.identity is not None and not self.reasons()

    def reasons(self) -> list[str]:
        """Every finding as one line."""
        return [
            *self.problems,
            *(f"{name} is extra: {why_extra(name)}" for name in self.extra),
            *(f"{name} is missing" for name in self.missing),
            *(
                f"{name} differs in line ends only: {self.line_ends[name]}; {REMEDY}"
                if name in self.line_ends
                else f"{name} changed: sealed {sealed}, found {found}"
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
                {
                    "name": name,
                    "sealed": sealed,
                    "found": found,
                    "line_ends": self.line_ends.get(name),
                }
                for name, sealed, found in self.changed
            ],
            "problems": self.problems,
        }


def why_extra(name: str) -> str:
    """What a reader can do about a file that the seal does not know."""
    if "__pycache__" in name.split("/"):
        return "Python leaves such a cache when a script is imported; delete the folder"
    return "it was not there when the record was sealed"


def check(folder: Path, digest: Callable[[Path], Digests] | None = None) -> CheckReport:
    """Compare a folder with its seal. Raises UsageError only when there is no such folder.

    Every byte is read, unless `seal`, asked to seal anew, gives a `digest` that remembers. Who
    signed is judged elsewhere, see signing.py; here only that a signature is of this seal.
    """
    report = CheckReport(folder)
    names, report.problems = walk(folder)
    if SUMS not in names:
        report.problems.append(f"not sealed: there is no {SUMS}")
        return report
    try:
        data = read_small(folder / SUMS, MAX_SUMS_BYTES)
        sealed = _sums_whatever_line_ends(data, report)
    except UsageError as error:
        report.problems.append(str(error))
        return report
    report.files = len(sealed)
    present = set(names) - {SUMS, ENVELOPE}  # the two that the sums cannot or need not cover
    report.extra = sorted(present - set(sealed))
    report.missing = sorted(set(sealed) - present)
    told, problems = _statement(folder) if SEAL in present else (None, [])
    for name in sorted(present & set(sealed)):
        _compare(
            folder, name, sealed[name], told.sha256.get(name) if told else None, digest, report
        )
    report.problems += problems_inside(folder, set(names))
    report.problems += problems
    if told:
        report.problems += _problems_of_statement(folder, told, sealed, names)
    if ENVELOPE in names:
        report.problems += problems_of_envelope(folder)
    return report


def _compare(
    folder: Path,
    name: str,
    sealed: str,
    sha256: str | None,
    digest: Callable[[Path], Digests] | None,
    report: CheckReport,
) -> None:
    """Hold one file against the sums and, where the seal gives it, against its SHA-256."""
    try:
        if digest or sha256:
            found, short = (digest or hash_both)(folder / name)
        else:
            found, short = hash_file(folder / name), ""
        if found == sealed:
            if sha256 not in (None, short):
                report.problems.append(
                    f"{SEAL}: the sha256 of {name} is not that of the file: sealed {sha256}, "
                    f"found {short}"
                )
            return
        if how := line_ends_only(folder / name, sealed):
            report.line_ends[name] = how
    except UsageError as error:
        report.problems.append(f"{name}: {error}")
        return
    report.changed.append((name, sealed, found))


def _statement(folder: Path) -> tuple[Read | None, list[str]]:
    """(seal.json, what is wrong with its form)."""
    try:
        return parse(canonical.read(folder / SEAL, SEAL), SEAL_PREDICATE, SEAL), []
    except UsageError as error:
        return None, [str(error)]


def _sums_whatever_line_ends(data: bytes, report: CheckReport) -> dict[str, str]:
    """Digests by name; sums in CRLF are a problem and no identity, but tell what else differs."""
    try:
        sealed = parse_sums(data)
    except UsageError as error:
        if not is_translated(data):
            raise
        report.problems.append(str(error))
        return parse_sums(as_lf(data))
    report.identity = hashlib.sha512(data).hexdigest()
    return sealed


def problems_inside(folder: Path, names: set[str]) -> list[str]:
    """What is wrong with record.json and the run logs, whether or not the folder is sealed.

    Only the files in `names`, which are known to be regular, are opened.
    """
    if "record.json" not in names:
        return ["record.json is missing: it says what the record is, see docs/records.md"]
    try:
        record = read_record(folder)
    except UsageError as error:
        return [str(error)]
    found = []
    for seed, name in sorted(record.facts.get("logs", {}).items()):
        try:
            _check_log(folder, names, seed, name)
        except GoldensealError as error:
            found.append(str(error))
    try:
        return found + record.kind.problems(record, names)
    except GoldensealError as error:
        return [*found, str(error)]


def _check_log(folder: Path, names: set[str], seed: str, name: str) -> None:
    if name not in names:
        raise ContradictedError(f"record.json names {name}, a log of seed {seed!r}: not here")
    lines = run_log_lines(folder / name)
    header = next(lines)
    deque(lines, maxlen=0)  # the chain to its end, without keeping the lines
    if str(header.get("seed")) != seed:
        raise ContradictedError(
            f"{name}: its header says seed {header.get('seed')!r}, record.json says {seed!r}"
        )


def _problems_of_statement(
    folder: Path, statement: Read, sealed: dict[str, str], names: list[str]
) -> list[str]:
    digests, predicate, _ = statement
    expected = {name: digest for name, digest in sealed.items() if name != SEAL}
    odd = sorted(n for n in {*digests, *expected} if digests.get(n) != expected.get(n))
    found = [f"{SEAL} and {SUMS} do not agree about {name}" for name in odd]
    try:
        told = provenance(read_record(folder)) if "record.json" in names else None
    except UsageError:
        return found  # and reported where record.json is checked
    part = "buildDefinition"
    if told and canonical.dumps(told[part]) != canonical.dumps(predicate.get(part)):
        found.append(f"{SEAL} and record.json do not agree about the run")
    return found


def resolve(root: Path, prefix: str) -> tuple[Record, str]:
    """(record, identity) of the one sealed record whose identity begins with `prefix`.

    Raises UsageError for no match, several, or a prefix that is no hex.
    """
    if not prefix or not set(prefix) <= set("0123456789abcdef"):
        raise UsageError(f"{prefix!r} is no prefix of an identity: expected lower-case hex digits")
    identities, translated = {}, {}
    for folder in record_folders(root):
        sums = folder / SUMS
        if sums.is_file() and not sums.is_symlink() and not folder.is_symlink():
            data = read_small(sums, MAX_SUMS_BYTES)
            identities[hashlib.sha512(data).hexdigest()] = folder
            if b"\r\n" in data:
                translated[hashlib.sha512(as_lf(data)).hexdigest()] = folder
    matching = sorted(identity for identity in identities if identity.startswith(prefix))
    for identity in sorted(translated) if not matching else ():
        if identity.startswith(prefix):
            raise UsageError(f"{translated[identity].name}/{SUMS} has CRLF line ends; {REMEDY}")
    if not matching:
        known = ", ".join(f"{i[:12]} {identities[i].name}" for i in sorted(identities))
        raise UsageError(f"no sealed record begins with {prefix}; there are {known or 'none'}")
    if len(matching) > 1:
        among = ", ".join(f"{i[:16]} {identities[i].name}" for i in matching)
        raise UsageError(f"{prefix} is ambiguous: {among}")
    return read_record(identities[matching[0]]), matching[0]

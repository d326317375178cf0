"""Sealed evidence: which records there are, what they correct, and the bytes that they sealed.

A file is read only from a sealed record, and only if its SHA-512 is the sealed one; so each number
comes from bytes that the record's identity covers. Files that no claim needs are not read:
`goldenseal check` is there for them. Nothing of a record is executed.
"""

import hashlib
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from goldenseal.claims.findings import ClaimError
from goldenseal.claims.formats import is_rows, rows_of
from goldenseal.claims.pointing import is_plain, resolve_pointer, rows, rows_with, select_line
from goldenseal.claims.search import NumberIndex
from goldenseal.disk import canonical
from goldenseal.disk.files import read_small, walk
from goldenseal.disk.toml import read_toml
from goldenseal.errors import GoldensealError, UsageError
from goldenseal.records.check import MAX_SUMS_BYTES, SEAL, SUMS, parse_sums
from goldenseal.records.record import Record, read_record, record_folders

if TYPE_CHECKING:
    from goldenseal.claims.sourced.table import Sourced

__all__ = ["LINES", "OWN", "Library", "SealedRecord", "resolve_pointer", "select_line"]
OWN = "."
LINES = (".jsonl", ".ndjson")  # one JSON value a line
MAX_FILE_BYTES = 256 * 1024 * 1024
Json = Any


@dataclass
class SealedRecord:
    """A sealed folder: its identity, the digests of its files, and their parsed contents."""

    folder: Path
    name: str  # relative to the root
    identity: str
    sums: dict[str, str]
    draft: bool = False  # not sealed yet: its own README is being written
    _parsed: dict[str, list[Json]] = field(default_factory=dict, repr=False)
    _selected: dict[tuple[str, tuple[bytes, ...]], list[Json]] = field(
        default_factory=dict, repr=False
    )
    _raw: dict[str, bytes] = field(default_factory=dict, repr=False)
    _last: dict[str, Json] = field(default_factory=dict, repr=False)
    runs: list[Any] = field(default_factory=list, repr=False, compare=False)  # of runs_of, once
    seen: dict[Any, Any] = field(default_factory=dict, repr=False, compare=False)  # by runs.py

    @cached_property
    def record(self) -> Record:
        """What record.json says. Raises ClaimError `unsealed` when it is not as it was sealed."""
        self.bytes_of("record.json", canonical.MAX_BYTES)
        try:
            return read_record(self.folder)
        except UsageError as error:
            raise ClaimError("unsealed", f"{self.name}: {error}") from None

    def json(self, file: str) -> Json:
        """A JSON file of the record. Raises ClaimError."""
        if file not in self._parsed:
            data = self.bytes_of(file, canonical.MAX_BYTES)
            self._parsed[file] = [self._load(data, file)]
        return self._parsed[file][0]

    def lines(self, file: str) -> list[Json]:
        """The objects of a log, one a line; the rows of a table. Raises ClaimError."""
        if file not in self._parsed and is_rows(file):
            data = self.bytes_of(file, MAX_FILE_BYTES)
            self._parsed[file] = [*rows_of(data, file, f"{self.name}/{file}")]
        elif file not in self._parsed:
            self._parsed[file] = [self._load(row, file) for row in rows(self._text(file))]
        return self._parsed[file]

    def lines_with(self, file: str, wanted: Mapping[str, Json]) -> list[Json]:
        """The lines of a log that may have these values; the others are not parsed.

        A JSON text without a backslash that holds a string holds it between quotes.
        """
        if file in self._parsed or is_rows(file):
            return self.lines(file)
        needles = tuple(f'"{text}"'.encode() for text in wanted.values() if is_plain(text))
        if not needles:
            return self.lines(file)
        if (file, needles) not in self._selected:
            found = rows_with(self._text(file), needles)
            self._selected[file, needles] = [self._load(row, file) for row in found]
        return self._selected[file, needles]

    def last_line(self, file: str) -> Json:
        """The last object of a log; None if there is none."""
        if file not in self._last:
            row = self._text(file).removesuffix(b"\n").rpartition(b"\n")[2]
            self._last[file] = self._load(row, file) if self._text(file) else None
        return self._last[file]

    def _text(self, file: str) -> bytes:
        if file not in self._raw:
            self._raw[file] = self.bytes_of(file, MAX_FILE_BYTES)
        return self._raw[file]

    def toml(self, file: str) -> dict[str, Json]:
        """A TOML file of the record. Raises ClaimError."""
        if file not in self._parsed:
            data = self.bytes_of(file, canonical.MAX_BYTES)
            try:
                self._parsed[file] = [read_toml(data, f"{self.name}/{file}")]
            except UsageError as error:
                raise ClaimError("no-evidence", str(error)) from None
        return dict(self._parsed[file][0])

    def all_json(self) -> Iterator[tuple[str, Json]]:
        """(place, content) of every JSON file and log line that was sealed and can be read."""
        for file in sorted(self.sums):
            try:
                if file.endswith(".json") and file != SEAL:
                    yield f"{self.name}/{file}", self.json(file)
                elif file.endswith(LINES):
                    logged = self.bytes_of(file, MAX_FILE_BYTES).splitlines()
                    for number, row in enumerate(logged, start=1):
                        yield f"{self.name}/{file}:{number}", self._load(row, file)
                elif is_rows(file):
                    for number, row in enumerate(self.lines(file), start=2):
                        yield f"{self.name}/{file}:{number}", row
            except ClaimError:
                continue  # a search for hints; the claim itself names what is wrong

    def _load(self, data: bytes, file: str) -> Json:
        try:
            return canonical.loads(data, f"{self.name}/{file}")
        except UsageError as error:
            raise ClaimError("no-evidence", str(error)) from None

    def bytes_of(self, file: str, limit: int) -> bytes:
        """The bytes of a file, if they are those that were sealed."""
        if file not in self.sums:
            raise ClaimError("no-evidence", f"{self.name} seals no file {file!r}")
        for parent in Path(file).parents:
            if (self.folder / parent).is_symlink():
                raise ClaimError("unsealed", f"{self.name}/{file} lies behind a link")
        try:
            data = read_small(self.folder / file, limit)
        except UsageError as error:
            raise ClaimError("unsealed", str(error)) from None
        if not self.draft and hashlib.sha512(data).hexdigest() != self.sums[file]:
            raise ClaimError("unsealed", f"{self.name}/{file} has changed since it was sealed")
        return data


class Library:
    """All records of a repository, and which of them correct which."""

    def __init__(self, root: Path):
        self.root = root
        self.records: dict[str, SealedRecord] = {}  # by identity
        self.broken: dict[str, str] = {}  # by name: why it cannot be evidence
        self._tables: dict[str, Sourced] = {}
        self.own: Path | None = None  # the folder of the document that is judged
        for folder in record_folders(root):
            name = folder.relative_to(root).as_posix()
            try:
                sealed = _open(folder, name)
            except GoldensealError as error:
                self.broken[name] = str(error)
                continue
            self.records[sealed.identity] = sealed

    @cached_property
    def _identities(self) -> list[str]:
        return sorted(self.records)

    @cached_property
    def index(self) -> NumberIndex:
        """Every number of the sealed files; made when the first claim does not hold."""
        return NumberIndex(self.records.values())

    @cached_property
    def corrections(self) -> dict[str, list[SealedRecord]]:
        """The sealed records that name an identity under `corrects`."""
        corrections: dict[str, list[SealedRecord]] = {}
        for _, sealed in sorted(self.records.items()):
            try:
                corrected = sealed.record.facts.get("corrects")
            except ClaimError:
                continue  # a record that is broken corrects nothing
            if corrected is not None:
                corrections.setdefault(corrected, []).append(sealed)
        return corrections

    def find(self, reference: str) -> SealedRecord:
        """The record of an identity's first digits, a path, path@digits, or `.`, the document's.

        Raises ClaimError `no-evidence`, `unsealed`, or `stale` when the record at that path has
        been sealed anew, under another identity than the digits say.
        """
        if reference == OWN:
            return self._own()
        path, at, digits = reference.rpartition("@")
        if not at:
            path, digits = (reference, "") if "/" in reference else ("", reference)
        if path:
            return self._by_path(path.strip("/"), digits)
        if not digits or not set(digits) <= set("0123456789abcdef"):
            raise ClaimError(
                "no-evidence", f"{reference!r} is neither an identity's first digits nor a path"
            )
        first = bisect_left(self._identities, digits)
        identities = [*takewhile(lambda i: i.startswith(digits), self._identities[first:])]
        if len(identities) == 1:
            return self.records[identities[0]]
        if identities:
            among = ", ".join(f"{i[:16]} {self.records[i].name}" for i in identities)
            raise ClaimError("no-evidence", f"{digits} is ambiguous: {among}")
        hint = "; ".join(f"{name}: {why}" for name, why in sorted(self.broken.items()))
        raise ClaimError(
            "unsealed",
            f"no sealed record's identity begins with {digits}" + (f" ({hint})" if hint else ""),
        )

    def _own(self) -> SealedRecord:
        """The record that the document is in, also before it is sealed."""
        folders = {folder.resolve(): folder for folder in record_folders(self.root)}
        folder = folders.get(self.own.resolve()) if self.own else None
        if folder is None or folder.is_symlink():
            raise ClaimError("no-evidence", f"record = {OWN!r}, but the document is in no record")
        name = folder.relative_to(self.root).as_posix()
        if name not in self.broken or (folder / SUMS).exists():
            return self._by_path(name, "")
        files, problems = walk(folder)
        if problems:
            raise ClaimError("unsealed", f"{name}: {problems[0]}")
        return SealedRecord(folder, name, "", dict.fromkeys(files, ""), draft=True)

    def _by_path(self, path: str, digits: str) -> SealedRecord:
        names = (path, f"records/{path}")
        for sealed in self.records.values():
            if sealed.name in names:
                if not sealed.identity.startswith(digits):
                    raise ClaimError(
                        "stale",
                        f"{sealed.name} is now {sealed.identity[:16]}, no longer {digits}: it was "
                        "sealed anew",
                    )
                return sealed
        for name in names:
            if name in self.broken:
                raise ClaimError("unsealed", f"{name}: {self.broken[name]}")
        raise ClaimError("no-evidence", f"there is no record {path}")

    def usable(self, reference: str) -> SealedRecord:
        """`find`, and that the record is measured and stands. Raises ClaimError."""
        sealed = self.find(reference)
        status = sealed.record.status
        if status in ("superseded", "refuted"):
            raise ClaimError(status, f"{sealed.name} says of itself that it is {status}")
        for correction in self.corrections.get(sealed.identity, []):
            kind = "refuted" if correction.record.status == "refuted" else "superseded"
            raise ClaimError(
                kind,
                f"{sealed.name} ({sealed.identity[:16]}) is corrected by {correction.name} "
                f"({correction.identity[:16]})",
            )
        if status == "incomplete":
            raise ClaimError("incomplete-grid", f"{sealed.name} says that cells of it are lacking")
        if status != "measured":
            raise ClaimError("unmeasured", f"{sealed.name} is a {status}: it holds no results")
        return sealed

    def picture(self, path: Path, limit: int) -> str:
        """The text of a picture; one that lies in a sealed record must be as it was sealed.

        Raises ClaimError, and UsageError for what is no UTF-8 file of that size.
        """
        for sealed in self.records.values():
            folder = sealed.folder.resolve()
            if path.is_relative_to(folder):
                data = sealed.bytes_of(path.relative_to(folder).as_posix(), limit)
                break
        else:
            data = read_small(path, limit)
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError as error:
            raise UsageError(f"{path.name}: not UTF-8: {error.reason}") from None

    def table(self, name: str) -> "Sourced":
        """A table of sourced numbers, by its path from the root. Raises ClaimError."""
        path = Path(name)
        here = self.root / path
        outside = path.is_absolute() or ".." in path.parts
        if outside or any((self.root / p).is_symlink() for p in (path, *path.parents)):
            raise ClaimError("bad-claim", f"table {name!r} must be a file of this repository")
        if name not in self._tables:
            from goldenseal.claims.sourced.table import read as read_table

            try:
                self._tables[name] = read_table(here, name)
            except UsageError as error:
                raise ClaimError("no-evidence", str(error)) from None
        return self._tables[name]

    def predecessors(self, sealed: SealedRecord) -> list[SealedRecord]:
        """The records that this one corrects, the nearest first."""
        older: list[SealedRecord] = []
        corrected = sealed.record.facts.get("corrects")
        while corrected in self.records and self.records[corrected] not in older:
            older.append(self.records[corrected])
            corrected = older[-1].record.facts.get("corrects")
        return older


def _open(folder: Path, name: str) -> SealedRecord:
    """A sealed folder by its sums; its files are looked at when they are needed."""
    if folder.is_symlink():
        raise UsageError("a link")
    if not (folder / SUMS).exists():
        raise UsageError(f"not sealed: there is no {SUMS}")
    data = read_small(folder / SUMS, MAX_SUMS_BYTES)
    return SealedRecord(folder, name, hashlib.sha512(data).hexdigest(), parse_sums(data))

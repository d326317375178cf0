"""Statements of who re-ran a record, where, and how it ended: files that can be handed on.

A reproduction is an in-toto Statement whose subject is the record's SHA512SUMS, whose SHA-512 is
the identity. It is one file `NAME.json`; signed, it is also a DSSE envelope `NAME.dsse.json`, which
holds the Statement whole, so that either may travel alone.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

from goldenseal import schema
from goldenseal.disk import canonical
from goldenseal.disk.files import atomic_write, walk
from goldenseal.errors import UsageError
from goldenseal.records import dsse
from goldenseal.records.statement import parse, statement
from goldenseal.records.sums import SUMS, refuse_inside_sealed

PREDICATE = "urn:goldenseal:reproduction:1"
MAX_FILES = 10_000
SAME_CLASS = {"within-envelope": True, "diverged": True, "other-class": False}
End = Literal["bitwise", "within-envelope", "other-class", "diverged", "unrunnable"]


@dataclass(frozen=True)
class Told:
    """The predicate. `steps` null is the whole run; `fromStep` 0 is from its beginning.

    `source` is the SHA-512 of the source tree that ran; `numericClass` that of the re-run, where
    one began. `timeFinished` is UTC.
    """

    __pydantic_config__: ClassVar[Any] = schema.CLOSED

    end: End
    reason: str
    compared: str
    notes: tuple[str, ...]
    firstStepThatDiffers: int | None
    system: str
    cell: str
    steps: int | None
    fromStep: int
    source: str | None
    sourceIsSealed: bool | None
    numericClass: dict[str, Any] | None
    numericClassIsSealed: bool | None
    timeFinished: str
    verifier: dict[str, Any]

    def in_words(self) -> str:
        """One line: the end, of how much, in which numeric class, by which source, when."""
        much = "the whole run" if self.steps is None else f"the first {self.steps} steps"
        much += f", from step {self.fromStep}" if self.fromStep else ""
        much = f"{self.cell}, {much}" if self.cell else much
        parts = [f"{self.end}: {much}"]
        if self.numericClassIsSealed is not None:
            parts.append(f"in {'the sealed' if self.numericClassIsSealed else 'another'} class")
        if self.sourceIsSealed is not None:
            parts.append(f"by {'the sealed' if self.sourceIsSealed else 'another'} source")
        return ", ".join([*parts, self.timeFinished])


@dataclass(frozen=True)
class Found:
    """A statement that was read: of which record, what it tells, and who signed.

    `signers` are the trusted keys among them; None where nobody asked for trust.
    """

    files: tuple[str, ...]
    identity: str
    told: Told
    signatures: int
    signers: tuple[str, ...] | None

    def who(self) -> str:
        """By whom it is, as far as that is known."""
        if not self.signatures:
            return "unsigned: anybody may have written it"
        if self.signers is None:
            return "signed: by whom was not judged, for want of --trusted-keys"
        return (
            f"signed by {', '.join(self.signers)}" if self.signers else "signed by no trusted key"
        )

    def to_json(self) -> dict[str, Any]:
        """For --json."""
        return {
            "files": list(self.files),
            "identity": self.identity,
            "signatures": self.signatures,
            "signers": None if self.signers is None else list(self.signers),
            **vars(self.told),
        }


def document(record: str, sums: bytes, told: Mapping[str, Any]) -> bytes:
    """The Statement about the record of these sums, in canonical JSON. `told` is a `Told`."""
    name = f"{record}/{SUMS}"
    digests = {name: hashlib.sha512(sums).hexdigest()}
    sha256 = {name: hashlib.sha256(sums).hexdigest()}
    return canonical.dumps(statement(digests, PREDICATE, told, sha256))


def refuse_place(path: Path, key: Path | None) -> None:
    """Raise UsageError unless a statement can be written there, and signed with `key`.

    Asked before a run that may take hours.
    """
    if path.suffix != ".json" or path.name.endswith(".dsse.json"):
        raise UsageError(f"{path}: a statement is written to a new file NAME.json")
    for each in (path, envelope_of(path)) if key else (path,):
        if each.exists() or each.is_symlink():
            raise UsageError(f"{each} exists: a statement is written once, to a new file")
    if not path.parent.is_dir():
        raise UsageError(f"{path.parent} is no folder: make it first")
    refuse_inside_sealed(path)
    if key:
        dsse.signed(b"", [], key)


def write(path: Path, data: bytes, key: Path | None) -> str:
    """Write a Statement and, with `key`, its envelope beside it; returns the key's id or "" ."""
    envelope, keyid = dsse.signed(data, [], key) if key else (b"", "")
    try:
        atomic_write(path, data)
        if key:
            atomic_write(envelope_of(path), envelope)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from error
    return keyid


def envelope_of(path: Path) -> Path:
    """Where the signed form of a Statement lies."""
    return path.with_name(f"{path.stem}.dsse.json")


def read_all(folder: Path, keys: Path | None) -> tuple[list[Found], list[str]]:
    """(the statements in a folder and below, sorted; what is wrong with files that are none).

    Two files of the same Statement, plain and signed, are one. Only `*.json` is looked at, nothing
    is followed. Raises UsageError for no such folder, or one of more than 10,000 files.
    """
    names, problems = walk(folder)
    names = [name for name in names if name.endswith(".json")]
    if len(names) > MAX_FILES:
        raise UsageError(f"{folder} holds {len(names)} statements, at most {MAX_FILES} are read")
    trusted = dsse.trusted_keys(keys) if keys else None
    files: dict[bytes, list[str]] = {}
    signatures: dict[bytes, dsse.Signatures] = {}
    read: dict[bytes, tuple[str, Told]] = {}
    for name in names:
        try:
            text = canonical.read(folder / name, name)
            payload = canonical.dumps(text)
            signed: dsse.Signatures = []
            if isinstance(text, dict) and "payload" in text:
                payload, signed = dsse.opened(text, name)
                text = canonical.loads(payload, name)
            read[payload] = _told(text, name)
        except UsageError as error:
            problems.append(str(error))
            continue
        files.setdefault(payload, []).append(name)
        signatures.setdefault(payload, []).extend(signed)
    found = []
    for payload, (identity, told) in read.items():
        all_of = signatures[payload]
        who = None if trusted is None else tuple(dsse.signers(payload, all_of, trusted))
        found.append(Found(tuple(files[payload]), identity, told, len(all_of), who))
    return sorted(found, key=lambda each: each.files), sorted(problems)


def _told(text: Any, where: str) -> tuple[str, Told]:
    """(identity of the record, what is told). Raises UsageError for what cannot be so."""
    digests, predicate, _ = parse(text, PREDICATE, where)
    if len(digests) != 1 or not next(iter(digests)).endswith(f"/{SUMS}"):
        raise UsageError(f"{where}: its one subject must be the {SUMS} of a record")
    told = schema.parse(Told, predicate, where)
    if told.end in SAME_CLASS and told.numericClassIsSealed is not SAME_CLASS[told.end]:
        raise UsageError(
            f"{where}: `{told.end}` cannot be the end of a run in "
            f"{'another' if SAME_CLASS[told.end] else 'the sealed'} numeric class"
        )
    return next(iter(digests.values())), told

"""Signatures of seals: a DSSE envelope around seal.json, in seal.dsse.json beside it.

seal.json names every other file with its digest, so a signature of it signs the whole record.
The sums leave the envelope out: a record may be signed after it was sealed, by several people, and
keeps its identity.
"""

from dataclasses import dataclass
from pathlib import Path

from goldenseal.disk import canonical
from goldenseal.disk.files import atomic_write, read_small
from goldenseal.errors import (
    EXIT_CANNOT_CHECK,
    EXIT_CONTRADICTED,
    EXIT_HOLDS,
    UsageError,
)
from goldenseal.records import dsse

SEAL, ENVELOPE = "seal.json", "seal.dsse.json"
TRUSTED, UNTRUSTED, UNSIGNED = "trusted", "untrusted", "unsigned"
EXIT_CODES = {
    TRUSTED: EXIT_HOLDS,
    UNTRUSTED: EXIT_CONTRADICTED,
    UNSIGNED: EXIT_CANNOT_CHECK,
}


@dataclass(frozen=True)
class Signed:
    """Who signed a record: `trusted`, `untrusted` or `unsigned`, why, and the trusted signers."""

    verdict: str
    reason: str
    signers: tuple[str, ...] = ()

    @property
    def exit_code(self) -> int:
        """0 trusted · 1 untrusted · 3 unsigned."""
        return EXIT_CODES[self.verdict]


def read_envelope(folder: Path) -> dsse.Signatures:
    """The signatures of seal.dsse.json: `keyid`, which is a hint, and `sig` in base64.

    Raises UsageError for anything but a DSSE envelope of the seal.json beside it.
    """
    payload, signatures = dsse.opened(canonical.read(folder / ENVELOPE, ENVELOPE), ENVELOPE)
    if payload != _seal(folder):
        raise UsageError(f"{ENVELOPE}: what it signs is not this {SEAL}")
    return signatures


def problems_of_envelope(folder: Path) -> list[str]:
    """What is wrong with seal.dsse.json, whoever signed. Needs no library."""
    try:
        read_envelope(folder)
    except UsageError as error:
        return [str(error)]
    return []


def sign(folder: Path, key: Path) -> str:
    """Add a signature by the private key in a PEM file to a sealed folder; returns the key's id.

    The envelope is written beside the folder first, so that a kill leaves no stray file in it.
    Raises UsageError for a key that is no Ed25519 private key without a passphrase.
    """
    others = read_envelope(folder) if (folder / ENVELOPE).exists() else []
    data, keyid = dsse.signed(_seal(folder), others, key)
    try:
        atomic_write(folder / ENVELOPE, data, beside=folder.resolve().parent)
    except OSError as error:
        raise UsageError(f"{folder / ENVELOPE} cannot be written: {error.strerror}") from error
    return keyid


def judge(folder: Path, keys: Path) -> Signed:
    """Whether a key among the *.pem of a folder signed this record, whose seal must be intact.

    Raises UsageError for a folder without public keys, CannotCheckError without the extra `sign`.
    """
    trusted = dsse.trusted_keys(keys)
    if not (folder / ENVELOPE).exists():
        return Signed(UNSIGNED, f"there is no {ENVELOPE}")
    signatures = read_envelope(folder)
    found = dsse.signers(_seal(folder), signatures, trusted)
    if found:
        return Signed(TRUSTED, f"signed by {', '.join(found)}", tuple(found))
    count = len({dsse.decoded(entry["sig"], "sig") for entry in signatures})
    return Signed(UNTRUSTED, f"{count} signature(s), none by a key of {keys}")


def _seal(folder: Path) -> bytes:
    return read_small(folder / SEAL, canonical.MAX_BYTES)

"""Signatures of seals: a DSSE envelope around seal.json, in seal.dsse.json beside it.

seal.json names every other file with its digest, so a signature of it signs the whole record.
The sums leave the envelope out: a record may be signed after it was sealed, by several people, and
keeps its identity. Keys are Ed25519 in PEM files, as `openssl genpkey -algorithm ed25519` writes
them. Only signing and judging signatures need the extra `sign`; all else here does not.
"""

import base64
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from goldenseal.disk import canonical
from goldenseal.disk.files import atomic_write, read_small
from goldenseal.errors import (
    EXIT_CANNOT_CHECK,
    EXIT_CONTRADICTED,
    EXIT_HOLDS,
    CannotCheckError,
    UsageError,
)

SEAL, ENVELOPE = "seal.json", "seal.dsse.json"
PAYLOAD_TYPE = "application/vnd.in-toto+json"
BASE64 = {b"+/": "+/", b"-_": "_-"}  # altchars of each alphabet, and how a pattern names them
PEM_BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----.*?-----END \1-----", re.DOTALL)
MAX_SIGNATURES = 64
MAX_KEY_BYTES = 64 * 1024
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


def read_envelope(folder: Path) -> list[dict[str, str]]:
    """The signatures of seal.dsse.json: `keyid`, which is a hint, and `sig` in base64.

    Raises UsageError for anything but a DSSE envelope of the seal.json beside it.
    """
    document = canonical.read(folder / ENVELOPE, ENVELOPE)
    if not isinstance(document, dict) or document.get("payloadType") != PAYLOAD_TYPE:
        raise UsageError(f"{ENVELOPE}: not a DSSE envelope of {PAYLOAD_TYPE}")
    payload = _decoded(document.get("payload"), "payload")
    if payload != read_small(folder / SEAL, canonical.MAX_BYTES):
        raise UsageError(f"{ENVELOPE}: what it signs is not this {SEAL}")
    signatures = document.get("signatures")
    if not isinstance(signatures, list) or not 0 < len(signatures) <= MAX_SIGNATURES:
        raise UsageError(f"{ENVELOPE}: expected 1 to {MAX_SIGNATURES} signatures")
    checked = []
    for signature in signatures:
        if not isinstance(signature, dict) or not isinstance(signature.get("keyid", ""), str):
            raise UsageError(f"{ENVELOPE}: a signature is an object with `keyid` and `sig`")
        _decoded(signature.get("sig"), "sig")
        checked.append({"keyid": signature.get("keyid", ""), "sig": signature["sig"]})
    return checked


def _decoded(text: Any, key: str) -> bytes:
    """Base64 as RFC 4648 has it, in either alphabet: DSSE obliges a verifier to accept both.

    One text is of one alphabet, padded, and holds nothing else. That is judged here: how strict
    the standard library is depends on its version.
    """
    if isinstance(text, str) and len(text) % 4 == 0:
        for alphabet, characters in BASE64.items():
            if re.fullmatch(f"[A-Za-z0-9{characters}]*={{0,2}}", text):
                return base64.b64decode(text.encode(), altchars=alphabet)
    raise UsageError(f"{ENVELOPE}: `{key}` is not base64, standard or URL-safe, with its padding")


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
    signing, _ = _library()
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        private = load_pem_private_key(read_small(key, MAX_KEY_BYTES), password=None)
    except (TypeError, ValueError):
        private = None
    if not isinstance(private, Ed25519PrivateKey):
        raise UsageError(
            f"{key}: not an Ed25519 private key in PEM without a passphrase; make one with "
            f"`openssl genpkey -algorithm ed25519 -out key.pem`"
        )
    others = read_envelope(folder) if (folder / ENVELOPE).exists() else []
    signer = signing.CryptoSigner(private)
    made = signer.sign(_signed_bytes(folder))
    value = bytes.fromhex(made.signature)  # the same each time: Ed25519 draws nothing
    mine = {"keyid": made.keyid, "sig": base64.b64encode(value).decode()}
    signatures = [
        *(e for e in others if e["keyid"] != made.keyid and _decoded(e["sig"], "sig") != value),
        mine,
    ]
    payload = read_small(folder / SEAL, canonical.MAX_BYTES)
    document = {
        "payload": base64.b64encode(payload).decode(),
        "payloadType": PAYLOAD_TYPE,
        "signatures": sorted(signatures, key=lambda entry: entry["keyid"]),
    }
    data = canonical.dumps(document)
    if len(data) > canonical.MAX_BYTES:
        raise UsageError(f"{folder / SEAL} is too large to be signed: {len(payload)} bytes")
    try:
        atomic_write(folder / ENVELOPE, data, beside=folder.resolve().parent)
    except OSError as error:
        raise UsageError(f"{folder / ENVELOPE} cannot be written: {error.strerror}") from error
    return str(made.keyid)


def judge(folder: Path, keys: Path) -> Signed:
    """Whether a key among the *.pem of a folder signed this record, whose seal must be intact.

    The `keyid` in the envelope is not believed: each signature is tried with each key. Raises
    UsageError for a folder without public keys, CannotCheckError without the extra `sign`.
    """
    trusted = trusted_keys(keys)
    if not (folder / ENVELOPE).exists():
        return Signed(UNSIGNED, f"there is no {ENVELOPE}")
    signing, unverified = _library()
    signed, signers = _signed_bytes(folder), []
    values = sorted({_decoded(entry["sig"], "sig") for entry in read_envelope(folder)})
    for name, key in trusted.items():
        for value in values:
            try:
                key.verify_signature(signing.Signature(key.keyid, value.hex()), signed)
            except unverified:
                continue
            signers.append(name)
            break
    if signers:
        return Signed(TRUSTED, f"signed by {', '.join(signers)}", tuple(signers))
    return Signed(UNTRUSTED, f"{len(values)} signature(s), none by a key of {keys}")


def trusted_keys(keys: Path) -> dict[str, Any]:
    """Public keys by the names of their files; a key that is there several times is one signer.

    A file may hold several keys, and text around them. Raises UsageError when there is no key, or
    a file holds none, or anything else.
    """
    signing, _ = _library()
    names: dict[bytes, list[str]] = {}
    keys_by_bytes = {}
    for path in sorted(keys.glob("*.pem")):
        public = _public_keys(path)
        for number, key in enumerate(public, start=1):
            name = path.name if len(public) == 1 else f"{path.name}#{number}"
            names.setdefault(key.public_bytes_raw(), []).append(name)
            keys_by_bytes[key.public_bytes_raw()] = signing.SSlibKey.from_crypto(key)
    if not keys_by_bytes:
        raise UsageError(f"{keys} holds no *.pem: expected a folder of public keys")
    return {" = ".join(names[raw]): key for raw, key in keys_by_bytes.items()}


def _public_keys(path: Path) -> list[Any]:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    data = read_small(path, MAX_KEY_BYTES)
    try:
        public = [load_pem_public_key(match[0]) for match in PEM_BLOCK.finditer(data)]
    except ValueError:
        public = []
    whole = len(public) == data.count(b"-----BEGIN ") > 0
    if not whole or not all(isinstance(key, Ed25519PublicKey) for key in public):
        raise UsageError(
            f"{path}: not an Ed25519 public key in PEM, or several; of a private one it is made "
            "with `openssl pkey -in key.pem -pubout`"
        )
    return public


def _signed_bytes(folder: Path) -> bytes:
    """DSSE's pre-authentication encoding of seal.json."""
    from securesystemslib.dsse import Envelope

    payload = read_small(folder / SEAL, canonical.MAX_BYTES)
    return bytes(Envelope(payload, PAYLOAD_TYPE, {}).pae())


def _library() -> tuple[Any, type[Exception]]:
    """(securesystemslib.signer, the error of a signature that does not verify)."""
    try:
        import cryptography  # noqa: F401  an optional part of the next one
        from securesystemslib import signer
        from securesystemslib.exceptions import UnverifiedSignatureError
    except ImportError:
        raise CannotCheckError(
            "signatures need the extra `sign`: pip install 'goldenseal[sign]'"
        ) from None
    return signer, UnverifiedSignatureError

"""DSSE envelopes of in-toto Statements, signed with Ed25519 keys in PEM files.

Only making and judging signatures need the extra `sign`; reading an envelope does not.
"""

import base64
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from goldenseal.disk import canonical
from goldenseal.disk.files import read_small
from goldenseal.errors import CannotCheckError, UsageError

PAYLOAD_TYPE = "application/vnd.in-toto+json"
BASE64 = {b"+/": "+/", b"-_": "_-"}  # altchars of each alphabet, and how a pattern names them
PEM_BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----.*?-----END \1-----", re.DOTALL)
MAX_SIGNATURES = 64
MAX_KEY_BYTES = 64 * 1024
Signatures = list[dict[str, str]]


def opened(document: Any, where: str) -> tuple[bytes, Signatures]:
    """(what an envelope signs, its signatures: `keyid`, which is a hint, and `sig` in base64).

    Raises UsageError, with `where` in front, for anything but a DSSE envelope of in-toto.
    """
    if not isinstance(document, dict) or document.get("payloadType") != PAYLOAD_TYPE:
        raise UsageError(f"{where}: not a DSSE envelope of {PAYLOAD_TYPE}")
    payload = decoded(document.get("payload"), f"{where}: `payload`")
    signatures = document.get("signatures")
    if not isinstance(signatures, list) or not 0 < len(signatures) <= MAX_SIGNATURES:
        raise UsageError(f"{where}: expected 1 to {MAX_SIGNATURES} signatures")
    checked = []
    for signature in signatures:
        if not isinstance(signature, dict) or not isinstance(signature.get("keyid", ""), str):
            raise UsageError(f"{where}: a signature is an object with `keyid` and `sig`")
        decoded(signature.get("sig"), f"{where}: `sig`")
        checked.append({"keyid": signature.get("keyid", ""), "sig": signature["sig"]})
    return payload, checked


def decoded(text: Any, where: str) -> bytes:
    """Base64 as RFC 4648 has it, in either alphabet: DSSE obliges a verifier to accept both.

    One text is of one alphabet, padded, and holds nothing else. That is judged here: how strict
    the standard library is depends on its version.
    """
    if isinstance(text, str) and len(text) % 4 == 0:
        for alphabet, characters in BASE64.items():
            if re.fullmatch(f"[A-Za-z0-9{characters}]*={{0,2}}", text):
                return base64.b64decode(text.encode(), altchars=alphabet)
    raise UsageError(f"{where} is not base64, standard or URL-safe, with its padding")


def signed(payload: bytes, others: Signatures, key: Path) -> tuple[bytes, str]:
    """(the envelope with one more signature, the key's id); `key` is a file of a private key.

    Raises UsageError for a key that is no Ed25519 private key without a passphrase, or a payload
    too large for an envelope that could be read; CannotCheckError without the extra `sign`.
    """
    signing, _ = _library()
    made = signing.CryptoSigner(_private_key(key)).sign(_signed_bytes(payload))
    value = bytes.fromhex(made.signature)  # the same each time: Ed25519 draws nothing
    mine = {"keyid": made.keyid, "sig": base64.b64encode(value).decode()}
    kept = [e for e in others if e["keyid"] != made.keyid and decoded(e["sig"], "sig") != value]
    document = {
        "payload": base64.b64encode(payload).decode(),
        "payloadType": PAYLOAD_TYPE,
        "signatures": sorted([*kept, mine], key=lambda entry: entry["keyid"]),
    }
    data = canonical.dumps(document)
    if len(data) > canonical.MAX_BYTES:
        raise UsageError(f"too large to be signed: {len(payload)} bytes")
    return data, str(made.keyid)


def signers(payload: bytes, signatures: Signatures, trusted: Mapping[str, Any]) -> Sequence[str]:
    """The names of those trusted keys that made one of the signatures.

    The `keyid` of an envelope is not believed: each signature is tried with each key.
    """
    signing, unverified = _library()
    data, found = _signed_bytes(payload), []
    values = sorted({decoded(entry["sig"], "sig") for entry in signatures})
    for name, key in trusted.items():
        for value in values:
            try:
                key.verify_signature(signing.Signature(key.keyid, value.hex()), data)
            except unverified:
                continue
            found.append(name)
            break
    return found


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


def _private_key(path: Path) -> Any:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        private = load_pem_private_key(read_small(path, MAX_KEY_BYTES), password=None)
    except (TypeError, ValueError):
        private = None
    if not isinstance(private, Ed25519PrivateKey):
        raise UsageError(
            f"{path}: not an Ed25519 private key in PEM without a passphrase; make one with "
            f"`openssl genpkey -algorithm ed25519 -out key.pem`"
        )
    return private


def _signed_bytes(payload: bytes) -> bytes:
    """DSSE's pre-authentication encoding."""
    from securesystemslib.dsse import Envelope

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

"""in-toto Statements, version 1: the envelope of seals and verdicts."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from goldenseal.disk import canonical
from goldenseal.disk.files import is_sha256, is_sha512, problem_with_name
from goldenseal.errors import UsageError

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
SEAL_PREDICATE = "https://slsa.dev/provenance/v1"
VERDICT_PREDICATE = "https://slsa.dev/verification_summary/v1"
TEST_PREDICATE = "https://in-toto.io/attestation/test-result/v0.1"


class Read(NamedTuple):
    """A Statement: SHA-512 by name, its predicate, and SHA-256 by name of those that carry it."""

    digests: dict[str, str]
    predicate: dict[str, Any]
    sha256: dict[str, str]


def statement(
    digests: Mapping[str, str],
    predicate_type: str,
    predicate: Mapping[str, Any],
    sha256: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """A Statement over files given by name and SHA-512 in hex; `sha256` is of the same names."""
    return {
        "_type": STATEMENT_TYPE,
        "subject": [
            {
                "name": name,
                "digest": {"sha512": digest} | ({"sha256": sha256[name]} if sha256 else {}),
            }
            for name, digest in sorted(digests.items())
        ],
        "predicateType": predicate_type,
        "predicate": dict(predicate),
    }


def read_statement(path: Path, predicate_type: str) -> tuple[dict[str, str], dict[str, Any]]:
    """(SHA-512 by name, predicate) of a Statement file; see `parse`."""
    read = parse(canonical.read(path, path.name), predicate_type, path.name)
    return read.digests, read.predicate


def parse(document: Any, predicate_type: str, where: str) -> Read:
    """What a Statement says, from its JSON.

    Raises UsageError, with `where` in front, for anything but a version 1 Statement of that
    predicate type whose subjects have plain names, once each, and SHA-512; SHA-256 has each, or
    none, which is how the formats before 0.3 were.
    """
    if not isinstance(document, dict) or document.get("_type") != STATEMENT_TYPE:
        raise UsageError(f"{where}: not an in-toto Statement ({STATEMENT_TYPE})")
    if document.get("predicateType") != predicate_type:
        raise UsageError(f"{where}: predicateType is not {predicate_type}")
    subjects, predicate = document.get("subject"), document.get("predicate")
    if not isinstance(subjects, list) or not isinstance(predicate, dict):
        raise UsageError(f"{where}: `subject` must be a list and `predicate` an object")
    digests: dict[str, str] = {}
    sha256: dict[str, str] = {}
    for number, subject in enumerate(subjects):
        name, long, short = _subject(subject, f"{where}: subject {number}")
        digests[name] = long
        if short is not None:
            sha256[name] = short
    if len(digests) != len(subjects):
        raise UsageError(f"{where}: a subject is named twice")
    if sha256 and len(sha256) != len(digests):
        bare = min(set(digests) - set(sha256))
        raise UsageError(f"{where}: subject {bare} has no sha256, others have")
    return Read(digests, predicate, sha256)


def _subject(subject: Any, where: str) -> tuple[str, str, str | None]:
    """(name, SHA-512, SHA-256 where it is given)."""
    name = subject.get("name") if isinstance(subject, dict) else None
    digest = subject.get("digest", {}) if isinstance(subject, dict) else {}
    value = digest.get("sha512") if isinstance(digest, dict) else None
    if not isinstance(name, str) or not isinstance(value, str) or not is_sha512(value):
        raise UsageError(f"{where} needs a name and a sha512 digest")
    if problem_with_name(name):
        raise UsageError(f"{where}: {problem_with_name(name)}")
    short = digest.get("sha256")
    if "sha256" in digest and not (isinstance(short, str) and is_sha256(short)):
        raise UsageError(f"{where}: its sha256 must be 64 hex digits")
    return name, value, short

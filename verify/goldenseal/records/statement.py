"""in-toto Statements, version 1: the envelope of seals and verdicts."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from goldenseal.disk import canonical
from goldenseal.disk.files import is_sha512, problem_with_name
from goldenseal.errors import UsageError

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
SEAL_PREDICATE = "https://slsa.dev/provenance/v1"
VERDICT_PREDICATE = "https://slsa.dev/verification_summary/v1"


def statement(
    digests: Mapping[str, str], predicate_type: str, predicate: Mapping[str, Any]
) -> dict[str, Any]:
    """A Statement over files given by name and SHA-512 in hex."""
    return {
        "_type": STATEMENT_TYPE,
        "subject": [
            {"name": name, "digest": {"sha512": digest}} for name, digest in sorted(digests.items())
        ],
        "predicateType": predicate_type,
        "predicate": dict(predicate),
    }


def read_statement(path: Path, predicate_type: str) -> tuple[dict[str, str], dict[str, Any]]:
    """(digests by name, predicate) of a Statement file.

    Raises UsageError for anything but a version 1 Statement of that predicate type.
    """
    document = canonical.read(path, path.name)
    where = path.name
    if not isinstance(document, dict) or document.get("_type") != STATEMENT_TYPE:
        raise UsageError(f"{where}: not an in-toto Statement ({STATEMENT_TYPE})")
    if document.get("predicateType") != predicate_type:
        raise UsageError(f"{where}: predicateType is not {predicate_type}")
    subjects, predicate = document.get("subject"), document.get("predicate")
    if not isinstance(subjects, list) or not isinstance(predicate, dict):
        raise UsageError(f"{where}: `subject` must be a list and `predicate` an object")
    digests: dict[str, str] = {}
    for number, subject in enumerate(subjects):
        digests.update(_subject(subject, f"{where}: subject {number}"))
    if len(digests) != len(subjects):
        raise UsageError(f"{where}: a subject is named twice")
    return digests, predicate


def _subject(subject: Any, where: str) -> dict[str, str]:
    name = subject.get("name") if isinstance(subject, dict) else None
    digest = subject.get("digest", {}) if isinstance(subject, dict) else {}
    value = digest.get("sha512") if isinstance(digest, dict) else None
    if not isinstance(name, str) or not isinstance(value, str) or not is_sha512(value):
        raise UsageError(f"{where} needs a name and a sha512 digest")
    if problem_with_name(name):
        raise UsageError(f"{where}: {problem_with_name(name)}")
    return {name: value}

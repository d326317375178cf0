"""Digests of what `make data` makes: compared with the committed ones, and with the folder's own.

`digests.lock` has the form of SHA512SUMS, so that `sha512sum --ignore-missing -c` in the data
folder gives the same answer without this program.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from goldenseal.errors import ContradictedError, UsageError

LOCK = Path(__file__).with_name("digests.lock")
RECORD = "digests.json"  # in the data folder: what is in it, canonical JSON


def read_lock(path: Path) -> dict[str, str]:
    """SHA-512 in hex by file name. Raises UsageError when a line has not this form."""
    pins: dict[str, str] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if line.startswith("#"):
            continue
        digest, _, name = line.partition("  ")
        if len(digest) != 128 or not name or name in pins:
            raise UsageError(f"{path}:{number}: expected a new file's SHA-512, two spaces, name")
        pins[name] = digest
    return pins


def write_lock(path: Path, pins: Mapping[str, str], comment: str) -> None:
    """The inverse of read_lock, sorted by name, under one line of comment."""
    lines = [f"# {comment}", *(f"{pins[name]}  {name}" for name in sorted(pins))]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def digests(folder: Path) -> dict[str, str]:
    """SHA-512 in hex of each file in `folder`, by name."""
    found = {}
    for path in sorted(folder.iterdir()):
        with open(path, "rb") as file:
            found[path.name] = hashlib.file_digest(file, "sha512").hexdigest()
    return found


def compare(folder: Path, expected: Mapping[str, str], source: str) -> dict[str, str]:
    """The folder's digests, if it holds the `expected` files with their bytes and no other.

    Raises ContradictedError that names the first file that differs, both digests, and `source`,
    where the expected ones are written.
    """
    found = digests(folder)
    for name in sorted(set(expected) | set(found)):
        if name not in found:
            raise ContradictedError(f"{folder / name}: missing, but listed in {source}")
        if name not in expected:
            raise ContradictedError(f"{folder / name}: not listed in {source}")
        if found[name] != expected[name]:
            raise ContradictedError(
                f"{folder / name}: SHA-512 is {found[name]}, in {source} it is {expected[name]}"
            )
    return found


def read_record(folder: Path) -> dict[str, Any]:
    """What `digests.json` in `folder` says. Raises UsageError when it is missing or damaged."""
    path = folder / RECORD
    if not path.is_file():
        raise UsageError(f"{folder}: exists, but holds no {RECORD}: pass another --out")
    try:
        record = json.loads(path.read_bytes())
        return {"files": dict(record["files"]), "summary": dict(record["summary"])}
    except (ValueError, KeyError, TypeError):
        raise UsageError(f"{path}: not a record of `make data`: move the folder away") from None

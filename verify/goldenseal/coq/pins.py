"""Pins what each theorem states, so that none can be weakened unseen until its proof passes.

`statements.json` maps a name to the statement as Coq prints it, with its SHA-512. Definitions
are pinned with their bodies: a statement means what its words mean.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from goldenseal.errors import UsageError

FILE = "statements.json"


def pinned_text(statements: Mapping[str, str]) -> str:
    """The text of the pin file for these statements."""
    pins = {name: {"sha512": _digest(text), "statement": text} for name, text in statements.items()}
    return json.dumps(pins, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def pin_findings(folder: Path, statements: Mapping[str, str]) -> list[str]:
    """One line for each statement that is changed, new or gone since it was pinned."""
    try:
        pins = json.loads((folder / FILE).read_text("utf-8"))
        pinned = {name: (entry["sha512"], entry["statement"]) for name, entry in pins.items()}
    except FileNotFoundError:
        return [f"{FILE}: is not there; look at the statements, then `goldenseal theorems refresh`"]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"{FILE}: cannot be read as pinned statements: {error!r}") from None
    findings = []
    for name in sorted(pinned.keys() | statements.keys()):
        if name not in statements:
            findings.append(f"{FILE}: {name} is pinned, but no theorem or definition has this name")
        elif name not in pinned:
            findings.append(
                f"{FILE}: {name} is not pinned; look at it, then `goldenseal theorems refresh`"
            )
        elif pinned[name][0] != _digest(pinned[name][1]):
            findings.append(f"{FILE}: the digest of {name} does not belong to its pinned text")
        elif pinned[name][0] != _digest(statements[name]):
            findings.append(
                f"{FILE}: {name} has changed: pinned `{pinned[name][1]}`, now `{statements[name]}`"
            )
    return findings


def _digest(text: str) -> str:
    return hashlib.sha512(text.encode()).hexdigest()

"""All documents under claims, judged together; and `--fix`."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from goldenseal import config
from goldenseal.claims.document import Document, parse
from goldenseal.claims.evidence import Library
from goldenseal.claims.findings import Finding
from goldenseal.claims.fix import fixed
from goldenseal.claims.judge import Verdict, judge
from goldenseal.disk.files import atomic_write, read_small
from goldenseal.errors import EXIT_CANNOT_CHECK, EXIT_CONTRADICTED, EXIT_HOLDS, UsageError

MAX_DOCUMENT_BYTES = 4 * 1024 * 1024


@dataclass
class Judgement:
    """The judged documents."""

    documents: list[tuple[Document, list[Verdict], list[Finding]]] = field(default_factory=list)
    rewritten: list[str] = field(default_factory=list)

    @property
    def findings(self) -> list[Finding]:
        """Everything that is wrong, in order of document and line."""
        return [finding for _, _, findings in self.documents for finding in findings]

    @property
    def bound(self) -> int:
        """How many numerals are bound."""
        return sum(len(verdicts) for _, verdicts, _ in self.documents)

    @property
    def exempt(self) -> int:
        """How many numerals a stated reason exempts."""
        return sum(e.numerals for document, _, _ in self.documents for e in document.exemptions)

    @property
    def exit_code(self) -> int:
        """1 when something does not hold, 3 when only something could not be checked."""
        kinds = {finding.kind for finding in self.findings}
        if kinds - {"could-not-check"}:
            return EXIT_CONTRADICTED
        return EXIT_CANNOT_CHECK if kinds else EXIT_HOLDS

    def to_json(self) -> dict[str, Any]:
        """For --json."""
        return {
            "holds": not self.findings,
            "rewritten": self.rewritten,
            "documents": [
                {
                    "document": document.name,
                    "claims": [verdict.to_json() for verdict in verdicts],
                    "exempt": [vars(exemption) for exemption in document.exemptions],
                    "findings": [finding.to_json() for finding in findings],
                }
                for document, verdicts, findings in self.documents
            ],
        }


def documents(root: Path, chosen: Sequence[Path] = ()) -> list[Path]:
    """The documents to judge: `chosen`, or those of `claims` in pyproject.toml, sorted.

    Raises UsageError for a pattern without a file, a link, or no patterns at all.
    """
    if chosen:
        return sorted({Path(os.path.abspath(path)) for path in chosen})
    patterns = config.settings(root).get("claims", [])
    if not patterns:
        raise UsageError(
            "no document to judge: name some, as in `goldenseal claims README.md`, or list them in "
            'pyproject.toml: [tool.goldenseal] claims = ["README.md"]'
        )
    files: set[Path] = set()
    for pattern in patterns:
        matching = {path for path in root.glob(pattern) if path.is_file()}
        if not matching:
            raise UsageError(f"pyproject.toml: claims: nothing matches {pattern!r}")
        files |= matching
    return sorted(files)


def judge_documents(root: Path, chosen: Sequence[Path] = (), fix: bool = False) -> Judgement:
    """Judge documents against the records under `root`; with `fix`, rewrite their numbers first.

    Raises UsageError for what is no readable UTF-8 document.
    """
    library = Library(root)
    ignored = sorted({knob for system in config.systems(root) for knob in system.path_knobs})
    judged = Judgement()
    for path in documents(root, chosen):
        name = path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name
        document = _read(path, name)
        library.own = path.parent
        verdicts, findings = judge(document, library, ignored)
        if fix:
            text = fixed(document, library, ignored)
            if text != document.source:
                atomic_write(path, text.encode())
                judged.rewritten.append(name)
                document = parse(name, text)
                verdicts, findings = judge(document, library, ignored)
        judged.documents.append((document, verdicts, findings))
    return judged


def _read(path: Path, name: str) -> Document:
    try:
        text = read_small(path, MAX_DOCUMENT_BYTES).decode("utf-8")
    except UnicodeDecodeError as error:
        raise UsageError(f"{name}: not UTF-8: {error.reason}") from None
    return parse(name, text)

"""All documents under claims, judged together; and `--fix`."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import unquote

from goldenseal import config
from goldenseal.claims.document import parse
from goldenseal.claims.documents.model import Document
from goldenseal.claims.evidence import Library
from goldenseal.claims.findings import ClaimError, Finding
from goldenseal.claims.fix import fixed
from goldenseal.claims.judge import Verdict, judge
from goldenseal.disk.files import atomic_write, read_small
from goldenseal.errors import EXIT_CANNOT_CHECK, EXIT_CONTRADICTED, EXIT_HOLDS, UsageError
from goldenseal.records.sums import refuse_inside_sealed

if TYPE_CHECKING:  # most documents are no tables of others' numbers, and show no picture with any
    from goldenseal.claims.sourced.document import SourcedVerdict

MAX_DOCUMENT_BYTES = 4 * 1024 * 1024
AnyVerdict: TypeAlias = "Verdict | SourcedVerdict"


@dataclass(frozen=True)
class Coverage:
    """Of the numerals that a document binds or must bind: how many hold, are exempt, are red."""

    bound: int
    exempt: int
    red: int

    @property
    def share(self) -> float:
        """The part that is bound and holds; 1 where there is nothing to bind."""
        total = self.bound + self.exempt + self.red
        return self.bound / total if total else 1.0

    def to_json(self) -> dict[str, Any]:
        """For --json."""
        return {**vars(self), "share": round(self.share, 4)}


def coverage(
    document: Document, verdicts: Sequence[AnyVerdict], findings: Sequence[Finding]
) -> Coverage:
    """The coverage of one judged document."""
    wrong = sum(bool(verdict.findings) for verdict in verdicts)
    unbound = sum(finding.kind == "unbound" for finding in findings)
    exempt = sum(exemption.numerals for exemption in document.exemptions)
    return Coverage(len(verdicts) - wrong, exempt, wrong + unbound)


@dataclass
class Judgement:
    """The judged documents."""

    documents: list[tuple[Document, Sequence[AnyVerdict], list[Finding]]] = field(
        default_factory=list
    )
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
    def coverage(self) -> Coverage:
        """Over all documents."""
        each = [coverage(*judged) for judged in self.documents]
        return Coverage(
            sum(c.bound for c in each), sum(c.exempt for c in each), sum(c.red for c in each)
        )

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
            "coverage": self.coverage.to_json(),
            "documents": [
                {
                    "document": document.name,
                    "claims": [verdict.to_json() for verdict in verdicts],
                    "exempt": [vars(exemption) for exemption in document.exemptions],
                    "coverage": coverage(document, verdicts, findings).to_json(),
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
        try:
            matching = {path for path in root.glob(pattern) if path.is_file()}
        except (ValueError, NotImplementedError) as error:  # an empty one, or one from the top
            raise UsageError(f"pyproject.toml: claims: {pattern!r}: {error}") from None
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
        text = _text(path, name)
        if path.suffix.lower() == ".toml":
            from goldenseal.claims.sourced.document import judge_table

            judged.documents.append(judge_table(name, text))
            continue
        document = _document(library, path, name, text)
        library.own = path.parent
        verdicts, findings = judge(document, library, ignored)
        if fix:
            text = fixed(document, library, ignored)
            if text != document.source:
                refuse_inside_sealed(path)
                atomic_write(path, text.encode())
                judged.rewritten.append(name)
                document = _document(library, path, name, text)
                verdicts, findings = judge(document, library, ignored)
        judged.documents.append((document, verdicts, findings))
    return judged


def _document(library: Library, path: Path, name: str, text: str) -> Document:
    """The document, and the bound numbers of the local SVG pictures that it shows."""
    document = parse(name, text)
    root = library.root.resolve()
    seen = set()
    for target, line in document.pictures:
        place = path.parent / unquote(target.partition("#")[0].partition("?")[0])
        local = "://" not in target and place.suffix.lower() == ".svg"
        inside = local and place.resolve().is_relative_to(root)
        if not inside or place.is_symlink() or not place.is_file() or place in seen:
            continue
        seen.add(place)
        shown = place.resolve().relative_to(root).as_posix()
        try:
            drawn = library.picture(place.resolve(), MAX_DOCUMENT_BYTES)
        except (ClaimError, UsageError) as error:
            kind = error.kind if isinstance(error, ClaimError) else "no-evidence"
            document.findings.append(Finding(kind, str(error), name, line))
            continue
        from goldenseal.claims.documents.svg import of_picture

        of_picture(document, shown, drawn)
    return document


def _text(path: Path, name: str) -> str:
    try:
        return read_small(path, MAX_DOCUMENT_BYTES).decode("utf-8")
    except UnicodeDecodeError as error:
        raise UsageError(f"{name}: not UTF-8: {error.reason}") from None

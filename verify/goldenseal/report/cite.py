"""How a sealed record is cited: CITATION.cff and BibTeX, with the identity that names its bytes.

What is not known is left out; only an author must be there, since neither form does without one.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from goldenseal.config import repository
from goldenseal.disk.files import read_small
from goldenseal.errors import ContradictedError, UsageError
from goldenseal.records.check import check, resolve
from goldenseal.records.record import Record, read_record

MAX_BYTES = 1 << 20
CITATION = "CITATION.cff"
KEYS = ("given-names", "family-names", "name")  # of an author, as far as a citation needs them
SPECIAL = {c: f"\\{c}" for c in "%&$#_"} | {
    "{": r"\textbraceleft{}",  # BibTeX counts a brace after a backslash, too
    "}": r"\textbraceright{}",
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
}


@dataclass(frozen=True)
class Citation:
    """Of one record. authors: names by the keys of CFF; status is part of what is cited."""

    title: str
    date: str
    identity: str
    authors: tuple[dict[str, str], ...]
    license: str = ""

    def cff(self) -> str:
        """CITATION.cff 1.2.0, of a data set."""
        lines = [
            "cff-version: 1.2.0",
            "message: If you use this record, please cite it by its identity.",
            "type: dataset",
            f"title: {_quoted(self.title)}",
            f"date-released: {self.date}",
            "identifiers:",
            "  - type: other",
            f"    value: {_quoted(f'sha512:{self.identity}')}",
            "    description: SHA-512 of the record's SHA512SUMS, its identity.",
            "authors:",
        ]
        for author in self.authors:
            pairs = [f"{key}: {_quoted(author[key])}" for key in KEYS if key in author]
            lines += [f"  {'- ' if n == 0 else '  '}{pair}" for n, pair in enumerate(pairs)]
        lines += [f"license: {_quoted(self.license)}"] if self.license else []
        return "\n".join(lines) + "\n"

    def bibtex(self) -> str:
        """An entry of kind misc, with the whole identity as its note."""
        names = []
        for author in self.authors:
            parts = [author[key] for key in ("family-names", "given-names") if key in author]
            words = map(_tex, parts or [author["name"]])
            # Braces keep a name of several words, such as an institution's, in one piece.
            names.append(", ".join(words) if len(parts) == 2 else f"{{{next(words)}}}")
        entries = {
            "author": " and ".join(names),
            "title": f"{{{_tex(self.title)}}}",
            "year": self.date[:4],
            "note": f"Sealed record, SHA-512 identity {self.identity}",
        }
        body = "".join(f"  {key} = {{{text}}},\n" for key, text in entries.items())
        return f"@misc{{goldenseal-{self.identity[:12]},\n{body}}}\n"

    def to_json(self) -> dict[str, Any]:
        """For --json."""
        return {"identity": self.identity, "cff": self.cff(), "bibtex": self.bibtex()}


def _quoted(text: str) -> str:
    """A YAML scalar: JSON's strings are among them."""
    return json.dumps(text, ensure_ascii=False)


def _tex(text: str) -> str:
    return "".join(SPECIAL.get(character, character) for character in text)


def cite(name: str, authors: Sequence[str] = ()) -> Citation:
    """The citation of a record, given by its folder or a prefix of its identity.

    authors: `Given Family` or, in braces, the name of an institution; by default those of the
    CITATION.cff in the record or in the repository around it. Raises UsageError for what is no
    sealed record, or without an author; ContradictedError for a broken seal.
    """
    record = _record(name)
    report = check(record.folder)
    if report.identity is None:
        raise UsageError(f"{record.folder} is not sealed, and has no identity: seal it")
    if not report.holds:
        raise ContradictedError(f"{record.folder.name}: {report.reasons()[0]}")
    facts = record.facts
    title = f"{facts['name']} ({facts['status']} record)"
    around = _around(record.folder)
    given = tuple(map(_author, authors)) or around[0]
    if not given:
        raise UsageError(
            f"who made {record.folder.name} is not known: say it by --author 'Given Family', or "
            f"write a {CITATION}"
        )
    return Citation(title, facts["date"], report.identity, given, around[1])


def _record(name: str) -> Record:
    folder = Path(name)
    return read_record(folder) if folder.is_dir() else resolve(repository(), name)[0]


def _author(text: str) -> dict[str, str]:
    words = text.strip()
    if not words:
        raise UsageError("--author is empty")
    if words.startswith("{") and words.endswith("}"):
        return {"name": words[1:-1]}
    given, _, family = words.rpartition(" ")
    return {"given-names": given.strip(), "family-names": family} if given else {"name": words}


def _around(folder: Path) -> tuple[tuple[dict[str, str], ...], str]:
    """(authors, licence) that the nearest CITATION.cff tells; neither where there is none."""
    paths = (folder / CITATION, repository(folder) / CITATION)
    path = next((path for path in paths if path.is_file() and not path.is_symlink()), None)
    if path is None:
        return (), ""
    import yaml

    try:
        told = yaml.safe_load(read_small(path, MAX_BYTES).decode("utf-8"))
    except (UnicodeDecodeError, RecursionError, yaml.YAMLError) as error:
        words = " ".join(str(error).split())
        raise UsageError(f"{path.name}: no YAML: {words}") from None
    listed = told.get("authors") if isinstance(told, dict) else None
    authors = []
    for each in listed if isinstance(listed, list) else ():
        if isinstance(each, dict) and (set(each) & {"name", "family-names"}):
            authors.append({key: str(each[key]) for key in KEYS if isinstance(each.get(key), str)})
    licence = told.get("license") if isinstance(told, dict) else ""
    return tuple(filter(None, authors)), licence if isinstance(licence, str) else ""

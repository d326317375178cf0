"""The index of theorems in the folder's README, written from the comments above each theorem."""

import re
from collections.abc import Iterable
from pathlib import Path

from goldenseal.coq.bridges import LABELS as BRIDGE_LABELS
from goldenseal.coq.generate import FILE as CONSTANTS_FILE
from goldenseal.coq.project import Declaration

FILE = "README.md"
_BEGIN, _END = "<!-- index: generated -->", "<!-- index: end -->"
_FIELDS = ("In words", "Does not say", "Used by")


def index(declarations: Iterable[Declaration]) -> str:
    """Two tables: the theorems written by hand, and the constants."""
    by_hand = ["| theorem | in words | does not say | used by |", "|---|---|---|---|"]
    constants = ["| theorem | in words |", "|---|---|"]
    for each in declarations:
        if each.kind != "Theorem":
            if each.file == CONSTANTS_FILE and not each.is_theorem:
                proof = "nearest" if each.name.endswith("_integer") else "rounded"
                name = re.sub(r"_(integer|double)$", f"_{proof}", each.name)
                constants.append(f"| `{name}` | {fields(each)['In words']} |")
        elif each.file != CONSTANTS_FILE:
            words = fields(each)
            by_hand.append(f"| `{each.name}` | " + " | ".join(words[key] for key in _FIELDS) + " |")
    return "\n".join(["### By hand", "", *by_hand, "", "### Constants", "", *constants])


def fields(declaration: Declaration) -> dict[str, str]:
    """The labelled parts of the comment above a declaration; a missing one is empty."""
    text = " ".join(declaration.comment.removeprefix("(**").removesuffix("*)").split())
    texts = dict.fromkeys(_FIELDS, "")
    labels = "|".join(_FIELDS)
    ends = "|".join((*_FIELDS, *BRIDGE_LABELS))
    for label, words in re.findall(rf"({labels}): (.*?)(?= (?:{ends}): |$)", text):
        texts[label] = words.replace("|", "\\|")
    return texts


def missing_words(declarations: Iterable[Declaration]) -> list[str]:
    """One line for each hand-written theorem that does not say what it does and does not say."""
    findings = []
    for each in declarations:
        if each.kind == "Theorem" and each.file != CONSTANTS_FILE:
            absent = [key for key, words in fields(each).items() if not words]
            if absent:
                findings.append(
                    f"{each.file}:{each.line}: {each.name} has no comment with "
                    + ", ".join(f"`{key}: ...`" for key in absent)
                )
    return findings


def with_index(readme: str, table: str) -> str | None:
    """The README with a fresh index, or None when it has no place for one."""
    before, begin, rest = readme.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    return f"{before}{begin}\n{table}\n{end}{after}" if begin and end else None


def index_findings(folder: Path, table: str) -> list[str]:
    """One line when the README's index is absent or is not the current one."""
    try:
        readme = (folder / FILE).read_text("utf-8")
    except OSError:
        return [f"{FILE}: is not there; it holds the index of theorems"]
    fresh = with_index(readme, table)
    if fresh is None:
        return [f"{FILE}: has no place for the index; add the lines `{_BEGIN}` and `{_END}`"]
    if fresh != readme:
        return [f"{FILE}: the index is not the current one; run `goldenseal theorems refresh`"]
    return []

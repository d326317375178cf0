"""From files to documents: which work a file is, clean text, scenes and poems, no duplicates.

A document is a scene, a sonnet, a book's part: a few hundred to some thousands of tokens, since
test-time training adapts to one document at a time. The split is by work, so that the other edition
of a play, or its next scene, is never on the other side.
"""

import math
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha512
from pathlib import Path

from goldenseal.errors import UsageError
from train_gpt_style.kit.constants import CORPUS_OVERLAP

WORKS = Path(__file__).with_name("works.toml")
SPLITS = ("validation", "train")  # of two copies of one document the validation split keeps its own
MIN_CHARS, MAX_CHARS = 512, 16_384

# Opens a new document when it opens a paragraph: ACT II, Scena Secunda, BOOK IV, a sonnet's XVIII.
HEADING = re.compile(
    r"(?:[A-Z ]+\n)?\W*(?:"
    r"(?i:act(?:us)?|sc(?:a|o|ae|oe)?en[ae]|book|prologue|epilogue|induction|chorus|the \w+ book)\b"
    r"|[IVXLC]+\.?$)",
    re.MULTILINE,
)


@dataclass(frozen=True)
class Document:
    """A piece of one work: what stands between two BOS tokens."""

    work: str
    text: str


def read_works(path: Path = WORKS) -> dict[str, dict[str, list[str]]]:
    """Files of each work, by split. Raises UsageError when a work or file is listed twice."""
    works: dict[str, dict[str, list[str]]] = tomllib.loads(path.read_text(encoding="utf-8"))
    if sorted(works) != sorted(SPLITS):
        raise UsageError(f"{path}: the tables are {sorted(works)}, expected {sorted(SPLITS)}")
    names = [work for split in SPLITS for work in works[split]]
    files = [file for split in SPLITS for listed in works[split].values() for file in listed]
    for listed in (names, files):
        if twice := sorted({name for name in listed if listed.count(name) > 1}):
            raise UsageError(f"{path}: {twice[0]!r} is listed twice")
    return works


def normalise(data: bytes) -> str:
    """Text with plain line ends, single spaces, and at most one empty line in a row.

    Raises ValueError when the bytes are not UTF-8.
    """
    text = re.sub(r"\r\n?", "\n", data.decode("utf-8-sig"))
    text = re.sub(r"[\x00-\x08\x0b-\x1f\x7f]", "", text)
    lines = (" ".join(line.split()) for line in text.split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def cut(text: str) -> list[str]:
    """The documents of a normalised text: at headings, and where one would grow too long.

    A heading opens no new document while the current one is shorter than MIN_CHARS: ACT I stays
    with its first scene.
    """
    sections: list[list[str]] = [[]]
    size = 0
    for paragraph in text.split("\n\n"):
        if size >= MIN_CHARS and HEADING.match(paragraph):
            sections.append([])
            size = 0
        sections[-1].append(paragraph)
        size += len(paragraph)
    return [piece for section in sections for piece in chop("\n\n".join(section))]


def chop(section: str) -> list[str]:
    """Pieces of about equal length, at most MAX_CHARS and a line; cut at empty lines if it can."""
    count = math.ceil(len(section) / MAX_CHARS)
    if count <= 1:
        return [section] if section else []
    target = len(section) / count
    pieces: list[list[str]] = [[]]
    size = 0
    for line in section.split("\n"):
        if size >= target or (not line and size >= CORPUS_OVERLAP * target):
            pieces.append([])
            size = 0
        pieces[-1].append(line)
        size += len(line) + 1
    texts = ("\n".join(lines).strip() for lines in pieces)
    return [text for text in texts if text]


def identity(text: str) -> str:
    """Equal for two texts that differ in case, punctuation or spacing only."""
    return sha512(" ".join(re.findall(r"\w+", text.casefold())).encode()).hexdigest()


def deduplicate(documents: Iterable[Document], seen: set[str]) -> list[Document]:
    """The documents whose text was not `seen`, in order; adds them to it."""
    kept = []
    for document in documents:
        key = identity(document.text)
        if key not in seen:
            seen.add(key)
            kept.append(document)
    return kept


def split_documents(
    texts: Mapping[str, bytes], works: Mapping[str, Mapping[str, list[str]]]
) -> tuple[dict[str, list[Document]], int]:
    """(documents of each split, how many duplicates were left out).

    In the order of the SHA-512 of their text: a shuffle without a random number, because the
    loader reads in order and neighbouring steps should not be one play.
    Raises UsageError when a file is not UTF-8 text.
    """
    splits: dict[str, list[Document]] = {}
    seen: set[str] = set()
    found = 0
    for split in SPLITS:
        documents = []
        for work, files in works[split].items():
            for file in files:
                try:
                    text = normalise(texts[file])
                except ValueError:
                    raise UsageError(f"{file}: not UTF-8 text") from None
                documents += [Document(work, piece) for piece in cut(text)]
        found += len(documents)
        kept = deduplicate(documents, seen)
        splits[split] = sorted(kept, key=lambda document: sha512(document.text.encode()).digest())
    return splits, found - sum(map(len, splits.values()))

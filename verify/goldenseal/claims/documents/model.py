"""What is found in a document: bound numerals, exemptions, definitions."""

from dataclasses import dataclass, field
from typing import Any

from goldenseal.claims.findings import Finding
from goldenseal.claims.numerals import Printed


@dataclass(frozen=True)
class Bound:
    """A numeral with its marker; `offset` is where the marker stands in the document.

    Where names stand elsewhere, as those of an alternative text, `offset` is where the numeral
    ends. -1 where it is spelt otherwise in the source.
    """

    claim: str
    printed: Printed
    line: int
    offset: int
    before: str  # text of its block, up to the numeral
    after: str  # and from the marker on
    contexts: tuple[str, ...]  # its block, or row with head; a table's caption; the heading
    heading: str  # the head of its column
    text: str = ""  # its block or cell as a reader sees it, code included
    start: int = 0  # where the numeral begins in that
    block: int = 0  # numbers of one block or cell share it
    row: str = ""  # the first cell of its row
    lead: str = ""  # the paragraph before its table, or before the list that it is in
    table: int = 0  # which table; 0 outside of tables
    file: str = ""  # the picture that it stands in; empty for the document itself


@dataclass
class Exemption:
    """A reason, and how many numerals it keeps from being claims."""

    reason: str
    line: int
    scope: str
    numerals: int = 0


@dataclass
class Document:
    """What was found in a document."""

    name: str
    source: str
    bound: list[Bound] = field(default_factory=list)
    definitions: dict[str, tuple[int, Any]] = field(default_factory=dict)
    exemptions: list[Exemption] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    notes: dict[int, str] = field(default_factory=dict)  # by table, the paragraph right after it
    pictures: list[tuple[str, int]] = field(default_factory=list)  # (target, line) of each
    loose: list[tuple[int, str, str]] = field(default_factory=list)  # line, numeral, why exempt
    closed: int = 0  # numerals of the closed world that no rule exempts

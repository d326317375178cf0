"""The closed world of a document: which numerals must be bound, and which a reason exempts.

Comments with a meaning, here as in Markdown:

    4.06<!--=loss-->              this numeral is the claim `loss`
    40<!-- exempt: reason -->     this numeral is none
    <!-- exempt: reason -->       on a line of its own: nor are those of the next block
    <!-- exempt section: reason -->   nor those of the rest of this section and its subsections
    <!-- results -->              the rest of this section is results, whatever its heading says
    <!-- claims … -->             TOML: a definition for each claim, see claims/definition.py
"""

import re
import unicodedata
from dataclasses import dataclass, field

from goldenseal.claims.documents.model import Bound, Document, Exemption
from goldenseal.claims.findings import Finding
from goldenseal.claims.numerals import NUMERAL, read_numeral
from goldenseal.claims.rules import CAPTION, RESULTS_HEADING
from goldenseal.claims.text import MARKER, almost, excerpt, hide, plain, readable
from goldenseal.disk.toml import read_toml
from goldenseal.errors import UsageError

NAME = r"[\w.-]+"
BINDING = re.compile(rf"\s*=\s*({NAME})\s*")
NAMES = re.compile(rf"\s*=\s*({NAME}(?:\s*,\s*{NAME})*)\s*")  # in turn, one a numeral
EXEMPTION = re.compile(r"\s*exempt( section)?:\s*(\S.*?)\s*", re.DOTALL)
NONE = "-"  # in a list of names: a numeral that is no claim


@dataclass
class Text:
    """A block, cell or caption: what a reader sees, and the comments in it.

    `shown` has MARKER for a comment and HIDDEN for code; `marks` are the comments in turn, each
    with its place in the source.
    """

    shown: str
    line: int  # where it begins
    marks: list[tuple[str, int]] = field(default_factory=list)
    codes: list[str] = field(default_factory=list)
    contexts: tuple[str, ...] = ()
    column: str = ""  # the head of its column
    row: str = ""
    lead: str = ""
    table: int = 0
    closed: bool = False  # wherever it stands: a table, a caption
    heading: bool = False


class World:
    """Keeps track of sections and exemptions, and puts what it finds into the document."""

    def __init__(self, document: Document):
        self.document = document
        source = document.source
        self.line_starts = [0, *(m.end() for m in re.finditer(r"\r\n|\n|\r", source))]
        self.level = 0  # of the current heading
        self.results_below: int | None = None  # level of the heading that opened results
        self.exempt_below: int | None = None
        self.section_exemption: Exemption | None = None
        self.block_exemption: Exemption | None = None
        self.pending: Exemption | None = None  # of the next block
        self.tables_open = 0
        self.title = ""  # the current heading
        self.caption = ""  # the last paragraph outside of tables
        self.tables = self.block = 0  # how many there were

    def enter(self, level: int, title: str) -> None:
        """A section begins."""
        self.level, self.title, self.caption = level, title, ""
        if self.results_below is not None and self.level <= self.results_below:
            self.results_below = None
        if self.exempt_below is not None and self.level <= self.exempt_below:
            self.exempt_below = self.section_exemption = None
        if self.results_below is None and RESULTS_HEADING.search(self.title):
            self.results_below = self.level

    def comment(self, text: str, line: int) -> None:
        """A comment on a line of its own."""
        words = text.split()
        if exemption := EXEMPTION.fullmatch(text):
            scope = "section" if exemption[1] else "block"
            made = Exemption(" ".join(exemption[2].split()), line, scope)
            self.document.exemptions.append(made)
            if scope == "section":
                self.section_exemption, self.exempt_below = made, self.level
            else:
                self.pending = made
        elif words[:1] == ["claims"]:
            self.define(text.lstrip()[len("claims") :], line)
        elif words == ["results"]:
            self.results_below = self.level
        elif NAMES.fullmatch(text):
            self.bad(line, f"the marker <!--{text}--> stands alone: put it right after a numeral")
        elif almost(text):
            self.bad(line, f"<!--{text}--> is no marker: see docs/claims.md for those")

    def define(self, text: str, line: int) -> None:
        """Definitions in TOML."""
        try:
            table = read_toml(text.replace("\r\n", "\n").encode(), "the definitions are not TOML")
        except UsageError as error:
            self.bad(line, str(error))
            return
        for name, entry in table.items():
            if name in self.document.definitions:
                self.bad(line, f"{name} is defined twice")
            self.document.definitions[name] = (line, entry)

    def is_closed(self) -> bool:
        """Whether the reader is in a table or in a section of results."""
        return self.tables_open > 0 or self.results_below is not None

    def read(self, text: Text) -> None:
        """Numerals of a text, each with the comment that follows it at once."""
        closed = text.closed or self.is_closed() or CAPTION.match(text.shown) is not None
        self.block += 1
        shown, codes = text.shown, text.codes
        hidden = hide(shown, text.heading)
        covered = set()
        for match in NUMERAL.finditer(hidden):
            line = text.line + shown.count("\n", 0, match.start())
            end = match.end()
            if shown[end : end + 1] != MARKER:
                self._numeral(match[0], line, closed, _said(text, match.start(), end))
                continue
            number = shown.count(MARKER, 0, end)
            covered.add(number)
            content, offset = text.marks[number]
            if binding := BINDING.fullmatch(content):
                self.document.closed += closed
                before, after = plain(shown[: match.start()]), plain(shown[end:])
                self.document.bound.append(
                    Bound(
                        binding[1],
                        read_numeral(match[0]),
                        line,
                        offset,
                        before,
                        after,
                        text.contexts,
                        text.column,
                        text=readable(shown, codes),
                        start=len(readable(shown[: match.start()], codes)),
                        block=self.block,
                        row=text.row,
                        lead=text.lead,
                        table=text.table,
                    )
                )
            elif exemption := EXEMPTION.fullmatch(content):
                reason = " ".join(exemption[2].split())
                self.document.exemptions.append(Exemption(reason, line, "numeral", 1))
                self.document.loose.append((line, match[0], reason))
                self.document.closed += closed
            else:
                self._numeral(match[0], line, closed, _said(text, match.start(), end))
        for character in sorted(set(hidden)):
            if character > "\x7f" and unicodedata.category(character) in ("Nd", "No"):
                line = text.line + shown.count("\n", 0, shown.index(character))
                self._numeral(character, line, closed)
        self._loose_markers(text.marks, covered, text.line)

    def _numeral(self, text: str, line: int, closed: bool, said: str = "") -> None:
        """A numeral without a marker: fine in the open, exempt, or unbound."""
        if not closed:
            return
        self.document.closed += 1
        exemption = self.block_exemption or self.section_exemption
        self.document.loose.append((line, text, exemption.reason if exemption else ""))
        if exemption:
            exemption.numerals += 1
        else:
            self.find("unbound", line, f"{text} is bound to no sealed evidence, nor exempt", said)

    def _loose_markers(self, marks: list[tuple[str, int]], covered: set[int], line: int) -> None:
        for number, (content, _) in enumerate(marks):
            meant = BINDING.fullmatch(content) or EXEMPTION.fullmatch(content)
            if meant and number not in covered:
                self.bad(line, f"the marker <!--{content}--> does not follow a numeral at once")
            elif not meant and almost(content):
                self.bad(line, f"<!--{content}--> is no marker: see docs/claims.md for those")

    def in_turn(self, shown: str, marker: str, place: int, line: int) -> Text:
        """A text whose numerals are named in turn by one marker, `= before, after`, or exempt.

        `place` is where the text stands in the source; -1 when it is spelt otherwise there.
        """
        numerals = list(NUMERAL.finditer(hide(shown, heading=False)))
        exempt = EXEMPTION.fullmatch(marker)
        names = [] if exempt else [name.strip() for name in marker.partition("=")[2].split(",")]
        if exempt:
            contents = [marker] * len(numerals)
        else:
            contents = ["" if name == NONE else f"={name}" for name in names]
            if len(names) != len(numerals):
                has = f"{len(numerals)} numerals ({', '.join(m[0] for m in numerals)})"
                self.bad(line, f"<!--{marker}--> names {len(names)}, and the text has {has}")
                contents = (contents + [""] * len(numerals))[: len(numerals)]
        parts, marks, cursor = [], [], 0
        for match, content in zip(numerals, contents, strict=True):
            parts.append(shown[cursor : match.end()])
            cursor = match.end()
            if content:
                parts.append(MARKER)
                marks.append((content, place + cursor if place >= 0 else -1))
        return Text("".join(parts) + shown[cursor:], line, marks)

    def of_picture(self, said: list[str], marker: str, line: int) -> list[Text]:
        """What is said of a picture, text and title; one marker names the numerals of both."""
        names = [] if EXEMPTION.fullmatch(marker) else marker.partition("=")[2].split(",")
        texts, start = [], self.line_starts[line - 1] if line <= len(self.line_starts) else 0
        for number, shown in enumerate(said):
            own = marker
            if marker and names:
                last = number == len(said) - 1
                count = len(NUMERAL.findall(hide(shown, heading=False)))
                mine, names = (names, []) if last else (names[:count], names[count:])
                own = "=" + ",".join(mine) if mine else ""
            place = self.document.source.find(shown, start)
            texts.append(self.in_turn(shown, own, place, line) if own else Text(shown, line))
        return texts

    def find(self, kind: str, line: int, message: str, said: str = "") -> None:
        """Something is wrong with the document; `said` is the sentence."""
        name = self.document.name
        self.document.findings.append(Finding(kind, message, name, line, sentence=said))

    def bad(self, line: int, message: str) -> None:
        """A marker, definition or exemption is."""
        self.find("bad-claim", line, message)

    def finish(self) -> None:
        """An exemption that covers nothing is an error."""
        for exemption in self.document.exemptions:
            if not exemption.numerals:
                self.bad(exemption.line, "the exemption covers no numeral: remove it")


def _said(text: Text, start: int, end: int) -> str:
    """The sentence of a numeral, as a reader sees it."""
    before = readable(text.shown[:start], text.codes)
    return excerpt(readable(text.shown, text.codes), len(before), len(before) + end - start)

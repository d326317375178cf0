"""A Markdown document as claims see it: numerals, the markers that bind them, definitions.

Comments with a meaning:

    4.06<!--=loss-->              this numeral is the claim `loss`
    40<!-- exempt: reason -->     this numeral is none
    <!-- exempt: reason -->       on a line of its own: nor are those of the next block
    <!-- exempt section: reason -->   nor those of the rest of this section and its subsections
    <!-- results -->              the rest of this section is results, whatever its heading says
    <!-- claims … -->             TOML: a definition for each claim, see claims/definition.py
"""

import re
import tomllib
import unicodedata
from dataclasses import dataclass, field
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline, html_inline
from markdown_it.token import Token

from goldenseal.claims.findings import Finding
from goldenseal.claims.numerals import NUMERAL, Printed, read_numeral
from goldenseal.claims.rules import EXEMPT_PATTERN, RESULTS_HEADING
from goldenseal.claims.text import HIDDEN, MARKER, PRIVATE, almost, hide, plain, readable, row_texts

COMMENT = re.compile(r"<!--(.*?)-->", re.DOTALL)
TAG = re.compile(r"<[^>]*>")
HTML_HEADING = re.compile(r"<h([1-6])[\s>]", re.IGNORECASE)
BINDING = re.compile(r"\s*=\s*([\w.-]+)\s*")
EXEMPTION = re.compile(r"\s*exempt( section)?:\s*(\S.*?)\s*", re.DOTALL)


@dataclass(frozen=True)
class Bound:
    """A numeral with its marker; `offset` is where the marker stands in the document."""

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
    closed: int = 0  # numerals of the closed world that no rule exempts


def parse(name: str, source: str) -> Document:
    """Read a document. What is wrong with it is among its findings; nothing is raised."""
    document = Document(name, source)
    _Reader(document).read(_parser().parse(source))
    return document


def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark").enable("table")
    parser.inline.ruler.at("html_inline", _html_inline_with_place)
    return parser


def _html_inline_with_place(state: StateInline, silent: bool) -> bool:
    """The parser's own rule; its token also says where in the text it stands."""
    place = state.pos
    matched = html_inline(state, silent)
    if matched and not silent:
        state.tokens[-1].meta = {"place": place}
    return matched


class _Reader:
    """Walks the tokens of one document, in the order of its source."""

    def __init__(self, document: Document):
        self.document = document
        source = document.source
        self.line_starts = [0, *(m.end() for m in re.finditer(r"\r\n|\n|\r", source))]
        self.cells = ""  # of the current row, before the current one
        self.level = 0  # of the current heading
        self.results_below: int | None = None  # level of the heading that opened results
        self.exempt_below: int | None = None
        self.section_exemption: Exemption | None = None
        self.block_exemption: Exemption | None = None
        self.pending: Exemption | None = None
        self.depth_of_block = 0
        self.head: list[str] = []
        self.row: list[str] = []
        self.column = 0
        self.table = 0
        self.thead = False
        self.title = ""  # the current heading
        self.caption = ""  # the last paragraph outside of tables
        self.lists, self.lead = 0, ""  # how deep in lists, and the paragraph before the outermost
        self.tables = self.block = 0  # how many there were
        self.just_closed = False  # nothing since the last table

    def read(self, tokens: list[Token]) -> None:
        for index, token in enumerate(tokens):
            self._blocks(token)
            if token.type == "heading_open":
                self._heading(token, tokens[index + 1])
            elif token.type == "html_block":
                self._html(token)
            elif token.type == "tr_open":
                self.column, self.row, self.cells = 0, row_texts(tokens, index), ""
                if self.thead:
                    self.head = self.row
            elif token.type == "inline":
                self._inline(token, heading=tokens[index - 1].type == "heading_open")
                self.column += 1
        for exemption in self.document.exemptions:
            if not exemption.numerals:
                self._bad(exemption.line, "the exemption covers no numeral: remove it")

    def _blocks(self, token: Token) -> None:
        """Keep track of tables, and of the block that an exemption on its own line is for."""
        if token.type in ("table_open", "table_close"):
            self.table += token.nesting
            self.tables += token.nesting == 1
            self.just_closed = token.nesting == -1
        elif token.type == "heading_open":
            self.just_closed = False
        if token.type in ("bullet_list_open", "ordered_list_open"):
            self.lead = self.lead if self.lists else self.caption
        if token.type.endswith(("list_open", "list_close")):
            self.lists += token.nesting
        if token.type in ("thead_open", "thead_close"):
            self.thead = token.nesting == 1
        if token.level == self.depth_of_block and self.block_exemption and token.nesting == -1:
            self.block_exemption = None
        if self.pending and token.nesting == 1:
            self.block_exemption, self.pending = self.pending, None
            self.depth_of_block = token.level

    def _heading(self, token: Token, inline: Token) -> None:
        self._enter(int(token.tag[1]), inline.content)

    def _enter(self, level: int, title: str) -> None:
        """A section begins."""
        self.level, self.title, self.caption = level, TAG.sub("", COMMENT.sub("", title)), ""
        if self.results_below is not None and self.level <= self.results_below:
            self.results_below = None
        if self.exempt_below is not None and self.level <= self.exempt_below:
            self.exempt_below = self.section_exemption = None
        if self.results_below is None and RESULTS_HEADING.search(self.title):
            self.results_below = self.level

    def _html(self, token: Token) -> None:
        line = token.map[0] + 1 if token.map else 1
        for match in COMMENT.finditer(token.content):
            self._comment(match[1], line + token.content.count("\n", 0, match.start()))
        visible = TAG.sub(" ", COMMENT.sub(" ", token.content))
        if heading := HTML_HEADING.search(token.content):
            self._enter(int(heading[1]), visible)
        closed = self._is_closed() or "<t" in token.content.lower()
        if closed and (numeral := NUMERAL.search(EXEMPT_PATTERN.sub(" ", visible))):
            self._find("unbound", line, f"{numeral[0]} stands in raw HTML: write it in Markdown")

    def _comment(self, text: str, line: int) -> None:
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
            self._definitions(text.lstrip()[len("claims") :], line)
        elif words == ["results"]:
            self.results_below = self.level
        elif BINDING.fullmatch(text):
            self._bad(line, f"the marker <!--{text}--> stands alone: put it right after a numeral")
        elif almost(text):
            self._bad(line, f"<!--{text}--> is no marker: see docs/claims.md for those")

    def _definitions(self, text: str, line: int) -> None:
        try:
            table = tomllib.loads(text.replace("\r\n", "\n"))
        except tomllib.TOMLDecodeError as error:
            self._bad(line, f"the definitions are not TOML: {error}")
            return
        for name, entry in table.items():
            if name in self.document.definitions:
                self._bad(line, f"{name} is defined twice")
            self.document.definitions[name] = (line, entry)

    def _is_closed(self) -> bool:
        return self.table > 0 or self.results_below is not None

    def _inline(self, token: Token, heading: bool) -> None:
        """Numerals of one run of text, each with the comments that follow it at once."""
        first = token.map[0] if token.map else 0
        text, comments, codes = self._flatten(token, first)
        self.block += 1
        if self.just_closed and not self.table:
            self.document.notes[self.tables] = readable(text, codes)
            self.just_closed = False
        hidden = hide(text, heading)
        lead = self.caption if self.table else self.lead if self.lists else self._introduction()
        contexts, column = self._surroundings(plain(text))
        covered = set()
        for match in NUMERAL.finditer(hidden):
            line = first + 1 + text.count("\n", 0, match.start())
            end = match.end()
            if text[end : end + 1] != MARKER:
                self._numeral(match[0], line)
                continue
            number = text.count(MARKER, 0, end)
            covered.add(number)
            content, offset = comments[number]
            if binding := BINDING.fullmatch(content):
                self.document.closed += self._is_closed()
                before, after = plain(text[: match.start()]), plain(text[end:])
                row = self.row[0] if self.table and self.column else ""
                self.document.bound.append(
                    Bound(
                        binding[1],
                        read_numeral(match[0]),
                        line,
                        offset,
                        before,
                        after,
                        contexts,
                        column,
                        text=readable(text, codes),
                        start=len(readable(text[: match.start()], codes)),
                        block=self.block,
                        row=row,
                        lead=lead,
                        table=self.tables if self.table else 0,
                    )
                )
            elif exemption := EXEMPTION.fullmatch(content):
                reason = " ".join(exemption[2].split())
                self.document.exemptions.append(Exemption(reason, line, "numeral", 1))
                self.document.closed += self._is_closed()
            else:
                self._numeral(match[0], line)
        for character in sorted(set(hidden)):
            if character > "\x7f" and unicodedata.category(character) in ("Nd", "No"):
                self._numeral(character, first + 1 + text.count("\n", 0, text.index(character)))
        self._loose_markers(comments, covered, first + 1)

    def _surroundings(self, text: str) -> tuple[tuple[str, ...], str]:
        """Where labels of a number may stand, the nearest first; and the head of its column."""
        if not self.table:
            self.caption = text
            return (text, self.title), ""
        column = self.head[self.column] if self.column < len(self.head) else ""
        return (" | ".join([*self.head, *self.row]), self.caption, self.title), column

    def _introduction(self) -> str:
        """The paragraph before, when it leads on to this one."""
        return self.caption if self.caption.rstrip().endswith(":") else ""

    def _numeral(self, text: str, line: int) -> None:
        """A numeral without a marker: fine in the open, exempt, or unbound."""
        if not self._is_closed():
            return
        self.document.closed += 1
        exemption = self.block_exemption or self.section_exemption
        if exemption:
            exemption.numerals += 1
        else:
            self._find("unbound", line, f"{text} is bound to no sealed evidence, nor exempt")

    def _flatten(self, token: Token, first: int) -> tuple[str, list[tuple[str, int]], list[str]]:
        """The text with MARKER for a comment and HIDDEN for code; both, comments with offsets."""
        codes: list[str] = []
        parts: list[str] = []
        comments: list[tuple[str, int]] = []
        autolink = False
        for child in token.children or []:
            if child.type == "text":
                parts.append(HIDDEN if autolink else child.content.translate(PRIVATE))
                codes += [""] * autolink
            elif child.type in ("softbreak", "hardbreak"):
                parts.append("\n")
            elif child.type in ("link_open", "link_close") and child.markup == "autolink":
                autolink = child.nesting == 1
            elif child.type in ("code_inline", "image"):
                parts.append(HIDDEN)
                codes.append(child.content if child.type == "code_inline" else "")
            elif child.type == "html_inline" and (comment := COMMENT.fullmatch(child.content)):
                parts.append(MARKER)
                comments.append((comment[1], self._offset(token, child, first)))
        if self.table:
            self.cells += token.content
        return "".join(parts), comments, codes

    def _offset(self, token: Token, comment: Token, first: int) -> int:
        """Where a comment stands in the source; -1 if it is spelt otherwise there.

        The parser strips indentation and quote marks from the text, but no comments: so the n-th of
        its kind in the text is the n-th in the lines that the text, or the table's row, comes from.
        """
        before = (self.cells if self.table else "") + token.content[: comment.meta["place"]]
        offset = self.line_starts[first] - 1
        for _ in range(before.count(comment.content) + 1):
            offset = self.document.source.find(comment.content, offset + 1)
            if offset < 0:
                break
        return offset

    def _loose_markers(self, comments: list[tuple[str, int]], covered: set[int], line: int) -> None:
        for number, (content, _) in enumerate(comments):
            meant = BINDING.fullmatch(content) or EXEMPTION.fullmatch(content)
            if meant and number not in covered:
                self._bad(line, f"the marker <!--{content}--> does not follow a numeral at once")
            elif not meant and almost(content):
                self._bad(line, f"<!--{content}--> is no marker: see docs/claims.md for those")

    def _find(self, kind: str, line: int, message: str) -> None:
        self.document.findings.append(Finding(kind, message, self.document.name, line))

    def _bad(self, line: int, message: str) -> None:
        self._find("bad-claim", line, message)

"""Markdown: its paragraphs, lists and tables, the HTML in it, and what is said of its pictures."""

import re

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline, html_inline
from markdown_it.token import Token

from goldenseal.claims.documents.html import HtmlReader, attributes
from goldenseal.claims.documents.model import Document
from goldenseal.claims.documents.world import EXEMPTION, NAMES, Text, World
from goldenseal.claims.text import HIDDEN, MARKER, PRIVATE, plain, readable, row_texts

COMMENT = re.compile(r"<!--(.*?)-->", re.DOTALL)
TAG = re.compile(r"<[^>]*>")


def read(document: Document) -> None:
    """Put what a Markdown document holds into `document`."""
    _Reader(document).read(_parser().parse(document.source))


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
        self.world = World(document)
        self.html = HtmlReader(self.world)
        self.cells = ""  # of the current row, before the current one
        self.depth_of_block = 0
        self.head: list[str] = []
        self.row: list[str] = []
        self.column = 0
        self.table = 0
        self.thead = False
        self.lists, self.lead = 0, ""  # how deep in lists, and the paragraph before the outermost
        self.just_closed = False  # nothing since the last table

    def read(self, tokens: list[Token]) -> None:
        for index, token in enumerate(tokens):
            self._blocks(token)
            if token.type == "heading_open":
                title = TAG.sub("", COMMENT.sub("", tokens[index + 1].content))
                self.world.enter(int(token.tag[1]), title)
            elif token.type == "html_block":
                self.html.read(token.content, token.map[0] + 1 if token.map else 1)
            elif token.type == "tr_open":
                self.column, self.row, self.cells = 0, row_texts(tokens, index), ""
                if self.thead:
                    self.head = self.row
            elif token.type == "inline":
                self._inline(token, heading=tokens[index - 1].type == "heading_open")
                self.column += 1
        self.html.finish()
        self.world.finish()

    def _blocks(self, token: Token) -> None:
        """Keep track of tables, and of the block that an exemption on its own line is for."""
        world = self.world
        if token.type in ("table_open", "table_close"):
            self.table += token.nesting
            world.tables_open += token.nesting
            world.tables += token.nesting == 1
            self.just_closed = token.nesting == -1
        elif token.type == "heading_open":
            self.just_closed = False
        if token.type in ("bullet_list_open", "ordered_list_open"):
            self.lead = self.lead if self.lists else world.caption
        if token.type.endswith(("list_open", "list_close")):
            self.lists += token.nesting
        if token.type in ("thead_open", "thead_close"):
            self.thead = token.nesting == 1
        ends = token.level == self.depth_of_block and token.nesting == -1
        if ends and world.block_exemption and not self.html.exempts:
            world.block_exemption = None
        if world.pending and token.nesting == 1:
            world.block_exemption, world.pending = world.pending, None
            self.depth_of_block = token.level

    def _inline(self, token: Token, heading: bool) -> None:
        """The numerals of one run of text, and those of the pictures in it."""
        first, world = token.map[0] if token.map else 0, self.world
        text = self._flatten(token, first)
        text.heading = heading
        if self.just_closed and not self.table:
            self.document.notes[world.tables] = readable(text.shown, text.codes)
            self.just_closed = False
        lead = world.caption if self.table else self.lead if self.lists else self._introduction()
        text.lead = lead
        text.contexts, text.column = self._surroundings(plain(text.shown))
        text.row = self.row[0] if self.table and self.column else ""
        text.table = world.tables if self.table else 0
        world.read(text)
        for picture in self._pictures(token, first):
            picture.closed = True
            picture.contexts = (plain(picture.shown), *text.contexts)
            picture.column, picture.row, picture.lead = text.column, text.row, text.lead
            picture.table = text.table
            world.read(picture)

    def _surroundings(self, text: str) -> tuple[tuple[str, ...], str]:
        """Where labels of a number may stand, the nearest first; and the head of its column."""
        if not self.table:
            self.world.caption = text
            return (text, self.world.title), ""
        column = self.head[self.column] if self.column < len(self.head) else ""
        return (" | ".join([*self.head, *self.row]), self.world.caption, self.world.title), column

    def _introduction(self) -> str:
        """The paragraph before, when it leads on to this one."""
        caption = self.world.caption
        return caption if caption.rstrip().endswith(":") else ""

    def _flatten(self, token: Token, first: int) -> Text:
        """The text with MARKER for a comment and HIDDEN for code, and the comments' places."""
        text = Text("", first + 1)
        parts: list[str] = []
        autolink = False
        children = token.children or []
        for index, child in enumerate(children):
            if child.type == "text":
                parts.append(HIDDEN if autolink else child.content.translate(PRIVATE))
                text.codes += [""] * autolink
            elif child.type in ("softbreak", "hardbreak"):
                parts.append("\n")
            elif child.type in ("link_open", "link_close") and child.markup == "autolink":
                autolink = child.nesting == 1
            elif child.type in ("code_inline", "image"):
                parts.append(HIDDEN)
                text.codes.append(child.content if child.type == "code_inline" else "")
            elif child.type == "html_inline" and (comment := COMMENT.fullmatch(child.content)):
                if not _of_picture(children, index):
                    parts.append(MARKER)
                    text.marks.append((comment[1], self._offset(token, child, first)))
        if self.table:
            self.cells += token.content
        text.shown = "".join(parts)
        return text

    def _pictures(self, token: Token, first: int) -> list[Text]:
        """What is said of each picture, with the names or the exemption right after it."""
        made, children = [], token.children or []
        line = first + 1
        for index, child in enumerate(children):
            line += child.type.endswith("break")
            inline = child.type == "html_inline" and child.content.lower().startswith("<img")
            if child.type != "image" and not inline:
                continue
            given = attributes(child.content) if inline else dict(child.attrs)
            said = [child.content, str(given.get("title", ""))]
            said[0] = str(given.get("alt", "")) if inline else said[0]
            self.document.pictures.append((str(given.get("src", "")), line))
            marker = ""
            if index + 1 < len(children) and _of_picture(children, index + 1):
                found = COMMENT.fullmatch(children[index + 1].content)
                marker = found[1] if found else ""
            made += self.world.of_picture([each for each in said if each], marker, line)
        return made

    def _offset(self, token: Token, comment: Token, first: int) -> int:
        """Where a comment stands in the source; -1 if it is spelt otherwise there.

        The parser strips indentation and quote marks from the text, but no comments: so the n-th of
        its kind in the text is the n-th in the lines that the text, or the table's row, comes from.
        """
        before = (self.cells if self.table else "") + token.content[: comment.meta["place"]]
        offset = self.world.line_starts[first] - 1
        for _ in range(before.count(comment.content) + 1):
            offset = self.document.source.find(comment.content, offset + 1)
            if offset < 0:
                break
        return offset


def _of_picture(children: list[Token], index: int) -> bool:
    """Whether a comment stands right after a picture, and names or exempts its numerals."""
    child, before = children[index], children[index - 1] if index else None
    comment = COMMENT.fullmatch(child.content) if child.type == "html_inline" else None
    if comment is None or before is None:
        return False
    picture = before.type == "image" or (
        before.type == "html_inline" and before.content.lower().startswith("<img")
    )
    return picture and bool(NAMES.fullmatch(comment[1]) or EXEMPTION.fullmatch(comment[1]))

"""HTML in a document: tables, captions, paragraphs, headings, and what is said of pictures."""

import html
from dataclasses import dataclass
from html.parser import HTMLParser

from goldenseal.claims.documents.world import EXEMPTION, NAMES, Text, World
from goldenseal.claims.text import HIDDEN, MARKER, PRIVATE, plain

HEADINGS = frozenset(f"h{level}" for level in range(1, 7))
CELLS = frozenset({"td", "th"})
CAPTIONS = frozenset({"caption", "figcaption"})
BLOCKS = HEADINGS | CELLS | CAPTIONS | frozenset(
    "p div li ul ol dl dt dd table thead tbody tfoot tr blockquote figure section summary details "
    "center hr article header footer main nav".split()
)  # fmt: skip
HIDES = frozenset({"code", "pre", "samp", "kbd", "script", "style", "svg", "math"})
VOID = frozenset({"br", "hr", "img", "input", "col", "wbr", "source", "link", "meta"})


def attributes(tag: str) -> dict[str, str]:
    """The attributes of the first tag in a text."""
    found: list[dict[str, str]] = []

    class _First(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            """A block begins: a paragraph, a cell, a caption; or a picture."""
            found.append({name: value or "" for name, value in attrs})

    _First().feed(tag)
    return found[0] if found else {}


@dataclass
class _Cell:
    text: Text
    column: int


class HtmlReader(HTMLParser):
    """Reads the HTML blocks of a document in turn; a tag may close in a later block."""

    def __init__(self, world: World):
        super().__init__(convert_charrefs=False)
        self.world = world
        self.text = Text("", 1)
        self.kind = ""  # of the block that the text is in
        self.hidden = 0
        self.depth = 0
        self.exempts = 0  # depth of the element that an exemption is for; 0 for none
        self.cells: list[_Cell] = []
        self.column = 0
        self.head: list[str] = []
        self.picture: list[tuple[list[str], int]] = []  # one whose marker may follow

    def read(self, content: str, line: int) -> None:
        """One block of HTML, which begins at a line of the document."""
        self.lineno, self.offset = line, 0
        self.feed(content)
        if self.rawdata:  # an unfinished tag is text
            self.handle_data(self.rawdata)
            self.rawdata = ""
        if not self.kind:
            self._flush()

    def finish(self) -> None:
        """The document is over."""
        self._flush()
        self._end_row()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A block begins: a paragraph, a cell, a caption; or a picture."""
        given = {name: value or "" for name, value in attrs}
        if tag in BLOCKS:
            self._flush()
            if self.world.pending and not self.exempts:
                self.world.block_exemption, self.world.pending = self.world.pending, None
                self.exempts = self.depth + 1
            self.kind = tag
        if tag == "table":
            self._end_row()
            self.world.tables_open += 1
            self.world.tables += 1
            self.head = []
        elif tag == "tr":
            self._end_row()
        elif tag in CELLS:
            self.text.table = self.world.tables
            span = given.get("colspan", "1")
            self.cells.append(_Cell(self.text, self.column))
            self.column += int(span) if span.isdecimal() and len(span) < 4 else 1
        elif tag == "br":
            self._put("\n")
        elif tag == "img":
            self._drop_picture()
            said = [given[key] for key in ("alt", "title") if given.get(key)]
            self.world.document.pictures.append((given.get("src", ""), self.getpos()[0]))
            self.picture = [(said, self.getpos()[0])]
        if tag in HIDES:
            self.hidden += 1
        if tag not in VOID:
            self.depth += 1

    def handle_endtag(self, tag: str) -> None:
        """A block ends, and with it what exempts it."""
        if tag in BLOCKS:
            self._flush()
            self.kind = ""
        if tag == "tr":
            self._end_row()
        elif tag == "table" and self.world.tables_open:
            self._end_row()
            self.world.tables_open -= 1
        if tag in HIDES and self.hidden:
            self.hidden -= 1
        if tag not in VOID:
            self.depth = max(0, self.depth - 1)
        if self.exempts and self.depth < self.exempts:
            self.exempts, self.world.block_exemption = 0, None

    def handle_data(self, data: str) -> None:
        """Text."""
        if data.strip():
            self._drop_picture()
        if self.hidden:
            self._put(HIDDEN)
            self.text.codes.append(data)
        else:
            self._put(data.translate(PRIVATE))

    def handle_entityref(self, name: str) -> None:
        """A letter by its name."""
        self.handle_data(html.unescape(f"&{name};"))

    def handle_charref(self, name: str) -> None:
        """A letter by its number."""
        self.handle_data(html.unescape(f"&#{name};"))

    def handle_comment(self, data: str) -> None:
        """A marker, or a comment on a line of its own."""
        line, column = self.getpos()
        bare = not self.text.shown.strip()
        if self.picture and (NAMES.fullmatch(data) or EXEMPTION.fullmatch(data)):
            (said, at), self.picture = self.picture[0], []
            self._read_all(self.world.of_picture(said, data, at))
        elif bare:
            self.world.comment(data, line)
        else:
            self._put(MARKER)
            starts, source = self.world.line_starts, self.world.document.source
            spelt = f"<!--{data}-->"
            begin = starts[line - 1] if line <= len(starts) else len(source)
            self.text.marks.append((data, source.find(spelt, begin + column)))

    def _put(self, data: str) -> None:
        if not self.text.shown.strip():
            self.text.line = self.getpos()[0]
            data = data if data.strip() else ""
            lead = len(data) - len(data.lstrip())
            self.text.line += data.count("\n", 0, lead)
            data = data[lead:] if self.text.shown == "" else data
        self.text.shown += data

    def _drop_picture(self) -> None:
        """What a picture says that no marker follows."""
        if self.picture:
            (said, at), self.picture = self.picture[0], []
            self._read_all(self.world.of_picture(said, "", at))

    def _read_all(self, texts: list[Text]) -> None:
        for text in texts:
            text.closed = True
            text.contexts = (plain(text.shown), self.world.caption, self.world.title)
            self.world.read(text)

    def _flush(self) -> None:
        """A block ends: read it, unless it is a cell, which waits for its row."""
        self._drop_picture()
        text, kind = self.text, self.kind
        self.text = Text("", self.getpos()[0])
        if self.cells and self.cells[-1].text is text:
            return
        if not text.shown.strip():
            return
        said = plain(text.shown)
        if kind in HEADINGS:
            self.world.enter(int(kind[1]), said)
            text.heading = True
        text.contexts = (said, self.world.title)
        text.closed = kind in CAPTIONS
        self.world.read(text)
        if kind not in HEADINGS and (kind == "caption" or not self.world.tables_open):
            self.world.caption = said

    def _end_row(self) -> None:
        cells, self.cells, self.column = self.cells, [], 0
        if not cells:
            return
        row = [plain(cell.text.shown).strip() for cell in cells]
        first = not self.head
        if first:
            for cell, title in zip(cells, row, strict=True):
                self.head += [""] * (cell.column - len(self.head)) + [title]
        for number, cell in enumerate(cells):
            text = cell.text
            text.column = self.head[cell.column] if cell.column < len(self.head) else ""
            said = row if first else [*self.head, *row]
            text.contexts = (" | ".join(said), self.world.caption, self.world.title)
            text.row = row[0] if number else ""
            text.lead = self.world.caption
            text.closed = True
            self.world.read(text)

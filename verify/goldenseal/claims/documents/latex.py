r"""LaTeX, with markers in its comments.

    The loss is 4.06 bits a byte. %= loss
    GPT & 4.54 & 2.66 \\          %= before, after
    \caption{Three seeds, 40 steps.} % exempt: what the table is of

The names of a line are those of its numerals, in turn; `-` is a numeral that is no claim. Comments
on lines of their own are as in Markdown: `% exempt: …`, `% exempt section: …`, `% results`, and
`% claims` with TOML on the comment lines that follow.
"""

import re
from bisect import bisect_right
from dataclasses import dataclass, field
from itertools import pairwise

from goldenseal.claims.documents.model import Document
from goldenseal.claims.documents.world import EXEMPTION, NAMES, Text, World
from goldenseal.claims.numerals import NUMERAL
from goldenseal.claims.text import HIDDEN, MARKER, PRIVATE, hide, plain

COMMENT = re.compile(r"(?<!\\)((?:\\\\)*)%(.*)\Z", re.DOTALL)
ARGUMENT = r"\s*\{[^{}]*\}"
OPTIONS = r"(?:\s*\[[^\]]*\])*"
# What no reader sees as a number of the text.
VERBATIM = re.compile(
    r"\\begin\{(verbatim|lstlisting|minted|filecontents|tikzpicture|comment)\*?\}.*?"
    r"\\end\{\1\*?\}|\\(?:verb|lstinline)\*?([^a-zA-Z\s{*]).*?\2",
    re.DOTALL,
)
HIDE = re.compile(
    rf"\\(?:begin|end)\*?{ARGUMENT}{OPTIONS}(?:{ARGUMENT})*"
    rf"|\\(?:label|ref|eqref|autoref|[cC]ref|pageref|nameref|cite[a-z]*|nocite|url|input|include"
    rf"|includegraphics|bibliography|bibliographystyle|vspace|hspace|setcounter|setlength"
    rf"|addtolength|usepackage|documentclass|pagestyle|fontsize|color|textcolor|definecolor"
    rf"|graphicspath|hypersetup|sisetup|arraystretch|newcommand|renewcommand|texttt|code)\*?"
    rf"{OPTIONS}(?:{ARGUMENT}){{1,2}}{OPTIONS}(?:{ARGUMENT})?"
    rf"|\\(?:cmidrule|cline)(?:\([^)]*\))?{ARGUMENT}"
    rf"|\\multicolumn{ARGUMENT}{ARGUMENT}|\\multirow{OPTIONS}{ARGUMENT}{ARGUMENT}"
    rf"|\\(?:rule|resizebox|scalebox|makebox|parbox|raisebox){OPTIONS}{ARGUMENT}(?:{ARGUMENT})?"
    rf"|\\href{ARGUMENT}"
    r"|\\\\\*?\[[^\]]*\]"  # space after a row
)
SCIENTIFIC = re.compile(r"(?<=\d)\s*\\(?:times|cdot)\s*10\s*\^\s*\{?\s*([+-]?\d{1,3})\s*\}?")
POWER = re.compile(r"(?<![\d.])10\s*\^\s*(?:\{\s*([+-]?\d{1,3})\s*\}|(\d))")
SCRIPT = re.compile(r"(?<=[A-Za-z})])\s*[_^]\s*(?:\{[^{}]*\}|\w)")
SPELT = {r"\pm": "±", r"\%": "%", r"\&": "+", r"\#": "#", r"\$": "$", r"\_": "_", r"\,": " ",
         r"\;": " ", r"\:": " ", r"\!": "", r"\ ": " ", "~": " ", "{,}": ",", "--": "–", "$": "",
         r"\leq": "≤", r"\le": "≤", r"\geq": "≥", r"\ge": "≥", r"\approx": "≈"}  # fmt: skip
WORD = re.compile(r"\\(?:[a-zA-Z]+\*?|.)|\{,\}|--|[~$]", re.DOTALL)
SECTION = re.compile(
    r"\\(part|chapter|section|subsection|subsubsection|paragraph)\*?\s*(?:\[[^\]]*\])?\{"
)
LEVELS = {
    "part": 1,
    "chapter": 1,
    "section": 2,
    "subsection": 3,
    "subsubsection": 4,
    "paragraph": 5,
}
TABLES = re.compile(r"\\(begin|end)\{(tabular[*xy]?|tabularx|longtable|tabu|array|tblr)\}")
CAPTION_AT = re.compile(r"\\caption(?:of\s*\{[^{}]*\})?\*?\s*(?:\[[^\]]*\])?\{")
RULES = re.compile(r"\\(?:hline|toprule|midrule|bottomrule|addlinespace|endhead|endfirsthead)\b")


def read(document: Document) -> None:
    """Put what a LaTeX document holds into `document`."""
    _Reader(document).run()


@dataclass
class _Shown:
    """What a reader sees, and where each letter of it comes from."""

    text: str = ""
    places: list[int] = field(default_factory=list)

    def put(self, text: str, place: int) -> None:
        self.text += text
        self.places += [place] * len(text)


class _Reader:
    def __init__(self, document: Document):
        self.document = document
        self.world = World(document)
        self.starts = self.world.line_starts
        self.marks: dict[int, str] = {}  # comment by the place where its numeral ends
        self.own: list[
            tuple[int, str, int]
        ] = []  # comments on lines of their own: place, text, line
        self.head: list[str] = []
        self.next_own = 0

    def run(self) -> None:
        code, trailing = self._comments()
        code = VERBATIM.sub(lambda m: re.sub(r"[^\n]", HIDDEN, m[0]), code)
        code = RULES.sub(lambda m: " " * len(m[0]), code)
        for line, text in trailing:
            self._name(code, line, text)
        body = code.find(r"\begin{document}")
        self._walk(code, body if body >= 0 else 0)
        self._own_before(len(code) + 1)
        self.world.finish()

    def _comments(self) -> tuple[str, list[tuple[int, str]]]:
        """The source with blanks for comments, and the comments behind code, by line."""
        parts: list[str] = []
        trailing: list[tuple[int, str]] = []
        begun, defined = 0, ""  # the line of `% claims`, and the TOML after it
        source = self.document.source.translate(PRIVATE)
        for number, line in enumerate(source.splitlines(keepends=True), start=1):
            body = line.rstrip("\r\n")
            match = COMMENT.search(body)
            alone = match is not None and not body[: match.start()].strip()
            if begun and alone and match:
                defined += match[2] + "\n"
            elif match and alone and match[2].split() == ["claims"]:
                begun, defined = number, ""
                self.own.append((self.starts[number - 1], "", number))
            else:
                if begun:
                    self.world.define(defined, begun)
                    begun = 0
                if match and alone:
                    self.own.append((self.starts[number - 1], match[2], number))
                elif match:
                    trailing.append((number, match[2]))
            cut = match.start(2) - 1 if match else len(body)
            parts.append(body[:cut] + " " * (len(body) - cut) + line[len(body) :])
        if begun:
            self.world.define(defined, begun)
        return "".join(parts), trailing

    def _name(self, code: str, line: int, comment: str) -> None:
        """Name the numerals of a line, in turn."""
        names, exemption = NAMES.fullmatch(comment), EXEMPTION.fullmatch(comment)
        if not names and not exemption:
            if comment.strip().startswith("="):
                self.world.bad(line, f"%{comment} is no marker: see docs/claims.md for those")
            return
        end = self.starts[line] if line < len(self.starts) else len(code)
        shown = _shown(code, self.starts[line - 1], end)
        found = [shown.places[m.end() - 1] + 1 for m in NUMERAL.finditer(hide(shown.text, False))]
        if exemption:
            self.marks |= dict.fromkeys(found, comment)
            if not found:
                self.world.bad(line, "the exemption covers no numeral: remove it")
            return
        wanted = [name.strip() for name in comment.partition("=")[2].split(",")]
        if len(wanted) != len(found):
            said = f"%{comment} names {len(wanted)}, and the line has {len(found)} numerals"
            self.world.bad(line, f"{said}: name them in turn, `-` for one that is no claim")
            return
        self.marks |= {e: f"={n}" for e, n in zip(found, wanted, strict=True) if n != "-"}

    def _own_before(self, place: int) -> None:
        """The comments on lines of their own that stand before a place."""
        while self.next_own < len(self.own) and self.own[self.next_own][0] < place:
            _, text, line = self.own[self.next_own]
            self.next_own += 1
            if text:
                self.world.comment(text, line)

    def _walk(self, code: str, begin: int) -> None:
        """Sections, tables, captions and paragraphs, in order."""
        world, cursor = self.world, begin
        pattern = re.compile(
            "|".join(f"(?:{p.pattern})" for p in (SECTION, TABLES, CAPTION_AT))
            + r"|(?P<blank>\n[ \t\r]*\n\s*)"
        )
        while match := pattern.search(code, cursor):
            self._paragraph(code, cursor, match.start())
            cursor = match.end()
            if match["blank"]:
                self._block_ends()
            elif match[1]:
                self._own_before(match.start() + 1)
                end = _closing(code, cursor)
                title = _shown(code, cursor, end)
                world.enter(LEVELS[match[1]], title.text)
                self._read(title, heading=True)
                cursor = end
            elif match[2]:
                if match[2] == "begin":
                    self._own_before(match.start() + 1)
                    end = code.find(rf"\end{{{match[3]}}}", cursor)
                    end = len(code) if end < 0 else end
                    self._table(code, cursor, end)
                    cursor = end
            else:
                end = _closing(code, cursor)
                caption = _shown(code, cursor, end)
                self._start(match.start())
                self._read(caption, closed=True)
                world.caption = caption.text
                cursor = end
        self._paragraph(code, cursor, len(code))

    def _start(self, place: int) -> None:
        self._own_before(place + 1)
        if self.world.pending:
            self.world.block_exemption, self.world.pending = self.world.pending, None

    def _block_ends(self) -> None:
        self.world.block_exemption = None

    def _paragraph(self, code: str, begin: int, end: int) -> None:
        # Comments on lines of their own stand between paragraphs, and part them.
        stops = [p for p, _, _ in self.own[self.next_own :] if begin < p < end]
        for low, high in pairwise([begin, *stops, end]):
            if not code[low:high].strip():
                self._own_before(high)
                continue
            shown = _shown(code, low, high)
            if shown.text.strip():
                self._start(low)
                self._read(shown)
                self.world.caption = shown.text.strip()

    def _table(self, code: str, begin: int, end: int) -> None:
        world = self.world
        self._start(begin)
        world.tables_open += 1
        world.tables += 1
        self.head = []
        begin = _past_arguments(code, begin, end)
        cursor = begin
        for match in [
            *re.finditer(r"\\\\(?:\*?\[[^\]]*\])?|\\tabularnewline\b", code[begin:end]),
            None,
        ]:
            stop = begin + match.start() if match else end
            self._row(code, cursor, stop)
            cursor = begin + match.end() if match else end
        world.tables_open -= 1
        self._block_ends()

    def _row(self, code: str, begin: int, end: int) -> None:
        if not code[begin:end].strip():
            return
        cuts = [m.start() for m in re.finditer(r"(?<!\\)&", code[begin:end])]
        edges = [begin, *(begin + cut + 1 for cut in cuts), end + 1]
        cells = [_shown(code, a, b - 1) for a, b in pairwise(edges)]
        row = [cell.text.strip() for cell in cells]
        first = not self.head
        self.head = self.head or row
        said = row if first else [*self.head, *row]
        for number, cell in enumerate(cells):
            column = self.head[number] if number < len(self.head) else ""
            self._read(cell, column=column, row=row[0] if number else "", table=" | ".join(said))

    def _read(
        self,
        shown: _Shown,
        heading: bool = False,
        closed: bool = False,
        column: str = "",
        row: str = "",
        table: str = "",
    ) -> None:
        """Give one text to the closed world, with the markers of its numerals."""
        if not shown.text.strip():
            return
        world = self.world
        lead = len(shown.text) - len(shown.text.lstrip())
        line = bisect_right(self.starts, shown.places[lead])
        text = Text("", line)
        cursor = lead
        for match in NUMERAL.finditer(hide(shown.text, heading)):
            place = shown.places[match.end() - 1] + 1
            if content := self.marks.get(place):
                text.shown += shown.text[cursor : match.end()] + MARKER
                text.marks.append((content, place))
                cursor = match.end()
        text.shown += shown.text[cursor:]
        said = plain(text.shown)
        text.contexts = (table, world.caption, world.title) if table else (said, world.title)
        text.column, text.row, text.heading, text.closed = column, row, heading, closed
        text.lead = world.caption if table else ""
        text.table = world.tables if table else 0
        text.codes = [""] * text.shown.count(HIDDEN)
        world.read(text)


def _past_arguments(code: str, begin: int, end: int) -> int:
    """Where the [options] and {column formats} of an environment end."""
    while match := re.compile(r"[ \t]*(?:\[[^\]]*\]|\{)").match(code, begin, end):
        begin = match.end() if match[0].endswith("]") else _closing(code, match.end()) + 1
    return begin


def _closing(code: str, begin: int) -> int:
    """Where the brace that is open at `begin` closes."""
    depth = 1
    for match in re.compile(r"\\.|[{}]", re.DOTALL).finditer(code, begin):
        depth += {"{": 1, "}": -1}.get(match[0], 0)
        if depth == 0:
            return match.start()
    return len(code)


def _shown(code: str, begin: int, end: int) -> _Shown:
    """What a reader sees of a stretch of code. Line breaks stay."""
    part = code[begin:end]
    part = HIDE.sub(lambda m: re.sub(r"[^\n]", HIDDEN, m[0]), part)
    shown, cursor = _Shown(), 0
    joined = re.compile(
        f"(?P<power>{SCIENTIFIC.pattern})|(?P<ten>{POWER.pattern})|(?P<script>{SCRIPT.pattern})|(?P<word>{WORD.pattern})|[{{}}]"
    )
    for match in joined.finditer(part):
        for offset in range(cursor, match.start()):
            shown.put(part[offset], begin + offset)
        place = begin + match.end() - 1
        if match["power"]:
            shown.put(f"e{match[2]}", place)
        elif match["ten"]:
            shown.put(f"1e{match[4] or match[5]}", place)
        elif match["script"]:
            shown.put(HIDDEN, place)
        elif match["word"]:
            shown.put(SPELT.get(match[0], " " if match[0][1:].isalpha() else ""), place)
        cursor = match.end()
    for offset in range(cursor, len(part)):
        shown.put(part[offset], begin + offset)
    return shown

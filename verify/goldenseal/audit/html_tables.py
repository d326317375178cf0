"""Tables that a README writes in HTML."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser

TABLE = re.compile(r"<table\b.*?</table\s*>", re.DOTALL | re.IGNORECASE)
MAX_TABLES = 50
MAX_CHARACTERS = 200_000

Rows = list[tuple[int, list[str]]]  # line, cells


def html_tables(text: str) -> Iterator[Rows]:
    """The rows of each table, the header first; a cell over several columns stands in each."""
    for count, match in enumerate(TABLE.finditer(text)):
        if count >= MAX_TABLES:
            return
        reader = _Reader(text.count("\n", 0, match.start()))
        reader.feed(match[0][:MAX_CHARACTERS])
        rows = [(line, cells) for line, cells in reader.rows if cells]
        if len(rows) > 1:
            yield rows


class _Reader(HTMLParser):
    """Collects rows; whatever stands between cells is dropped."""

    def __init__(self, first: int):
        super().__init__()
        self.first = first
        self.rows: Rows = []
        self.cell: list[str] | None = None
        self.span = 1

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "tr":
            self.close()
            self.rows.append((self.first + self.getpos()[0], []))
        elif tag in ("td", "th"):
            self.close()
            self.cell = []
            span = dict(attrs).get("colspan") or "1"
            self.span = min(int(span), 20) if span.isdigit() else 1

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th", "tr", "table"):
            self.close()

    def handle_data(self, data: str) -> None:
        if self.cell is not None:
            self.cell.append(data)

    def close(self) -> None:
        """End a cell that is open; end tags may be left out."""
        if self.cell is not None and self.rows:
            self.rows[-1][1].extend([" ".join("".join(self.cell).split())] * self.span)
        self.cell = None

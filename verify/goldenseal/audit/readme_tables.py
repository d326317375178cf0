"""The tables of a README that have a column of seeds."""

import re

from goldenseal.audit.html_tables import html_tables
from goldenseal.audit.lists import lists_in
from goldenseal.audit.model import Cell, Readme, Table
from goldenseal.audit.numbers import Number, parse

MAX_CELLS = 2000
MAX_TABLES = 200
MARKS = re.compile(r"[*`]|(?<!\w)_|_(?!\w)|<[^>]{0,40}>|\[\^?\d*\]")
LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")
OWN = r"(?:\s*\((?:ours|this|submitted|canonical|best|main|median|default|primary)[^)]*\))?"
SEED = re.compile(rf"(?:seed\s*[:=#]?\s*)?(\d{{1,10}}){OWN}", re.IGNORECASE)
SEEDS = re.compile(r"(?:(?:random|rng|training|train|init) )?seeds?(?: ?#)?|run ?\(seed\)")
# A column or a corner of this name may stand over seeds.
RUNS = re.compile(r"runs?|trials?|metrics?|quantity|experiment|log|seeds?", re.IGNORECASE)
UNITS = {"mins": "min", "hr": "h", "hrs": "h", "hour": "h", "hours": "h", "minute": "minutes"}
QUANTITY = re.compile(
    r"(?P<about>[~≈]?)\s*(?P<number>[-+\u2212]?"
    r"(?:\d{1,3}(?:[ \u00a0\u2009\u202f]\d{3})+(?![\d.,])|\d[\d,]*(?:\.\d+)?))\s*"
    r"(?P<unit>bytes|B|MB|MiB|KB|KiB|GB|ms|s|secs?|seconds?|mins?|minutes?|h|hrs?|hours?|bpb|nats|M|K)?\b(?P<rest>.*)",
    re.DOTALL | re.IGNORECASE,
)


def read_readme(name: str, text: str) -> Readme:
    """The README with the cells of its seed tables. Never fails: a table that is none is text."""
    from markdown_it import MarkdownIt

    made = Readme(name, text)
    made.lists = lists_in(text)
    try:
        # Blocks are enough; what is inline costs the square of the length when made to.
        tokens = MarkdownIt("commonmark").enable("table").disable("inline").parse(text)
    except (RecursionError, ValueError, IndexError):
        return made
    heading, line, table = "", 0, 0
    rows: list[tuple[int, list[str]]] = []
    row: list[str] = []
    for i, token in enumerate(tokens):
        if token.type == "heading_open":
            heading = tokens[i + 1].content
        elif token.type == "table_open":
            rows, table = [], table + 1
            made.headings[table] = heading
        elif token.type == "tr_open":
            row, line = [], token.map[0] + 1 if token.map else 0
        elif token.type in ("th_open", "td_open"):
            row.append(clean(tokens[i + 1].content))
        elif token.type == "tr_close":
            rows.append((line, row))
        elif token.type == "table_close":
            add_table(made, table, heading, rows)
    for number, found in enumerate(html_tables(text), start=table + 1):
        made.headings[number] = ""
        add_table(made, number, "", [(line, [clean(c) for c in cells]) for line, cells in found])
    del made.cells[MAX_CELLS:]
    return made


def add_table(made: Readme, table: int, heading: str, rows: list[tuple[int, list[str]]]) -> None:
    """One table as it stands, and its cells by seed."""
    if not rows:
        return
    if len(made.tables) < MAX_TABLES:
        made.tables.append(Table(table, heading, rows[0][1], rows[1:MAX_CELLS]))
    cells = seed_cells(table, rows)
    if not cells and (turned := by_columns(rows)):
        cells = seed_cells(table, turned)
        made.guessed.add(table)
    elif cells and not any(is_seed_heading(cell) for cell in rows[0][1]):
        made.guessed.add(table)
    made.cells += cells
    header = rows[0][1]
    at = next((i for i, cell in enumerate(header) if is_seed_heading(cell)), 0)
    made.by_config[table] = any(not row_kind(r[0])[0] for _, r in rows[1:] if r and at)


def by_columns(rows: list[tuple[int, list[str]]]) -> list[tuple[int, list[str]]]:
    """A table that has its seeds beside each other, turned; none where the header names none."""
    header = rows[0][1]
    if len(header) < 3 or (header[0] and not RUNS.fullmatch(header[0])):
        return []
    if sum(row_kind(cell)[0] == "seed" for cell in header[1:]) < 2:
        return []
    line = rows[0][0]
    body = [cells for _, cells in rows[1:] if len(cells) == len(header)]
    names = ["seed", *(cells[0] for cells in body)]
    return [
        (line, names),
        *((line, [header[i], *(cells[i] for cells in body)]) for i in range(1, len(header))),
    ]


def clean(text: str) -> str:
    """A cell without emphasis, code marks and links."""
    return MARKS.sub("", LINK.sub(r"\1", text)).strip()


def seed_cells(table: int, rows: list[tuple[int, list[str]]]) -> list[Cell]:
    """The cells of one table, when it has a column of seeds and a row with a bare integer in it."""
    if len(rows) < 2:
        return []
    header = rows[0][1]
    at = next((i for i, cell in enumerate(header) if is_seed_heading(cell)), None)
    if at is None and header and (not header[0] or RUNS.fullmatch(header[0])):
        first_cells = [cells[0] for _, cells in rows[1:] if cells]
        at = 0 if sum(row_kind(cell)[0] == "seed" for cell in first_cells) > 1 else None
    if at is None:
        return []
    of_seeds: list[Cell] = []
    for line, cells in rows[1:]:
        if len(cells) <= at:
            continue
        first = cells[at] or next((c for c in cells if c), "")
        kind, seed = row_kind(first)
        if not kind and at:
            kind, seed = row_kind(cells[0])
            seed = None
        if not kind:
            continue  # a row about something else, such as another record
        for i, cell in enumerate(cells):
            if i != at and i < len(header) and cell:
                of_seeds.append(Cell(line, table, header[i], kind, seed, cell, first))
    return of_seeds if any(cell.seed is not None for cell in of_seeds) else []


def is_seed_heading(cell: str) -> bool:
    """Whether a column is headed `Seed`."""
    return SEEDS.fullmatch(cell.lower()) is not None


def row_kind(cell: str) -> tuple[str, int | None]:
    """("seed", the seed), or a kind by a row's first cell: "mean", "std", "max", "min" or ""."""
    if match := SEED.fullmatch(cell):
        return "seed", int(match[1])
    low = cell.lower()
    if re.search(r"\b(?:mean|average|avg)\b", low):
        return "mean", None
    if re.search(r"\b(?:std|stdev|sd|sem|se|sigma|standard (?:deviation|error))\b|σ", low):
        return "std", None
    if match := re.fullmatch(r"(max|min)(?:imum)?", low):
        return match[1], None
    return "", None


def quantity(text: str) -> tuple[Number, str, bool] | None:
    """(number, unit in lower case, approximate) at the start of a cell; None when it has none.

    A sign of a difference in front, or another number behind, is not a plain quantity.
    """
    match = QUANTITY.match(text)
    if not match or text[:1] in "+-\u2212\u0394":
        return None
    number = parse(re.sub(r"\s", "", match["number"]))
    if number is None:
        return None
    unit = (match["unit"] or "").lower()
    return number, UNITS.get(unit, unit), bool(match["about"])

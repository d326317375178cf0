"""The lines of a README, and the texts of submission files, that speak of the record's own runs."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from goldenseal.audit.model import Record
from goldenseal.audit.written import FENCE

MARKS = re.compile(r"[*`]|(?<!\w)_|_(?!\w)")
# A line with one of these compares, or tells of what else was tried.
OTHERS = re.compile(
    r"baseline|previous|prior\b|ablat|sota\b|\bPR ?#?\d|#\d{1,5}\b|\bvs\.?\b|beat|compar|earlier|"
    r"instead|tried|->|→|=>|\bgap\b|margin|would|estimat|originally|Δ|delta|\bgain|improv|reduc|"
    r"threshold|target|\b(?:an)?other\b|\bexpected\b|\bold\b|without\b|\bw/o\b|disabled|naive|"
    r"\balso ran\b|hypothe|\bthan\b|better|worse|merged|leader|\bcurrent\b|official|upstream|"
    r"parent|\bfrom ~?\d|\bswe(?:pt|ep)|\bH200\b|\bA100\b|\bdropp|degrad|\bloses?\b|\bsaves?\b|"
    r"\bcosts?\b|\bbefore\b|attempt|\bbugs?\b|\bfixed\b",
    re.IGNORECASE,
)
ABOVE = re.compile(
    r"baseline|previous|\bprior\b|ablat|sota\b|\bPR ?#?\d|\bvs\.?\b|\bother\b|\bold\b|earlier|"
    r"compar|tried|negative|naive|upstream|\bwithout\b",
    re.IGNORECASE,
)
# So does whatever stands under such a heading.
OTHER_PARTS = re.compile(
    r"ablat|baseline|previous|prior|history|negative|(?:did|does)(?: not|n['’]?t) work|tried|"
    r"explor|compar|lineage|credit|related|background|acknowledg|future|next|appendix|reference|"
    r"sweep|chang|progress|journey|timeline|\bvs\b|sota|other|lesson|non-record|experiment|"
    r"diagnos|post-?mortem|dead end|fail",
    re.IGNORECASE,
)
HEADING = re.compile(r"^ {0,3}(#{1,6})\s+(.*)$")
ITEM = re.compile(r"\s*(?:[-*+]|\d+[.)])\s|\s{2,}")
DIGIT = re.compile(r"\d")
MAX_LINES = 2000
KEPT = "passages"
MIN_TEXT = 20  # characters; shorter fields are names


@dataclass(frozen=True)
class Passage:
    """One line, without emphasis; `fenced` in a block of code, `own` where nothing about it says
    that it speaks of other runs.
    """

    place: str
    text: str
    fenced: bool
    own: bool


def passages(record: Record) -> list[Passage]:
    """Every line that holds a digit and is no row of a table; split once a record."""
    if KEPT not in record.facts:
        record.facts[KEPT] = list(_split(record))
    kept: list[Passage] = record.facts[KEPT]
    return kept


def _split(record: Record) -> Iterator[Passage]:
    if record.readme is not None:
        yield from of_readme(record.readme.name, record.readme.text)
    for submission in record.submissions:
        for key, value in submission.facts.items():
            if isinstance(value, str) and len(value) >= MIN_TEXT:
                for sentence in re.split(r"(?<=[.;])\s+", value[:4000]):
                    own = not OTHERS.search(sentence)
                    yield Passage(f"{submission.name}/{key}", MARKS.sub("", sentence), False, own)


def of_readme(name: str, text: str) -> Iterator[Passage]:
    """The lines of a README. A heading holds until the next one of its level or above; a line that
    ends with a colon, for the list or the block of code below it.
    """
    fence, foreign, above = "", 9, False
    for number, raw in enumerate(text.splitlines()[:MAX_LINES], start=1):
        mark = FENCE.match(raw)
        if fence:
            if mark and mark[1].startswith(fence):
                fence, above = "", False
                continue
        elif mark:
            fence = mark[1]
            continue
        elif heading := HEADING.match(raw):
            level = len(heading[1])
            if level <= foreign:
                foreign = level if number > 1 and OTHER_PARTS.search(heading[2]) else 9
        line = MARKS.sub("", raw[:1000])
        if not line.strip() or line.lstrip().startswith("|"):
            continue
        if not fence and not ITEM.match(line):
            above = line.rstrip().endswith(":") and bool(ABOVE.search(line))
        if DIGIT.search(line):
            own = foreign == 9 and not above and not OTHERS.search(line)
            yield Passage(f"{name}:{number}", line, bool(fence), own)

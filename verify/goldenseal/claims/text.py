"""The text of a document as its reader sees it, with stand-ins for what is no prose."""

import re

from markdown_it.token import Token

from goldenseal.claims.rules import EXEMPT_PATTERN, HEADING_NUMBER

MARKER, HIDDEN = "\ue000", "\ue001"  # stand for a comment, and for what is no prose
PRIVATE = str.maketrans({MARKER: "\ufffd", HIDDEN: "\ufffd"})

ABBREVIATED = re.compile(
    r"(?i:(?<!\w)(?:e\.g|i\.e|std|dev|st|s\.d|s\.e|s\.e\.m|vs|approx|cf|fig|resp|no|avg|err|ca)\.)\s*\Z"
)
END = re.compile(r"[.!?][)\"'”’]*\s+(?=[^\sa-z\d(±=<>≤≥])")
AROUND = 80  # letters on each side of a number that an excerpt shows at most


def sentence_at(text: str, place: int) -> tuple[int, int]:
    """Where the sentence around a place begins and ends."""
    ends = [
        m.end()
        for m in END.finditer(text)
        if not ABBREVIATED.search(text[max(0, m.start() - 12) : m.start() + 1])
    ]
    before = [end for end in ends if end <= place]
    return (before or [0])[-1], ([end for end in ends if end > place] or [len(text)])[0]


def excerpt(text: str, start: int, end: int) -> str:
    """The sentence in which a number stands, or as much of it as a line holds."""
    first = max(0, start - 2 * AROUND)  # a paragraph may be long, and have many numbers
    low, high = sentence_at(text[first : end + 2 * AROUND], start - first)
    low, high = low + first, high + first
    cut_low, cut_high = max(low, start - AROUND), min(high, end + AROUND)
    said = " ".join(text[cut_low:cut_high].split())
    return ("… " if cut_low > low else "") + said + (" …" if cut_high < high else "")


def hide(text: str, heading: bool) -> str:
    """The text with what the rules exempt blanked out, position by position."""
    if heading and (number := HEADING_NUMBER.match(text)):
        text = " " * number.end() + text[number.end() :]

    def blank(match: re.Match[str]) -> str:
        followed = text[match.end() : match.end() + 1] == MARKER
        return match[0] if followed else HIDDEN * len(match[0])

    return EXEMPT_PATTERN.sub(blank, text)


def almost(text: str) -> bool:
    """Whether a comment begins like a marker."""
    words = text.split()
    first = words[0].rstrip(":") if words else ""
    return first in ("exempt", "claim", "claims", "result", "results") or first.startswith("=")


def plain(text: str) -> str:
    """Without the stand-ins."""
    return text.replace(MARKER, "").replace(HIDDEN, "")


def readable(text: str, codes: list[str]) -> str:
    """Without markers, and with the code that stands where the n-th HIDDEN is."""
    first, *parts = text.replace(MARKER, "").split(HIDDEN)
    return first + "".join(code + part for code, part in zip(codes, parts, strict=False))


def row_texts(tokens: list[Token], start: int) -> list[str]:
    """The visible text of each cell in the row that opens at `start`."""
    texts = []
    for token in tokens[start:]:
        if token.type == "tr_close":
            break
        if token.type == "inline":
            shown = (c for c in token.children or [] if c.type in ("text", "code_inline"))
            texts.append("".join(c.content for c in shown))
    return texts

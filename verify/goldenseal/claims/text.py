"""The text of a document as its reader sees it, with stand-ins for what is no prose."""

import re

from markdown_it.token import Token

from goldenseal.claims.rules import EXEMPT_PATTERN, HEADING_NUMBER

MARKER, HIDDEN = "\ue000", "\ue001"  # stand for a comment, and for what is no prose
PRIVATE = str.maketrans({MARKER: "\ufffd", HIDDEN: "\ufffd"})


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

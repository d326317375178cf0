"""What two runs print, realigned: the first line that differs, is missing, or is extra."""

import difflib
from collections.abc import Sequence

from goldenseal.ladder.events import Event

LONGEST = 160  # characters of a text that is shown
WINDOW = 1000  # lines that are realigned, from the first that differs


def one_line(text: str) -> str:
    """A text that may have several lines, or be long, as it is shown."""
    shown = " ".join(text.split()) if "\n" in text else text
    return shown if len(shown) <= LONGEST else shown[:LONGEST] + "…"


def lines_apart(expected: Sequence[Event], actual: Sequence[Event]) -> str:
    """The first difference of two sequences of printed lines, in words; else empty."""
    a, b = ([event.facts.get("text", "") for event in run] for run in (expected, actual))
    start = next((i for i, (p, q) in enumerate(zip(a, b, strict=False)) if p != q), None)
    if start is None:
        if len(a) == len(b):
            return ""
        start = min(len(a), len(b))
    matcher = difflib.SequenceMatcher(
        None, a[start : start + WINDOW], b[start : start + WINDOW], autojunk=False
    )
    kind, i, _, k, _ = next(code for code in matcher.get_opcodes() if code[0] != "equal")
    i, k = start + i, start + k
    if kind == "delete":
        return f"{expected[i].where}{at(expected[i])} is missing: {one_line(a[i])}"
    where = f"{actual[k].where}{at(actual[k])}"
    if kind == "insert":
        return f"{where} is extra: {one_line(b[k])}"
    return f"{where}: text is {one_line(b[k])}, expected {one_line(a[i])}"


def at(event: Event, word: str = "") -> str:
    """Where it comes from, in brackets."""
    return f" ({word + ' ' if word else ''}{event.place})" if event.place else ""

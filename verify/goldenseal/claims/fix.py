"""Rewriting the numbers of a document from the evidence: only numerals, nothing else."""

import re
from collections.abc import Sequence

from goldenseal.claims.document import parse
from goldenseal.claims.documents.model import Bound, Document
from goldenseal.claims.evidence import Library
from goldenseal.claims.judge import Verdict, judge
from goldenseal.claims.numerals import NUMERAL

# What may stand between a numeral and its marker.
EMPHASIS = re.compile(r"(?:[*_~]|</\w{1,9}>)*\Z")
PASSES = 3  # margins follow from the numbers that the first pass prints


def fixed(document: Document, library: Library, ignored: Sequence[str] = ()) -> str:
    """The document's text with each wrong number as the evidence has it, at its printed digits.

    A number whose evidence does not stand stays, and so does its finding. What is not a numeral
    stays byte for byte; a rewriting that would change anything else is not made.
    """
    for _ in range(PASSES):
        verdicts, _findings = judge(document, library, ignored)
        text = _rewritten(document, verdicts)
        if text == document.source:
            break
        again = parse(document.name, text)
        if _skeleton(again.source, again.bound) != _skeleton(document.source, document.bound):
            break
        document = again
    return document.source


def _rewritten(document: Document, verdicts: Sequence[Verdict]) -> str:
    text = document.source
    for verdict in sorted(verdicts, key=lambda v: v.bound.offset, reverse=True):
        bound = verdict.bound
        if verdict.fixable and verdict.right and (span := span_of(text, bound)):
            text = text[: span[0]] + verdict.right + text[span[1] :]
    return text


def span_of(source: str, bound: Bound) -> tuple[int, int] | None:
    """Where the numeral of a marker stands in the source; None where it is written otherwise."""
    if bound.offset < 0:
        return None
    emphasis = EMPHASIS.search(source, 0, bound.offset)
    end = emphasis.start() if emphasis else bound.offset
    start = source.rfind("\n", 0, end) + 1
    for match in NUMERAL.finditer(source, start, end):
        if match.end() == end and match[0] == bound.printed.text:
            return match.start(), end
    return None


def _skeleton(source: str, bound: Sequence[Bound]) -> list[str]:
    """The text around the bound numerals, and their claims."""
    parts, cursor = [], 0
    for each in bound:
        span = span_of(source, each)
        if span:
            parts += [source[cursor : span[0]], each.claim]
            cursor = span[1]
    return [*parts, source[cursor:]]

"""Documents under claims as one HTML page: the prose, with each number marked as it was judged."""

from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

from goldenseal.claims.documents.model import Document
from goldenseal.claims.documents.safe_html import to_html
from goldenseal.claims.fix import span_of
from goldenseal.claims.judge import Verdict
from goldenseal.claims.judgement import Judgement, coverage
from goldenseal.claims.numerals import short
from goldenseal.disk import pages

TEMPLATE = Path(__file__).with_name("page.html")
OPEN, CLOSE = "\ue010", "\ue011"  # around a marked numeral, its number in between, in the source
DIGITS = {str(digit): chr(0xE020 + digit) for digit in range(10)}  # so that it is no numeral
PLAIN = {ord(c): "\ufffd" for c in (OPEN, CLOSE, *DIGITS.values())}


def page_of(judged: Judgement) -> str:
    """The page. Everything of a document is escaped, comments are left out.

    Raises CannotCheckError when jinja2 or markdown-it-py is missing.
    """
    documents = [
        {
            "name": document.name,
            "coverage": coverage(document, verdicts, findings),
            "findings": findings,
            "prose": _prose(document, verdicts),
        }
        for document, verdicts, findings in judged.documents
    ]
    return pages.page_of(TEMPLATE, documents=documents, all=judged.coverage)


def _prose(document: Document, verdicts: Sequence[Any]) -> str:
    """The document with its marks; what is not Markdown as it is written."""
    source, marks = document.source.translate(PLAIN), _marks(document, verdicts)
    for number, (begin, end, _, _) in sorted(enumerate(marks), key=lambda m: -m[1][0]):
        code = "".join(DIGITS[digit] for digit in str(number))
        source = f"{source[:begin]}{OPEN}{code}{OPEN}{source[begin:end]}{CLOSE}{source[end:]}"
    markdown = document.name.lower().endswith((".md", ".markdown"))
    text = to_html(source) if markdown else f"<pre>{escape(source)}</pre>"
    for number, (_, _, kind, title) in enumerate(marks):
        code = "".join(DIGITS[digit] for digit in str(number))
        opening = f'<mark class="{kind}" title="{escape(title)}">'
        text = text.replace(f"{OPEN}{code}{OPEN}", opening)
    return text.replace(CLOSE, "</mark>")


def _marks(document: Document, verdicts: Sequence[Any]) -> list[tuple[int, int, str, str]]:
    """(begin, end, kind, title) of each numeral whose place in the source is known."""
    marks: list[tuple[int, int, str, str]] = []
    for verdict in verdicts:
        if isinstance(verdict, Verdict) and (span := span_of(document.source, verdict.bound)):
            kind = "red" if verdict.findings else "bound"
            marks.append((*span, kind, _title(verdict)))
    taken = {place for begin, end, _, _ in marks for place in range(begin, end)}
    lines = [0, *(i + 1 for i, letter in enumerate(document.source) if letter == "\n")]
    lines.append(len(document.source) + 1)
    for line, text, reason in document.loose:
        begin = lines[line - 1] if line < len(lines) else len(document.source)
        end = lines[line] if line < len(lines) else len(document.source)
        place = document.source.find(text, begin, end)
        while place >= 0 and place in taken:
            place = document.source.find(text, place + 1, end)
        if place >= 0:
            taken |= set(range(place, place + len(text)))
            kind = "exempt" if reason else "red"
            marks.append((place, place + len(text), kind, f"exempt: {reason}" if reason else
                          "unbound: nothing binds or exempts it"))  # fmt: skip
    return marks


def _title(verdict: Verdict) -> str:
    """What a reader sees who points at the number."""
    if verdict.findings:
        return "; ".join(f"{finding.kind}: {finding.message}" for finding in verdict.findings)
    facts = verdict.to_json()
    places = "; ".join(facts["places"]) or "follows from two numbers of this page"
    evidence = short(verdict.outcome.exact) if verdict.outcome else ""
    return f"{verdict.bound.claim}: {facts['stat']} {evidence}, from {places}"

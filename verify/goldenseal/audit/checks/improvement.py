"""Differences against other records: the arithmetic between two stated values, and its unit.

Nats a token, nats a byte and bits a byte differ by the record's own ratio of loss and bpb, and by
ln 2; the same number cannot be right in two of them.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from goldenseal.audit.checks.physics import ratio
from goldenseal.audit.model import Certainty, Notes, Record
from goldenseal.audit.numbers import Number, parse
from goldenseal.audit.submission import as_seed
from goldenseal.audit.words import SPREAD, words

MISMATCH, NOTE = Certainty.MISMATCH, Certainty.NOTE
LN2 = Decimal(math.log(2))
DELTAS = frozenset("delta improvement improvements gain diff difference reduction margin".split())
REFERENCES = frozenset(
    "previous prev prior baseline base sota reference ref parent merged record leaderboard".split()
)
SAME = {"prev": "previous", "prior": "previous", "base": "baseline", "ref": "reference"}
UNIT = (
    ("nats a byte", re.compile(r"nats?[ _]*(?:/|per|a)[ _]*byte", re.I)),
    ("nats a token", re.compile(r"nats?\b|val_loss|nats_", re.I)),
    ("bits a byte", re.compile(r"\bbpb\b|bits?[ _-]*(?:/|per|a)[ _-]*byte", re.I)),
)
STATED = re.compile(
    r"(?P<sign>[-+\u2212−]|by |of |delta\s*[:=]?\s*|Δ\s*[:=]?\s*)\s*(?P<value>0?\.\d{3,8})\s*"
    r"(?P<unit>nats?(?:\s*(?:/|per)\s*(?:token|byte))?|bpb|bits?\s*(?:/|per)\s*byte)\b",
    re.IGNORECASE,
)
SCORE = re.compile(r"(?<![\d.])(\d\.\d{4,10})(?!\d)")
UNNAMED = frozenset("bpb val vs nats per byte token to over".split())
MAX_DEPTH = 6
MAX_SCORES = 8  # of one file, that a difference may be to
MAX_LINES = 2000


@dataclass(frozen=True)
class Gap:
    """The difference of the headline to another score, in bits a byte, and what rounding costs."""

    bits: Decimal
    error: Decimal
    ratio: Decimal | None  # nats a token over bits a byte, of this record

    def within(self, number: Number, unit: str) -> bool:
        """Whether a stated size is this difference in that unit."""
        factor = {"nats a byte": LN2, "nats a token": self.ratio, "bits a byte": Decimal(1)}[unit]
        if factor is None:
            return False
        slack = Decimal("0.5").scaleb(-number.digits) + factor * self.error
        return abs(abs(number.value) - abs(self.bits) * factor) <= slack


def check(record: Record, notes: Notes) -> None:
    """Differences in submission files and in the README."""
    own_ratio = ratio_of(record)
    for submission in record.submissions:
        stated = set(submission.claims)
        scores = [c.number for c in record.headlines if c.role == "bpb" and c in stated]
        # A file may state several; the difference is to one of them.
        several = list({(n.value, n.digits): n for n in scores}.values())[:MAX_SCORES]
        if several:
            tries = []
            for number in several:
                tries.append(Notes())
                in_object(submission.name, submission.facts, number, own_ratio, tries[-1], 0)
            right = {text.split(" (")[0] for one in tries for text in one.confirmed}
            notes.confirmed += [text for one in tries[:1] for text in one.confirmed]
            for finding in tries[0].findings:
                if finding.claim not in right and finding not in notes.findings:
                    notes.findings.append(finding)
    in_readme(record, own_ratio, notes)


def ratio_of(record: Record) -> Decimal | None:
    """The record's own nats a token over bits a byte: of its logs, or of its claims."""
    for run in record.used_runs:
        for score in reversed(run.finals):
            if (found := ratio(score)) is not None:
                return found[0]
    for submission in record.submissions:
        pair = {
            c.role: c.number.value for c in submission.claims if c.seed is None and not c.before
        }
        if pair.get("bpb") and pair.get("loss"):
            return pair["loss"] / pair["bpb"]
    return None


def unit_of(text: str) -> str:
    """The unit that a key or a phrase names; bits a byte where it names none."""
    return next((name for name, pattern in UNIT if pattern.search(text)), "bits a byte")


def half(number: Number) -> Decimal:
    """Half a unit of the last digit."""
    return Decimal("0.5").scaleb(-number.digits)


def references(facts: dict[str, Any]) -> Iterator[tuple[set[str], Number]]:
    """(words, score) of each field that is another record's score in bits a byte."""
    for key, value in facts.items():
        known = {SAME.get(word, word) for word in words(key)}
        if isinstance(value, Number) and value.digits >= 3 and value.value > Decimal("0.3"):
            if known & REFERENCES and not known & DELTAS and not known & {"loss", "nats"}:
                yield known & REFERENCES, value


def in_object(
    place: str, facts: Any, headline: Number, own: Decimal | None, notes: Notes, depth: int
) -> None:
    """Every difference in an object, against the scores of others beside it."""
    if not isinstance(facts, dict) or depth > MAX_DEPTH:
        return
    others = list(references(facts))
    for key, value in list(facts.items())[:1000]:
        known = {SAME.get(word, word) for word in words(key)}
        if isinstance(value, dict):
            in_object(f"{place}/{key}", value, headline, own, notes, depth + 1)
        elif isinstance(value, Number) and known & DELTAS and value.digits >= 3:
            meant = [n for names, n in others if names & known]
            if not meant and known <= DELTAS | UNNAMED:
                meant = [n for _, n in others]
            if known & SPREAD or as_seed(facts) is not None or "seed" in place:
                continue  # of one seed, whose own score is not the headline
            if len(meant) == 1 and not known & {"ttt", "quant", "quantization", "ema"}:
                judge(
                    f"{key} {value}", f"{place}/{key}", value, key, headline, meant[0], own, notes
                )


def judge(
    shown: str,
    place: str,
    number: Number,
    words_of_unit: str,
    headline: Number,
    other: Number,
    own: Decimal | None,
    notes: Notes,
    sure: bool = True,
) -> None:
    """One difference, in the unit that it names; when it fits another one, that is the mistake."""
    gap = Gap(headline.value - other.value, half(headline) + half(other), own)
    unit = unit_of(words_of_unit)
    between = f"{headline} and {other} are {abs(gap.bits)} bits a byte apart"
    if gap.within(number, unit) or (unit == "nats a token" and gap.within(number, "nats a byte")):
        return notes.confirm(shown, place, between)
    fitting = next((u for u, _ in UNIT if u != unit and gap.within(number, u)), "")
    if fitting:
        evidence = f"{between}: the number is in {fitting}, not in {unit}"
        return notes.add("improvement-unit", MISMATCH, shown, place, evidence)
    if own is None and unit != "bits a byte":
        return None
    return notes.add("difference", MISMATCH, shown, place, between) if sure else None


def in_readme(record: Record, own: Decimal | None, notes: Notes) -> None:
    """Lines of the README that give a difference and the one score that it is to."""
    claims = [c.number for c in record.headlines if c.role == "bpb"][:1]
    if record.readme is None or not claims:
        return
    headline = claims[0]
    for line, raw in enumerate(record.readme.text.splitlines()[:MAX_LINES], start=1):
        text = re.sub(r"[*`$]", "", raw[:1000])
        stated = list(STATED.finditer(text))
        if not stated or text.lstrip().startswith("|"):
            continue
        scores = {n.value: n for t in SCORE.findall(text) if (n := parse(t)) and n.value > 0.3}
        others = [n for n in scores.values() if abs(n.value - headline.value) > half(n)]
        if len(others) != 1:
            continue
        for match in stated:
            number = parse(match["value"])
            if number is not None:
                place = f"{record.readme.name}:{line}"
                facts = (number, match["unit"], headline, others[0], own)
                judge(match[0].strip(), place, *facts, notes, sure=False)

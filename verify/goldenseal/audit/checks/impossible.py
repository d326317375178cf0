"""Numbers that cannot be, whatever the runs were: they need no log at all.

A share of N whole things is k / N for a whole k (the GRIM test: Brown and Heathers, 2017,
doi:10.1177/1948550616673876); and a p-value follows from t and its degrees of freedom.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any

from goldenseal.audit.checks.statements import Statement, of_files, of_readme
from goldenseal.audit.model import Certainty, Notes, Record
from goldenseal.audit.numbers import Number, parse
from goldenseal.audit.words import words
from goldenseal.stats.student import tails

MISMATCH, AMBIGUOUS, NOTE = Certainty.MISMATCH, Certainty.AMBIGUOUS, Certainty.NOTE
HALF = Decimal("0.5")
HUNDRED = Decimal(100)
# Shares of whole things; those that average classes, runs or questions of several parts are none.
SHARE = r"(?:accuracy|acc|exact[ _-]match|em|pass@1|error[ _-]rate|win[ _-]rate|solved|correct)"
NO_SHARE = re.compile(
    r"balanced|macro|weighted|mean|average|avg|±|\+/-|seeds|runs|folds|top-?[2-9]|pass@[2-9]|f1|"
    r"about|approx|roughly|~|≈|up to|target|delta|gain|improv",
    re.IGNORECASE,
)
PERCENT = re.compile(
    rf"\b{SHARE}\b[^\d\n|]{{0,24}}(?P<value>\d{{1,3}}\.\d{{1,6}}|0?\.\d{{2,8}}"
    rf"|\d{{1,3}})\s*(?P<unit>%?)",
    re.IGNORECASE,
)
COUNT = re.compile(
    r"\b[nN]\s*=\s*(?P<n>\d[\d,]{0,8})\b|\b(?:of|on|over|from|out of)\s+(?:the\s+|all\s+)?"
    r"(?P<of>\d[\d,]{0,8})\s+(?:\w+\s+){0,2}?(?:examples|samples|questions|problems|items|images|"
    r"tasks|prompts|cases|pairs|sentences|instances|documents|games)\b"
)
QUOTIENT = re.compile(
    r"(?<![\d/.])(?P<k>\d[\d,]{0,8})\s*/\s*(?P<n>\d[\d,]{0,8})\s*[(=:,]+\s*"
    r"(?P<value>\d{1,3}(?:\.\d{1,6})?)\s*%"
)
COUNT_KEYS = frozenset(
    "n total count num_examples num_samples n_test n_examples n_samples test_size".split()
)
MAX_LINES = 3000
MAX_DEPTH = 6


@dataclass(frozen=True)
class Share:
    """A share that is stated of N things: in percent or as a fraction of one."""

    place: str
    number: Number
    of: int
    percent: bool

    @property
    def possible(self) -> bool:
        """Whether some k of N rounds, half up or half even, to the digits that are written."""
        return self.some(-HALF, HALF)

    @property
    def cut_off(self) -> bool:
        """Whether some k of N is it when the digits behind are cut off."""
        return self.some(Decimal(0), Decimal(1))

    def some(self, below: Decimal, above: Decimal) -> bool:
        """Whether a whole k lies within these units of the last digit around the value."""
        unit = Decimal(1).scaleb(-self.number.digits)
        scale = HUNDRED if self.percent else Decimal(1)
        low = (self.number.value + below * unit) * self.of / scale
        high = (self.number.value + above * unit) * self.of / scale
        least = low.to_integral_value(ROUND_CEILING)
        return least <= high.to_integral_value(ROUND_FLOOR) and high >= 0

    @property
    def nearest(self) -> str:
        """The shares around it that are possible."""
        scale = HUNDRED if self.percent else Decimal(1)
        k = int(self.number.value * self.of / scale)
        digits = self.number.digits + 1
        return " and ".join(
            f"{i}/{self.of} = {i * scale / self.of:.{digits}f}" for i in (k, k + 1) if i <= self.of
        )


def check(record: Record, notes: Notes) -> None:
    """Every share of a stated number of things, and every p beside its t and df."""
    for share in (*of_text(record), *of_tables(record), *of_facts(record)):
        shown = f"{share.number}{' %' if share.percent else ''} of {share.of}"
        if share.possible:
            continue
        if share.cut_off:
            evidence = f"cut off instead of rounded; {share.nearest}"
            notes.add("impossible-share", NOTE, shown, share.place, evidence)
        else:
            evidence = f"no whole number of {share.of} gives it; {share.nearest}"
            notes.add("impossible-share", MISMATCH, shown, share.place, evidence)
    quotients(record, notes)
    for statement in (*of_files(record), *of_readme(record)):
        p_of_t(statement, notes)


def lines_of(record: Record) -> Iterator[tuple[str, str]]:
    """(place, line) of the README, without marks."""
    if record.readme is not None:
        lines = record.readme.text.splitlines()[:MAX_LINES]
        for number, raw in enumerate(lines, start=1):
            yield f"{record.readme.name}:{number}", re.sub(r"[*`]", "", raw[:1000])


def of_text(record: Record) -> Iterator[Share]:
    """Shares in prose that name N in the same sentence."""
    for place, line in lines_of(record):
        if not COUNT.search(line):
            continue
        for sentence in re.split(r"(?<=[.;!?])\s", line) if "|" not in line else ():
            counts = {int((m["n"] or m["of"]).replace(",", "")) for m in COUNT.finditer(sentence)}
            if len(counts) != 1 or NO_SHARE.search(sentence):
                continue
            for match in PERCENT.finditer(sentence):
                if share := made(place, match["value"], match["unit"] == "%", counts.pop()):
                    yield share
                break


def made(place: str, text: str, percent: bool, of: int) -> Share | None:
    """A share, where the text is one: a fraction is not above one, a percentage not above 100."""
    number = parse(text)
    if number is None or of < 1 or not (percent or number.digits):
        return None
    if not percent and number.value > 1:
        percent = True
    return Share(place, number, of, percent) if number.value <= HUNDRED else None


def of_tables(record: Record) -> Iterator[Share]:
    """Shares in a column beside a column of counts."""
    header: list[str] = []
    for place, line in lines_of(record):
        if "|" not in line:
            header = []
            continue
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if not header:
            header = cells
        elif not set(line) <= set("|-: \t"):
            yield from of_row(place, header, cells)


def of_row(place: str, header: list[str], cells: list[str]) -> Iterator[Share]:
    """The shares of one row."""
    counts = [
        int(cell.replace(",", ""))
        for name, cell in zip(header, cells, strict=False)
        if is_count(name) and re.fullmatch(r"\d[\d,]{0,8}", cell)
    ]
    if len(counts) != 1 or NO_SHARE.search(cells[0]):
        return
    for name, cell in zip(header, cells, strict=False):
        match = re.fullmatch(r"(\d{0,3}\.?\d{1,8})\s*(%?)", cell)
        if match and re.search(rf"\b{SHARE}\b", name, re.IGNORECASE) and not NO_SHARE.search(name):
            percent = bool(match[2]) or "%" in name
            if share := made(place, match[1], percent, counts[0]):
                yield share


def is_count(name: str) -> bool:
    """Whether a heading or a key holds the number of things that were judged."""
    low = re.sub(r"[^a-z]+", "_", name.lower()).strip("_")
    plain = low.removeprefix("num_").removeprefix("n_").removeprefix("of_")
    return low in COUNT_KEYS or plain in {"examples", "samples", "questions", "problems", "items"}


def of_facts(record: Record) -> Iterator[Share]:
    """Shares in submission files beside their N, in one object."""
    for submission in record.submissions:
        yield from within(submission.name, submission.facts, 0)


def within(place: str, facts: Any, depth: int) -> Iterator[Share]:
    """Those of one object and of the objects in it."""
    if not isinstance(facts, dict) or depth > MAX_DEPTH:
        return
    counts = [
        int(v.value)
        for k, v in facts.items()
        if isinstance(v, Number) and is_count(k) and v.is_integer and 0 < v.value < 10**9
    ]
    for key, value in list(facts.items())[:1000]:
        if isinstance(value, dict):
            yield from within(f"{place}/{key}", value, depth + 1)
        elif isinstance(value, Number) and len(counts) == 1 and value.digits >= 2:
            share = set(words(key)) & {"accuracy", "acc", "em"} and not NO_SHARE.search(key)
            if share and (one := made(f"{place}/{key}", value.text, False, counts[0])):
                yield one


def quotients(record: Record, notes: Notes) -> None:
    """`k/N (x %)`: the percentage is that of the quotient."""
    for place, line in lines_of(record):
        for match in QUOTIENT.finditer(line) if "/" in line else ():
            k, n = (int(match[name].replace(",", "")) for name in ("k", "n"))
            value = parse(match["value"])
            if value is None or not 0 < n or k > n:
                continue
            exact = HUNDRED * k / n
            if abs(exact - value.value) > HALF.scaleb(-value.digits):
                cut = 0 < exact - value.value < Decimal(1).scaleb(-value.digits)
                evidence = f"{k}/{n} is {exact:.{value.digits + 2}f} %"
                notes.add("impossible-share", NOTE if cut else MISMATCH, match[0], place, evidence)


def p_of_t(statement: Statement, notes: Notes) -> None:
    """A printed p against the printed t and df, each as the interval that rounds to it."""
    t, df, p = statement.t, statement.df, statement.p
    if t is None or df is None or p is None or df.value <= 0 or not 0 <= p.value <= 1:
        return
    size = abs(t.value)
    low_t, high_t = max(Decimal(0), size - half(t)), size + half(t)
    low_df, high_df = max(Decimal("0.5"), df.value - half(df)), df.value + half(df)
    least = tails(float(high_t), float(high_df if high_df > df.value else df.value))
    most = tails(float(low_t), float(low_df))
    exact = tails(float(size), float(df.value))
    shown = f"one-sided {exact:.3g}, two-sided {2 * exact:.3g}"
    sides = (1, 2)
    stated, slack = float(p.value), float(half(p))
    if statement.below:
        if not any(side * least <= stated for side in sides):
            notes.add("p-of-t", MISMATCH, statement, statement.place, f"t and df give {shown}")
        return
    if not any(side * least - slack <= stated <= side * most + slack for side in sides):
        other = next((s for s in sides if abs(1 - s * exact - stated) <= slack + most - least), 0)
        evidence = f"t and df give {shown}" + ("; it is that of the other side" if other else "")
        notes.add("p-of-t", NOTE if other else MISMATCH, statement, statement.place, evidence)
    elif not any(abs(side * exact - stated) <= slack for side in sides):
        evidence = f"right only by the rounding of t and df, which as printed give {shown}"
        notes.add("p-of-t", NOTE, statement, statement.place, evidence)
    else:
        notes.confirm(statement, statement.place, f"p follows from t and df: {shown}")


def half(number: Number) -> Decimal:
    """Half a unit of the last digit that is written; of a whole number, as of df, nothing."""
    if number.digits == 0 and "e" not in number.text.lower():
        return Decimal(0)
    exponent = number.value.as_tuple().exponent
    return HALF.scaleb(exponent if isinstance(exponent, int) else 0)

"""The significance tests that the files of a record state, as they are written."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from goldenseal.audit.model import Record
from goldenseal.audit.numbers import Number, parse

REAL = r"[-+\u2212]?\d*\.?\d+(?:[eE][-+]?\d+|\s*[x×]\s*10\^?[-\u2212]\d+)?"
MARKS = re.compile(r"[*`$\\]|<[^>]{0,20}>")
RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺·⋅", "0123456789-+××")  # 5.1 × 10⁻⁴
T = re.compile(rf"(?<![A-Za-z])t(?:[-_ ]?stat(?:istic)?)?\s*(?:\([^)]*\))?\s*[=≈:]\s*({REAL})")
DF = re.compile(rf"(?<![A-Za-z])df\s*[=≈:]\s*({REAL})")
OF_DF = re.compile(rf"(?<![A-Za-z])t\s*\(\s*({REAL})\s*\)\s*[=≈]")  # t(2) = 3.1
P = re.compile(rf"(?<![A-Za-z])p(?:[-_ ]?value)?\s*([=≈<≤:])\s*({REAL})")
SCORE = re.compile(r"(?<![\d.])(\d\.\d{3,10})(?!\d)")
ONE_SIDED = re.compile(r"one[- ]?(?:sided|tailed)", re.IGNORECASE)
# What every such line has: a letter of its own, and soon after it a sign.
MAYBE = re.compile(r"(?<![A-Za-z])[tpT][^A-Za-z=≈<≤:>]{0,12}[=≈<≤:>]|df|p[-_ ]?val|stat")
TARGET = re.compile(
    r"(?<![A-Za-z])p[-_ ]?values?\s*(?:\(\s*)?(?:<|>|vs\.?|against|for|below|mean\s*<)\s*"
    rf"(\d\.\d{{2,10}})\s*\)?\s*[:=]\s*({REAL})",
    re.IGNORECASE,
)
GROUP = re.compile(r"[(\[]\s*((?:\d\.\d{3,10}\s*[,;/]\s*)+\d\.\d{3,10})\s*[)\]]")
PAIRED = re.compile(r"\bpaired\b", re.IGNORECASE)


@dataclass(frozen=True)
class Statement:
    """What a text or a file says of one test."""

    place: str
    t: Number | None
    df: Number | None
    p: Number | None
    below: bool  # p is only said to be below that
    one_sided: bool
    reference: Number | None  # the one value that it names to be tested against
    one_sample: bool = False  # it says so
    paired: bool = False
    groups: tuple[tuple[Decimal, ...], ...] = ()  # the values that the same line lists

    def __str__(self) -> str:
        parts = [f"{name} = {n}" for name, n in (("t", self.t), ("df", self.df)) if n]
        if self.p:
            parts.append(f"p {'<' if self.below else '='} {self.p}")
        return ", ".join(parts)


def of_files(record: Record) -> Iterator[Statement]:
    """The tests that submission files state."""
    for submission in record.submissions:
        by_role = {c.role: c for c in submission.claims if c.role in ("t", "df", "p", "p<")}
        if not by_role:
            continue
        place = next(iter(by_role.values())).place
        t, df, p = (by_role[r].number if r in by_role else None for r in ("t", "df", "p"))
        bound = by_role["p<"].number if "p<" in by_role else None
        yield Statement(place, t, df, p or bound, p is None and bool(bound), False, None)


def of_readme(record: Record) -> Iterator[Statement]:
    """The tests that lines of the README state."""
    if record.readme is None:
        return
    for line, raw in enumerate(record.readme.text.splitlines(), start=1):
        if not MAYBE.search(raw[:2000]):
            continue
        text = MARKS.sub("", raw[:2000]).translate(RAISED)
        groups = tuple(
            tuple(Decimal(v) for v in SCORE.findall(found)) for found in GROUP.findall(text)[:4]
        )
        if target := TARGET.search(text):
            place = f"{record.readme.name}:{line}"
            value, reference = read(target[2]), parse(target[1])
            yield Statement(place, None, None, value, False, True, reference, True, groups=groups)
            continue
        t, df, p = T.search(text), DF.search(text) or OF_DF.search(text), P.search(text)
        first = t or p
        if first is None or (first is p and exceeds_one(p[2])):
            continue
        scores = list(dict.fromkeys(SCORE.findall(GROUP.sub(" ", text[: first.start()]))))
        yield Statement(
            f"{record.readme.name}:{line}",
            read(t[1]) if t else None,
            read(df[1]) if df else None,
            read(p[2]) if p else None,
            bool(p) and p[1] in "<≤" if p else False,
            bool(ONE_SIDED.search(text)),
            parse(scores[0]) if len(scores) == 1 else None,
            bool(re.search(r"one[- ]sample", text, re.IGNORECASE)),
            bool(PAIRED.search(text)),
            groups,
        )


def exceeds_one(text: str) -> bool:
    """Whether what stands for p is no probability, but a score."""
    number = read(text)
    return number is not None and number.value > 1


def read(text: str) -> Number | None:
    """A number in prose, also as 1.2 × 10^-5."""
    flat = re.sub(r"\s*[x×]\s*10\^?[-\u2212]", "e-", text)
    return parse(flat)

"""Significance tests: recomputed where the files hold what they need, and said where not."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from goldenseal.audit.match import Value, best, per_run
from goldenseal.audit.model import Certainty, Notes, Record, Stage
from goldenseal.audit.numbers import Number, agreement, mean, parse
from goldenseal.audit.words import ELSEWHERE, words
from goldenseal.stats.spread import NO_SPREAD, varies
from goldenseal.stats.student import Test, one_sample, welch

MISMATCH, AMBIGUOUS, NOTE = Certainty.MISMATCH, Certainty.AMBIGUOUS, Certainty.NOTE
REAL = r"[-+\u2212]?\d*\.?\d+(?:[eE][-+]?\d+|\s*[x×]\s*10\^?[-\u2212]\d+)?"
MARKS = re.compile(r"[*`$\\]|<[^>]{0,20}>")
T = re.compile(rf"(?<![A-Za-z])t(?:[-_ ]?stat(?:istic)?)?\s*(?:\([^)]*\))?\s*[=≈:]\s*({REAL})")
DF = re.compile(rf"(?<![A-Za-z])df\s*[=≈:]\s*({REAL})")
P = re.compile(rf"(?<![A-Za-z])p(?:[-_ ]?value)?\s*([=≈<≤:])\s*({REAL})")
SCORE = re.compile(r"(?<![\d.])(\d\.\d{3,10})(?!\d)")
ONE_SIDED = re.compile(r"one[- ]?(?:sided|tailed)", re.IGNORECASE)
MAX_STATEMENTS = 20
SLACK = Decimal("0.02")  # of t and df: they were computed from values that were rounded


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

    def __str__(self) -> str:
        parts = [f"{name} = {n}" for name, n in (("t", self.t), ("df", self.df)) if n]
        if self.p:
            parts.append(f"p {'<' if self.below else '='} {self.p}")
        return ", ".join(parts)


@dataclass(frozen=True)
class Candidate:
    """A test that could be meant, recomputed."""

    test: Test
    what: str
    reference: Decimal | None = None
    runs: int = 0  # of this record

    def __str__(self) -> str:
        t = self.test
        return (
            f"{self.what}: t = {t.t:.4g}, df = {t.df:.4g}, one-sided p = {t.less:.3g}, "
            f"two-sided {t.two_sided:.3g}"
        )


def check(record: Record, notes: Notes) -> None:
    """Every stated test; and Welch's test against the record that was asked for."""
    rivals = against_rival(record)
    for candidate in rivals[:1]:
        notes.add("welch", NOTE, "recomputed from both records' logs", record.name, str(candidate))
    if record.rival and not rivals:
        evidence = "a test needs two runs with final scores on each side"
        notes.add("welch", NOTE, "not verifiable from the files", record.name, evidence)
    for statement in [*of_files(record), *of_readme(record)][:MAX_STATEMENTS]:
        judge(record, statement, rivals, notes)


def judge(record: Record, statement: Statement, rivals: list[Candidate], notes: Notes) -> None:
    """Find the test that is meant; compare what is stated of it."""
    place = statement.place
    candidates = [*rivals, *against_references(record, statement), *against_listed(record)]
    meant = [c for c in candidates if fits(statement, c)]
    named = [c for c in candidates if is_named(statement, c) and is_one_sample(statement, c)]
    if not meant:
        if statement.t and named:
            return notes.add("test", MISMATCH, statement, place, f"recomputed: {named[0]}")
        evidence = "not verifiable from the files: the runs it needs are not in them"
        own = [values for _, values in own_values(record) if len(values) > 1]
        if own and not any(map(varies, own)):
            evidence = f"{NO_SPREAD}: the runs of this record vary by no more than rounding"
        return notes.add("test", NOTE, statement, place, evidence)
    stated = statement.reference
    if stated and named and all(c.reference not in (None, stated.value) for c in meant):
        evidence = f"it was tested against another value: {meant[0]}"
        return notes.add("test-reference", MISMATCH, statement, place, evidence)
    return judge_p(statement, [c for c in meant if is_named(statement, c)] or meant, notes)


def is_one_sample(statement: Statement, candidate: Candidate) -> bool:
    """Whether it is a one-sample test of these runs: by its degrees of freedom, or its words."""
    if statement.df is not None:
        return statement.df.value == candidate.runs - 1
    return statement.one_sample


def judge_p(statement: Statement, meant: list[Candidate], notes: Notes) -> None:
    """The stated p against the one-sided and the two-sided one."""
    place, p = statement.place, statement.p
    if p is None or any(p_fits(statement, c.test.less) for c in meant):
        return notes.confirm(statement, place, str(meant[0]))
    if any(p_fits(statement, c.test.two_sided) for c in meant):
        certainty = MISMATCH if statement.one_sided else NOTE
        return notes.add("two-sided-p", certainty, statement, place, str(meant[0]))
    # A value that was only found by trying all of them may be another one by chance.
    sure = any(c.reference is None or is_named(statement, c) for c in meant)
    return notes.add("test", MISMATCH if sure else NOTE, statement, place, str(meant[0]))


def p_fits(statement: Statement, p: float) -> bool:
    """Whether a p-value is the stated one, or below the stated bound."""
    stated = statement.p
    if stated is None:
        return True
    if statement.below:
        return p <= float(stated.value)
    near = abs(p - float(stated.value)) <= 0.1 * p
    return near or bool(agreement(stated, Decimal(p)))


def is_named(statement: Statement, candidate: Candidate) -> bool:
    """Whether the statement names the value that the candidate tests against."""
    return statement.reference is not None and candidate.reference == statement.reference.value


def fits(statement: Statement, candidate: Candidate) -> bool:
    """Whether t and df, as far as stated, are the candidate's; one of them must be stated."""
    if statement.t is None:
        return statement.df is not None and close(statement.df, candidate.test.df)
    if statement.df is not None and not close(statement.df, candidate.test.df):
        return False
    t = abs(candidate.test.t)
    if candidate.reference is None or is_named(statement, candidate):
        return close(statement.t, t)
    size = abs(statement.t.value)
    return bool(agreement(Number(statement.t.text, size, statement.t.digits), Decimal(t)))


def close(stated: Number, value: float) -> bool:
    """Equal but for rounding, of the number itself and of what it was computed from."""
    exact = Decimal(value)
    size = abs(stated.value)
    made = Number(stated.text, size, stated.digits)
    return bool(agreement(made, exact)) or abs(size - exact) <= SLACK * exact


def own_values(record: Record) -> list[tuple[str, list[float]]]:
    """(what, a value a run) of each family of final scores."""
    families = []
    for role in ("bpb", "loss"):
        for name, numbers in per_run(record.used_runs, role, (Stage.FINAL,)).items():
            families.append((f"{role}, {name}", [float(n.value) for n in numbers]))
    return families


def headline_values(record: Record) -> tuple[str, list[float]] | None:
    """The family of bpb whose mean or member is the headline; else the last evaluation."""
    claims = [
        c
        for s in record.submissions
        for c in s.claims
        if c.role == "bpb" and c.seed is None and not c.before and not c.statistic
    ]
    families = per_run(record.used_runs, "bpb", (Stage.FINAL,))
    for claim in claims:
        for name, numbers in families.items():
            centre = Value(mean(n.value for n in numbers), None, "")
            if best(claim.number, [centre]).holds:
                return name, [float(n.value) for n in numbers]
    last = families.get("last evaluation")
    return ("last evaluation", [float(n.value) for n in last]) if last else None


def against_rival(record: Record) -> list[Candidate]:
    """Welch's test of this record's runs against those of the other record."""
    if record.rival is None:
        return []
    mine, other = headline_values(record), headline_values(record.rival)
    if mine is None or other is None or not (test := welch(mine[1], other[1])):
        return []
    what = (
        f"{len(mine[1])} runs ({mine[0]}) against {len(other[1])} of {record.rival.name} "
        f"({other[0]})"
    )
    return [Candidate(test, what)]


def against_references(record: Record, statement: Statement) -> list[Candidate]:
    """One-sample tests against every value that the statement or a file of the record names."""
    values = {statement.reference.value} if statement.reference else set()
    for submission in record.submissions:
        values |= {n.value for n in references(submission.facts)}
    if record.readme and statement.place.startswith(record.readme.name):
        scores = SCORE.findall(MARKS.sub("", record.readme.text))[:60]
        values |= {n.value for text in scores if (n := parse(text)) is not None}
    return [
        Candidate(test, f"one-sample test of {what} against {value}", value, len(own))
        for what, own in own_values(record)
        for value in sorted(values)
        if (test := one_sample(own, float(value)))
    ]


def against_listed(record: Record) -> list[Candidate]:
    """Welch's test against the runs of another record that a submission file lists."""
    return [
        Candidate(test, f"{what} against the {len(listed)} values of {key}")
        for submission in record.submissions
        for key, listed in listings(submission.facts)
        for what, own in own_values(record)
        if (test := welch(own, listed))
    ]


def references(facts: Any, key: str = "", depth: int = 0) -> Iterator[Number]:
    """Scores of other records that a submission file names."""
    if isinstance(facts, dict) and depth < 10:
        for name, value in facts.items():
            yield from references(value, f"{key} {name}", depth + 1)
    elif isinstance(facts, Number) and set(words(key)) & ELSEWHERE and facts.digits >= 3:
        yield facts


def listings(facts: Any, key: str = "", depth: int = 0) -> Iterator[tuple[str, list[float]]]:
    """Lists and objects of several scores under a key that names another record."""
    if depth > 10 or not isinstance(facts, dict | list):
        return
    values = list(facts.values()) if isinstance(facts, dict) else facts
    numbers = [v.value for v in values if isinstance(v, Number) and v.digits >= 3]
    if len(numbers) == len(values) > 1 and set(words(key)) & ELSEWHERE:
        yield key.strip(), [float(v) for v in numbers]
    elif isinstance(facts, dict):
        for name, value in facts.items():
            yield from listings(value, f"{key} {name}", depth + 1)


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
        text = MARKS.sub("", raw[:2000])
        t, df, p = T.search(text), DF.search(text), P.search(text)
        first = t or p
        if first is None:
            continue
        scores = list(dict.fromkeys(SCORE.findall(text[: first.start()])))
        yield Statement(
            f"{record.readme.name}:{line}",
            read(t[1]) if t else None,
            read(df[1]) if df else None,
            read(p[2]) if p else None,
            bool(p) and p[1] in "<≤" if p else False,
            bool(ONE_SIDED.search(text)),
            parse(scores[0]) if len(scores) == 1 else None,
            bool(re.search(r"one[- ]sample", text, re.IGNORECASE)),
        )


def read(text: str) -> Number | None:
    """A number in prose, also as 1.2 × 10^-5."""
    flat = re.sub(r"\s*[x×]\s*10\^?[-\u2212]", "e-", text)
    return parse(flat)

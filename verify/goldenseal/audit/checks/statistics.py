"""Significance tests: recomputed where the files hold what they need, and said where not."""

from decimal import Decimal

from goldenseal.audit.checks.candidates import (
    Candidate,
    against_listed,
    against_references,
    against_rival,
    in_tables,
    in_text,
    own_values,
)
from goldenseal.audit.checks.statements import Statement, of_files, of_readme
from goldenseal.audit.model import Certainty, Notes, Record
from goldenseal.audit.numbers import Number, agreement
from goldenseal.stats.spread import NO_SPREAD, varies
from goldenseal.stats.student import tails

MISMATCH, AMBIGUOUS, NOTE = Certainty.MISMATCH, Certainty.AMBIGUOUS, Certainty.NOTE
MAX_STATEMENTS = 20
SLACK = Decimal("0.02")  # of t and df: they were computed from values that were rounded


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
    tables = in_tables(record) if statement.place.startswith(readme_name(record)) else []
    candidates = [
        *in_text(record, statement),
        *rivals,
        *against_references(record, statement),
        *against_listed(record),
        *tables,
    ]
    said = [c for c in candidates if is_said(statement, c)]
    alone = statement.t is None and statement.df is None
    meant = [c for c in said if p_of(statement, c)] if alone else []
    meant = meant or [c for c in candidates if not alone and fits(statement, c)]
    named = [c for c in candidates if is_named(statement, c) and is_one_sample(statement, c)]
    if not meant:
        if said and (statement.t or (alone and statement.p)):
            nearest = min(said, key=lambda c: off(statement, c))
            return notes.add("test", MISMATCH, statement, place, f"recomputed: {nearest}")
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


def readme_name(record: Record) -> str:
    """The README's name; one that no place begins with, where there is none."""
    return record.readme.name if record.readme else "\0"


def is_said(statement: Statement, candidate: Candidate) -> bool:
    """Whether the statement's own words leave no other test: it is paired, or of two samples whose
    values it lists, or of one sample against the value that it names.
    """
    if statement.paired:
        return candidate.kind == "paired"
    if len(statement.groups) > 1:
        return candidate.kind == "listed" and "values listed" in candidate.what
    return is_named(statement, candidate) and statement.one_sample


def off(statement: Statement, candidate: Candidate) -> float:
    """How far the candidate is from what is stated, to show the nearest one."""
    if statement.t is not None:
        return abs(abs(float(statement.t.value)) - abs(candidate.test.t))
    stated = float(statement.p.value) if statement.p else 0.0
    return min(abs(stated - p) for p in (candidate.one_sided, candidate.test.two_sided))


def p_of(statement: Statement, candidate: Candidate) -> bool:
    """Whether the stated p is the candidate's on one side or on both."""
    return p_fits(statement, candidate) or p_fits(statement, candidate, two_sided=True)


def is_one_sample(statement: Statement, candidate: Candidate) -> bool:
    """Whether it is a one-sample test of these runs: by its degrees of freedom, or its words."""
    if statement.df is not None:
        return statement.df.value == candidate.runs - 1
    return statement.one_sample


def judge_p(statement: Statement, meant: list[Candidate], notes: Notes) -> None:
    """The stated p against the one-sided and the two-sided one."""
    place, p = statement.place, statement.p
    fitting = next((c for c in meant if p_fits(statement, c)), None)
    if p is None or fitting:
        return notes.confirm(statement, place, str(fitting or meant[0]))
    if any(p_fits(statement, c, two_sided=True) for c in meant):
        certainty = MISMATCH if statement.one_sided else NOTE
        return notes.add("two-sided-p", certainty, statement, place, str(meant[0]))
    # A value that was only found by trying all of them may be another one by chance.
    sure = any(c.reference is None or is_named(statement, c) for c in meant)
    return notes.add("test", MISMATCH if sure else NOTE, statement, place, str(meant[0]))


def p_fits(statement: Statement, candidate: Candidate, two_sided: bool = False) -> bool:
    """Whether a p-value is the stated one, or below the stated bound, as far as rounding tells."""
    stated = statement.p
    if stated is None:
        return True
    p = candidate.test.two_sided if two_sided else candidate.one_sided
    if statement.below:
        return p <= float(stated.value)
    if abs(p - float(stated.value)) <= 0.1 * p or agreement(stated, Decimal(p)):
        return True
    low, high = candidate.sizes
    factor = 2 if two_sided else 1
    largest, least = (factor * tails(size, candidate.test.df) for size in (low, high))
    half = float(Decimal("0.5").scaleb(-stated.digits))
    return low < high and least - half <= float(stated.value) <= largest + half


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
    low, high = candidate.sizes
    if low < high and low <= abs(float(statement.t.value)) <= high:
        return True
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

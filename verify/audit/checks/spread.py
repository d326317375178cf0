"""Deviations: the sample's or the population's, never neither."""

from decimal import Decimal

from verify.audit.match import Value, best, per_run
from verify.audit.model import Certainty, Claim, Notes, Record, Stage, Submission
from verify.audit.numbers import mean, rounded


def check(record: Record, notes: Notes) -> None:
    """Every stated deviation of a score, against the values of the runs or those stated."""
    for submission in record.submissions:
        for claim in submission.claims:
            if claim.statistic == "std" and claim.role in ("bpb", "loss") and claim.seed is None:
                judge(record, submission, claim, notes)


def judge(record: Record, submission: Submission, claim: Claim, notes: Notes) -> None:
    """Say which deviation fits; a mismatch when there are values and none does."""
    values = candidates(record, submission, claim)
    if not values:
        evidence = "not verifiable from the files: fewer than two values"
        return notes.add("deviation", Certainty.NOTE, f"std {claim}", claim.place, evidence)
    found = best(claim.number, values)
    if found.holds:
        return notes.confirm(f"std {claim}", claim.place, found.how)
    open_ended = claim.nested or any(not record.runs_of(seed) for seed in submission.seeds)
    certainty = Certainty.AMBIGUOUS if open_ended else Certainty.MISMATCH
    return notes.add("deviation", certainty, f"std {claim}", claim.place, found.how)


def candidates(record: Record, submission: Submission, claim: Claim) -> list[Value]:
    """Both deviations of each family of logged scores, and of the values stated for seeds."""
    found: list[Value] = []
    runs = record.used_runs
    stages = tuple(Stage) if claim.before else (Stage.FINAL,)
    if len(runs) > 1:
        for name, numbers in per_run(runs, claim.role, stages).items():
            found += both([n.value for n in numbers], name, claim.number.digits)
    stated = [
        c.number.value
        for c in submission.claims
        if c.seed is not None and c.role == claim.role and not c.nested
    ]
    return found + both(stated, "stated values", claim.number.digits)


def both(values: list[Decimal], name: str, digits: int) -> list[Value]:
    """Sample and population deviation, of the values and of them rounded as claims round."""
    if len(values) < 2:
        return []
    found = []
    for places in (None, digits, digits - 1, 4):
        kept = values if places is None else [rounded(v, max(places, 1)) for v in values]
        how = "" if places is None else f", of values rounded to {max(places, 1)} digits"
        for ddof, kind in ((1, "sample"), (0, "population")):
            what = f"{kind} deviation of {len(values)} runs, {name}{how}"
            found.append(Value(deviation(kept, ddof), None, what))
    return found


def deviation(values: list[Decimal], ddof: int) -> Decimal:
    """Standard deviation with n - ddof in the denominator."""
    centre = mean(values)
    return (sum(((v - centre) ** 2 for v in values), Decimal(0)) / (len(values) - ddof)).sqrt()

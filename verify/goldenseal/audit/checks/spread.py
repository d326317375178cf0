"""Deviations: the sample's or the population's, never neither; and a standard error is neither."""

from collections.abc import Iterator
from decimal import Decimal

from goldenseal.audit.match import Value, best, per_run
from goldenseal.audit.model import Certainty, Claim, Notes, Record, Stage, Submission
from goldenseal.audit.numbers import mean, rounded

NAMES = {"std": "standard deviation", "standard error": "standard error"}


def check(record: Record, notes: Notes) -> None:
    """Every stated deviation of a score, against the values of the runs or those stated."""
    for submission in record.submissions:
        for claim in submission.claims:
            spread = claim.statistic in NAMES
            if spread and claim.role in ("bpb", "loss") and claim.seed is None:
                judge(record, submission, claim, notes)


def judge(record: Record, submission: Submission, claim: Claim, notes: Notes) -> None:
    """Say which deviation fits; a mismatch when there are values and none does.

    A number that fits the other of the two spreads is under the name of that one.
    """
    own, values = f"{claim.statistic} {claim}", candidates(record, submission, claim)
    if not values[claim.statistic]:
        evidence = "not verifiable from the files: fewer than two values"
        return notes.add("deviation", Certainty.NOTE, own, claim.place, evidence)
    nearest = best(claim.number, values[claim.statistic])
    if nearest.holds:
        return notes.confirm(own, claim.place, nearest.how)
    (other,) = set(NAMES) - {claim.statistic}
    if (swapped := best(claim.number, values[other])).holds:
        evidence = f"it is a {NAMES[other]}: {swapped.how}"
        return notes.add("deviation", Certainty.MISMATCH, own, claim.place, evidence)
    open_ended = claim.nested or any(not record.runs_of(seed) for seed in submission.seeds)
    certainty = Certainty.AMBIGUOUS if open_ended else Certainty.MISMATCH
    return notes.add("deviation", certainty, f"std {claim}", claim.place, nearest.how)


def candidates(record: Record, submission: Submission, claim: Claim) -> dict[str, list[Value]]:
    """By statistic: both deviations of each family of logged scores and of the values stated for
    seeds, and the standard error of each.
    """
    by_name: dict[str, list[Value]] = {name: [] for name in NAMES}
    runs = record.used_runs
    stages = tuple(Stage) if claim.before else (Stage.FINAL,)
    if len(runs) > 1:
        for name, numbers in per_run(runs, claim.role, stages).items():
            add([n.value for n in numbers], name, claim.number.digits, by_name)
    stated = [
        c.number.value
        for c in submission.claims
        if c.seed is not None and c.role == claim.role and not c.nested
    ]
    add(stated, "stated values", claim.number.digits, by_name)
    return by_name


def add(values: list[Decimal], name: str, digits: int, by_name: dict[str, list[Value]]) -> None:
    """Add the spreads of the values."""
    by_name["std"] += both(values, name, digits)
    by_name["standard error"] += errors(values, name, digits)


def both(values: list[Decimal], name: str, digits: int) -> list[Value]:
    """Sample and population deviation, of the values and of them rounded as claims round."""
    return [
        Value(
            deviation(kept, ddof),
            known(kept) if kept is values else None,
            f"{kind} deviation of {what}",
        )
        for kept, what in as_claimed(values, name, digits)
        for ddof, kind in ((1, "sample"), (0, "population"))
    ]


def errors(values: list[Decimal], name: str, digits: int) -> list[Value]:
    """The standard error of the mean, likewise."""
    return [
        Value(deviation(kept, 1) / Decimal(len(kept)).sqrt(), None, f"standard error of {what}")
        for kept, what in as_claimed(values, name, digits)
    ]


def known(values: list[Decimal]) -> int | None:
    """To how many digits a spread of these is known; a claim of more cannot be held to all."""
    digits = [-e for v in values if isinstance(e := v.as_tuple().exponent, int)]
    return max(3, min(digits)) if digits and min(digits) >= 6 else None


def as_claimed(
    values: list[Decimal], name: str, digits: int
) -> Iterator[tuple[list[Decimal], str]]:
    """(values, what they are) in full and rounded as claims round; nothing for fewer than two."""
    for places in (None, digits, max(digits - 1, 4), 6, 5, 4) if len(values) > 1 else ():
        kept = values if places is None else [rounded(v, max(places, 1)) for v in values]
        how = "" if places is None else f", of values rounded to {max(places, 1)} digits"
        yield kept, f"{len(values)} runs, {name}{how}"


def deviation(values: list[Decimal], ddof: int) -> Decimal:
    """Standard deviation with n - ddof in the denominator."""
    centre = mean(values)
    return (sum(((v - centre) ** 2 for v in values), Decimal(0)) / (len(values) - ddof)).sqrt()

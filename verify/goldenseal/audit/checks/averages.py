"""Means, medians, extremes, ranges and intervals of the runs that sentences state."""

import re
from collections.abc import Sequence
from decimal import Decimal
from statistics import median

from goldenseal.audit.checks import readme_spread
from goldenseal.audit.checks.headline import WORDS
from goldenseal.audit.checks.passages import Passage, passages
from goldenseal.audit.checks.spread import deviation
from goldenseal.audit.match import Value, best, means, per_run, subset_means
from goldenseal.audit.model import Certainty, Notes, Record, Stage
from goldenseal.audit.numbers import Number, mean, parse

MISMATCH, AMBIGUOUS = Certainty.MISMATCH, Certainty.AMBIGUOUS
COUNT = r"(?:\d{1,2}|two|three|four|five|six|seven|eight|nine|ten)"
RUNS = r"(?:seeds?|runs?|trials?)"
SCORE = r"(?P<value>\d\.\d{4,10})(?!\d)"
NAME = r"(?P<name>mean|average|avg|median|best|min(?:imum)?|max(?:imum)?|worst)"
# `3-seed mean val_bpb: 1.1122`, `average of all three seeds is 1.1122`
AFTER = re.compile(
    rf"\b{NAME}\b(?:(?![\d.;|]\d|[;|]|\.\s|\b(?:std|stdev|sd|deviation)\b)"
    rf"(?:{COUNT}[- ](?:\w+ )?{RUNS}\b|[^\d;|\n])){{0,60}}?{SCORE}",
    re.IGNORECASE,
)
# `1.1122 (3-seed mean)`
BEFORE = re.compile(
    rf"(?<![\d.]){SCORE}(?:\s*(?:val_)?bpb)?\s*[(\[]\s*(?:the )?"
    rf"(?:{COUNT}[- ]{RUNS}[- ])?{NAME}\b(?! step)",
    re.IGNORECASE,
)
OF_RUNS = re.compile(rf"\b{COUNT}[- ](?:\w+ ){{0,2}}{RUNS}\b|\ball {RUNS}\b|\bseeds\b", re.I)
RANGE = re.compile(
    r"\brange\b[^\d\n]{0,20}(\d\.\d{3,10})\s*(?:-|–|—|to|\.\.\.?|,)\s*(\d\.\d{3,10})(?!\d)", re.I
)
INTERVAL = re.compile(
    r"\b(90|95|99) ?% ?(?:c\.?i\.?|confidence)[^\d\n]{0,24}[\[(]\s*(\d\.\d{3,10})\s*"
    r"(?:,|;|-|–|—|to)\s*(\d\.\d{3,10})\s*[\])]",
    re.IGNORECASE,
)
SAMPLE = re.compile(
    r"\bsample (?:standard deviation|std|sd)|ddof ?= ?1\b|\bn ?[-\u2212] ?1\b", re.I
)
POPULATION = re.compile(r"\bpopulation (?:standard deviation|std|sd)|ddof ?= ?0\b", re.IGNORECASE)
WHICH = {"med": "median", "bes": "min", "min": "min", "max": "max", "wor": "max"}
ROUNDED = readme_spread.ROUNDED
# The spread of a difference, or of what is drawn.
NO_SCORE = re.compile(r"(?<![\d.])0?\.[01]\d+\s*(?:±|\+/-)|\binit|dropout|\bweights?\b|gauss", re.I)
NEAR = Decimal("0.02")  # relative; what is farther off is a mean of something else
ALL = tuple(Stage)


def check(record: Record, notes: Notes) -> None:
    """Every sentence on the runs together, where all of them have logs."""
    runs = record.used_runs
    seeds = {run.seed for run in runs}
    if len(runs) < 2 or len(seeds) < 2 or not set(record.claimed_seeds) <= seeds | {None}:
        return
    families = {
        role: {n: v for n, v in per_run(runs, role, ALL).items() if len(v) > 1}
        for role in ("bpb", "loss")
    }
    for passage in passages(record):
        if passage.fenced or not passage.own:
            continue
        groups = groups_of(passage.text, families)
        averages(record, passage, groups, notes)
        bounds(passage, groups, notes)
        spreads(record, passage, groups, notes)


Groups = list[tuple[str, str, list[Number]]]  # role, family, a value a run


def groups_of(text: str, families: dict[str, dict[str, list[Number]]]) -> Groups:
    """The families that a sentence may be about: losses only where it speaks of no bits a byte."""
    low = text.lower()
    roles = ["loss"] if re.search(r"loss|nats", low) and "bpb" not in low else ["bpb", "loss"]
    return [(role, name, held) for role in roles for name, held in families[role].items()]


def averages(record: Record, passage: Passage, groups: Groups, notes: Notes) -> None:
    """Means, medians and extremes."""
    for match in (*AFTER.finditer(passage.text), *BEFORE.finditer(passage.text)):
        name, number = match["name"].lower(), parse(match["value"])
        which = WHICH.get(name[:3], "mean")
        said = OF_RUNS.search(passage.text)
        if number is None or not said or number.value < Decimal("0.3"):
            continue
        values = [v for role, label, held in groups for v in statistics(which, held, label, role)]
        if which == "mean":
            for role in dict.fromkeys(role for role, _, _ in groups):
                values += means(record.used_runs, role, ALL, number.digits)
                values += of_stated(record, role)
        shown = f"{which} {number}"
        count, here = count_in(said[0]), len({run.seed for run in record.used_runs})
        if count and count < here:
            subsets = subset_means(record.used_runs, "bpb", number.digits)
            values += [value for value, chosen in subsets if len(chosen) == count]
        nearest = best(number, values)
        if nearest.holds and count and count > max(here, len(record.used_runs)):
            evidence = f"it is of the {here} seeds that have a log: {nearest.how}"
            notes.add("seeds-counted", MISMATCH, f"{said[0]}: {shown}", passage.place, evidence)
        elif nearest.holds:
            notes.score(shown, passage.place, nearest.how)
        elif count and count > here:
            evidence = f"only {here} seeds have a log; {nearest.how}"
            notes.add("partly-logged", AMBIGUOUS, f"{said[0]}: {shown}", passage.place, evidence)
        elif nearest.value and abs(nearest.value.value - number.value) <= NEAR * number.value:
            kind = (
                "best-of-n" if which == "mean" and is_single(number, groups) else "mean-not-in-log"
            )
            certainty = AMBIGUOUS if nearest.agreement else MISMATCH
            notes.add(kind, certainty, shown, passage.place, nearest.how)


def count_in(text: str) -> int:
    """How many runs a text speaks of; 0 where it does not say."""
    match = re.match(COUNT, text, re.IGNORECASE)
    return (WORDS.get(match[0].lower()) or int(match[0])) if match else 0


def statistics(which: str, held: list[Number], label: str, role: str) -> list[Value]:
    """The median or an extreme of a value a run; nothing for a mean, which is computed apart."""
    if which == "mean":
        return []
    known = min(n.digits for n in held)
    what = f"{which} of {len(held)} runs, {label or role} {role}"
    values = sorted(n.value for n in held)
    found = {"median": median(values), "min": values[0], "max": values[-1]}[which]
    return [Value(found, known, what)]


def of_stated(record: Record, role: str) -> list[Value]:
    """The mean of what submission files state for the seeds."""
    for submission in record.submissions:
        stated = [c.number for c in submission.claims if c.seed is not None and c.role == role]
        if len(stated) > 1:
            exact = mean(n.value for n in stated)
            return [Value(exact, min(n.digits for n in stated), f"mean of the stated {role}")]
    return []


def is_single(number: Number, groups: Groups) -> bool:
    """Whether a value is that of one run."""
    singles = [Value(n.value, n.digits, "") for _, _, held in groups for n in held]
    return best(number, singles).holds


def bounds(passage: Passage, groups: Groups, notes: Notes) -> None:
    """Ranges, and confidence intervals of the mean."""
    for low, high in RANGE.findall(passage.text):
        pairs = [(min(v), max(v), f"range of {name}") for v, name in exact(groups)]
        pair(f"range {low} to {high}", low, high, pairs, passage.place, notes)
    for level, low, high in INTERVAL.findall(passage.text):
        pairs = [
            (mean(v) - half.value, mean(v) + half.value, half.what.removeprefix("half a "))
            for v, name in exact(groups)
            for half in readme_spread.half_widths(v, name)
            if half.what.startswith(f"half a {level} %")
        ]
        pair(f"{level} % interval {low} to {high}", low, high, pairs, passage.place, notes)


def exact(groups: Groups) -> list[tuple[list[Decimal], str]]:
    """(values, what they are) of each family."""
    return [([n.value for n in held], f"{role}, {name}") for role, name, held in groups]


def pair(
    shown: str,
    low: str,
    high: str,
    pairs: Sequence[tuple[Decimal, Decimal, str]],
    place: str,
    notes: Notes,
) -> None:
    """Two bounds, which must both be those of one family."""
    a, b = parse(low), parse(high)
    if a is None or b is None or not pairs:
        return
    for least, largest, what in pairs:
        slack = Decimal(1).scaleb(-min(a.digits, b.digits)) + ROUNDED * (largest - least)
        if abs(least - a.value) <= slack and abs(largest - b.value) <= slack:
            return notes.score(shown, place, what)
    least, largest, what = min(pairs, key=lambda p: abs(p[0] - a.value) + abs(p[1] - b.value))
    if abs(least - a.value) + abs(largest - b.value) <= NEAR * a.value:
        evidence = f"nearest: {what} = {least:.6f} to {largest:.6f}"
        notes.add("mean-not-in-log", MISMATCH, shown, place, evidence)
    return None


def spreads(record: Record, passage: Passage, groups: Groups, notes: Notes) -> None:
    """Deviations, standard errors and half intervals; and which of the two deviations it is said
    to be.
    """
    text = passage.text
    if (
        readme_spread.OTHERS.search(text)
        or NO_SCORE.search(text)
        or not re.search(
            r"\b(?:mean|average|seeds?|runs?|sample|population|confidence)\b", text, re.IGNORECASE
        )
    ):
        return
    around = text if re.search(r"\b(?:90|95|99) ?%", text) else ""
    for spread, label in readme_spread.spreads_in(text, around):
        if not (Decimal("0.5") > spread.value > 0 and spread.digits >= 3):
            continue
        said = f"{label or '±'} {spread}"
        before = len(notes.findings)
        readme_spread.judge(record, "", [], spread, label, said, passage.place, notes)
        if len(notes.findings) == before and label == "std":
            denominator(spread, said, passage, groups, notes)


def denominator(spread: Number, said: str, passage: Passage, groups: Groups, notes: Notes) -> None:
    """A deviation that is called the sample's, or the population's, and is the other one."""
    for pattern, own, other, called in (
        (SAMPLE, 1, 0, "population"),
        (POPULATION, 0, 1, "sample"),
    ):
        if not pattern.search(passage.text):
            continue
        right = [Value(deviation(v, own), None, name) for v, name in exact(groups)]
        wrong = [Value(deviation(v, other), None, name) for v, name in exact(groups)]
        found = best(spread, wrong)
        if found.holds and not best(spread, right).agreement:
            evidence = f"it is the {called} deviation: {found.how}"
            notes.add("deviation", MISMATCH, said, passage.place, evidence)

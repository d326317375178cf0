"""Lists of scores in a README, such as `bpb: [1.1927, 1.1935]`, against the runs, each once."""

from decimal import Decimal

from goldenseal.audit.checks.prose import OTHERS
from goldenseal.audit.checks.spread import both
from goldenseal.audit.lists import Listed
from goldenseal.audit.match import Value, best, matched, number_of, per_run
from goldenseal.audit.model import Certainty, Notes, Record, Stage
from goldenseal.audit.numbers import Number, mean, parse
from goldenseal.audit.words import meaning

MISMATCH, AMBIGUOUS = Certainty.MISMATCH, Certainty.AMBIGUOUS
REACH = 6  # lines behind a list in which its mean and deviation stand


def check(record: Record, notes: Notes) -> None:
    """Every list that is named after a score."""
    if record.readme is None:
        return
    for listed in record.readme.lists:
        role = meaning(listed.name).role
        if role in ("bpb", "loss") and min(listed.values) > Decimal("0.3"):
            judge(record, listed, role, notes)
            summary(record, listed, notes)


def judge(record: Record, listed: Listed, role: str, notes: Notes) -> None:
    """A list of which most numbers are the final scores of runs, must be so in all."""
    held = scores_of(record, role)
    taken, missing = matched(list(listed.numbers), held)
    place = f"{record.readme.name if record.readme else ''}:{listed.line}"
    if not missing:
        return notes.score(listed.shown, place, f"each is a score of another of {len(held)} runs")
    if len(taken) * 2 < len(listed.numbers) or len(taken) < 2 or OTHERS.search(listed.label):
        return None
    names = ", ".join(n.text for n in missing[:4])
    twice = all(matched([n], held)[0] for n in missing)
    if twice and len(listed.numbers) <= len(held):
        evidence = f"{names} stands in it more often than in the logs: a run counts twice"
        return notes.add("seed-twice", MISMATCH, listed.shown, place, evidence)
    certainty = MISMATCH if len(listed.numbers) <= len(held) else AMBIGUOUS
    evidence = f"{names} is the score of no log; {len(taken)} others are"
    return notes.add("list-not-in-log", certainty, listed.shown, place, evidence)


def scores_of(record: Record, role: str) -> list[list[Number]]:
    """Every logged score of each run."""
    return [
        [n for score in run.scores if (n := number_of(score, role)) is not None]
        for run in record.runs
    ]


def summary(record: Record, listed: Listed, notes: Notes) -> None:
    """`mean: …` and `std: …` in the lines behind a list, of its own values."""
    lines = record.readme.text.split("\n") if record.readme else []
    for number in range(listed.end, min(len(lines), listed.end + REACH)):
        name, _, text = lines[number].strip(" -*`").partition(":")
        stated = (
            parse(text.strip(" *`")) if name.lower() in ("mean", "average", "std", "sd") else None
        )
        if stated is None:
            continue
        place = f"{record.readme.name if record.readme else ''}:{number + 1}"
        if name.lower() in ("mean", "average"):
            digits = min(n.digits for n in listed.numbers) + 2
            held = [Value(mean(listed.values), digits, f"mean of {listed.shown}")]
            kind = "list-mean"
        else:
            held, kind = both(listed.values, listed.shown, stated.digits), "deviation"
            role = meaning(listed.name).role
            if not matched(list(listed.numbers), scores_of(record, role))[1]:  # of these runs
                for label, own in per_run(record.used_runs, role, tuple(Stage)).items():
                    held += both([n.value for n in own], label, stated.digits)
        nearest = best(stated, held)
        if nearest.holds:
            notes.confirm(f"{name} {stated}", place, nearest.how)
        else:
            notes.add(kind, MISMATCH, f"{name} {stated}", place, nearest.how)

"""What a README quotes of a log in the log's own words, and the scores that it lists by seed."""

import re
from collections.abc import Iterator
from decimal import Decimal

from goldenseal.audit.checks.passages import Passage, passages
from goldenseal.audit.match import Value, best, score_values
from goldenseal.audit.model import Certainty, Notes, Record, Run
from goldenseal.audit.numbers import Number, parse

MISMATCH, AMBIGUOUS = Certainty.MISMATCH, Certainty.AMBIGUOUS
# `val_bpb:1.2005`, as a log prints it: no blank between the name and the value.
PRINTED = re.compile(
    r"(?<![\w.])(?P<name>val_loss|val_bpb|train_time|step_avg)[:=](?P<value>\d+(?:\.\d+)?)"
    r"(?P<unit>ms|s)?(?![\w.]*\d)"
)
SEED = re.compile(r"(?<![A-Za-z])seeds?[\s_:=#]{0,3}(\d{1,10})(?![\d.])", re.IGNORECASE)
SEVERAL = re.compile(
    r"\bseeds?[\s:(]{1,3}(\d{1,10}(?:\s*(?:[/,&]|and|,\s*and)\s*\d{1,10}(?![\d.]))+)", re.IGNORECASE
)
SCORE = re.compile(r"(?<![\d.])(\d\.\d{4,10})(?!\d)")
STOPPED = re.compile(
    r"\b(?:stop\w*|ended|ran|reached|completed|finished)\b[^\d\n]{0,30}(\d{1,3},\d{3}|\d{3,6})\s*/\s*"
    r"(\d{1,3},\d{3}|\d{3,6})(?!\d|[,./]\d)",
    re.IGNORECASE,
)
STOPPED_AT = re.compile(
    r"\b(?:stopp\w+|ended|halted|finished)\s+at\s+step\s+(\d{1,3},\d{3}|\d{3,6})(?!\d|[,./]\d)",
    re.I,
)


def check(record: Record, notes: Notes) -> None:
    """Every quotation that is about these runs."""
    if record.readme is None or not any(run.scores for run in record.runs):
        return
    for passage in passages(record):
        if not passage.own:
            continue
        printed(record, passage, notes)
        if not passage.fenced:
            by_seed(record, passage, notes)
            stopped(record, passage, notes)
            last_step(record, passage, notes)


def runs_about(record: Record, text: str) -> list[Run]:
    """The runs of the one seed, or of the one log, that a line names; else all."""
    seeds = {int(s) for s in SEED.findall(text)}
    if len(seeds) == 1 and (own := record.runs_of(seeds.pop())):
        return own
    named = [run for run in record.runs if run.file.rsplit("/", 1)[-1] in text]
    return named or record.runs


def printed(record: Record, passage: Passage, notes: Notes) -> None:
    """Values with the names that logs give them."""
    found = list(PRINTED.finditer(passage.text))
    runs = runs_about(record, passage.text) if found else []
    for match in found:
        number = parse(match["value"])
        if number is None:
            continue
        name, scale = match["name"], Decimal(1000) if match["unit"] == "s" else Decimal(1)
        if name in ("val_loss", "val_bpb"):
            if number.digits < 3:
                continue
            values = score_values(runs, "bpb" if name == "val_bpb" else "loss")
        elif match["unit"] is None:
            continue
        else:
            of = "train_ms" if name == "train_time" else "step_ms"
            values = [
                Value(ms, None, f"{name} in {run.file}") for run in runs for ms in getattr(run, of)
            ]
        shown, nearest = match[0], best(number, values, scale)
        if nearest.holds:
            say = notes.score if name == "val_bpb" else notes.confirm
            say(shown, passage.place, nearest.how)
        elif nearest.value and is_near(number.value * scale, nearest.value.value):
            role = {"val_bpb": "bpb", "val_loss": "loss"}.get(name, "train")
            certainty = AMBIGUOUS if nearest.agreement else MISMATCH
            notes.add(f"readme-{role}", certainty, shown, passage.place, nearest.how)


def is_near(stated: Decimal, logged: Decimal) -> bool:
    """Whether one may be meant by the other; a value far off is of something else."""
    return abs(stated - logged) <= Decimal("0.05") * abs(logged)


def pairs(text: str) -> Iterator[tuple[int, Number]]:
    """(seed, score) where a line names seeds and as many scores: in turn, either first, or first
    all seeds and then all scores.
    """
    found = [(m.start(), "seed", m[1]) for m in SEED.finditer(text)]
    if not found:
        return
    found += [(m.start(), "score", m[1]) for m in SCORE.finditer(text)]
    found.sort()
    kinds = [kind for _, kind, _ in found]
    half = len(kinds) // 2
    if kinds == ["score", "seed"] * half and not re.search(r"\(\s*seed", text, re.IGNORECASE):
        return
    if several := SEVERAL.search(text):
        seeds, scores = re.findall(r"\d+", several[1]), SCORE.findall(text[several.end(1) :])
    elif half and kinds in (["seed", "score"] * half, ["score", "seed"] * half):
        seeds, scores = ([text for _, kind, text in found if kind == k] for k in ("seed", "score"))
    else:
        return
    for seed, score in zip(seeds, scores, strict=False) if len(seeds) == len(scores) else ():
        if (number := parse(score)) is not None:
            yield int(seed), number


def by_seed(record: Record, passage: Passage, notes: Notes) -> None:
    """`seed 1338: 1.2062`: only the log of that seed may support it."""
    for seed, number in pairs(passage.text):
        runs = record.runs_of(seed)
        if not runs:
            continue
        values = [*score_values(runs, "bpb"), *score_values(runs, "loss")]
        shown, nearest = f"{number} of seed {seed}", best(number, values)
        if nearest.holds:
            notes.score(shown, passage.place, nearest.how)
            continue
        others = [run for run in record.runs if run.seed != seed]
        other = best(number, [*score_values(others, "bpb"), *score_values(others, "loss")])
        if other.holds:
            evidence = f"it is of another seed: {other.how}"
            notes.add("seed-swapped", MISMATCH, shown, passage.place, evidence)
        elif nearest.value and is_near(number.value, nearest.value.value):
            certainty = AMBIGUOUS if nearest.agreement else MISMATCH
            notes.add("readme-bpb", certainty, shown, passage.place, nearest.how)


def last_step(record: Record, passage: Passage, notes: Notes) -> None:
    """The step at which a run is said to have stopped, without those that were planned."""
    found = STOPPED_AT.findall(passage.text)
    runs = runs_about(record, passage.text) if found else []
    ends = {Decimal(run.steps[-1]): run.file for run in runs if run.steps}
    for text in found:
        number = parse(text)
        if number is None or not ends or number.value in ends:
            continue
        last = ", ".join(str(end) for end in sorted(ends)[:4])
        if is_near(number.value, max(ends)):
            evidence = f"the last step logged is {last}"
            notes.add("readme-steps", MISMATCH, f"stopped at step {text}", passage.place, evidence)


def stopped(record: Record, passage: Passage, notes: Notes) -> None:
    """The step at which a run is said to have stopped."""
    for done, planned in STOPPED.findall(passage.text):
        a, b = parse(done), parse(planned)
        ends = {
            Decimal(run.steps[-1]): run.file
            for run in runs_about(record, passage.text)
            if run.steps and b is not None and run.planned == b.value
        }
        if a is None or not ends:
            continue
        shown = f"stopped at {done} of {planned} steps"
        if a.value in ends:
            notes.confirm(shown, passage.place, f"the last step logged in {ends[a.value]}")
        else:
            last = ", ".join(str(end) for end in sorted(ends)[:4])
            notes.add(
                "readme-steps", MISMATCH, shown, passage.place, f"the last step logged is {last}"
            )

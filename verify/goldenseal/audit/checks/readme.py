"""Seed tables of the README, cell by cell; its headline; and quantities that it quotes exactly."""

import re
from collections import defaultdict
from decimal import Decimal

from goldenseal.audit import words
from goldenseal.audit.checks import seeds, sizes, times
from goldenseal.audit.checks.spread import both
from goldenseal.audit.match import Match, Value, best, means, score_values
from goldenseal.audit.model import Cell, Certainty, Finding, Notes, Record, Run, Stage
from goldenseal.audit.numbers import Agreement, Number, mean
from goldenseal.audit.readme_tables import quantity, spread_of
from goldenseal.audit.submission import SMALLEST
from goldenseal.audit.words import Meaning

MISMATCH, AMBIGUOUS, NOTE = Certainty.MISMATCH, Certainty.AMBIGUOUS, Certainty.NOTE
UNITS = {**words.MEGA, "bytes": Decimal(1), "b": Decimal(1), "k": Decimal(1000)}
OTHERS = re.compile(r"baseline|previous|prior|ablation|sota\b|PR ?#?\d|before|negative", re.I)
OTHER_COLUMN = re.compile(r"baseline|sota\b|PR ?#?\d|previous|prior|[Δδ]|delta|diff|\bvs\b", re.I)
SCALES = (Decimal(1), Decimal(1000), Decimal(60000))


def check(record: Record, notes: Notes) -> None:
    """Every seed table of the README."""
    if record.readme is None or not record.runs:
        return
    tables: dict[int, list[Cell]] = defaultdict(list)
    for cell in record.readme.cells:
        tables[cell.table].append(cell)
    for number, cells in sorted(tables.items()):
        own = Notes()
        for line in dict.fromkeys(cell.line for cell in cells):
            row = Notes()
            for cell in (c for c in cells if c.line == line):
                judge(record, cell, cells, row)
            weaken(row, own, repeats(cells) and not row.confirmed)
        if own.confirmed:
            without_log(record, cells, own)
        settle(record, number, len(tables), own, notes)


def repeats(cells: list[Cell]) -> bool:
    """Whether a seed has several rows: then the rows are of several configurations."""
    rows = {(cell.line, cell.seed) for cell in cells if cell.seed is not None}
    return len({seed for _, seed in rows}) < len(rows)


def weaken(notes: Notes, into: Notes, foreign: bool) -> None:
    """Take over what was found; what may be of other runs contradicts nothing."""
    for f in notes.findings:
        certainty = AMBIGUOUS if foreign and f.certainty is MISMATCH else f.certainty
        into.findings.append(Finding(f.kind, certainty, f.claim, f.place, f.evidence))
    into.confirmed += notes.confirmed


def settle(record: Record, number: int, count: int, own: Notes, notes: Notes) -> None:
    """A table of which no cell fits while another fits is about other runs, perhaps."""
    heading = record.readme.headings.get(number, "") if record.readme else ""
    weaken(own, notes, not own.confirmed and bool(count > 1 or OTHERS.search(heading)))


def without_log(record: Record, cells: list[Cell], notes: Notes) -> None:
    """Seeds of a table that is about these logs, of which there is no log."""
    known = {run.seed for run in record.runs}
    listed = {s for submission in record.submissions for s in submission.seeds}
    certainty = AMBIGUOUS if None in known else MISMATCH
    for seed, line in {c.seed: c.line for c in cells if c.seed is not None}.items():
        if seed not in known and seed not in listed and record.readme:
            place = f"{record.readme.name}:{line}"
            evidence = f"the logs are of {seeds.shown(known)}"
            notes.add("seed-without-log", certainty, f"seed {seed}", place, evidence)


def judge(record: Record, cell: Cell, cells: list[Cell], notes: Notes) -> None:
    """One cell: of a seed against that seed's log, of a mean against the column's."""
    read = column_meaning(cell.column)
    stated = quantity(cell.text)
    if not read.role or stated is None or record.readme is None:
        return
    number, unit, approximate = stated
    place = f"{record.readme.name}:{cell.line}"
    scale = unit_scale(read, unit, number)
    if scale is None or number.value <= 0 or OTHER_COLUMN.search(cell.column):
        return
    if read.role == "bpb" and number.value < SMALLEST and cell.row != "std":
        return  # a difference, whatever its heading
    if cell.row == "seed":
        runs = record.runs_of(cell.seed)
        if not runs:
            return
        claim = f"{cell.column} {cell.text} of seed {cell.seed}"
        judge_seed(record, runs, read, number, scale, approximate, claim, place, notes)
    elif cell.row == "mean":
        claim = f"mean of {cell.column}: {cell.text}"
        judge_mean(record, cell, cells, read, number, scale, approximate, claim, place, notes)
        if spread := spread_of(cell.text):
            judge_spread(record, cells, cell.column, read, spread, f"± {spread}", place, notes)
    else:
        judge_spread(record, cells, cell.column, read, number, f"std {cell.text}", place, notes)


def column_meaning(column: str) -> Meaning:
    """What a column holds; time and steps are headed in many ways."""
    known = words.words(column)
    read = words.meaning(column)
    if read.role:
        return read
    if set(known) & words.ELSEWHERE:
        return Meaning()
    low = column.lower()
    if known in (["steps"], ["step"], ["stop", "step"], ["steps", "completed"]):
        return Meaning("steps")
    if set(known) & {"artifact", "submission"}:
        return Meaning("total")
    if known in (["code"],):
        return Meaning("code")
    if re.search(r"\bsize\b", low) and not set(known) & words.NOT_BYTES and len(known) < 3:
        return Meaning("total")
    if known[:1] == ["bpb"] or low in ("score", "val"):
        return Meaning("bpb")
    if "time" in known or "wallclock" in known:
        if set(known) & {"train", "training", "wallclock"}:
            return Meaning("train", scale=Decimal(0))
        if set(known) & {"eval", "ttt"}:
            return Meaning("evaluation", scale=Decimal(0))
    return Meaning()


def unit_scale(read: Meaning, unit: str, number: Number) -> Decimal | None:
    """What one of the cell's unit is in the log's unit; None when the unit makes no sense."""
    if read.role in ("total", "model", "code"):
        if unit in UNITS:
            return UNITS[unit]
        if not unit and number.value < 100 and read.scale == 1:
            return Decimal(10**6)  # nobody's artifact has so few bytes
        return read.scale if not unit else (Decimal(10**6) if unit == "m" else None)
    if read.role in ("train", "evaluation"):
        if unit in words.TIME or unit == "m":
            return words.TIME.get(unit, Decimal(60000))
        return read.scale
    if read.role == "params":
        return Decimal(10**6) if unit == "m" else read.scale
    return Decimal(1) if unit in ("", "bpb", "nats") else None


def values_of(record: Record, runs: list[Run], role: str) -> list[Value]:
    """Every logged value that a cell of this role may show."""
    if role in ("bpb", "loss"):
        return score_values(runs, role)
    if role == "total":  # columns called size or artifact are used for either
        parts = (sizes.candidates(record, runs, name) for name in ("total", "model"))
        return [value for part in parts for value in part]
    if role in ("model", "code"):
        return sizes.candidates(record, runs, role)
    return times.candidates(runs, role)


def judge_seed(
    record: Record,
    runs: list[Run],
    read: Meaning,
    number: Number,
    scale: Decimal,
    approximate: bool,
    claim: str,
    place: str,
    notes: Notes,
) -> None:
    """A seed's own value."""
    nearest = fit(number, values_of(record, runs, read.role), scale)
    if nearest.holds:
        return notes.confirm(claim, place, nearest.how)
    if nearest.value is None:
        return None
    if read.role == "evaluation" or approximate:
        return notes.add(f"readme-{read.role}", AMBIGUOUS, claim, place, nearest.how)
    if nearest.agreement is Agreement.TRUNCATED:
        return notes.add("truncated", AMBIGUOUS, claim, place, nearest.how)
    if read.role == "train" and times_near(number, scale, nearest):
        return notes.add("readme-train", AMBIGUOUS, claim, place, nearest.how)
    if scale == 10**6 and fit(number, values_of(record, runs, read.role), scale * sizes.MEBI).holds:
        evidence = f"it fits only if a megabyte is 1,048,576 bytes; {nearest.how}"
        return notes.add("mib-as-mb", MISMATCH, claim, place, evidence)
    others = [run for run in record.runs if run not in runs]
    if number.digits >= 3 or number.value > 10**6:
        elsewhere = fit(number, values_of(record, others, read.role), scale)
        if elsewhere.holds:
            evidence = f"it is of another seed: {elsewhere.how}"
            return notes.add("seed-swapped", MISMATCH, claim, place, evidence)
    return notes.add(f"readme-{read.role}", MISMATCH, claim, place, nearest.how)


def fit(number: Number, values: list[Value], scale: Decimal) -> Match:
    """The best match, in the unit given, or for an unsaid unit of time (scale 0) in any."""
    if scale:
        return best(number, values, scale)
    return max((best(number, values, s) for s in SCALES), key=lambda m: m.agreement)


def times_near(number: Number, scale: Decimal, nearest: Match) -> bool:
    """Whether a time in seconds is off by less than one: another clock, not another run."""
    if nearest.value is None or number.value > 100_000:
        return False  # in milliseconds a time is exact
    logged = nearest.value.value
    return any(abs(number.value * s - logged) < 1000 for s in ((scale,) if scale else SCALES))


def column(cells: list[Cell], name: str) -> list[Number]:
    """The numbers that stand for the seeds in one column."""
    quantities = [quantity(c.text) for c in cells if c.column == name and c.row == "seed"]
    return [entry[0] for entry in quantities if entry is not None]


def judge_mean(
    record: Record,
    cell: Cell,
    cells: list[Cell],
    read: Meaning,
    number: Number,
    scale: Decimal,
    approximate: bool,
    claim: str,
    place: str,
    notes: Notes,
) -> None:
    """The mean of a column: of what stands above it, or of the logs."""
    above = column(cells, cell.column)
    if len(above) < 2:
        return None
    exact = mean(n.value for n in above)
    known = min(n.digits for n in above)
    printed = Value(exact, known, f"mean of the {len(above)} cells above")
    slack = Decimal(1).scaleb(-number.digits)
    nearest = best(number, [printed])
    if not nearest.holds and abs(exact - number.value) <= slack:
        nearest = Match(Agreement.FEWER, printed)  # the cells above were rounded themselves
    if not nearest.holds and read.role in ("bpb", "loss"):
        stages = tuple(Stage)
        nearest = best(number, means(record.used_runs, read.role, stages, number.digits))
    if nearest.holds:
        return notes.confirm(claim, place, nearest.how)
    value = best(number, [printed])
    if read.role not in ("bpb", "loss", "steps") or approximate:
        return notes.add("readme-mean", AMBIGUOUS, claim, place, value.how)
    singles = [Value(n.value, None, "one seed's value") for n in above]
    if best(number, singles).holds and read.role in ("bpb", "loss"):
        evidence = f"it is one seed's value; {value.how}"
        return notes.add("best-of-n", MISMATCH, claim, place, evidence)
    return notes.add("readme-mean", MISMATCH, claim, place, value.how)


def judge_spread(
    record: Record,
    cells: list[Cell],
    name: str,
    read: Meaning,
    number: Number,
    claim: str,
    place: str,
    notes: Notes,
) -> None:
    """A deviation under a column of scores: sample or population, of the cells or the logs."""
    above = [n.value for n in column(cells, name)]
    if read.role not in ("bpb", "loss") or len(above) < 2:
        return None
    values = both(above, "the cells above", number.digits)
    from goldenseal.audit.match import per_run

    for label, numbers in per_run(record.used_runs, read.role, tuple(Stage)).items():
        values += both([n.value for n in numbers], label, number.digits)
    nearest = best(number, values)
    if nearest.holds:
        return notes.confirm(claim, place, nearest.how)
    slack = Decimal(1).scaleb(-number.digits)
    certainty = MISMATCH
    if nearest.value and abs(nearest.value.value - number.value) <= slack:
        certainty = AMBIGUOUS
    return notes.add("deviation", certainty, claim, place, nearest.how)

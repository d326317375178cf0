"""Seed tables of the README, cell by cell; its headline; and quantities that it quotes exactly."""

import re
from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal

from goldenseal.audit import words
from goldenseal.audit.checks import readme_spread, seeds, sizes, times
from goldenseal.audit.columns import column_meaning, unit_scale
from goldenseal.audit.match import Match, Value, best, means, score_values
from goldenseal.audit.model import Cell, Certainty, Finding, Notes, Record, Run, Stage
from goldenseal.audit.numbers import Agreement, Number, mean, plain
from goldenseal.audit.readme_tables import quantity
from goldenseal.audit.submission import SMALLEST, looks_like_bpb
from goldenseal.audit.words import Meaning

MISMATCH, AMBIGUOUS, NOTE = Certainty.MISMATCH, Certainty.AMBIGUOUS, Certainty.NOTE
OTHERS = re.compile(r"baseline|previous|prior|ablation|sota\b|PR ?#?\d|before|negative", re.I)
OTHER_COLUMN = re.compile(r"baseline|sota\b|PR ?#?\d|previous|prior|[Δδ]|delta|diff|\bvs\b", re.I)
MIN_SHARP = 6  # digits by which a value is one run's
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
        by_config = record.readme.by_config.get(number, False)
        for line in dict.fromkeys(cell.line for cell in cells):
            row = Notes()
            of_row = [c for c in cells if c.line == line]
            known = run_of_row(record, of_row) if repeats(cells) else []
            for cell in of_row:
                judge(record, cell, cells, row, known)
            doubtful = repeats(cells) and not known and (by_config or not row.confirmed)
            weaken(row, own, doubtful)
        if own.confirmed:
            without_log(record, cells, own)
        settle(record, number, len(tables), own, notes)


def repeats(cells: list[Cell]) -> bool:
    """Whether a seed has several rows: then the rows are of several configurations."""
    rows = {(cell.line, cell.seed) for cell in cells if cell.seed is not None}
    return len({seed for _, seed in rows}) < len(rows)


def run_of_row(record: Record, cells: list[Cell]) -> list[Run]:
    """The one run of the row's seed, of several, that ended with a score of the row."""
    runs = record.runs_of(cells[0].seed) if cells[0].seed is not None else []
    holds = [
        run
        for run in runs
        for cell in cells
        if column_meaning(cell.column).role == "bpb" and (stated := quantity(cell.text))
        if stated[0].digits >= 3
        and best(stated[0], score_values([run], "bpb", (Stage.FINAL,))).holds
    ]
    files = {(run.file, run.line): run for run in holds}
    return list(files.values()) if len(files) == 1 and len(runs) > 1 else []


def weaken(notes: Notes, into: Notes, foreign: bool) -> None:
    """Take over what was found; what may be of other runs contradicts nothing."""
    for f in notes.findings:
        certainty = AMBIGUOUS if foreign and f.certainty is MISMATCH else f.certainty
        into.findings.append(Finding(f.kind, certainty, f.claim, f.place, f.evidence))
    into.confirmed += notes.confirmed
    into.scored |= notes.scored


def settle(record: Record, number: int, count: int, own: Notes, notes: Notes) -> None:
    """A table of which no cell fits while another fits is about other runs, perhaps."""
    heading = record.readme.headings.get(number, "") if record.readme else ""
    weaken(own, notes, not own.confirmed and bool(count > 1 or OTHERS.search(heading)))


def without_log(record: Record, cells: list[Cell], notes: Notes) -> None:
    """Seeds of a table that is about these logs, of which there is no log."""
    known = {run.seed for run in record.runs}
    listed = {s for submission in record.submissions for s in submission.seeds}
    # Where a file lists the seeds, and all of them have logs, further ones are disclosed runs.
    certainty = AMBIGUOUS if None in known or (listed and listed <= known) else MISMATCH
    for seed, line in {c.seed: c.line for c in cells if c.seed is not None}.items():
        if seed not in known and seed not in listed and record.readme:
            place = f"{record.readme.name}:{line}"
            evidence = f"the logs are of {seeds.shown(known)}"
            notes.add("seed-without-log", certainty, f"seed {seed}", place, evidence)


def judge(
    record: Record, cell: Cell, cells: list[Cell], notes: Notes, known: Sequence[Run] = ()
) -> None:
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
    small = number.value < SMALLEST or (read.before and not looks_like_bpb(number))
    if read.role == "bpb" and small and cell.row != "std":
        return  # a difference, whatever its heading
    if cell.row == "seed":
        runs = list(known) or record.runs_of(cell.seed)
        if not runs:
            return
        claim = f"{cell.column} {cell.text} of seed {cell.seed}"
        found = (record, runs, read, number, scale, approximate, claim, place, notes)
        judge_seed(*found, cell.column)
    elif cell.row == "mean":
        claim = f"mean of {cell.column}: {cell.text}"
        judge_mean(record, cell, cells, read, number, approximate, claim, place, notes)
        for spread, label in readme_spread.spreads_in(cell.text, cell.label):
            if read.role in ("bpb", "loss"):
                above = [n.value for n in column(cells, cell.column)]
                said = f"{label or '±'} {spread}"
                readme_spread.judge(record, read.role, above, spread, label, said, place, notes)
    elif cell.row in ("max", "min"):
        judge_extreme(cell, cells, number, place, notes)
    elif read.role in ("bpb", "loss"):
        above = [n.value for n in column(cells, cell.column)]
        label = readme_spread.label_of(cell.label) or "std"
        said = f"{label} {cell.text}"
        readme_spread.judge(record, read.role, above, number, label, said, place, notes)


def values_of(record: Record, runs: list[Run], role: str) -> list[Value]:
    """Every logged value that a cell of this role may show."""
    if role in ("bpb", "loss"):
        return score_values(runs, role)
    if role == "total":  # columns called size or artifact are used for either
        parts = (sizes.candidates(record, runs, name) for name in ("total", "model"))
        return [value for part in parts for value in part]
    if role in ("model", "code"):
        return sizes.candidates(record, runs, role)
    if role == "step-time":
        return [
            Value(ms, None, f"last step_avg in {run.file}") for run in runs for ms in run.step_ms
        ]
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
    column: str = "",
) -> None:
    """A seed's own value."""
    nearest = fit(number, values_of(record, runs, read.role), scale)
    if nearest.holds:
        if read.role == "total" and is_artifact(column) and not approximate:
            return judge_artifact(record, runs, number, scale, nearest, claim, place, notes)
        say = notes.score if read.role in ("bpb", "loss") else notes.confirm
        return say(claim, place, nearest.how)
    if nearest.value is None:
        return None
    others = [run for run in record.runs if run not in runs]
    sharp = len(number.text.replace(",", "").replace(".", "").lstrip("0")) >= MIN_SHARP
    if approximate and sharp and read.role in ("total", "bpb", "loss"):
        elsewhere = fit(number, values_of(record, others, read.role), scale)
        if elsewhere.holds:  # no rounding of this seed's value has so many digits
            evidence = f"it is of another seed: {elsewhere.how}"
            return notes.add("seed-swapped", MISMATCH, claim, place, evidence)
    untimed = read.role == "train" and not any(max(run.train_ms, default=0) for run in runs)
    if read.role == "evaluation" or approximate or untimed:
        return notes.add(f"readme-{read.role}", AMBIGUOUS, claim, place, nearest.how)
    unlogged = read.before and not any(s.stage is Stage.BEFORE for run in runs for s in run.scores)
    if read.role in ("bpb", "loss") and unlogged:
        return notes.add(f"readme-{read.role}", AMBIGUOUS, claim, place, nearest.how)
    if read.role == "steps" and times.between_lines(number.value, runs):
        return notes.add("readme-steps", AMBIGUOUS, claim, place, nearest.how)
    if read.role == "step-time":
        return judge_step_time(record, number, scale, runs, claim, place, notes)
    if nearest.agreement is Agreement.TRUNCATED:
        return notes.add("truncated", AMBIGUOUS, claim, place, nearest.how)
    if read.role == "train" and times_near(number, scale, nearest):
        return notes.add("readme-train", AMBIGUOUS, claim, place, nearest.how)
    if scale == 10**6 and fit(number, values_of(record, runs, read.role), scale * sizes.MEBI).holds:
        evidence = f"it fits only if a megabyte is 1,048,576 bytes; {nearest.how}"
        return notes.add("mib-as-mb", MISMATCH, claim, place, evidence)
    if number.digits >= 3 or number.value > 10**6:
        elsewhere = fit(number, values_of(record, others, read.role), scale)
        if elsewhere.holds:
            evidence = f"it is of another seed: {elsewhere.how}"
            return notes.add("seed-swapped", MISMATCH, claim, place, evidence)
    return notes.add(f"readme-{read.role}", MISMATCH, claim, place, nearest.how)


def is_artifact(column: str) -> bool:
    """Whether a column names the whole artifact, not a size or a model."""
    known = set(words.words(column))
    return bool(known & {"artifact", "submission", "total"}) and "model" not in known


def judge_artifact(
    record: Record,
    runs: list[Run],
    number: Number,
    scale: Decimal,
    nearest: Match,
    claim: str,
    place: str,
    notes: Notes,
) -> None:
    """A cell under the name of the artifact: the model with its code, not the model alone."""
    whole = best(number, sizes.candidates(record, runs, "total"), scale)
    exact = scale == 1 and number.value > 10**5
    if whole.holds or not exact or not sizes.of_totals(runs):
        return notes.confirm(claim, place, whole.how if whole.holds else nearest.how)
    evidence = f"it is the model alone: {nearest.how}"
    return notes.add("bytes-without-code", MISMATCH, claim, place, evidence)


def judge_step_time(
    record: Record,
    number: Number,
    scale: Decimal,
    runs: list[Run],
    claim: str,
    place: str,
    notes: Notes,
) -> None:
    """The time of a step, which may also be the whole time, or the budget, over the steps."""
    values = values_of(record, runs, "step-time")
    for run in runs:
        for total in [*([max(run.train_ms)] if run.train_ms else []), times.LIMIT_MS]:
            for steps in run.steps[-1:]:
                what = f"{plain(total, 0)} ms over {steps} steps of {run.file}"
                values.append(Value(total / max(steps, 1), 3, what))
    nearest = best(number, values, scale)
    if nearest.holds:
        return notes.confirm(claim, place, nearest.how)
    logged = nearest.value.value if nearest.value else Decimal(0)
    off = abs(number.value * scale - logged)
    certainty = AMBIGUOUS if off * 100 <= logged else MISMATCH
    return notes.add("readme-step-time", certainty, claim, place, nearest.how)


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


def judge_extreme(cell: Cell, cells: list[Cell], number: Number, place: str, notes: Notes) -> None:
    """The largest or the smallest of a column."""
    above = column(cells, cell.column)
    if len(above) < 2:
        return
    exact = (max if cell.row == "max" else min)(n.value for n in above)
    claim = f"{cell.row} of {cell.column}: {cell.text}"
    nearest = best(number, [Value(exact, None, f"{cell.row} of the {len(above)} cells above")])
    if nearest.agreement:
        notes.confirm(claim, place, nearest.how)
    else:
        notes.add("readme-mean", MISMATCH, claim, place, nearest.how)


def judge_mean(
    record: Record,
    cell: Cell,
    cells: list[Cell],
    read: Meaning,
    number: Number,
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
    counted = number.is_integer and number.value > 10**5  # bytes, or milliseconds, to the last one
    if not (read.role in ("bpb", "loss", "steps") or counted) or approximate:
        return notes.add("readme-mean", AMBIGUOUS, claim, place, value.how)
    singles = [Value(n.value, None, "one seed's value") for n in above]
    if best(number, singles).holds and read.role in ("bpb", "loss"):
        evidence = f"it is one seed's value; {value.how}"
        return notes.add("best-of-n", MISMATCH, claim, place, evidence)
    return notes.add("readme-mean", MISMATCH, claim, place, value.how)

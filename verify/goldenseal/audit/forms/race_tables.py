"""Tables by seed or by log in the README of a speed-run."""

import re
from decimal import Decimal

from goldenseal.audit.checks.spread import both
from goldenseal.audit.forms.curve import Curve, Point
from goldenseal.audit.forms.race import OTHERS, Race
from goldenseal.audit.match import Value, best, holds, matched
from goldenseal.audit.model import Certainty, Notes, Readme, Table
from goldenseal.audit.numbers import Number, agreement, mean, parse, plain
from goldenseal.audit.readme_tables import row_kind

MISMATCH, AMBIGUOUS, NOTE = Certainty.MISMATCH, Certainty.AMBIGUOUS, Certainty.NOTE
STEP = re.compile(r"(?<![\d.,])(\d{3,6}|\d,\d{3})(?![\d.,])")
FILE = re.compile(r"[\w./+-]+\.(?:txt|log|out|stdout)\b")
UUID = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){0,3}(?:-[0-9a-f]{12})?\b")
TIME = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s)?")
SCORES = (Decimal("0.3"), Decimal(12))


def check(readme: Readme, race: Race, notes: Notes) -> None:
    """Every table with rows of single runs."""
    for table in readme.tables:
        rows = [(line, cells, run_of(cells, race)) for line, cells in table.rows]
        single = [row for row in rows if row[2] is not None or row_kind(row[1][0])[0] == "seed"]
        if not single or not by_run(table, race):
            continue
        for at in range(1, len(table.header)):
            column(readme, table, at, rows, race, notes)


def by_run(table: Table, race: Race) -> bool:
    """Whether a table is by seed or by log."""
    names = " ".join(cell.lower() for cell in table.header[:3])
    if re.search(r"\bseeds?\b|\blog(?:file)?s?\b|\brun\b|\bfile\b", names):
        return True
    return any(run_of(cells, race) is not None for _, cells in table.rows)


def run_of(cells: list[str], race: Race) -> Curve | None:
    """The run that a row names, by its log or by its seed; None where several have it, or none."""
    for cell in cells:
        for text in (*FILE.findall(cell), *UUID.findall(cell)):
            base = text.rsplit("/", 1)[-1].rstrip(".")
            for curve in race.curves:
                if len(base) >= 8 and any(base in name for name in curve.files):
                    return curve
    kind, seed = row_kind(cells[0]) if cells else ("", None)
    fitting = [curve for curve in race.curves if kind == "seed" and curve.seed == seed]
    return fitting[0] if len(fitting) == 1 else None


def column(
    readme: Readme,
    table: Table,
    at: int,
    rows: list[tuple[int, list[str], Curve | None]],
    race: Race,
    notes: Notes,
) -> None:
    """One column: the cells of runs, then those of their mean and deviation."""
    name = table.header[at]
    losses, found = [], []
    for line, cells, run in rows:
        number = loss_of(cells[at]) if at < len(cells) else None
        kind, _ = row_kind(cells[0])
        if number is None or (run is None and kind != "seed"):
            if at < len(cells) and run is not None:
                time(readme, line, name, cells[at], run, notes)
            continue
        losses.append(number)
        found.append((line, number, run))
    held = of_column(name, race, losses)
    known = [pair for pair in found if is_logged(pair[1], pair[2], held)]
    loose = bool(OTHERS.search(name) or OTHERS.search(table.heading))
    for line, number, run in found:
        if run is not None or len(losses) <= len(race.curves) or is_logged(number, None, held):
            judge(readme, name, line, number, run, held, len(known) * 2 >= len(found), loose, notes)
    for line, cells, _ in rows:
        if at < len(cells) and cells:
            of_all(readme, line, name, cells, at, losses, notes)
    if len(losses) > len(race.curves) and known:
        claim = f"{len(losses)} runs under {name}"
        evidence = f"{len(race.curves)} logs are here"
        notes.add("partly-logged", AMBIGUOUS, claim, f"{readme.name}:{found[0][0]}", evidence)
    ambiguous(readme, name, found, notes)


def loss_of(cell: str) -> Number | None:
    """The loss in a cell, when it is nothing else."""
    number = parse(cell.strip().strip("*` "))
    low, high = SCORES
    return number if number and low < number.value < high and number.digits >= 3 else None


def step_of(name: str) -> int | None:
    """The step that a heading names."""
    match = STEP.search(name)
    return int(match[1].replace(",", "")) if match else None


def of_column(name: str, race: Race, losses: list[Number]) -> dict[str, Point]:
    """Of each run the validation that a column is about: at the step that its heading names; else
    the last, or the shared step at which most of its numbers were logged.
    """
    step = step_of(name)
    if step is not None:
        points = {c.file: c.at(step) for c in race.curves}
        return {file: p for file, p in points.items() if p is not None}
    last = {c.file: c.last for c in race.curves}
    missing = len(matched(losses, race.finals())[1])
    for shared in race.shared_steps()[1:20] if missing else ():
        if len(matched(losses, race.at(shared))[1]) < missing:
            missing = len(matched(losses, race.at(shared))[1])
            last = {c.file: p for c in race.curves if (p := c.at(shared)) is not None}
    return last


def is_logged(number: Number, run: Curve | None, held: dict[str, Point]) -> bool:
    """Whether the run, or where none is known any run, had this loss."""
    points = [held.get(run.file)] if run is not None else list(held.values())
    return any(holds(number, v) for p in points if p is not None for v in p.losses.values())


def judge(
    readme: Readme,
    name: str,
    line: int,
    number: Number,
    run: Curve | None,
    held: dict[str, Point],
    mostly: bool,
    loose: bool,
    notes: Notes,
) -> None:
    """One cell of a run."""
    place = f"{readme.name}:{line}"
    shown = f"{name} {number}" + (f" of {run.file}" if run is not None else "")
    if is_logged(number, run, held):
        return notes.score(shown, place, f"logged in {run.file if run else 'one of the logs'}")
    point = held.get(run.file) if run is not None else None
    if not held or (run is not None and point is None):
        evidence = f"the log ends at step {run.last.step}" if run else "no log goes to that step"
        sure = run is not None and (step_of(name) or 0) > run.last.step and mostly
        return notes.add("loss-not-in-log", MISMATCH if sure else NOTE, shown, place, evidence)
    if is_logged(number, None, held):
        evidence = "it is the value of another run"
        return notes.add("seed-swapped", MISMATCH, shown, place, evidence)
    numbers = [v for p in ([point] if point else held.values()) if p for v in p.losses.values()]
    nearest = min(numbers, key=lambda v: abs(v.value - number.value))
    certainty = MISMATCH if (run is not None or mostly) and not loose else AMBIGUOUS
    evidence = f"nearest in the log{'' if run else 's'}: {nearest}"
    return notes.add("loss-not-in-log", certainty, shown, place, evidence)


def time(readme: Readme, line: int, name: str, cell: str, run: Curve, notes: Notes) -> None:
    """A training time or the time of a step in a row of one run."""
    low = name.lower()
    match = TIME.fullmatch(cell.strip())
    each = "step" in low and ("avg" in low or "time" in low or "ms" in low)
    logged = run.last.average_ms if each else run.last.ms
    if match is None or logged is None or not (each or ("time" in low and "wall" not in low)):
        return
    unit = match[2] or ("ms" if each or "ms" in low else "s")
    number = parse(match[1])
    if number is None:
        return
    scale = 1 if unit == "ms" else 1000
    place, shown = f"{readme.name}:{line}", f"{name} {cell} of {run.file}"
    if agreement(number, logged / scale, None):
        notes.confirm(shown, place, f"logged: {plain(logged / scale, 4)} {unit}")
    else:
        evidence = f"the log says {plain(logged / scale, 4)} {unit}"
        notes.add("time-not-in-log", MISMATCH, shown, place, evidence)


def of_all(
    readme: Readme,
    line: int,
    name: str,
    cells: list[str],
    at: int,
    losses: list[Number],
    notes: Notes,
) -> None:
    """The cell of a mean or of a deviation, against the cells of its column."""
    kind, _ = row_kind(cells[0])
    number = parse(cells[at].strip().strip("*` "))
    if kind not in ("mean", "std") or number is None or len(losses) < 2 or number.digits < 3:
        return
    values = [n.value for n in losses]
    place, shown = f"{readme.name}:{line}", f"{kind} of {name}: {number}"
    known = min(n.digits for n in losses)
    if kind == "mean":
        candidates = [Value(mean(values), known + 3, f"mean of the {len(values)} cells above")]
    else:
        candidates = both(values, "the cells above", number.digits)
    nearest = best(number, candidates)
    if nearest.holds:
        return notes.confirm(shown, place, nearest.how)
    return notes.add("readme-mean", MISMATCH, shown, place, nearest.how)


def ambiguous(
    readme: Readme, name: str, found: list[tuple[int, Number, Curve | None]], notes: Notes
) -> None:
    """Two rows of one value that only the value ties to a log: which is whose is not to be told."""
    loose = [number.text for _, number, run in found if run is None]
    twice = sorted({text for text in loose if loose.count(text) > 1})
    if twice:
        claim = f"{name}: {', '.join(twice[:4])}"
        evidence = "several rows have this value, and no row names its log or a seed that is logged"
        notes.add("rows-alike", NOTE, claim, f"{readme.name}:{found[0][0]}", evidence)

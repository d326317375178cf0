"""Sizes, parameters, memory and pace that a README states of its runs."""

import re
from decimal import Decimal

from goldenseal.audit.checks import sizes
from goldenseal.audit.checks.passages import OTHER_PARTS, OTHERS, Passage, passages
from goldenseal.audit.checks.quoted import is_near, runs_about
from goldenseal.audit.checks.times import LIMIT_MS
from goldenseal.audit.match import Value, best
from goldenseal.audit.model import Certainty, Notes, Record, Table
from goldenseal.audit.numbers import parse
from goldenseal.audit.readme_tables import quantity
from goldenseal.audit.words import TIME

MISMATCH, AMBIGUOUS = Certainty.MISMATCH, Certainty.AMBIGUOUS
MODEL = re.compile(
    r"\b(?:serialized|compressed|quantized) model[^\d\n]{0,12}(?:int\d\+?\w*|\w+\+\w+)?"
    r"[^\d\n]{0,12}"
    r"(\d{1,2},\d{3},\d{3}|\d{7,8})\s*bytes",
    re.IGNORECASE,
)
TOTAL = re.compile(
    r"\b(?:total )?submission size[^\d\n]{0,12}(?:int\d\+?\w*|\w+\+\w+)?[^\d\n]{0,12}"
    r"(\d{1,2},\d{3},\d{3}|\d{8})\s*bytes",
    re.IGNORECASE,
)
BYTES_OR_PARAMETERS = re.compile(r"bytes|param", re.IGNORECASE)
PARAMS = re.compile(
    r"(?:\b(?:total |model )?param(?:eter)?s(?: count)?\s*[:=]\s*"
    r"(\d{1,3}(?:,\d{3}){2,3}|\d{7,9})(?![\d,.])"
    r"|(?<![\d,.])(\d{1,3}(?:,\d{3}){2,3})\s+(?:total |model )?param(?:eter)?s\b)",
    re.IGNORECASE,
)
NO_TOTAL = re.compile(r"embed|head|each|per |extra|new|added|bigram|bank|lora|trainable", re.I)
PACE = re.compile(
    r"(?<![\d,.])(\d{1,3},\d{3}|\d{3,6})\s*steps?\s*(?:@|at)\s*~?(\d{1,4}(?:\.\d+)?)\s*ms", re.I
)
MEMORY = re.compile(
    r"(?<![\d.,])(\d{2,6})\s*MiB\b(?=\s*(?:allocated|reserved))|"
    r"\bpeak (?:\w+ )?memory[^\d\n]{0,24}(\d{2,6})\s*MiB",
    re.IGNORECASE,
)
MEGABYTES = re.compile(r"(?<![\d.,])~?(1?\d\.\d{2,3}) ?MB\b(?! ?/s)")
NO_SIZE = re.compile(r"model|memory|token|data|code|embed|headroom|before|raw|\bcap\b|limit", re.I)
HEAD_LINES = 12
MEBI = Decimal(2**20) / 10**6
TRAINING = re.compile(r"train(?:ing)?(?: time)?(?: \(.*\))?", re.IGNORECASE)
LOOSE = Decimal("0.02")  # relative; for figures that are rounded as people round


def check(record: Record, notes: Notes) -> None:
    """Every line, and every table of phases, that is about these runs."""
    if record.readme is None or not any(run.scores for run in record.runs):
        return
    for passage in passages(record):
        if passage.own and not passage.fenced:
            pace(record, passage.text, passage.place, notes)
            whole(record, passage, notes)
            memory(record, passage, notes)
            megabytes(record, passage, notes)
    for table in record.readme.tables:
        if not OTHER_PARTS.search(table.heading):
            phases(record, table, notes)


def pace(record: Record, text: str, place: str, notes: Notes) -> None:
    """`6,704 steps @ 87ms`, as people round."""
    for steps, ms in PACE.findall(text):
        told(record, steps, ms, place, notes)


def phases(record: Record, table: Table, notes: Notes) -> None:
    """A row on training in a table of phases: its pace, and its time."""
    for line, cells in table.rows:
        place = f"{record.readme.name if record.readme else ''}:{line}"
        if OTHERS.search(" ".join(cells)):
            continue
        pace(record, " ".join(cells), place, notes)
        read = quantity(cells[1]) if len(cells) == 2 and TRAINING.fullmatch(cells[0]) else None
        if read is None or read[1] not in TIME:
            continue
        number, unit, _ = read
        if number.value * TIME[unit] == LIMIT_MS:
            continue  # the budget
        times = [Value(max(r.train_ms), None, r.file) for r in record.used_runs if r.train_ms]
        nearest = best(number, times, TIME[unit])
        if nearest.value is None:
            continue
        off = abs(number.value * TIME[unit] - nearest.value.value)
        if off <= max(TIME[unit] / 10**number.digits, Decimal("0.005") * nearest.value.value):
            notes.confirm(f"training {cells[1]}", place, nearest.how)
        elif is_near(number.value * TIME[unit], nearest.value.value):
            notes.add("readme-train", MISMATCH, f"training {cells[1]}", place, nearest.how)


def memory(record: Record, passage: Passage, notes: Notes) -> None:
    """Peaks of memory, as the log prints them."""
    found = MEMORY.findall(passage.text)
    runs = runs_about(record, passage.text) if found else []
    values = [Value(Decimal(m), None, f"peak in {run.file}") for run in runs for m in run.memory]
    for one, other in found:
        stated("memory", one or other, values, passage.place, notes)


def megabytes(record: Record, passage: Passage, notes: Notes) -> None:
    """The size of the artifact at the top of the README, as people round."""
    _, _, line = passage.place.rpartition(":")
    if not line.isdigit() or int(line) > HEAD_LINES or NO_SIZE.search(passage.text):
        return
    found = MEGABYTES.findall(passage.text)
    values = sizes.candidates(record, record.runs, "total") if found else []
    for text in found:
        number = parse(text)
        if number is None or not values:
            continue
        unit, shown = Decimal(10**6), f"{text} MB"
        nearest = best(number, values, unit)
        if nearest.value is None or abs(number.value - nearest.value.value / unit) <= Decimal(
            1
        ).scaleb(-number.digits):
            notes.confirm(shown, passage.place, nearest.how)
        elif best(number, values, unit * MEBI).holds:
            evidence = f"it fits only if a megabyte is 1,048,576 bytes; {nearest.how}"
            notes.add("mib-as-mb", MISMATCH, shown, passage.place, evidence)
        else:
            notes.add("bytes", AMBIGUOUS, shown, passage.place, nearest.how)


def told(record: Record, steps: str, ms: str, place: str, notes: Notes) -> None:
    """A number of steps and the time of one, against those of some run."""
    runs = [run for run in record.used_runs if run.steps and run.train_ms]
    a, b = parse(steps), parse(ms)
    if not runs or a is None or b is None:
        return
    shown = f"{steps} steps at {ms} ms"
    for run in runs:
        last = Decimal(run.steps[-1])
        times = [*run.step_ms, max(run.train_ms) / max(last, Decimal(1))]
        half = Decimal("0.5").scaleb(-b.digits)
        close = any(abs(b.value - t) <= LOOSE * t + half for t in times)
        if close and abs(a.value - last) <= LOOSE * last:
            return notes.confirm(shown, place, f"{last} steps in {run.file}")
    run = runs[0]
    evidence = f"{run.steps[-1]} steps in {max(run.train_ms):.0f} ms in {run.file}"
    return notes.add("readme-steps", MISMATCH, shown, place, evidence)


def whole(record: Record, passage: Passage, notes: Notes) -> None:
    """Exact bytes of the model and of the whole, and the number of parameters."""
    if not BYTES_OR_PARAMETERS.search(passage.text):
        return
    runs = runs_about(record, passage.text)
    for role, pattern in (("model", MODEL), ("total", TOTAL)):
        for text in pattern.findall(passage.text):
            values = [
                *sizes.candidates(record, runs, role),
                *sizes.spreads(record, record.used_runs, role),
                *(sizes.of_raw(runs) if role == "model" else ()),
            ]
            stated(role, text, values, passage.place, notes)
    for one, other in PARAMS.findall(passage.text):
        if not NO_TOTAL.search(passage.text):
            values = [
                Value(Decimal(run.params), None, f"parameters in {run.file}")
                for run in runs
                if run.params is not None
            ]
            stated("params", one or other, values, passage.place, notes)


def stated(role: str, text: str, values: list[Value], place: str, notes: Notes) -> None:
    """One exact number."""
    number = parse(text)
    if number is None or not values or number.value == sizes.CAP:
        return
    nearest, shown = best(number, values), f"{role} {text}"
    if nearest.holds:
        notes.confirm(shown, place, nearest.how)
    elif nearest.value and is_near(number.value, nearest.value.value):
        notes.add(f"readme-{role}", MISMATCH, shown, place, nearest.how)

"""The README outside its tables: its headline, and quantities that it quotes exactly."""

import re
from collections.abc import Iterator
from decimal import Decimal

from goldenseal.audit.checks import sizes, times
from goldenseal.audit.match import Value, best, means, score_values
from goldenseal.audit.model import Certainty, Notes, Record, Stage
from goldenseal.audit.numbers import Agreement, Number, parse
from goldenseal.audit.submission import SMALLEST

MISMATCH, AMBIGUOUS = Certainty.MISMATCH, Certainty.AMBIGUOUS
MARKS = re.compile(r"[*`]|(?<!\w)_|_(?!\w)")
# Lines that compare, or that speak of what else was tried, hold numbers of other runs.
OTHERS = re.compile(
    r"baseline|previous|prior|ablat|sota\b|\bPR ?#?\d|\bvs\.?\b|beat|improv|compared|earlier|"
    r"instead|tried|before|->|→|gap|margin|headroom|under|limit|cap\b|would|estimat|#\d{2,}|"
    r"originally|was\b|reduc|gain|delta|Δ",
    re.IGNORECASE,
)
HEADLINE = re.compile(r"(?:val_?bpb|\bbpb)\b[^\d\n]{0,25}?(\d\.\d{3,10})(?!\d)", re.IGNORECASE)
TRAILING = re.compile(r"(?<![\d.])(\d\.\d{3,10})\s*(?:val_?)?bpb\b", re.IGNORECASE)
QUOTED_SCORE = re.compile(
    r"\bfinal_\w+\s+(?:val_loss:\s*\d+\.\d+\s+)?val_bpb:\s*(\d\.\d{6,10})(?!\d)"
)
EXACT = (
    ("train", re.compile(r"\btrain(?:ing)?[ _]time\W{0,6}(\d{5,6}|\d{3},\d{3})\s*ms", re.I)),
    (
        "code",
        re.compile(
            r"\bcode(?: size| bytes)?[^\d\n,;]{0,40}?(\d{2,3},\d{3}|\d{5,6})\s*(?:bytes|\+)",
            re.I,
        ),
    ),
    (
        "total",
        re.compile(
            r"\b(?:artifact|total submission size|submission size)[^\d\n]{0,40}?"
            r"(\d{1,2},\d{3},\d{3}|\d{8})\s*bytes",
            re.I,
        ),
    ),
    ("model", re.compile(r"\bmodel:\s*(\d{1,2},\d{3},\d{3}|\d{7,8})(?!\d)", re.I)),
    ("params", re.compile(r"\bmodel_params\W{0,4}(\d{6,9}|\d{1,3}(?:,\d{3}){2,3})\b", re.I)),
)
STEPS = re.compile(r"(?<![\d,./])(\d{1,3},\d{3}|\d{3,6})\s*/\s*(\d{1,3},\d{3}|\d{3,6})(?![\d,./])")
COMPARES = re.compile(r"baseline|sota\b|beat|\bvs\b|\bPR ?#?\d|→|->|from\b|improv|under\b", re.I)
MAX_LINES = 2000
HEAD_LINES = 12


def check(record: Record, notes: Notes) -> None:
    """Everything that is stated in so many digits that it can only be of one run."""
    if record.readme is None or not any(run.scores for run in record.runs):
        return
    lines = [MARKS.sub("", line[:1000]) for line in record.readme.text.splitlines()[:MAX_LINES]]
    headline(record, lines, notes)
    for number, line in enumerate(lines, start=1):
        place = f"{record.readme.name}:{number}"
        for text in QUOTED_SCORE.findall(line):
            if not OTHERS.search(line):
                quoted(record, text, place, notes)
        if "|" in line or OTHERS.search(line):
            continue
        for role, pattern in EXACT:
            for text in pattern.findall(line):
                exact(record, role, text, place, notes)
        steps(record, line, place, notes)


def headline(record: Record, lines: list[str], notes: Notes) -> None:
    """The score at the top: a value or a mean of the runs, at any stage that it may name."""
    for number, line in enumerate(lines[:HEAD_LINES], start=1):
        if "|" in line.strip()[:1] or (number > 1 and OTHERS.search(line)):
            continue
        for claim in stated_scores(line):
            if claim.value < SMALLEST:
                continue  # a difference
            place = f"{record.readme.name if record.readme else ''}:{number}"
            shown = f"headline bpb {claim}"
            runs = record.used_runs
            values = score_values(record.runs, "bpb")
            if len(runs) > 1:
                values += means(runs, "bpb", tuple(Stage), claim.digits)
            if best(claim, values).holds:
                notes.score(shown, place, best(claim, values).how)
                return
            values += [
                Value(c.number.value, None, f"{s.name} states the same")
                for s in record.submissions
                for c in s.claims
                if c.role == "bpb" and not c.nested
            ]
            nearest = best(claim, values)
            if nearest.holds:  # but by no log
                notes.confirm(shown, place, nearest.how)
            elif nearest.agreement is Agreement.TRUNCATED:
                notes.add("truncated", AMBIGUOUS, shown, place, nearest.how)
            else:
                sure = number == 1 and not COMPARES.search(line)
                certainty = MISMATCH if sure else AMBIGUOUS
                notes.add("headline-not-in-log", certainty, shown, place, nearest.how)
            return


def stated_scores(line: str) -> Iterator[Number]:
    """The scores in a line that are marked as bits a byte."""
    for pattern in (HEADLINE, TRAILING):
        for text in pattern.findall(line):
            if (number := parse(text)) is not None:
                yield number


def quoted(record: Record, text: str, place: str, notes: Notes) -> None:
    """A score that is quoted with the label of the log."""
    number = parse(text)
    if number is None:
        return
    nearest = best(number, score_values(record.runs, "bpb"))
    if nearest.holds:
        notes.score(f"quoted bpb {text}", place, nearest.how)
    else:
        notes.add("readme-bpb", MISMATCH, f"quoted bpb {text}", place, nearest.how)


def exact(record: Record, role: str, text: str, place: str, notes: Notes) -> None:
    """An exact number of bytes, milliseconds or parameters."""
    number = parse(text)
    if number is None or number.value == sizes.CAP:
        return
    if role in ("train", "params"):
        values = times.candidates(record.runs, role)
    else:
        values = [
            *sizes.candidates(record, record.runs, role),
            *sizes.spreads(record, record.used_runs, role),
            *(sizes.of_raw(record.runs) if role == "model" else ()),
        ]
    if not values:
        return
    nearest = best(number, values)
    shown = f"{role} {text}"
    if nearest.holds:
        return notes.confirm(shown, place, nearest.how)
    return notes.add(f"readme-{role}", MISMATCH, shown, place, nearest.how)


def steps(record: Record, line: str, place: str, notes: Notes) -> None:
    """Steps out of those planned, as in `13,100/20,000`: not more than were run."""
    for done, planned in STEPS.findall(line):
        a, b = parse(done), parse(planned)
        runs = [run for run in record.runs if b and run.planned == b.value and run.steps]
        if a is None or not runs:
            continue
        last = Decimal(max(run.steps[-1] for run in runs))
        shown = f"{done} of {planned} steps"
        if a.value > last:
            notes.add("readme-steps", MISMATCH, shown, place, f"the last step logged is {last}")
        else:
            notes.confirm(shown, place, f"the log goes to step {last}")

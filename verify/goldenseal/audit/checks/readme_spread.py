"""Deviations, standard errors and intervals in a README: in its tables, and beside its means."""

import re
from decimal import Decimal

from goldenseal.audit.checks.spread import NAMES, both, errors
from goldenseal.audit.match import Match, Value, best, per_run
from goldenseal.audit.model import Certainty, Notes, Record, Stage
from goldenseal.audit.numbers import Number, parse

MISMATCH, AMBIGUOUS = Certainty.MISMATCH, Certainty.AMBIGUOUS
ERROR = r"\b(?:std\.? ?err(?:or)?|standard error|s\.?e\.?m?\.?)(?![a-z])"
INTERVAL = r"\b(?:90|95|99) ?%|\bc\.?i\.?\b|confidence"
DEVIATION = r"\b(?:std|stdev|std\.? ?dev|s\.?d\.?|standard deviation|deviation)\b|σ"
LABELS = tuple(
    (name, re.compile(pattern, re.IGNORECASE))
    for name, pattern in (("standard error", ERROR), ("interval", INTERVAL), ("std", DEVIATION))
)
NUMBER = r"(\d*\.\d+)"
AFTER_SIGN = re.compile(
    rf"(?:±|\+/-|\\pm)\s*{NUMBER}(?P<tail>\s*(?:\([^)]{{0,40}}\)|[A-Za-z.]{{0,4}}))"
)
LABELLED = re.compile(
    r"(?P<label>\b(?:std\.? ?err(?:or)?|std\.? ?dev|std|stdev|sd|sem|se|standard (?:error|"
    rf"deviation)|(?:95|99|90) ?% ?ci(?: half[- ]?width)?)|σ)\.?"
    r"(?:\s+(?:over|across|of|between|among)\s+(?:the\s+|all\s+)?(?:\w+\s+)?(?:seeds|runs))?"
    rf"\s*(?:[:=≈~]|of|is)?\s*(?:±\s*)?{NUMBER}",
    re.IGNORECASE,
)
SCORES = ("bpb", "loss")
ROUNDED = Decimal("1e-4")  # relative; by which a spread is off that was computed from rounded ones
OTHERS = re.compile(r"baseline|previous|prior|PR ?#?\d|sota\b|floor|noise|threshold|over all", re.I)
NORMAL = {"90": 1.645, "95": 1.96, "99": 2.576}


def label_of(text: str) -> str:
    """What kind of spread the words say: "std", "standard error", "95 % interval", or ""."""
    label = next((name for name, pattern in LABELS if pattern.search(text)), "")
    level = re.search(r"\b(90|95|99) ?%", text)
    return f"{level[1]} % interval" if label == "interval" and level else label


def spreads_in(text: str, around: str = "") -> list[tuple[Number, str]]:
    """(number, label) of each spread in a text; `around` says what the ± of a row stands for."""
    found = []
    for match in AFTER_SIGN.finditer(text):
        label = label_of(match["tail"]) or label_of(around)
        if (number := parse(match[1])) is not None:
            found.append((number, label))
    plain = AFTER_SIGN.sub(" ", text)
    for match in LABELLED.finditer(plain):
        if (number := parse(match[2])) is not None:
            found.append((number, label_of(match["label"])))
    return found


def candidates(values: list[Decimal], what: str, digits: int, label: str) -> list[Value]:
    """What a spread of this label may be; without a label, any of them."""
    made = []
    if label in ("", "std"):
        made += both(values, what, digits)
    if label in ("", "standard error"):
        made += errors(values, what, digits)
    if (not label or label.endswith("interval")) and len(values) > 1 and what != "step":
        made += [
            v for v in half_widths(values, what) if label in ("", "interval") or label in v.what
        ]
    return made


def half_widths(values: list[Decimal], what: str) -> list[Value]:
    """Half the width of the usual intervals of the mean: by the normal, and by Student's t."""
    error = errors(values, what, 12)[0].value
    made = [
        Value(error * Decimal(str(z)), None, f"half a {level} % interval of {what}")
        for level, z in NORMAL.items()
    ]
    try:
        from scipy.special import stdtrit
    except ImportError:
        return made
    for level in NORMAL:
        t = float(stdtrit(len(values) - 1, 0.5 + int(level) / 200))
        name = f"half a {level} % interval, by Student's t, of {what}"
        made.append(Value(error * Decimal(str(t)), None, name))
    return made


def judge(
    record: Record,
    role: str,
    above: list[Decimal],
    number: Number,
    label: str,
    claim: str,
    place: str,
    notes: Notes,
) -> None:
    """One spread of a score: of the cells above it, or of the logged scores of a family."""
    roles = (role,) if role else SCORES
    groups = [(above, "the cells above")] if len(above) > 1 else []
    for each in roles:
        stated = [
            c.number.value
            for s in record.submissions
            for c in s.claims
            if c.seed is not None and c.role == each and not c.nested and not c.before
        ]
        groups += [(stated, "the values stated for seeds")] if len(stated) > 1 else []
        for name, numbers in per_run(record.used_runs, each, tuple(Stage)).items():
            if len(numbers) > 1:
                groups.append(([n.value for n in numbers], name))
    if not groups or not number.value:
        return None
    nearest = fit(groups, number, label)
    if nearest.holds:
        return notes.confirm(claim, place, nearest.how)
    for other, called in NAMES.items():
        if label and other != label and (swapped := fit(groups, number, other)).holds:
            evidence = f"it is a {called}: {swapped.how}"
            return notes.add("deviation", MISMATCH, claim, place, evidence)
    slack = max(Decimal(1).scaleb(-number.digits), number.value * ROUNDED)
    unlogged = any(not record.runs_of(seed) for seed in record.claimed_seeds)
    certainty = AMBIGUOUS if unlogged and len(above) < 2 else MISMATCH
    if nearest.value and abs(nearest.value.value - number.value) <= slack:
        certainty = AMBIGUOUS
    return notes.add("deviation", certainty, claim, place, nearest.how)


def fit(groups: list[tuple[list[Decimal], str]], number: Number, label: str) -> Match:
    """The best of all groups' spreads."""
    return best(
        number,
        [v for values, what in groups for v in candidates(values, what, number.digits, label)],
    )

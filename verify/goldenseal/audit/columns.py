"""What the columns of a README's tables hold, and in which unit."""

import re
from decimal import Decimal

from goldenseal.audit import words
from goldenseal.audit.numbers import Number
from goldenseal.audit.words import Meaning

UNITS = {**words.MEGA, "bytes": Decimal(1), "b": Decimal(1), "k": Decimal(1000)}
EVALUATIONS = frozenset(
    """roundtrip sliding window quantized quant ttt legal final post pre ema int4 int5 int6 int7
    int8 rt sw tempered standard exact phased""".split()
)
# Not of the whole run: of one pass, or of what is no training.
NOT_EACH = frozenset("warmup eval evaluation ttt total train_time".split())


def column_meaning(column: str) -> Meaning:
    """What a column holds; time and steps are headed in many ways."""
    known = words.words(column)
    read = words.meaning(column)
    if scale := step_time(known, column.lower()):
        return Meaning("step-time", scale=scale)
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
    if known and set(known) <= EVALUATIONS:
        return Meaning("bpb", before=True)  # which of the evaluations, of what the table is about
    if "time" in known or "wallclock" in known:
        if set(known) & {"train", "training", "wallclock"}:
            return Meaning("train", scale=Decimal(0))
        if set(known) & {"eval", "ttt"}:
            return Meaning("evaluation", scale=Decimal(0))
    return Meaning()


def step_time(known: list[str], low: str) -> Decimal:
    """Milliseconds that one of the column's unit is, where it holds the time of a step; else 0."""
    has = set(known)
    if has & NOT_EACH:
        return Decimal(0)
    named = bool(has & {"step", "iter"}) and bool(has & {"avg", "average", "time", "ms"})
    named = (
        named or re.search(r"\b(?:ms|s|sec|seconds)\s*(?:/|per)\s*(?:step|iter)", low) is not None
    )
    if not named or has & {"tok", "tokens", "loss"}:
        return Decimal(0)
    seconds = has & {"s", "sec", "seconds"} and "ms" not in has
    return Decimal(1000) if seconds else Decimal(1)


def unit_scale(read: Meaning, unit: str, number: Number) -> Decimal | None:
    """What one of the cell's unit is in the log's unit; None when the unit makes no sense."""
    if read.role in ("total", "model", "code"):
        if unit in UNITS:
            return UNITS[unit]
        if not unit and number.value < 100 and read.scale == 1:
            return Decimal(10**6)  # nobody's artifact has so few bytes
        return read.scale if not unit else (Decimal(10**6) if unit == "m" else None)
    if read.role in ("train", "evaluation", "step-time"):
        if unit in words.TIME or unit == "m":
            return words.TIME.get(unit, Decimal(60000))
        return read.scale
    if read.role == "params":
        return Decimal(10**6) if unit == "m" else read.scale
    return Decimal(1) if unit in ("", "bpb", "nats") else None

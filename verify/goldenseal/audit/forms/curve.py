"""Logs of speed-runs: the losses and times that validation lines give, run by run."""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from goldenseal.audit.log_patterns import COLOURS, PREFIX
from goldenseal.audit.logs import without_source
from goldenseal.audit.model import seed_in_name
from goldenseal.audit.numbers import Number, parse

STEP = re.compile(r"^(?:step|iter)?\s*[:=]?\s*(\d{1,9})\s*/\s*(\d{1,9})\b", re.IGNORECASE)
LOSS = re.compile(r"\b((?:val|validation)[_ ]?(?:\w+_)?loss)\s*[:=]\s*(\d+\.\d+)", re.IGNORECASE)
TIME = re.compile(r"\btrain_time\s*[:=]\s*(\d+(?:\.\d+)?)\s*(ms|s)\b")
AVERAGE = re.compile(r"\bstep_avg\s*[:=]\s*(\d+(?:\.\d+)?)\s*(ms|s)\b")
SEED = re.compile(r"^(?:\s*|.*\bargs?\b.*)\bseed\s*[:=]\s*(\d{1,10})\b", re.IGNORECASE)
MAX_LINE = 2000
MAX_POINTS = 20_000


@dataclass(frozen=True)
class Point:
    """One validation: the step, each loss by name, and the time since the start."""

    step: int
    line: int
    losses: dict[str, Number]
    ms: Decimal | None
    average_ms: Decimal | None


@dataclass
class Curve:
    """The validations of one log; `files` beside the first hold the very same ones."""

    file: str
    files: list[str] = field(default_factory=list)
    seed: int | None = None
    planned: int | None = None
    points: list[Point] = field(default_factory=list)
    source: str = ""

    @property
    def last(self) -> Point:
        """The last validation."""
        return self.points[-1]

    def at(self, step: int) -> Point | None:
        """The validation at a step."""
        return next((p for p in reversed(self.points) if p.step == step), None)

    @property
    def mark(self) -> str:
        """The same for logs of one and the same run."""
        text = [
            (p.step, sorted((k, v.text) for k, v in p.losses.items()), p.ms) for p in self.points
        ]
        return hashlib.sha256(repr(text).encode()).hexdigest()


def read_curve(name: str, pieces: Iterable[bytes]) -> Curve:
    """The curve of a log, in the memory of a piece."""
    made = Curve(name, [name], seed_in_name(name))
    line = 0
    for data in pieces:
        text = data.decode("utf-8", errors="replace")
        text, sources, _ = without_source(COLOURS.sub("", text) if "\x1b" in text else text)
        made.source = made.source or (sources[0] if sources else "")
        for number, raw in enumerate(text.split("\n"), start=line + 1):
            if "loss" in raw and len(raw) <= MAX_LINE:
                take(made, number, PREFIX.sub("", raw, count=1))
            elif made.seed is None and "eed" in raw[:200] and (match := SEED.match(raw[:200])):
                made.seed = int(match[1])
        line += text.count("\n")
    return made


def take(curve: Curve, line: int, raw: str) -> None:
    """Read a line, when it is one of validation."""
    step = STEP.match(raw)
    losses = {m[1].lower().replace(" ", "_"): parse(m[2]) for m in LOSS.finditer(raw)}
    known = {name: number for name, number in losses.items() if number is not None}
    if step is None or not known or len(curve.points) >= MAX_POINTS:
        return
    curve.planned = int(step[2])
    time, average = TIME.search(raw), AVERAGE.search(raw)
    point = Point(int(step[1]), line, known, ms(time), ms(average))
    if curve.points and curve.last.step == point.step:
        curve.points[-1] = point
    else:
        curve.points.append(point)


def ms(match: re.Match[str] | None) -> Decimal | None:
    """A time in milliseconds, in whatever unit it was printed."""
    if match is None:
        return None
    return Decimal(match[1]) * (1000 if match[2] == "s" else 1)


def distinct(curves: list[Curve]) -> list[Curve]:
    """Each run once: a copy of its output under another ending is the same run."""
    by_mark: dict[str, Curve] = {}
    for curve in curves:
        if curve.points and curve.mark in by_mark:
            first = by_mark[curve.mark]
            first.files.append(curve.file)
            first.seed = first.seed if first.seed is not None else curve.seed
        else:
            by_mark[curve.mark if curve.points else curve.file] = curve
    return list(by_mark.values())

"""Metrics that programs write for programs: JSON lines, summaries, MLPerf lines, CSV, event files.

Each becomes a `Metrics`: of every name the points in order, in bounded memory, and the settings.
"""

import csv
import json
import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from goldenseal.audit.numbers import Number, parse
from goldenseal.disk import events
from goldenseal.errors import UsageError

MAX_POINTS = 4000  # of a metric; of more the first ones, the last one and the extremes are kept
MAX_METRICS = 500
MAX_DEPTH = 4
MAX_LINE = 1 << 16
MLLOG = ":::MLLOG"
LARGEST_SINGLE = 3.4e38
STEPS = ("step", "_step", "global_step", "steps", "iteration", "iter", "step_num", "samples_count")
STEP_ENDS = ("/step", "/global_step")
EPOCHS = ("epoch", "epoch_num")
SETTINGS = ("config", "hparams", "hyperparameters", "args", "params")


@dataclass(frozen=True)
class Point:
    """One value of a metric: at which step, in which line."""

    number: Number
    step: int | None
    line: int
    epoch: Decimal | None = None


@dataclass
class Series:
    """The values of one metric, in the order in which they were written."""

    points: list[Point] = field(default_factory=list)
    least: Point | None = None
    most: Point | None = None

    def add(self, point: Point) -> None:
        """One more value."""
        if len(self.points) < MAX_POINTS:
            self.points.append(point)
        else:
            self.points[-1] = point
        if self.least is None or point.number.value < self.least.number.value:
            self.least = point
        if self.most is None or point.number.value > self.most.number.value:
            self.most = point

    @property
    def last(self) -> Point:
        """The last value written."""
        return self.points[-1]


@dataclass
class Metrics:
    """What one file holds."""

    file: str
    series: dict[str, Series] = field(default_factory=dict)
    settings: dict[str, str] = field(default_factory=dict)

    def add(self, name: str, point: Point) -> None:
        """One value of a metric."""
        if name in self.series or len(self.series) < MAX_METRICS:
            self.series.setdefault(name, Series()).add(point)

    def set(self, name: str, value: object) -> None:
        """One setting."""
        if len(self.settings) < MAX_METRICS and isinstance(value, str | Number | bool):
            self.settings[name.lower()] = str(value)

    @property
    def seed(self) -> int | None:
        """The seed that the settings state, or a metric of one value that is called so."""
        for name, value in self.settings.items():
            if name.rsplit("/", 1)[-1] in ("seed", "random_seed") and value.isdigit():
                return int(value[:18])
        for name, series in self.series.items():
            if name.rsplit("/", 1)[-1].lower() == "seed" and series.least == series.most:
                return int(series.last.number.value)
        return None

    def take_line(self, number: int, raw: str) -> bool:
        """Read a line that is a JSON object or an MLPerf entry; whether it was one."""
        if len(raw) > MAX_LINE:
            return False
        at = raw.find(MLLOG)
        made = load(raw[at + len(MLLOG) :] if at >= 0 else raw)
        if not isinstance(made, dict):
            return False
        self.take_entry(made, number) if at >= 0 else self.take(made, number)
        return True

    def take(self, facts: dict[str, Any], line: int) -> None:
        """The numbers of one object, each under its path; settings apart."""
        flat = dict(flatten(facts))
        step, epoch = step_of(flat), epoch_of(flat)
        for name, value in flat.items():
            head = name.split("/")[0].lower()
            if head in SETTINGS and "/" in name:
                self.set(name.split("/", 1)[1], value)
            elif isinstance(value, Number) and name.lower() not in STEPS:
                self.add(name, Point(value, step, line, epoch))
            elif isinstance(value, str):
                self.set(name, value)

    def take_entry(self, entry: dict[str, Any], line: int) -> None:
        """One entry of an MLPerf log: a point in time of a run, or a setting of it."""
        key, value = str(entry.get("key", "")), entry.get("value")
        about = entry.get("metadata")
        flat = dict(flatten(about)) if isinstance(about, dict) else {}
        step, epoch = step_of(flat), epoch_of(flat)
        if isinstance(value, dict):
            for name, number in flatten(value):
                if isinstance(number, Number):
                    self.add(name, Point(number, step, line, epoch))
        elif isinstance(value, Number) and (step is not None or epoch is not None or "eval" in key):
            self.add(key, Point(value, step, line, epoch))
        else:
            self.set(key, value)
        if key == "run_stop" and flat.get("status"):
            self.set("status", flat["status"])


def load(text: str) -> Any:
    """A JSON value with its numbers as written; None for what is none."""
    try:
        return json.loads(
            text, parse_float=_number, parse_int=_number, parse_constant=str, strict=False
        )
    except (ValueError, RecursionError):
        return None


def _number(text: str) -> Number | str:
    return parse(text) or text[:80]


def flatten(value: object, path: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    """(path, leaf) of each value within an object; lists are of no interest."""
    if isinstance(value, dict) and depth < MAX_DEPTH:
        for key, inner in list(value.items())[:MAX_METRICS]:
            yield from flatten(inner, f"{path}/{key}" if path else str(key), depth + 1)
    elif path and not isinstance(value, dict | list) and value is not None:
        yield path, value


def step_of(flat: dict[str, Any]) -> int | None:
    """The step that an object is about."""
    for name, value in flat.items():
        low = name.lower()
        if (low in STEPS or low.endswith(STEP_ENDS)) and isinstance(value, Number):
            return int(value.value)
    return None


def epoch_of(flat: dict[str, Any]) -> Decimal | None:
    """The epoch that an object is about."""
    for name in EPOCHS:
        if isinstance(value := flat.get(name), Number):
            return value.value
    return None


def read_table(name: str, text: str) -> Metrics | None:
    """A CSV or TSV file with a header and a column of steps or epochs; None for another one."""
    lines = text.splitlines()
    head = lines[0] if lines else ""
    mark = "\t" if head.count("\t") > head.count(",") else ";" if ";" in head else ","
    made = Metrics(name)
    try:
        rows = csv.reader(lines, delimiter=mark)
        header = [cell.strip().lstrip("\ufeff") for cell in next(rows, [])][:MAX_METRICS]
        counts = {cell.lower() for cell in header}
        if not counts & {*STEPS, *EPOCHS, "epochs"}:
            return None
        for line, row in enumerate(rows, start=2):
            facts = {
                key: number
                for key, cell in zip(header, row, strict=False)
                if key and (number := parse(cell.strip())) is not None
            }
            made.take(facts, line)
    except csv.Error:
        return None
    return made if made.series else None


def read_objects(name: str, text: str) -> Metrics | None:
    """JSON lines; None when hardly a line is an object."""
    made = Metrics(name)
    for line, raw in enumerate(text.split("\n"), start=1):
        if raw.lstrip()[:1] == "{":
            made.take_line(line, raw)
    return made if made.series else None


def read_events(path: Path, name: str) -> tuple[Metrics, str]:
    """The scalars of a TensorBoard event file; up to where it is damaged, and what is wrong."""
    made = Metrics(name)
    try:
        for each in events.scalars(path):
            if (number := as_written(each.value)) is not None:
                made.add(each.tag, Point(number, each.step, each.event))
    except UsageError as error:
        return made, str(error)
    return made, ""


def as_written(value: float) -> Number | None:
    """A number in the fewest digits that give it back in the precision that it has."""
    if not math.isfinite(value):
        return None
    if abs(value) > LARGEST_SINGLE or struct.unpack("<f", struct.pack("<f", value))[0] != value:
        return parse(repr(value))
    texts = (f"{value:.{digits}g}" for digits in range(1, 10))
    single = struct.pack("<f", value)
    return parse(next(t for t in texts if struct.pack("<f", float(t)) == single))

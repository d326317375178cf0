"""Lightning's CSV logger: `metrics.csv`, a column a metric, empty where none was logged."""

import csv
import re
from collections.abc import Iterator
from pathlib import Path

from goldenseal.disk.files import read_small
from goldenseal.errors import UsageError
from goldenseal.evidence.model import MAX_TEXT, Point, Run

TOOL = "Lightning"
FILE, SETTINGS = "metrics.csv", "hparams.yaml"
NOT_METRICS = ("step", "")
PLAIN = re.compile(r"^([\w./-]+): *([^\s{\[&*!|>#][^#\n]*)?$", re.MULTILINE)
STEP = re.compile(r"[0-9]{1,18}")


def files_of(names: list[str]) -> list[str]:
    """The files that hold a run."""
    return [name for name in names if name.rpartition("/")[2] == FILE]


def read(folder: Path, names: list[str]) -> Iterator[Run]:
    """The runs of a folder."""
    for name in files_of(names):
        above = name.rpartition("/")[0]
        run = Run(above or ".")
        try:
            text = read_small(folder / name, MAX_TEXT).decode("utf-8")
            run.add(_points(text))
            beside = f"{above}/{SETTINGS}".lstrip("/")
            if beside in names:
                run.settings = _settings(read_small(folder / beside, MAX_TEXT).decode("utf-8"))
        except (UsageError, UnicodeDecodeError, csv.Error) as error:
            run.problems.append(f"{name}: {' '.join(str(error).split())}")
        yield run


def _points(text: str) -> Iterator[Point]:
    rows = csv.reader(text.splitlines())
    header = next(rows, [])
    if "step" not in header:
        raise UsageError("its first line names no column `step`")
    if len(set(header)) != len(header):
        raise UsageError("its first line names a column twice")
    at = header.index("step")
    for number, row in enumerate(rows, start=2):
        if len(row) != len(header):
            raise UsageError(f"line {number} has {len(row)} columns, the first {len(header)}")
        step = int(row[at]) if STEP.fullmatch(row[at]) else None
        for name, value in zip(header, row, strict=True):
            if value and name not in NOT_METRICS:
                try:
                    yield Point(name, step, float(value))
                except ValueError:
                    continue  # a text


def _settings(text: str) -> dict[str, str]:
    """The plain `name: value` lines of a YAML file; what is nested, or null, stays in the file.

    Lightning writes tags of Python objects, such as `!!python/tuple`, so no YAML reader is asked.
    """
    found = {name: value.strip().strip("'\"") for name, value in PLAIN.findall(text)}
    return {name: value for name, value in found.items() if value not in ("", "null", "~")}

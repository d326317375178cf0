"""MLflow's file store: a folder a run, a file a metric with lines `milliseconds value step`; its
database is read beside it.

A metric of a data set has two more words in its lines; one of long ago has no step. What logged
models repeat of their runs is not read twice.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from goldenseal.disk.files import read_small
from goldenseal.errors import UsageError
from goldenseal.evidence import mlflow_database
from goldenseal.evidence.model import MAX_TEXT, Point, Run, utc

TOOL = "MLflow"
META = "meta.yaml"
STATES = {"3": "finished", "4": "failed", "5": "failed"}  # of a run's status: 5 is killed
ENTRY = re.compile(r"^(\w+): *'?([^'\n]*)'?$", re.MULTILINE)
STEP = re.compile(r"-?[0-9]{1,18}")


def files_of(names: list[str]) -> list[str]:
    """The meta.yaml of each run, beside a folder of metrics, params or tags; and databases."""
    tops = {
        f"/{name}".partition(f"/{part}/")[0].removeprefix("/")
        for name in names
        for part in ("metrics", "params", "tags")
        if f"/{part}/" in f"/{name}"
    }
    metas = [n for n in names if n.rpartition("/")[2] == META and n.rpartition("/")[0] in tops]
    runs = [name for name in metas if "models" not in name.split("/")[:-2]]
    return runs + [name for name in names if mlflow_database.is_database(name)]


def read(folder: Path, names: list[str]) -> Iterator[Run]:
    """The runs of a folder."""
    for meta in files_of(names):
        if mlflow_database.is_database(meta):
            yield from mlflow_database.read(folder, meta)
            continue
        above = meta.removesuffix(META)
        run = Run(above.rstrip("/").rpartition("/")[2] or ".")
        for name in names:
            if not name.startswith(above):
                continue
            kind, _, rest = name[len(above) :].partition("/")
            try:
                if kind == "metrics":
                    run.add(_points(rest, _text(folder / name)))
                elif kind == "params":
                    run.settings[rest] = _text(folder / name).rstrip("\n")
                elif name == f"{above}tags/mlflow.runName":
                    run.label = _text(folder / name).strip()
            except UsageError as error:
                run.problems.append(f"{name}: {error}")
        try:
            _describe(run, dict(ENTRY.findall(_text(folder / meta))))
        except UsageError as error:
            run.problems.append(f"{meta}: {error}")
        yield run


def _text(path: Path) -> str:
    try:
        return read_small(path, MAX_TEXT).decode("utf-8")
    except UnicodeDecodeError:
        raise UsageError("not UTF-8") from None


def _points(name: str, text: str) -> Iterator[Point]:
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.split(" ")
        try:
            if len(words) not in (2, 3, 5) or not STEP.fullmatch(words[2] if words[2:] else "0"):
                raise ValueError
            yield Point(name, int(words[2]) if words[2:] else None, float(words[1]))
        except ValueError:
            raise UsageError(f"line {number} is no `milliseconds value step`") from None


def _describe(run: Run, meta: dict[str, str]) -> None:
    run.identifier = meta.get("run_id") or run.identifier
    run.label = run.label or meta.get("run_name", "")
    run.state = STATES.get(meta.get("status", ""), "")
    start = meta.get("start_time", "")
    if STEP.fullmatch(start):
        run.started = utc(int(start) // 1000)

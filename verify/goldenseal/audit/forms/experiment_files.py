"""The files of trackers: MLflow's stores, folders of Weights & Biases, tables with a row a run."""

import csv
import re
from pathlib import Path

from goldenseal.audit import reader, series
from goldenseal.audit.evidence import MAX_TABLE, problem
from goldenseal.audit.forms.metric_runs import MetricRun
from goldenseal.audit.log_patterns import COLOURS
from goldenseal.audit.model import Certainty, Record
from goldenseal.audit.numbers import parse
from goldenseal.audit.prose_log import ProseLog
from goldenseal.audit.series import Metrics, Point, Series
from goldenseal.errors import UsageError
from goldenseal.evidence import mlflow_database, mlflow_store, wandb_offline
from goldenseal.evidence.model import Run

WANDB_RUN = re.compile(r"(?:offline-)?run-\d{8}_\d{6}-\w+")
CONFIG = re.compile(
    r"^([\w./-]{1,80}):\s*\n(?:[ ]+desc:.*\n)?[ ]+value:[ ]*(\S[^\n]*)$", re.MULTILINE
)
ROW_NAMES = frozenset("seed run name model method run_name experiment id config variant".split())
MAX_ROWS = 300


def mlflow_roots(folder: Path, depth: int) -> list[Path]:
    """The folders of runs at or below: those with `meta.yaml` beside `metrics/`, or a database."""
    if any((folder / name).is_file() for name in mlflow_database.NAMES):
        return [folder]
    if (folder / "meta.yaml").is_file() and (folder / "metrics").is_dir():
        return [folder]
    children = reader.subfolders(folder)[:200] if depth else []
    return [root for child in children for root in mlflow_roots(child, depth - 1)]


def mlflow_runs(record: Record, files: dict[str, int]) -> list[MetricRun]:
    """A run a folder with `meta.yaml` and `metrics/`, and those of a database, by their names."""
    made = []
    for each in mlflow_store.read(record.folder, list(files)):
        run = from_run(record, each, each.label or each.identifier)
        run.seed = run.seed if run.seed is not None else number_in(run.settings, "random_seed")
        made.append(run)
    return made


def from_run(record: Record, found: Run, name: str) -> MetricRun:
    """A run that a tracker's own files hold; what could not be read becomes a problem."""
    run = MetricRun(name, seed=found.seed())
    for index, point in enumerate(found.points, start=1):
        if (number := series.as_written(point.value)) is not None:
            held = run.series.setdefault(point.name, Series())
            held.add(Point(number, point.step, index))
    for key, value in found.settings.items():
        if isinstance(value, str | int | float):
            run.settings[key.lower()] = str(value)[:500]
    for words in found.problems:
        place, _, why = words.partition(": ")
        problem(record, "log", Certainty.AMBIGUOUS, place, f"it could not be read on: {why}")
    return run


def number_in(settings: dict[str, str], key: str) -> int | None:
    """A setting that is a whole number."""
    value = settings.get(key, "")
    return int(value) if value.isdigit() and len(value) < 16 else None


def small(record: Record, name: str) -> str:
    """The text of a small file; "" of one that is not there or too large."""
    return reader.decode(reader.read(record.folder, name, MAX_TABLE) or b"")


def is_wandb_run(folder: Path) -> bool:
    """Whether a folder is a run of Weights & Biases, by its name."""
    return WANDB_RUN.fullmatch(folder.name) is not None


def wandb_runs(record: Record, files: dict[str, int]) -> list[MetricRun]:
    """A run a folder: its history, where it lies there, the last values in its summary, and the
    settings in its configuration.
    """
    roots = {m[0]: "" for n in files if (m := re.match(r"(?:.*/)?" + WANDB_RUN.pattern + "/", n))}
    made = []
    for root in sorted(roots):
        run = MetricRun(root.rstrip("/").rsplit("/", 1)[-1])
        logs = [n for n in files if n.startswith(root) and n.endswith(".wandb")]
        for name in logs:
            found = from_run(record, wandb_offline.read_run(record.folder / name, name), run.name)
            run.series |= found.series
            run.settings |= found.settings
            run.seed = found.seed
        summary = f"{root}files/{wandb_offline.SUMMARY}"
        facts = series.load(small(record, summary)) if summary in files else None
        if isinstance(facts, dict):
            metrics = Metrics(summary)
            kept = {k: v for k, v in facts.items() if k not in ("_timestamp", "_wandb", "_runtime")}
            metrics.take(kept, 1)
            run.take(metrics)
        if not run.series:
            why = "its history could not be read, or holds nothing, and there is no summary"
            problem(record, "log", Certainty.AMBIGUOUS, root, why)
        for key, value in CONFIG.findall(small(record, f"{root}files/config.yaml")):
            run.settings[key.lower()] = value.strip("'\" ")[:500]
        run.seed = run.seed if run.seed is not None else number_in(run.settings, "seed")
        made.append(run)
    return made


def rows_of(record: Record, name: str) -> list[MetricRun] | None:
    """The runs of a table with a row a run: it has a column that names them, and none of steps."""
    lines = small(record, name).splitlines()[: MAX_ROWS + 1]
    mark = "\t" if lines and "\t" in lines[0] else ","
    try:
        rows = list(csv.reader(lines, delimiter=mark))
    except csv.Error:
        return None
    header = [cell.strip() for cell in rows[0]] if rows else []
    keys = [i for i, cell in enumerate(header) if cell.lower() in ROW_NAMES]
    if not keys:
        return None
    made = []
    for line, row in enumerate(rows[1:], start=2):
        label = " ".join(row[i].strip() for i in keys if i < len(row))
        run = MetricRun(f"{label} ({name}:{line})")
        for i, cell in enumerate(row[: len(header)]):
            number = parse(cell.strip())
            if i in keys:
                if header[i].lower() == "seed" and cell.strip().isdigit():
                    run.seed = int(cell)
            elif number is not None and header[i]:
                run.series[header[i]] = Series()
                run.series[header[i]].add(Point(number, None, line))
        made.append(run)
    return made


def printed_in(record: Record, name: str) -> Metrics | None:
    """What a text log says, in lines that are objects and in lines for people."""
    made = ProseLog(Metrics(name))
    line = 0
    try:
        for data in reader.pieces(record.folder, name):
            text = COLOURS.sub("", reader.decode(data))
            for number, raw in enumerate(text.split("\n"), start=line + 1):
                if raw[:1] == "{" or series.MLLOG in raw:
                    if made.metrics.take_line(number, raw):
                        continue
                made.take(number, raw.rstrip("\r"))
            line += text.count("\n")
    except UsageError as error:
        problem(record, "log", Certainty.NOTE, name, str(error))
    if made.seed is not None and made.metrics.seed is None:
        made.metrics.set("seed", str(made.seed))
    return made.metrics if made.metrics.series else None


def take_settings(record: Record, name: str, run: MetricRun) -> None:
    """Add the settings of a file beside the logs of a run."""
    facts = series.load(small(record, name))
    if not isinstance(facts, dict):
        return
    for key, value in series.flatten(facts):
        run.settings.setdefault(key.lower(), str(value)[:500])
    seed = run.settings.get("seed", "")
    if run.seed is None and seed.isdigit():
        run.seed = int(seed)

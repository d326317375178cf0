"""The files of trackers: MLflow's stores, folders of Weights & Biases, tables with a row a run."""

import csv
import re
from pathlib import Path

from goldenseal.audit import reader, series
from goldenseal.audit.evidence import MAX_TABLE, problem
from goldenseal.audit.forms.metric_runs import MetricRun
from goldenseal.audit.model import Certainty, Record
from goldenseal.audit.numbers import parse
from goldenseal.audit.series import Metrics, Point, Series
from goldenseal.errors import UsageError

WANDB_RUN = re.compile(r"(?:offline-)?run-\d{8}_\d{6}-\w+")
CONFIG = re.compile(
    r"^([\w./-]{1,80}):\s*\n(?:[ ]+desc:.*\n)?[ ]+value:[ ]*(\S[^\n]*)$", re.MULTILINE
)
MLFLOW_METRIC = re.compile(r"^\d+ ([-+\d.eE]+|nan|inf) (-?\d+)\s*$", re.MULTILINE)
ROW_NAMES = frozenset("seed run name model method run_name experiment id config variant".split())
MAX_ROWS = 300


def mlflow_roots(folder: Path, depth: int) -> list[Path]:
    """The folders of runs at or below: those with `meta.yaml` beside `metrics/`."""
    if (folder / "meta.yaml").is_file() and (folder / "metrics").is_dir():
        return [folder]
    children = reader.subfolders(folder)[:200] if depth else []
    return [root for child in children for root in mlflow_roots(child, depth - 1)]


def mlflow_runs(record: Record, files: dict[str, int]) -> list[MetricRun]:
    """A run a folder with `meta.yaml` and `metrics/`; the name that a tag gives it."""
    roots = {n[: -len("meta.yaml")] for n in files if n.endswith("meta.yaml")}
    made = []
    for root in sorted(roots):
        names = [n for n in files if n.startswith(f"{root}metrics/")]
        if not names:
            continue
        run = MetricRun(small(record, f"{root}tags/mlflow.runName").strip() or root.rstrip("/"))
        for name in names:
            held = Series()
            for line, match in enumerate(MLFLOW_METRIC.finditer(small(record, name)), start=1):
                if (number := parse(match[1])) is not None:
                    held.add(Point(number, int(match[2]), line))
            if held.points:
                run.series[name[len(root) + len("metrics/") :]] = held
        for name in files:
            if name.startswith(f"{root}params/"):
                key = name[len(root) + len("params/") :].lower()
                run.settings[key] = small(record, name).strip()[:500]
        seed = run.settings.get("seed", run.settings.get("random_seed", ""))
        run.seed = int(seed) if seed.isdigit() else None
        made.append(run)
    return made


def small(record: Record, name: str) -> str:
    """The text of a small file; "" of one that is not there or too large."""
    return reader.decode(reader.read(record.folder, name, MAX_TABLE) or b"")


def is_wandb_run(folder: Path) -> bool:
    """Whether a folder is a run of Weights & Biases, by its name."""
    return WANDB_RUN.fullmatch(folder.name) is not None


def wandb_runs(record: Record, files: dict[str, int]) -> list[MetricRun]:
    """A run a folder: the last values in its summary, the settings in its configuration.

    The history of an offline run is in a file of a format of its own, which is not read.
    """
    roots = {m[0]: "" for n in files if (m := re.match(r"(?:.*/)?" + WANDB_RUN.pattern + "/", n))}
    made = []
    for root in sorted(roots):
        run = MetricRun(root.rstrip("/").rsplit("/", 1)[-1])
        summary = f"{root}files/wandb-summary.json"
        facts = series.load(small(record, summary)) if summary in files else None
        if isinstance(facts, dict):
            metrics = Metrics(summary)
            kept = {k: v for k, v in facts.items() if k not in ("_timestamp", "_wandb", "_runtime")}
            metrics.take(kept, 1)
            run.take(metrics)
        else:
            why = "no wandb-summary.json in it, and its history could not be read: `wandb sync` it"
            problem(record, "log", Certainty.AMBIGUOUS, root, why)
        for key, value in CONFIG.findall(small(record, f"{root}files/config.yaml")):
            run.settings[key.lower()] = value.strip("'\" ")[:500]
        seed = run.settings.get("seed", "")
        run.seed = int(seed) if seed.isdigit() and run.seed is None else run.seed
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


def objects_in(record: Record, name: str) -> Metrics | None:
    """What a text log says in lines that are objects."""
    made = Metrics(name)
    line = 0
    try:
        for data in reader.pieces(record.folder, name):
            for raw in reader.decode(data).split("\n"):
                line += 1
                if raw[:1] == "{" or series.MLLOG in raw:
                    made.take_line(line, raw)
    except UsageError as error:
        problem(record, "log", Certainty.NOTE, name, str(error))
    return made if made.series else None


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

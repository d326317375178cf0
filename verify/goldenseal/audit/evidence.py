"""The files of a record that hold what its runs measured, whatever wrote them."""

import hashlib
import re
from pathlib import Path

from goldenseal.audit import reader, series
from goldenseal.audit.logs import read_pieces
from goldenseal.audit.measured import to_run
from goldenseal.audit.model import Certainty, Finding, Log, Record, seed_in_name
from goldenseal.audit.series import Metrics
from goldenseal.disk import events
from goldenseal.errors import UsageError

LOG_FOLDERS = re.compile(
    r"(?:train_?)?logs?|runs?|results?|outputs?|stdout|wandb|mlruns|tb|tensorboard|metrics|"
    r"seed[-_ ]?\d+|s\d+|run[-_ ]?\d+",
    re.IGNORECASE,
)
MAX_PEEKED = 12  # files that are looked into to tell which form a folder has
MAX_TABLE = 1 << 26  # bytes of a CSV file or a file of JSON lines that is read whole
OBJECTS = (".jsonl", ".ndjson")
TABLES = (".csv", ".tsv")
SUMMARIES = ("wandb-summary.json",)


def is_evidence(name: str) -> bool:
    """Whether a file may hold measurements, by its name."""
    return reader.is_log(name) or is_metrics(name)


def is_metrics(name: str) -> bool:
    """Whether a file may hold metrics that a program wrote for programs, by its name."""
    base = name.rsplit("/", 1)[-1].lower()
    return base.endswith((*OBJECTS, *TABLES)) or base in SUMMARIES or events.is_events(base)


def evidence_names(folder: Path, names: dict[str, int]) -> list[str]:
    """Files directly within that may hold measurements, and those in folders that are called so
    beside a README: of a folder of records each has its own.
    """
    found = [name for name in names if is_evidence(name)]
    if not any(name.lower().startswith("readme") for name in names):
        return found[:MAX_PEEKED]
    for child in reader.subfolders(folder):
        if LOG_FOLDERS.fullmatch(child.name):
            inner = reader.scan(child, depth=1)
            found += [f"{child.name}/{name}" for name in inner if is_evidence(name)]
    return found[:MAX_PEEKED]


def problem(record: Record, kind: str, certainty: Certainty, place: str, what: str) -> None:
    """Write down that a file could not be read, or not well."""
    record.problems.append(Finding(kind, certainty, place, place, what))


def read_evidence(record: Record, name: str) -> None:
    """Add a file's runs to the record; a file that says nothing becomes a problem of it."""
    if is_metrics(name):
        made = read_metrics(record, name)
        run = to_run(made) if made else None
        if run is not None:
            run.seed = run.seed if run.seed is not None else seed_in_name(name)
            size = sum(len(s.points) for s in made.series.values()) if made else 0
            record.logs.append(Log(name, mark(made), size, [run]))
        return
    try:
        log = read_pieces(name, reader.pieces(record.folder, name))
    except UsageError as error:
        return problem(record, "log", Certainty.NOTE, name, str(error))
    if log.runs:
        record.logs.append(log)
    elif name.endswith(".log"):
        problem(record, "log", Certainty.NOTE, name, "it holds no event that is known")


def mark(made: Metrics | None) -> str:
    """What tells two files of metrics apart that do not hold the same."""
    return hashlib.sha256(repr(made and sorted(made.series.items())).encode()).hexdigest()


def read_metrics(record: Record, name: str) -> Metrics | None:
    """The metrics of one file; None, and a problem of the record, where it cannot be read."""
    base = name.rsplit("/", 1)[-1].lower()
    if events.is_events(base):
        made, wrong = series.read_events(record.folder / name, name)
        if wrong:
            upto = "only up to there is it read" if made.series else "nothing of it could be read"
            problem(record, "log", Certainty.NOTE, name, f"{wrong}; {upto}")
        return made if made.series else None
    data = reader.read(record.folder, name, MAX_TABLE)
    if data is None:
        problem(record, "log", Certainty.NOTE, name, "too large or unreadable")
        return None
    text = reader.decode(data)
    if base.endswith(TABLES):
        return series.read_table(name, text)
    return series.read_objects(name, text) if base.endswith(OBJECTS) else read_summary(name, text)


def read_summary(name: str, text: str) -> Metrics | None:
    """One object that holds the last value of each metric."""
    facts = series.load(text)
    if not isinstance(facts, dict):
        return None
    made = Metrics(name)
    made.take({k: v for k, v in facts.items() if k not in ("_timestamp", "_wandb")}, 1)
    return made if made.series else None

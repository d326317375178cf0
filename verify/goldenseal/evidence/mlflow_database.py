"""MLflow's database, `mlflow.db`: where MLflow 3 writes when nobody tells it another place.

It is read from memory, with bounds, and only its plain tables: nothing of a stranger's schema is
run. A value that is NaN stands in it as 0 under a flag, an infinite one as the largest double.
"""

import math
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from goldenseal.disk.files import read_small
from goldenseal.errors import UsageError
from goldenseal.evidence.model import MAX_TEXT, Point, Run, utc

NAMES = ("mlflow.db", "mlruns.db")
TABLES = ("runs", "metrics", "params")
STATES = {"FINISHED": "finished", "FAILED": "failed", "KILLED": "failed"}
MAX_RUNS = 10_000
MAX_CELL = 1 << 20  # bytes
EACH, MAX_STEPS = 1_000_000, 5_000  # instructions of the database's machine; times that many
HEADER = b"SQLite format 3\0"


def is_database(name: str) -> bool:
    """Whether a file is such a database, by its name."""
    return name.rpartition("/")[2] in NAMES


def read(folder: Path, name: str) -> list[Run]:
    """The runs, by the time they began; one with a problem alone where it cannot be read."""
    try:
        data = bytearray(read_small(folder / name, MAX_TEXT))
        with closing(_opened(data)) as database:
            runs = list(_runs(database))
    except (sqlite3.Error, UsageError, OverflowError) as error:
        runs = [Run(name, problems=[f"{name}: {' '.join(str(error).split())}"])]
    log = folder / f"{name}-wal"
    if log.is_file() and log.stat().st_size:
        problem = f"{name}: what is only in {log.name} was not read: close the database first"
        runs[0].problems.append(problem)
    return runs


def _opened(data: bytearray) -> sqlite3.Connection:
    """The database in memory. Raises UsageError or sqlite3.Error for what is none of MLflow's."""
    if not data.startswith(HEADER) or len(data) < 100:
        raise UsageError("no SQLite database")
    data[18:20] = b"\1\1"  # one with a write-ahead log cannot be opened in memory
    database = sqlite3.connect(":memory:")
    database.deserialize(bytes(data))
    database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_CELL)
    database.execute("PRAGMA trusted_schema = OFF")
    count = 0

    def enough() -> bool:
        nonlocal count
        count += 1
        return count > MAX_STEPS

    database.set_progress_handler(enough, EACH)
    plain = "SELECT name FROM sqlite_master WHERE type = 'table' AND rootpage > 0"
    if lacking := set(TABLES) - {row[0] for row in database.execute(plain)}:
        raise UsageError(f"no database of MLflow: it has no table {sorted(lacking)[0]}")
    return database


def _runs(database: sqlite3.Connection) -> Iterator[Run]:
    asked = (
        "SELECT run_uuid, status, start_time, name FROM runs ORDER BY start_time, run_uuid LIMIT ?"
    )
    rows = database.execute(asked, (MAX_RUNS + 1,)).fetchall()
    if not rows:
        raise UsageError("it holds no run")
    if len(rows) > MAX_RUNS:
        raise UsageError(f"it holds more than {MAX_RUNS} runs: give a part")
    for identifier, status, start, name in rows:
        run = Run(str(identifier), state=STATES.get(str(status), ""), label=str(name or ""))
        run.started = utc(start // 1000) if isinstance(start, int) else ""
        params = "SELECT key, value FROM params WHERE run_uuid = ? ORDER BY key"
        for key, value in database.execute(params, (identifier,)):
            run.settings[str(key)] = str(value)
        metrics = (
            "SELECT key, step, value, is_nan FROM metrics WHERE run_uuid = ? "
            "ORDER BY timestamp, step, rowid"
        )
        run.add(map(_point, database.execute(metrics, (identifier,))))
        yield run


def _point(row: tuple[Any, ...]) -> Point:
    name, step, value, is_nan = row
    if not isinstance(value, int | float) or not isinstance(step, int):
        raise UsageError(f"the metric {str(name)[:80]} has a value or a step that is no number")
    number = math.nan if is_nan else float(value)
    if abs(number) == sys.float_info.max:
        number = math.copysign(math.inf, number)
    return Point(str(name), step, number)

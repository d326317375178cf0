"""The runs of a study as folders: which are finished, which failed, what a finished one keeps."""

import math
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from verify import canonical
from verify.difference import HEX_FLOAT
from verify.errors import ContradictedError, GoldensealError, UsageError
from verify.files import atomic_write
from verify.plan import Cell
from verify.runlog import run_log_lines

PLAN, RUNS, FAILURE = "plan.toml", "runs", "failure.json"


def cell_folder(study: Path, cell: Cell) -> Path:
    """Where a run's files lie."""
    return study / RUNS / cell.configuration / str(cell.seed)


def read_end(log: Path, seed: int, knobs: Mapping[str, str]) -> dict[str, Any]:
    """The run log's closing line, after the whole chain and the header are checked.

    `knobs` are those that the run must have had, at least; a seed is a text in a header, since JSON
    numbers end at 2^53. Raises ContradictedError when the header tells of another run, the chain
    breaks, or the log was cut short; UsageError when there is no log.
    """
    end: dict[str, Any] = {}
    for line in run_log_lines(log):
        if line["kind"] == "header":
            check_header(line, log.name, seed, knobs)
        end = line
    return end


def check_header(header: Mapping[str, Any], name: str, seed: int, knobs: Mapping[str, str]) -> None:
    """Raise ContradictedError unless a log's header tells of this seed and of these knobs."""
    if str(header.get("seed")) != str(seed):
        raise ContradictedError(
            f"{name}: its header says seed {header.get('seed')!r}, the plan says {seed}"
        )
    logged = header.get("knobs")
    if not isinstance(logged, dict):
        raise ContradictedError(f"{name}: its header names no knobs")
    for knob, text in sorted(knobs.items()):
        if logged.get(knob) != text:
            raise ContradictedError(
                f"{name}: its header says {knob}={logged.get(knob)}, the plan says {text}"
            )


def is_finished(study: Path, cell: Cell, log: str, knobs: Mapping[str, str]) -> bool:
    """Whether the run's log is there, whole, and of this run."""
    try:
        read_end(cell_folder(study, cell) / log, cell.seed, knobs)
    except GoldensealError:
        return False
    return True


def keep_only(folder: Path, names: tuple[str, ...]) -> None:
    """Delete everything in a finished run's folder but these files: weights are large."""
    for path in sorted(folder.iterdir()):
        if path.name not in names:
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()


def read_failure(study: Path, cell: Cell) -> dict[str, Any] | None:
    """Why the run failed, and how often it was tried; None when it did not fail."""
    path = cell_folder(study, cell) / FAILURE
    if not path.is_file():
        return None
    found = canonical.read(path, f"{cell}/{FAILURE}")
    if not isinstance(found, dict) or not {"attempts", "reason"} <= set(found):
        raise UsageError(f"{cell}/{FAILURE}: expected `attempts` and `reason`")
    return found


def write_failure(study: Path, cell: Cell, reason: str, attempts: int) -> None:
    """Leave the reason where the run's log would be."""
    facts = {"attempts": attempts, "reason": reason}
    atomic_write(cell_folder(study, cell) / FAILURE, canonical.dumps(facts))


def numbers(end: Mapping[str, Any]) -> dict[str, float]:
    """The results of a closing line as numbers, its sizes among them; the log holds them exactly.

    A result that is not finite, or no number, is left out.
    """
    clock = end.get("clock")
    sizes = clock if isinstance(clock, dict) else {}
    found = {}
    for name, value in {**sizes, **end}.items():
        if isinstance(value, str) and HEX_FLOAT.fullmatch(value):
            value = _from_hex(value)
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
            found[name] = value
    return found


def _from_hex(text: str) -> float:
    try:
        return float.fromhex(text)
    except OverflowError:
        return math.inf


def logged_knobs(log: Path) -> dict[str, str]:
    """The knobs that a log's header names."""
    knobs: dict[str, str] = next(run_log_lines(log, complete=False)).get("knobs", {})
    return knobs

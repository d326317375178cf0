"""What became of one cell, from its folder alone: the line that the sweep's record has of it."""

import hashlib
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from goldenseal.disk import canonical
from goldenseal.disk.files import copy_file, hash_file, read_small
from goldenseal.errors import ContradictedError, GoldensealError, UsageError
from goldenseal.grids.attempts import RUNNING, read_attempts
from goldenseal.grids.cell import OUT
from goldenseal.grids.state import CELL, SWEEP
from goldenseal.records.check import MAX_SUMS_BYTES, SUMS, parse_sums
from goldenseal.records.kinds.cells import FAILED, FINISHED, MISSING, SEED, Cell
from goldenseal.records.kinds.logs import Run, read_run

RUNS = "runs"


@dataclass(frozen=True)
class Expected:
    """What every cell is held against, and where logs are copied to."""

    sweep: Path
    record: Path
    log: str
    knobs: Mapping[str, Mapping[str, str]]  # by configuration, resolved, without the seed
    common: Mapping[str, str]
    places: tuple[str, ...]  # knobs that hold paths: an equal run may have other ones


def gather(expected: Expected, cell: Cell, primary: str) -> tuple[dict[str, Any], Run | None]:
    """(the cell's line of cells.jsonl, its run when it is finished).

    A cell is finished when it is sealed, its seal holds, it ran under the plan's knobs and its log
    is whole; the log is copied into the record. A cell that is sealed otherwise has failed.
    """
    folder = SWEEP.folder(expected.sweep, cell)
    attempts, reason = past_attempts(folder)
    line: dict[str, Any] = {
        "attempts": attempts,
        "configuration": cell.configuration,
        "reason": reason,
        "seed": cell.seed,
        "state": FAILED if attempts else MISSING,
    }
    if not os.path.lexists(folder / SUMS):
        if os.path.lexists(folder / RUNNING):
            line |= {"reason": "an attempt was begun that has not ended", "state": MISSING}
        return line, None
    log = f"{RUNS}/{cell}/{expected.log}"
    try:
        identity, run = _read_sealed(expected, cell, folder, expected.record / log)
        if primary not in run.numbers:
            raise ContradictedError(f"its log has no finite {primary}")
    except GoldensealError as error:
        shutil.rmtree((expected.record / log).parent, ignore_errors=True)
        return {**line, "reason": f"sealed, but: {error}", "state": FAILED}, None
    own = expected.knobs[cell.configuration]
    line |= {
        "identity": identity,
        "knobs": {k: text for k, text in own.items() if k not in expected.common},
        "log": log,
        "reason": None,
        "results": run.numbers,
        "state": FINISHED,
        "weights": run.state,
    }
    return line, run


def past_attempts(folder: Path) -> tuple[int, str]:
    """(how often a cell was tried, why the last try did not finish it)."""
    past = read_attempts(folder)
    last = past[-1] if past else {}
    words = [str(last.get(key)) for key in ("outcome", "reason") if last.get(key)]
    return len(past), ": ".join(words) if past else "not run"


def _read_sealed(expected: Expected, cell: Cell, folder: Path, target: Path) -> tuple[str, Run]:
    """(identity, run) of a sealed cell, its log copied to `target`.

    Raises ContradictedError for a file that changed, knobs that are not the plan's, or a log that
    is not of this cell.
    """
    data = read_small(f"{folder}/{SUMS}", MAX_SUMS_BYTES)
    sums = parse_sums(data)
    log = f"{OUT}/{expected.log}"
    for name in (CELL, log):
        if name not in sums:
            raise ContradictedError(f"its seal does not cover {name}")
    target.parent.mkdir(parents=True)
    told = b""
    for name, digest in sums.items():
        try:
            if name == CELL:
                told = read_small(f"{folder}/{name}", canonical.MAX_BYTES)
                found = hashlib.sha512(told).hexdigest()
            elif name == log:
                found = copy_file(f"{folder}/{name}", target)
            else:
                found = hash_file(f"{folder}/{name}")
        except UsageError:  # gone, or no file any more
            found = ""
        if found != digest:
            raise ContradictedError(f"{name} has changed since it was sealed, or is gone")
    facts = canonical.loads(told, CELL)
    if (facts.get("configuration"), facts.get("seed")) != (cell.configuration, cell.seed):
        raise ContradictedError(f"{CELL} is of another cell")
    wanted = {**expected.knobs[cell.configuration], SEED: str(cell.seed)}
    logged = {k: text for k, text in wanted.items() if k not in expected.places}
    ran = facts.get("environment", {})
    for knob, text in logged.items():
        if ran.get(knob) != text:
            raise ContradictedError(f"ran with {knob}={ran.get(knob)}, the plan says {text}")
    return hashlib.sha512(data).hexdigest(), read_run(target, cell.seed, logged)

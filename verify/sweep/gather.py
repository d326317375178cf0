"""What became of one cell, from its folder alone: the line that the sweep's record has of it."""

import hashlib
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from verify import canonical
from verify.check import MAX_SUMS_BYTES, SUMS, parse_sums
from verify.errors import ContradictedError, GoldensealError, UsageError
from verify.files import hash_file, open_regular, read_small
from verify.plan import SEED, Cell
from verify.runlog import MAX_LINE_BYTES
from verify.study.summary import Run, read_run
from verify.sweep.prepare import CELL, cell_folder
from verify.sweep.recorded import FAILED, FINISHED, MISSING

OUT, ATTEMPTS, RUNS = "out", "attempts.jsonl", "runs"
RUNNING = "running.json"  # there while a cell runs, or was killed


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
    folder = cell_folder(expected.sweep, cell)
    attempts, reason = read_attempts(folder / ATTEMPTS)
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


def read_attempts(path: Path) -> tuple[int, str]:
    """(how often a cell was tried, why the last try did not finish it).

    Raises UsageError for a line that is no attempt.
    """
    if not path.exists():
        return 0, "not run"
    count, last = 0, {}
    with open_regular(path) as file:
        while raw := file.readline(MAX_LINE_BYTES + 1):
            if not raw.endswith(b"\n"):
                break  # being written, or cut short
            count += 1
            last = canonical.loads(raw[:-1], f"{path.name}:{count}")
            if not isinstance(last, dict) or "outcome" not in last:
                raise UsageError(f"{path}:{count}: expected an attempt with its `outcome`")
    words = [str(last.get(key)) for key in ("outcome", "reason") if last.get(key)]
    return count, ": ".join(words) if count else "not run"


def _read_sealed(expected: Expected, cell: Cell, folder: Path, target: Path) -> tuple[str, Run]:
    """(identity, run) of a sealed cell, its log copied to `target`.

    Raises ContradictedError for a file that changed, knobs that are not the plan's, or a log that
    is not of this cell.
    """
    data = read_small(folder / SUMS, MAX_SUMS_BYTES)
    sums = parse_sums(data)
    log = f"{OUT}/{expected.log}"
    for name in (CELL, log):
        if name not in sums:
            raise ContradictedError(f"its seal does not cover {name}")
    target.parent.mkdir(parents=True)
    shutil.copyfile(folder / log, target, follow_symlinks=False)
    for name, digest in sums.items():
        path = target if name == log else folder / name
        if not path.is_file() or path.is_symlink() or hash_file(path) != digest:
            raise ContradictedError(f"{name} has changed since it was sealed, or is gone")
    facts = canonical.read(folder / CELL, CELL)
    if (facts.get("configuration"), facts.get("seed")) != (cell.configuration, cell.seed):
        raise ContradictedError(f"{CELL} is of another cell")
    wanted = {**expected.knobs[cell.configuration], SEED: str(cell.seed)}
    ran = facts.get("environment", {})
    for knob, text in wanted.items():
        if knob not in expected.places and ran.get(knob) != text:
            raise ContradictedError(f"ran with {knob}={ran.get(knob)}, the plan says {text}")
    logged = {k: text for k, text in wanted.items() if k not in expected.places}
    return hashlib.sha512(data).hexdigest(), read_run(target, cell.seed, logged)

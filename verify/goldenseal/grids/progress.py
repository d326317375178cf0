"""What a cell is doing, from its files, and whether its job is stuck in the queue."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from goldenseal.compare.difference import as_number
from goldenseal.grids import attempts
from goldenseal.grids.cell import OUT, is_sealed, lock_of, read_cell
from goldenseal.grids.lock import held
from goldenseal.grids.slurm import Stuck

TAIL = 1 << 16  # bytes at a log's end that are looked at
FINISHED, RUNNING, FAILED, HELD, INTERRUPTED, PLANNED = (
    "finished", "running", "failed", "held", "interrupted", "planned",
)  # fmt: skip


@dataclass(frozen=True)
class CellState:
    """A cell as it stands. `energy` in joules, null where nothing was measured; `seconds` since the
    running attempt began, or that the last one took; `left` is an estimate, in seconds. `command`
    is the line to type when the cell's job will not start by itself.
    """

    cell: str
    name: str
    attempts: int
    step: int | None = None
    loss: float | None = None
    energy: float | None = None
    seconds: float | None = None
    left: float | None = None
    reason: str = ""
    command: str = ""

    def to_json(self) -> dict[str, Any]:
        """For --json."""
        return asdict(self)


def with_stuck_job(state: CellState, stuck: Stuck | None) -> CellState:
    """The same, or held where the cell is not done and its job will not start by itself."""
    if stuck is None or state.name in (FINISHED, RUNNING):
        return state
    return replace(state, name=HELD, reason=stuck.reason, command=stuck.command)


def state_of(folder: Path) -> CellState:
    """The state of one cell, from its files alone."""
    cell = read_cell(folder)
    name = f"{cell['configuration']}/{cell['seed']}"
    past, running = attempts.read_attempts(folder), attempts.read_running(folder)
    line = last_line(folder / OUT / cell["log"])
    step, loss, energy = line.get("step", line.get("steps")), line.get("loss"), _energy(line)
    facts: dict[str, Any] = {
        "step": step if isinstance(step, int) else None,
        "loss": as_number(loss) if loss is not None else None,
        "energy": energy,
    }
    if is_sealed(folder):
        return CellState(name, FINISHED, len(past), seconds=_took(past[-1:]), **facts)
    if running is not None:
        with held(lock_of(folder)) as free:
            word = INTERRUPTED if free else RUNNING
        return CellState(name, word, len(past) + 1, seconds=_since(running.get("started")), **facts)
    if not past:
        return CellState(name, PLANNED, 0)
    last = past[-1]
    word = FAILED if last["outcome"] == "failed" else INTERRUPTED
    return CellState(name, word, len(past), reason=str(last["reason"]), **facts)


def with_time_left(states: Sequence[CellState]) -> list[CellState]:
    """The same, with an estimate for those that run: as a finished cell took, in proportion."""
    ends = [s.step for s in states if s.name == FINISHED and s.step]
    most = max(ends, default=None)
    found = []
    for state in states:
        if state.name == RUNNING and most and state.step and state.seconds:
            left = state.seconds * max(most - state.step, 0) / state.step
            state = replace(state, left=left)
        found.append(state)
    return found


def last_line(log: Path) -> dict[str, Any]:
    """The last facts in a run log that is being written; nothing where there are none.

    The loss is that of the last line that has one.
    """
    if not log.is_file():
        return {}
    with open(log, "rb") as file:
        file.seek(max(0, log.stat().st_size - TAIL))
        lines = file.read().split(b"\n")[:-1]
    found: dict[str, Any] = {}
    for raw in lines:
        try:
            line = json.loads(raw)
        except ValueError:  # the first one may be cut
            continue
        if isinstance(line, dict):
            found |= line
    return found


def _energy(line: Mapping[str, Any]) -> float | None:
    clock = line.get("clock")
    energy = clock.get("energy") if isinstance(clock, dict) else None
    joules = energy.get("joules") if isinstance(energy, dict) else None
    return as_number(joules) if joules is not None else None


def _since(started: Any) -> float | None:
    try:
        return (datetime.now(UTC) - datetime.fromisoformat(str(started))).total_seconds()
    except ValueError:
        return None


def _took(last: Sequence[Mapping[str, Any]]) -> float | None:
    try:
        started, ended = (datetime.fromisoformat(last[0][key]) for key in ("started", "ended"))
    except (IndexError, KeyError, ValueError):
        return None
    return (ended - started).total_seconds()

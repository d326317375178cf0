"""`goldenseal sweep status`, `cancel` and `resume`."""

import json
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.live import Live
from rich.table import Table

from goldenseal.errors import (
    EXIT_CANNOT_CHECK,
    EXIT_CONTRADICTED,
    EXIT_HOLDS,
    CannotCheckError,
    UsageError,
)
from goldenseal.grids import executor
from goldenseal.grids.cell import CELL
from goldenseal.grids.prepare import PLAN, SWEEP_FILE
from goldenseal.grids.progress import (
    FAILED,
    FINISHED,
    HELD,
    INTERRUPTED,
    PLANNED,
    RUNNING,
    CellState,
    state_of,
    with_stuck_job,
    with_time_left,
)
from goldenseal.grids.state import SWEEP, read_state
from goldenseal.terminal import plain_console

REFRESH_SECONDS = 1.0
COLOURS = {
    FINISHED: "green", RUNNING: "cyan", FAILED: "red", HELD: "magenta", INTERRUPTED: "yellow",
    PLANNED: "",
}  # fmt: skip
SHOWN = 60  # rows of a live table


@dataclass(frozen=True)
class Overview:
    """Every cell of a sweep in order of name, and whether a job of one runs or waits its turn."""

    cells: list[CellState]
    going: bool
    unheard: str = ""  # why the scheduler could not be asked

    @property
    def waits(self) -> bool:
        """Whether there is something to wait for; a job that is held is nothing."""
        return self.going or any(state.name == RUNNING for state in self.cells)


def look(folder: Path) -> Overview:
    """How a sweep stands. Raises UsageError for a folder that is no sweep."""
    read_state(folder, SWEEP)
    paths = sorted(path.parent for path in (folder / SWEEP.cells).glob(f"*/*/{CELL}"))
    queue, unheard = executor.Queue(frozenset(), {}), ""
    try:
        queue = executor.queue(folder)
    except CannotCheckError as error:  # on another machine, say: the files still tell the most
        unheard = str(error)
    stuck = [queue.stuck.get(path.relative_to(folder).as_posix()) for path in paths]
    cells = [with_stuck_job(state_of(path), why) for path, why in zip(paths, stuck, strict=True)]
    return Overview(with_time_left(cells), bool(queue.going), unheard)


def status(folder: Path, as_json: bool, once: bool = False) -> int:
    """Show every cell; in a terminal again and again, until nothing is left to wait for.

    Exit 0 when all are finished, 1 when one has failed, 3 when some are still to come. A cell whose
    job is held is to come, but nothing to wait for.
    """
    seen = look(folder)
    if as_json:
        facts = {
            "cells": [state.to_json() for state in seen.cells],
            "counts": counts(seen.cells),
            "scheduler": seen.unheard or None,
        }
        print(json.dumps(facts, indent=2))
        return exit_code(seen.cells)
    console = plain_console()
    if once or not console.is_terminal:
        console = console if console.is_terminal else plain_console(width=160)
        console.print(table(folder, seen.cells))
        if seen.unheard:
            console.print(f"held jobs are not shown: {seen.unheard}", markup=False, highlight=False)
        return exit_code(seen.cells)
    with (
        suppress(KeyboardInterrupt),
        Live(table(folder, seen.cells), console=console, auto_refresh=False) as live,
    ):
        while seen.waits:
            time.sleep(REFRESH_SECONDS)
            seen = look(folder)
            live.update(table(folder, seen.cells), refresh=True)
    if seen.unheard:
        raise CannotCheckError(seen.unheard)
    return exit_code(seen.cells)


def counts(found: list[CellState]) -> dict[str, int]:
    """How many cells there are of each state."""
    tally = Counter(state.name for state in found)
    return {name: tally[name] for name in COLOURS}


def exit_code(found: list[CellState]) -> int:
    """0 all finished, 1 one failed, 3 otherwise."""
    names = {state.name for state in found}
    if FAILED in names:
        return EXIT_CONTRADICTED
    return EXIT_HOLDS if names == {FINISHED} else EXIT_CANNOT_CHECK


def table(folder: Path, found: list[CellState]) -> Table:
    """One row a cell."""
    title = ", ".join(f"{count} {name}" for name, count in counts(found).items() if count)
    rows = Table(title=f"{folder.name}: {title}", title_justify="left")
    for heading in ("cell", "state", "attempts", "step", "loss", "energy, J", "s", "s left", ""):
        rows.add_column(heading, overflow="fold")
    order = [RUNNING, HELD, FAILED, INTERRUPTED, PLANNED, FINISHED]
    shown = sorted(found, key=lambda state: order.index(state.name))
    for state in shown[:SHOWN]:
        rows.add_row(
            state.cell,
            f"[{COLOURS[state.name]}]{state.name}[/]" if COLOURS[state.name] else state.name,
            str(state.attempts),
            *(_shown(v, form) for v, form in ((state.step, "d"), (state.loss, ".4f"))),
            *(_shown(v, ".0f") for v in (state.energy, state.seconds, state.left)),
            state.reason[:80] + (f" → {state.command}" if state.command else ""),
        )
    if len(found) > SHOWN:
        rows.add_row(f"… {len(found) - SHOWN} more: --json lists all", *[""] * 8)
    return rows


def cancel(folder: Path, as_json: bool) -> int:
    """End the jobs of a sweep. What is sealed stays, and `resume` goes on with the rest."""
    read_state(folder, SWEEP)
    ended = executor.cancel(folder)
    _say({"cancelled": ended}, f"{len(ended)} jobs cancelled", as_json)
    return EXIT_HOLDS


def resume(folder: Path, as_json: bool, waive: Sequence[str] = ()) -> int:
    """Launch what is neither sealed nor in a job, by the executor that the sweep was begun with.

    Raises UsageError for a sweep that was never launched.
    """
    from goldenseal.grids import sweep_command as command

    launched = executor.read_launch(folder)
    if launched is None:
        raise UsageError(f"{folder} was never launched: begin with `goldenseal sweep run`")
    plan, name, at_once = folder / PLAN / SWEEP_FILE, launched["executor"], launched["at_once"]
    return command.run(plan, folder, name, at_once, waive, False, as_json)


def _shown(value: float | None, form: str) -> str:
    return "–" if value is None else format(value, form)


def _say(facts: dict[str, Any], words: str, as_json: bool) -> None:
    print(json.dumps(facts, indent=2) if as_json else words)

"""`goldenseal sweep status`, `cancel` and `resume`."""

import json
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.table import Table

from verify.errors import EXIT_CANNOT_CHECK, EXIT_CONTRADICTED, EXIT_HOLDS, UsageError
from verify.sweep import executor
from verify.sweep.cell import CELL
from verify.sweep.prepare import CELLS, PLAN, SWEEP_FILE, read_state
from verify.sweep.progress import (
    FAILED,
    FINISHED,
    INTERRUPTED,
    PLANNED,
    RUNNING,
    CellState,
    state_of,
    with_time_left,
)

REFRESH_SECONDS = 1.0
COLOURS = {FINISHED: "green", RUNNING: "cyan", FAILED: "red", INTERRUPTED: "yellow", PLANNED: ""}
SHOWN = 60  # rows of a live table


def states(folder: Path) -> list[CellState]:
    """Every cell of a sweep, in order of name. Raises UsageError for a folder that is no sweep."""
    read_state(folder)
    cells = sorted(path.parent for path in (folder / CELLS).glob(f"*/*/{CELL}"))
    return with_time_left([state_of(path) for path in cells])


def status(folder: Path, as_json: bool, once: bool = False) -> int:
    """Show every cell; in a terminal again and again, until nothing is left to wait for.

    Exit 0 when all are finished, 1 when one has failed, 3 when some are still to come.
    """
    found = states(folder)
    if as_json:
        facts = {"cells": [s.to_json() for s in found], "counts": counts(found)}
        print(json.dumps(facts, indent=2))
        return exit_code(found)
    console = Console()
    if once or not console.is_terminal:
        console = console if console.is_terminal else Console(width=160)
        console.print(table(folder, found))
        return exit_code(found)
    with (
        suppress(KeyboardInterrupt),
        Live(table(folder, found), console=console, auto_refresh=False) as live,
    ):
        while waits(folder, found):
            time.sleep(REFRESH_SECONDS)
            found = states(folder)
            live.update(table(folder, found), refresh=True)
    return exit_code(found)


def waits(folder: Path, found: list[CellState]) -> bool:
    """Whether anything runs, or a job waits to."""
    return any(s.name == RUNNING for s in found) or bool(executor.live_jobs(folder))


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
    order = [RUNNING, FAILED, INTERRUPTED, PLANNED, FINISHED]
    shown = sorted(found, key=lambda state: order.index(state.name))
    for state in shown[:SHOWN]:
        rows.add_row(
            state.cell,
            f"[{COLOURS[state.name]}]{state.name}[/]" if COLOURS[state.name] else state.name,
            str(state.attempts),
            *(_shown(v, form) for v, form in ((state.step, "d"), (state.loss, ".4f"))),
            *(_shown(v, ".0f") for v in (state.energy, state.seconds, state.left)),
            state.reason[:80],
        )
    if len(found) > SHOWN:
        rows.add_row(f"… {len(found) - SHOWN} more: --json lists all", *[""] * 8)
    return rows


def cancel(folder: Path, as_json: bool) -> int:
    """End the jobs of a sweep. What is sealed stays, and `resume` goes on with the rest."""
    read_state(folder)
    ended = executor.cancel(folder)
    _say({"cancelled": ended}, f"{len(ended)} jobs cancelled", as_json)
    return EXIT_HOLDS


def resume(folder: Path, as_json: bool, waive: Sequence[str] = ()) -> int:
    """Launch what is neither sealed nor in a job, by the executor that the sweep was begun with.

    Raises UsageError for a sweep that was never launched.
    """
    from verify.sweep import command

    launched = executor.read_launch(folder)
    if launched is None:
        raise UsageError(f"{folder} was never launched: begin with `goldenseal sweep run`")
    plan, name, at_once = folder / PLAN / SWEEP_FILE, launched["executor"], launched["at_once"]
    return command.run(plan, folder, name, at_once, waive, False, as_json)


def _shown(value: float | None, form: str) -> str:
    return "–" if value is None else format(value, form)


def _say(facts: dict[str, Any], words: str, as_json: bool) -> None:
    print(json.dumps(facts, indent=2) if as_json else words)

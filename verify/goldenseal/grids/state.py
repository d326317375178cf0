"""A grid that was begun: its state, its frozen source, its data, and a folder for each cell.

The state, schema 2, is study.json or sweep.json in the grid's folder: `plan` (its digest), `knobs`
(by configuration, resolved), `data` (SHA-512 by name), `source` (SHA-512 by path), and what let it
start: `environment`, `verdict`, `waivers`. Grids that were begun by earlier versions go on: their
studies had knobs by cell, their sweeps data by path, and both had no schema of their own.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from goldenseal.config import System
from goldenseal.disk import canonical
from goldenseal.disk.files import atomic_write, hash_file
from goldenseal.errors import CannotCheckError, UsageError
from goldenseal.grids.resolve import Planned, command_of
from goldenseal.launch.freeze import freeze, thaw
from goldenseal.launch.gate import LAUNCH_KEYS, Launch, launched
from goldenseal.launch.process import data_digests, data_path, knob_of
from goldenseal.records.kinds.cells import SEED, Cell
from goldenseal.records.kinds.plan import Plan
from goldenseal.records.sums import refuse_inside_sealed

CELL = "cell.json"
NEEDED = {"data", "plan", "source"}
KNOWN = NEEDED | LAUNCH_KEYS | {"knobs", "schema", "identity", "snapshot"}
ONE_THREAD = {"cpus": 1, "gpus": 0, "minutes": 60 * 24 * 365, "nodes": 1}  # where no plan says


@dataclass(frozen=True)
class Layout:
    """Where a grid of one sort has its state and its cells, and what a changed plan takes."""

    name: str
    state: str
    cells: str
    changed: str

    def folder(self, grid: Path, cell: Cell) -> Path:
        """Where a cell lies."""
        return grid / self.cells / cell.configuration / str(cell.seed)


STUDY = Layout("study", "study.json", "runs", "a changed plan is a new study")
SWEEP = Layout("sweep", "sweep.json", "cells", "give a new --folder")


@dataclass(frozen=True)
class Grid:
    """A grid that was begun."""

    root: Path
    folder: Path
    plan: Plan
    system: System
    layout: Layout
    state: Mapping[str, Any]
    snapshot: Path

    def cell_folder(self, cell: Cell) -> Path:
        """Where a cell lies."""
        return self.layout.folder(self.folder, cell)

    def environment(self, cell: Cell) -> dict[str, str]:
        """Every knob of a cell, as it was resolved when the grid was begun."""
        return {**self.state["knobs"][cell.configuration], SEED: str(cell.seed)}

    def logged(self, cell: Cell) -> dict[str, str]:
        """The knobs that the run's log must name: all but those that say where data lies."""
        local = self.system.path_knobs
        return {name: text for name, text in self.environment(cell).items() if name not in local}


def begin(root: Path, plan: Planned, folder: Path, launch: Launch, layout: Layout) -> Grid:
    """Begin a grid in `folder`, or go on with the one that was begun there.

    Raises UsageError when that is another plan's or the source cannot be had any more,
    CannotCheckError when data is missing or has changed, or the source since it was verified.
    """
    path, what = folder / layout.state, f"the {layout.name}"
    refuse_inside_sealed(path)
    data = _data(root, plan)
    if not path.exists():
        snapshot, source = freeze(root)
        launch.check(source.files, what)
        state: dict[str, Any] = {
            "schema": 2,
            "data": data,
            "knobs": {name: dict(knobs) for name, knobs in plan.knobs.items()},
            "plan": plan.plan.digest,
            "source": source.files,
            **launch.state(),
        }
        folder.mkdir(parents=True, exist_ok=True)
        atomic_write(path, canonical.dumps(state))
        return Grid(root, folder, plan.plan, plan.system, layout, state, snapshot)
    state = read_state(folder, layout)
    if state["plan"] != plan.plan.digest:
        raise UsageError(
            f"{folder} was begun with another plan ({state['plan'][:16]}, this is "
            f"{plan.plan.digest[:16]}): {layout.changed}"
        )
    if state["data"] != data:
        raise CannotCheckError(f"the data is no longer that with which {folder} was begun")
    snapshot = thaw(root, state["source"], f"the source of {folder} is not in the history")
    going_on = launched(state, launch, what)
    if going_on != state:
        atomic_write(path, canonical.dumps(going_on))
    if "knobs" not in going_on:  # a sweep of before: they are those of its sealed plan, and so ours
        going_on = {**going_on, "knobs": plan.knobs}
    return Grid(root, folder, plan.plan, plan.system, layout, going_on, snapshot)


def read_state(folder: Path, layout: Layout) -> dict[str, Any]:
    """The state, of whichever version. Raises UsageError when there is none, or it is none."""
    where = f"{folder.name}/{layout.state}"
    if not (folder / layout.state).is_file():
        raise UsageError(
            f"{folder} holds no {layout.state}: begin with `goldenseal {layout.name} run`"
        )
    state = canonical.read(folder / layout.state, where)
    if not isinstance(state, dict) or not NEEDED <= set(state) <= KNOWN:
        raise UsageError(f"{where}: expected the keys {sorted(NEEDED | LAUNCH_KEYS)}")
    if state.get("schema", 1) not in (1, 2):
        raise UsageError(f"{where}: schema {state['schema']}, only schemas 1 and 2 are known")
    state["data"] = {os.path.basename(name): digest for name, digest in state["data"].items()}
    if "knobs" in state:
        state["knobs"] = {
            name.split("/")[0]: {knob: text for knob, text in knobs.items() if knob != SEED}
            for name, knobs in state["knobs"].items()
        }
    return state


def _data(root: Path, plan: Planned) -> dict[str, str]:
    """SHA-512 by name of what every cell reads. Raises UsageError when they read different data."""
    places = {
        tuple(knobs.get(knob, "") for knob in plan.system.local_knobs)
        for knobs in plan.knobs.values()
    }
    if len(places) != 1:
        raise UsageError(
            f"{plan.plan.name}: its cells read different data: {plan.system.local_knobs} differ"
        )
    return data_digests(root, plan.system, next(iter(plan.knobs.values())))


def data_files(grid: Grid) -> dict[str, str]:
    """The same by absolute path, for the canaries of a cell."""
    found: dict[str, str] = {}
    knobs = next(iter(grid.state["knobs"].values()))
    for knob in grid.system.local_knobs:
        path = data_path(grid.root, knob_of(knobs, knob))
        files = sorted(p for p in path.iterdir() if p.is_file()) if path.is_dir() else [path]
        for file in files:
            name = str(file.resolve())
            digest = grid.state["data"].get(file.name)
            found[name] = digest if digest is not None else hash_file(file.resolve())
    return found


def write_cell(grid: Grid, cell: Cell, data: Mapping[str, str]) -> Path:
    """cell.json in the cell's folder, which is returned.

    Raises UsageError when one that is not sealed says anything else: it was edited.
    """
    environment = grid.environment(cell)
    for knob in grid.system.local_knobs:
        environment[knob] = str(data_path(grid.root, environment[knob]))
    places = [environment[knob] for knob in grid.system.place_knobs if knob in environment]
    group = grid.plan.group_of(cell.configuration)
    facts = {
        "schema": 1,
        "checkpoints": places[0] if places else None,
        "command": command_of(grid.system),
        "configuration": cell.configuration,
        "cwd": str(grid.snapshot.resolve()),
        "data": dict(data),
        "environment": environment,
        "log": grid.system.log,
        "outputs": list(grid.system.outputs),
        "resources": dict(group.resources) or ONE_THREAD,
        "seed": cell.seed,
    }
    target = grid.cell_folder(cell)
    document = canonical.dumps(facts)
    path = target / CELL
    if path.exists():
        if path.read_bytes() != document and not (target / "SHA512SUMS").exists():
            raise UsageError(f"{path} is not what the plan says: it was edited; delete {target}")
    else:
        target.mkdir(parents=True, exist_ok=True)
        atomic_write(path, document)
    return target

"""What is written before a sweep starts: the sealed plan, sweep.json, a folder for each cell."""

import contextlib
import datetime
import fcntl
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from verify import canonical
from verify.config import System, system
from verify.errors import CannotCheckError, UsageError
from verify.files import atomic_write, hash_file
from verify.make_record import RUN_LOG, all_knobs
from verify.plan import SEED, Cell
from verify.record import SCHEMA
from verify.rerun import data_path, knob_of
from verify.seal import Sealed, seal
from verify.study.freeze import freeze, thaw
from verify.sweep.cost import compute_grant
from verify.sweep.definition import Sweep, read_sweep, resolve
from verify.sweep.launch_gate import LAUNCH_KEYS, Launch, launched

PLAN, CELLS, STATE, CELL = "plan", "cells", "sweep.json", "cell.json"
SWEEP_FILE, LOCK = "sweep.toml", ".lock"
SWEEPS = Path(".goldenseal") / "sweeps"


@dataclass(frozen=True)
class Planned:
    """A sweep that holds: its system and every configuration's knobs, resolved."""

    path: Path
    sweep: Sweep
    system: System
    knobs: Mapping[str, Mapping[str, str]]

    @property
    def command(self) -> list[str]:
        """What a cell runs: the system's module, from the frozen source alone (-P)."""
        return [sys.executable, "-P", "-m", self.system.module]

    def environment(self, cell: Cell) -> dict[str, str]:
        """Every knob of a cell, as text."""
        return {**self.knobs[cell.configuration], SEED: str(cell.seed)}

    def own_knobs(self, cell: Cell) -> dict[str, str]:
        """What a cell sets: the common knobs, its configuration's, and the seed."""
        return self.sweep.group_of(cell.configuration).plan.knobs(cell)


def planned(root: Path, path: Path) -> Planned:
    """Read a sweep and hold it against its system. Raises UsageError, one line."""
    sweep = read_sweep(path)
    entry = system(root, sweep.system)
    knobs = resolve(sweep, all_knobs(entry))
    for resolved in knobs.values():
        resolved.update(RUN_LOG)
    compute_grant(sweep, path.name)  # refuses a cost table that does not hold
    return Planned(path, sweep, entry, knobs)


def default_folder(root: Path, path: Path) -> Path:
    """.goldenseal/sweeps/<name of the file>."""
    return root / SWEEPS / path.stem


def seal_plan(plan: Planned, folder: Path) -> Sealed:
    """Write and seal `plan/` in a sweep's folder; what is sealed already stays.

    Raises UsageError when another plan is sealed there.
    """
    target = folder / PLAN
    text = plan.path.read_bytes()
    if (target / "SHA512SUMS").exists():
        if read_sweep(target / SWEEP_FILE).digest != plan.sweep.digest:
            raise UsageError(
                f"{folder} holds the sealed plan of another sweep: a changed plan is a new sweep, "
                "give it a new --folder"
            )
        return seal(target)
    target.mkdir(parents=True, exist_ok=True)
    facts = {
        "schema": SCHEMA,
        "name": plan.path.stem,
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "status": "proposal",
        "system": plan.system.name,
        "seeds": list(plan.sweep.seeds),
        "plan": SWEEP_FILE,
    }
    cells = {
        "cells": [[cell.configuration, cell.seed] for cell in plan.sweep.cells()],
        "knobs": {name: dict(knobs) for name, knobs in plan.knobs.items()},
        "module": plan.system.module,
    }
    parts = {
        SWEEP_FILE: text,
        "cells.json": canonical.dumps(cells),
        "compute_grant.md": compute_grant(plan.sweep, plan.path.name).encode(),
        "README.md": _readme(plan).encode(),
        "record.json": canonical.dumps(facts),
    }
    for name, data in parts.items():
        atomic_write(target / name, data)
    return seal(target)


def _readme(plan: Planned) -> str:
    lines = [f"# Plan of {plan.sweep.name}", "", " ".join(plan.sweep.facts["question"].split())]
    for group in plan.sweep.groups.values():
        analysis = group.plan.analysis
        lines += [
            "",
            f"- Group `{group.name}`: configurations "
            f"{', '.join(f'`{name}`' for name in group.plan.configurations)}, each under the seeds "
            f"{', '.join(map(str, group.plan.seeds))}; against `{group.plan.baseline}`, by "
            f"`{analysis['primary']}`, {analysis['test']}, {analysis['correction']}, alpha "
            f"{analysis['alpha']}, margin {group.margin}.",
            f"- What would count: {' '.join(analysis['counts'].split())}",
        ]
    rule = " ".join(plan.sweep.facts["stopping"]["rule"].split())
    return "\n".join([*lines, "", f"Stopping rule: {rule}", ""])


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold the sweep's lock, which ends with this process, however it ends."""
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / LOCK, "ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise UsageError(f"{folder} is being launched by another process") from None
        yield


def data_files(root: Path, plan: Planned) -> dict[str, str]:
    """SHA-512 by absolute path of all data that the cells read.

    Raises CannotCheckError when a path leads nowhere, UsageError when cells read different data.
    """
    places = {
        tuple(knobs.get(knob, "") for knob in plan.system.local_knobs)
        for knobs in plan.knobs.values()
    }
    if len(places) != 1:
        raise UsageError(f"{plan.sweep.name}: its cells read different data")
    found: dict[str, str] = {}
    knobs = next(iter(plan.knobs.values()))
    for knob in plan.system.local_knobs:
        path = data_path(root, knob_of(knobs, knob))
        if not path.exists():
            raise CannotCheckError(f"{knob}={knobs[knob]} leads nowhere: run `make data` first")
        files = sorted(p for p in path.iterdir() if p.is_file()) if path.is_dir() else [path]
        for file in files:
            found[str(file.resolve())] = hash_file(file.resolve())
    return found


def prepare(root: Path, plan: Planned, folder: Path, launch: Launch) -> list[Path]:
    """Freeze the source, write sweep.json and each cell's folder; returns the cells' folders.

    A sweep that was begun goes on: with the source, the data and the waivers that it was begun
    with. Raises UsageError when that is another plan's or its source cannot be had any more,
    CannotCheckError when the data has changed, or the source since it was verified.
    """
    sealed = seal_plan(plan, folder)
    data = data_files(root, plan)
    if (folder / STATE).exists():
        state = read_state(folder)
        if state["plan"] != plan.sweep.digest:
            raise UsageError(f"{folder} was begun with another plan: give a new --folder")
        if state["data"] != data:
            raise CannotCheckError(f"the data is no longer that with which {folder} was begun")
        snapshot = thaw(root, state["source"], f"the source of {folder} is not in the history")
        going_on = launched(state, launch, "the sweep")
        if going_on != state:
            state = going_on
            atomic_write(folder / STATE, canonical.dumps(state))
    else:
        snapshot, source = freeze(root)
        launch.check(source.files, "the sweep")
        state = {
            "schema": 1,
            "data": data,
            "identity": sealed.identity,
            "plan": plan.sweep.digest,
            "snapshot": str(snapshot),
            "source": source.files,
            **launch.state(),
        }
        atomic_write(folder / STATE, canonical.dumps(state))
    return [_write_cell(root, plan, folder, cell, snapshot, data) for cell in plan.sweep.cells()]


def cell_folder(folder: Path, cell: Cell) -> Path:
    """Where a cell lies."""
    return folder / CELLS / cell.configuration / str(cell.seed)


def _write_cell(
    root: Path, plan: Planned, folder: Path, cell: Cell, snapshot: Path, data: Mapping[str, str]
) -> Path:
    environment = plan.environment(cell)
    for knob in plan.system.local_knobs:
        environment[knob] = str(data_path(root, environment[knob]))
    places = [environment[knob] for knob in plan.system.place_knobs if knob in environment]
    group = plan.sweep.group_of(cell.configuration)
    facts = {
        "schema": 1,
        "checkpoints": places[0] if places else None,
        "command": plan.command,
        "configuration": cell.configuration,
        "cwd": str(snapshot.resolve()),
        "data": dict(data),
        "environment": environment,
        "log": plan.system.log,
        "outputs": list(plan.system.outputs),
        "resources": dict(group.resources),
        "seed": cell.seed,
    }
    target = cell_folder(folder, cell)
    document = canonical.dumps(facts)
    path = target / CELL
    if path.exists():
        if path.read_bytes() != document and not (target / "SHA512SUMS").exists():
            raise UsageError(f"{path} is not what the plan says: it was edited; delete {target}")
    else:
        target.mkdir(parents=True, exist_ok=True)
        atomic_write(path, document)
    return target


def read_state(folder: Path) -> dict[str, Any]:
    """sweep.json. Raises UsageError when there is none or it is of another form."""
    if not os.path.isfile(folder / STATE):
        raise UsageError(f"{folder} holds no {STATE}: begin with `goldenseal sweep run`")
    state = canonical.read(folder / STATE, f"{folder.name}/{STATE}")
    wanted = {"data", "identity", "plan", "schema", "snapshot", "source", "verdict", "waivers"}
    forms = (wanted, wanted | LAUNCH_KEYS)  # the environment was not always recorded
    if not isinstance(state, dict) or set(state) not in forms or state["schema"] != 1:
        raise UsageError(f"{folder.name}/{STATE}: expected the keys {sorted(wanted)}")
    return state

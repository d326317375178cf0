"""What is written before a sweep starts: the sealed plan, its state, a folder for each cell."""

from pathlib import Path

from goldenseal.disk import canonical
from goldenseal.disk.files import atomic_write
from goldenseal.errors import UsageError
from goldenseal.grids.cost import compute_grant
from goldenseal.grids.resolve import Planned
from goldenseal.grids.resolve import planned as planned_grid
from goldenseal.grids.state import SWEEP, begin, data_files, write_cell
from goldenseal.launch.gate import Launch
from goldenseal.records.kinds.plan import read_sweep
from goldenseal.records.seal import Sealed, seal
from goldenseal.records.sums import refuse_inside_sealed
from goldenseal.records.write import facts_of, write_facts

PLAN, SWEEP_FILE, LOCK = "plan", "sweep.toml", ".lock"
SWEEPS = Path(".goldenseal") / "sweeps"


def planned(root: Path, path: Path) -> Planned:
    """Read a sweep and hold it against its system. Raises UsageError, one line."""
    found = planned_grid(root, path, sweep=True)
    compute_grant(found.plan, path.name)  # refuses a cost table that does not hold
    return found


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
        if read_sweep(target / SWEEP_FILE).digest != plan.plan.digest:
            raise UsageError(
                f"{folder} holds the sealed plan of another sweep: a changed plan is a new sweep, "
                "give it a new --folder"
            )
        return seal(target)
    refuse_inside_sealed(target)
    target.mkdir(parents=True, exist_ok=True)
    cells = {
        "cells": [[cell.configuration, cell.seed] for cell in plan.plan.cells()],
        "knobs": {name: dict(knobs) for name, knobs in plan.knobs.items()},
        "module": plan.system.module,
    }
    parts = {
        SWEEP_FILE: text,
        "cells.json": canonical.dumps(cells),
        "compute_grant.md": compute_grant(plan.plan, plan.path.name).encode(),
        "README.md": _readme(plan).encode(),
    }
    for name, data in parts.items():
        atomic_write(target / name, data)
    told = {"system": plan.system.name, "plan": SWEEP_FILE}
    write_facts(target, facts_of(plan.path.stem, "proposal", plan.plan.seeds, **told))
    return seal(target)


def _readme(plan: Planned) -> str:
    lines = [f"# Plan of {plan.plan.name}", "", " ".join(plan.plan.facts["question"].split())]
    for group in plan.plan.groups.values():
        analysis = group.analysis
        lines += [
            "",
            f"- Group `{group.name}`: configurations "
            f"{', '.join(f'`{name}`' for name in group.configurations)}, each under the seeds "
            f"{', '.join(map(str, group.seeds))}; against `{group.baseline}`, by "
            f"`{analysis['primary']}`, {analysis['test']}, {analysis['correction']}, alpha "
            f"{analysis['alpha']}, margin {group.margin}.",
            f"- What would count: {' '.join(analysis['counts'].split())}",
        ]
    rule = " ".join(plan.plan.facts["stopping"]["rule"].split())
    return "\n".join([*lines, "", f"Stopping rule: {rule}", ""])


def prepare(root: Path, plan: Planned, folder: Path, launch: Launch) -> list[Path]:
    """Freeze the source, write the state and each cell's folder; returns the cells' folders.

    A sweep that was begun goes on: with the source, the data and the waivers that it was begun
    with. Raises as `begin` does.
    """
    seal_plan(plan, folder)
    grid = begin(root, plan, folder, launch, SWEEP)
    data = data_files(grid)
    return [write_cell(grid, cell, data) for cell in plan.plan.cells()]

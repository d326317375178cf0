"""What the commands `goldenseal sweep plan`, `run` and `collect` do and print."""

import shlex
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from goldenseal.config import find_root
from goldenseal.errors import EXIT_CANNOT_CHECK, EXIT_HOLDS, UsageError
from goldenseal.grids.cost import check_cost, limits
from goldenseal.grids.lock import alone
from goldenseal.grids.power import power
from goldenseal.grids.prepare import LOCK, default_folder, planned, prepare, seal_plan
from goldenseal.grids.resolve import Planned, command_of
from goldenseal.grids.state import SWEEP, read_state
from goldenseal.records.kinds.cells import Cell
from goldenseal.records.kinds.plan import Plan
from goldenseal.terminal import print_json, wide_console

EXECUTORS = ("local", "slurm")
CELLS_SHOWN = 200  # in a terminal; --json has all


def plan(file: Path, folder: Path | None, as_json: bool) -> int:
    """Check a sweep, show it and seal its plan."""
    root = find_root()
    found = planned(root, file)
    sealed = seal_plan(found, folder or default_folder(root, file))
    powers = powers_of(found.plan)
    if as_json:
        print_json(
            {
                "cells": [_as_json(found, cell) for cell in found.plan.cells()],
                "command": command_of(found.system),
                "cost": cost_of(found.plan, file.name),
                "digest": found.plan.digest,
                "folder": str(sealed.folder),
                "identity": sealed.identity,
                "name": found.plan.name,
                "power": powers,
            }
        )
        return EXIT_HOLDS
    console = wide_console()
    _show_cells(console, found, list(found.plan.cells()))
    _show_cost(console, found.plan, file.name)
    for name, facts in powers.items():
        console.print(
            f"power, {name}: {facts['n']} seeds, effect {facts['effect']:g}, deviation "
            f"{facts['deviation']:g}, {facts['test']}: {facts['alone']:.3f} when no other of "
            f"{facts['comparisons']} comparisons counts, {facts['last']:.3f} when all others do",
            highlight=False,
        )
    word = "was sealed before" if sealed.already else "sealed"
    console.print(f"plan {word}: {sealed.folder}  {sealed.identity[:16]}", highlight=False)
    return EXIT_HOLDS


def powers_of(sweep: Plan) -> dict[str, dict[str, Any]]:
    """By group, the power for its planned seeds."""
    found = {}
    for group in sweep.groups.values():
        analysis, size = group.analysis, len(group.seeds)
        effect, deviation = group.power["effect"], group.power["deviation"]
        comparisons = len(group.configurations) - 1
        found[group.name] = power(
            analysis["test"], effect, deviation, size, analysis["alpha"], comparisons
        )
    return found


def cost_of(sweep: Plan, where: str) -> dict[str, Any]:
    """The cost table as JSON; numbers that must be exact are texts."""
    grant = check_cost(sweep, where)
    found: dict[str, Any] = {"limits": limits(sweep)}
    if grant:
        found |= {
            "unit": grant.unit,
            "rows": [
                {
                    "label": row.label,
                    "product": row.product,
                    "computed": str(row.hours),
                    "published": row.printed,
                    "agrees": row.agrees,
                    "note": " ".join(row.note.split()),
                }
                for row in grant.rows
            ],
            "total": str(grant.total),
            "published_total": grant.printed_total,
        }
    return found


def _as_json(found: Planned, cell: Cell) -> dict[str, Any]:
    return {
        "configuration": cell.configuration,
        "seed": cell.seed,
        "sets": found.plan.knobs(cell),
    }


def _show_cells(console: Console, found: Planned, cells: Sequence[Cell]) -> None:
    console.print(f"{found.plan.name}: {len(cells)} cells of {found.plan.system}")
    words = shlex.join(["python", *command_of(found.system)[1:]])
    for cell in cells[:CELLS_SHOWN]:
        sets = " ".join(f"{k}={shlex.quote(v)}" for k, v in found.plan.knobs(cell).items())
        console.print(f"{cell}  {sets} {words}", markup=False, highlight=False, soft_wrap=True)
    if len(cells) > CELLS_SHOWN:
        console.print(f"… {len(cells) - CELLS_SHOWN} more cells: --json lists all")


def _show_cost(console: Console, sweep: Plan, where: str) -> None:
    from goldenseal.grids.grant import decimal

    grant = check_cost(sweep, where)
    if grant:
        rows = Table(title=f"cost, {grant.unit}")
        for heading in ("row", "product", "computed", "published", "difference"):
            rows.add_column(heading, overflow="fold")
        for row in grant.rows:
            note = "" if row.agrees else " ".join(row.note.split())
            printed = row.printed or "–"
            rows.add_row(row.label, row.product, decimal(row.hours), printed, escape(note))
        rows.add_row("Total", "", decimal(grant.total), grant.printed_total, "")
        console.print(rows)
    for most in limits(sweep):
        price = "" if most["price"] is None else f", {most['price']} {most['currency']}"
        console.print(
            f"at most, {most['group']}: {most['cells']} cells, {most['hours']} hours, "
            f"{most['gpu_hours']} GPU-hours{price}",
            highlight=False,
        )


def run(
    file: Path,
    folder: Path | None,
    executor: str,
    jobs: int,
    waive: Sequence[str],
    dry_run: bool,
    as_json: bool,
) -> int:
    """Launch what is not sealed, or say what would be."""
    from goldenseal.launch.gate import clear

    if executor not in EXECUTORS:
        raise UsageError(f"--executor {executor!r}: expected one of {EXECUTORS}")
    root = find_root()
    found = planned(root, file)
    target = folder or default_folder(root, file)
    state = read_state(target, SWEEP) if (target / SWEEP.state).exists() else None
    launch = clear(root, found.system, waive, state, target)
    if dry_run:
        return _dry_run(found, target, executor, as_json)
    with alone(target / LOCK, f"{target} is being launched"):
        folders = prepare(root, found, target, launch)
        waiting = [path for path in folders if not (path / "SHA512SUMS").exists()]
        return _launch(target, waiting, len(folders), executor, jobs, as_json)


def _dry_run(found: Planned, target: Path, executor: str, as_json: bool) -> int:
    cells = list(found.plan.cells())
    waiting = [c for c in cells if not (SWEEP.folder(target, c) / "SHA512SUMS").exists()]
    if as_json:
        listed = [_as_json(found, cell) for cell in waiting]
        print_json(
            {"command": command_of(found.system), "executor": executor, "would_launch": listed}
        )
        return EXIT_HOLDS
    console = wide_console()
    _show_cells(console, found, waiting)
    sealed = len(cells) - len(waiting)
    console.print(f"dry run: {len(waiting)} would be launched by {executor}, {sealed} are sealed")
    return EXIT_HOLDS


def _launch(
    target: Path,
    waiting: Sequence[Path],
    total: int,
    executor: str,
    jobs: int,
    as_json: bool,
) -> int:
    from goldenseal.grids import executor as launching

    queued = {target / name for job in launching.live_jobs(target) for name in job["cells"]}
    stuck = {target / name: why for name, why in launching.queue(target).stuck.items()}
    held = [(path, stuck[path]) for path in waiting if path in stuck]
    new = [path for path in waiting if path not in queued]
    notes = launching.notes(new) if executor == "slurm" else []
    identities = launching.launch(new, executor=executor, at_once=jobs, state=target)
    facts = {
        "folder": str(target),
        "held": [{"cell": _name(path), **asdict(why)} for path, why in held],
        "jobs": list(identities),
        "launched": len(new),
        "notes": notes,
        "running": len(waiting) - len(new) - len(held),
        "sealed": total - len(waiting),
    }
    if as_json:
        print_json(facts)
        return EXIT_HOLDS
    lines = [
        f"{len(new)} cells launched by {executor}, {facts['running']} were launched before, "
        f"{facts['sealed']} are sealed; watch with `goldenseal sweep status {target}`",
        *(f"note: {note}" for note in notes),
        *(f"held: {_name(path)}: {why.reason} → {why.command}" for path, why in held),
    ]
    console = wide_console()
    for line in lines:
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    return EXIT_HOLDS


def _name(folder: Path) -> str:
    return f"{folder.parent.name}/{folder.name}"


def collect(folder: Path, into: Path | None, as_json: bool) -> int:
    """Seal what the cells come to. Exit 3 for a grid that is not complete."""
    from goldenseal.grids.collect import collect as gather

    done = gather(find_root(), folder, into)
    if as_json:
        print_json(done.to_json())
    else:
        console = wide_console()
        for line in done.lines():
            console.print(line, markup=False, highlight=False, soft_wrap=True)
    return EXIT_HOLDS if done.complete else EXIT_CANNOT_CHECK

"""What the commands under `goldenseal study` do and print."""

from collections.abc import Sequence
from pathlib import Path

from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from goldenseal.config import find_root
from goldenseal.errors import EXIT_CANNOT_CHECK, EXIT_CONTRADICTED, EXIT_HOLDS
from goldenseal.grids.analysis import p_text
from goldenseal.grids.blocks.claims import energy_claims
from goldenseal.grids.proposal import write_proposal
from goldenseal.grids.report import collect, write_report
from goldenseal.grids.resolve import planned
from goldenseal.grids.state import STUDY, read_state
from goldenseal.grids.study import begin, run_study
from goldenseal.records.kinds.cells import Cell
from goldenseal.records.sums import refuse_inside_sealed
from goldenseal.terminal import plain_console, print_json

console = plain_console()


def plan(file: Path, as_json: bool) -> int:
    """Check a plan and list its runs."""
    held = planned(find_root(), file, sweep=False)
    found, cells = held.plan, list(held.plan.cells())
    if as_json:
        runs = {str(cell): held.environment(cell) for cell in cells}
        print_json({"digest": found.digest, "name": found.name, "runs": runs})
        return EXIT_HOLDS
    table = Table(title=f"{found.name}: {len(cells)} runs, plan {found.digest[:16]}")
    table.add_column("configuration")
    table.add_column("sets, beside the common knobs")
    for name, knobs in found.configurations.items():
        table.add_row(name, " ".join(f"{knob}={text}" for knob, text in knobs.items()))
    console.print(table)
    console.print(f"seeds {', '.join(map(str, found.seeds))}", highlight=False)
    return EXIT_HOLDS


def run(file: Path, folder: Path, jobs: int, waive: Sequence[str], as_json: bool) -> int:
    """Run what is not finished. Exit 3 when a cell failed: the study shows nothing yet."""
    from goldenseal.launch.gate import clear

    root = find_root()
    refuse_inside_sealed(folder)
    entry = planned(root, file, sweep=False).system
    state = read_state(folder, STUDY) if (folder / STUDY.state).exists() else None
    study = begin(root, file, folder, clear(root, entry, waive, state, folder))
    terminal = plain_console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    total = len(list(study.plan.cells()))
    with Progress(*columns, console=terminal, disable=as_json) as progress:
        task = progress.add_task(study.plan.name, total=total)

        def told(cell: Cell, word: str) -> None:
            progress.console.print(f"{cell}  {word}", markup=False, highlight=False)
            progress.advance(task)

        outcome = run_study(root, study, jobs, told)
    if as_json:
        print_json(
            {
                "done": [str(cell) for cell in outcome.done],
                "failed": {str(cell): reason for cell, reason in outcome.failed.items()},
                "skipped": [str(cell) for cell in outcome.skipped],
            }
        )
    else:
        console.print(
            f"{len(outcome.done)} run, {len(outcome.skipped)} finished before, "
            f"{len(outcome.failed)} failed, of {total}",
            highlight=False,
        )
        for cell, reason in outcome.failed.items():
            console.print(f"        · {cell}: {escape(reason)}", soft_wrap=True)
    return EXIT_CANNOT_CHECK if outcome.failed else EXIT_HOLDS


def status(folder: Path, as_json: bool) -> int:
    """Every planned cell's state. Exit 3 while one is not finished."""
    _, runs, lacking = collect(find_root(), folder)
    if as_json:
        why_not = {str(cell): why for cell, why in lacking.items()}
        print_json({"finished": [str(cell) for cell in runs], "lacking": why_not})
    else:
        console.print(f"{len(runs)} finished, {len(lacking)} not", highlight=False)
        for cell, why in lacking.items():
            console.print(f"        · {cell}: {escape(why)}", soft_wrap=True, highlight=False)
    return EXIT_CANNOT_CHECK if lacking else EXIT_HOLDS


def report(folder: Path, as_json: bool) -> int:
    """Write what the logs come to."""
    results = write_report(find_root(), folder)
    if as_json:
        print_json(results)
        return EXIT_HOLDS
    for row in results["tests"]:
        p = "not defined" if row["p_holm"] is None else p_text(row["p_holm"])
        counts = "counts" if row["counts"] else "does not count"
        console.print(
            f"{row['configuration']}: {row['mean']:+.4f} ± {row['sd']:.4f}, p after Holm {p}: "
            f"{counts} by the plan's rule",
            highlight=False,
            soft_wrap=True,
        )
    return EXIT_HOLDS


def proposal(folder: Path, only_check: bool, as_json: bool) -> int:
    """Write a proposal's generated parts, or name those that have drifted (exit 1)."""
    drifted = write_proposal(find_root(), folder, only_check)
    if as_json:
        print_json({"drifted": drifted, "written": not only_check})
    elif only_check:
        for name in drifted:
            console.print(f"{name} is not what its sources come to", highlight=False)
    else:
        console.print(f"{len(drifted)} parts rewritten: {', '.join(drifted) or 'none'}")
    return EXIT_CONTRADICTED if only_check and drifted else EXIT_HOLDS


def energy(folder: Path, as_json: bool) -> int:
    """Each energy sentence that a block study carries, or its refusals. Exit 3 without any."""
    claims = energy_claims(find_root(), folder)
    if as_json:
        print_json([claim.to_json() for claim in claims])
    else:
        for claim in claims:
            if claim.sentence is not None:
                console.print(claim.sentence, highlight=False, soft_wrap=True, markup=False)
                continue
            console.print(f"{claim.arm}, {claim.endpoint}: no energy claim", highlight=False)
            for why in claim.refusals:
                console.print(f"        · {escape(why)}", soft_wrap=True, highlight=False)
    held = any(claim.sentence is not None for claim in claims)
    return EXIT_HOLDS if held else EXIT_CANNOT_CHECK

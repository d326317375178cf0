"""`goldenseal study …`: run the cells of a plan, and say what they show together."""

from pathlib import Path
from typing import Annotated

import typer

from goldenseal.terminal import AsJson, Waive

app = typer.Typer(
    no_args_is_help=True,
    help="Run a plan's grid from one frozen source, and report on it: docs/studies.md.",
    epilog="Example:  goldenseal study run plan.toml records/track_cpu_small/2026-11-23_Mine",
)

PlanFile = Annotated[Path, typer.Argument(help="A plan.toml.")]
Folder = Annotated[Path, typer.Argument(help="The study's folder.")]


@app.command(epilog="Example:  goldenseal study plan plan.toml --json")
def plan(file: PlanFile, as_json: AsJson = False) -> None:
    """Check a plan against the knobs of its system, and list its runs."""
    from goldenseal.grids import study_command as command

    raise typer.Exit(command.plan(file, as_json))


@app.command(
    epilog="Example:  goldenseal study run plan.toml records/track_cpu_small/2026-11-23_Mine"
)
def run(
    file: PlanFile,
    folder: Folder,
    jobs: Annotated[int, typer.Option(help="Runs at a time, of one thread each.")] = 1,
    waive: Waive = None,
    as_json: AsJson = False,
) -> None:
    """Run every cell that is not finished, given a fresh green verdict of this very tree.

    Killed at any moment, the same command goes on, from the source that it was begun with.
    """
    from goldenseal.grids import study_command as command

    raise typer.Exit(command.run(file, folder, jobs, waive or [], as_json))


@app.command(epilog="Example:  goldenseal study status records/track_cpu_small/2026-11-23_Mine")
def status(folder: Folder, as_json: AsJson = False) -> None:
    """Say of every planned cell whether it is finished, failed and why, or still to do."""
    from goldenseal.grids import study_command as command

    raise typer.Exit(command.status(folder, as_json))


@app.command(epilog="Example:  goldenseal study report records/track_cpu_small/2026-11-23_Mine")
def report(folder: Folder, as_json: AsJson = False) -> None:
    """Recompute everything from the logs: record.json, results.json, a plot, the README's table."""
    from goldenseal.grids import study_command as command

    raise typer.Exit(command.report(folder, as_json))


@app.command(
    epilog="Example:  goldenseal study proposal "
    "records/track_non_record_16mb/2026-11-23_GoldenSunflowers_Proposal"
)
def proposal(
    folder: Folder,
    only_check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit 1 when a part has drifted.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Write a proposal's generated parts: knob table, compute_grant.md, smoke.log, record.json."""
    from goldenseal.grids import study_command as command

    raise typer.Exit(command.proposal(folder, only_check, as_json))


@app.command(
    epilog="Example:  goldenseal study energy records/track_vit_tiny/2026-11-23_EnergyStudy"
)
def energy(folder: Folder, as_json: AsJson = False) -> None:
    """Print what a sealed block study may say of energy, or why it may say nothing."""
    from goldenseal.grids import study_command as command

    raise typer.Exit(command.energy(folder, as_json))

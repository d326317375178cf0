"""`goldenseal sweep …`: plan a grid, launch it from a verified tree, watch it, collect it."""

from pathlib import Path
from typing import Annotated

import typer

from goldenseal.terminal import AsJson, Waive

app = typer.Typer(
    no_args_is_help=True,
    help="Plan, launch and collect a grid of runs, here or on Slurm: docs/sweeps.md.",
    epilog="Example:  goldenseal sweep plan sweeps/small_cpu.toml",
)

SweepFile = Annotated[Path, typer.Argument(help="A sweep's .toml.")]
Folder = Annotated[Path, typer.Argument(help="The sweep's folder, .goldenseal/sweeps/<name>.")]


@app.command(epilog="Example:  goldenseal sweep plan sweeps/golden_sunflowers.toml --json")
def plan(
    file: SweepFile,
    folder: Annotated[
        Path | None, typer.Option(help="Seal the plan here; .goldenseal/sweeps/<name> if left out.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check a sweep, list its cells, cost and power, and seal the plan."""
    from goldenseal.grids import sweep_command as command

    raise typer.Exit(command.plan(file, folder, as_json))


@app.command(
    epilog="Examples:  goldenseal sweep run sweeps/small_cpu.toml --dry-run   ·   "
    "goldenseal sweep run sweeps/golden_sunflowers.toml --executor slurm"
)
def run(
    file: SweepFile,
    executor: Annotated[str, typer.Option(help="local or slurm.")] = "local",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be launched; launch nothing.")
    ] = False,
    folder: Annotated[
        Path | None, typer.Option(help="The sweep's folder; .goldenseal/sweeps/<name> if left out.")
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Cells at a time.")] = 1,
    waive: Waive = None,
    as_json: AsJson = False,
) -> None:
    """Launch every cell that is not sealed, given a fresh green verdict of this very tree."""
    from goldenseal.grids import sweep_command as command

    raise typer.Exit(command.run(file, folder, executor, jobs, waive or [], dry_run, as_json))


@app.command(epilog="Example:  goldenseal sweep collect .goldenseal/sweeps/small_cpu")
def collect(
    folder: Folder,
    into: Annotated[
        Path | None,
        typer.Option(help="The record's folder, <date>_<Name>; inside the sweep's if left out."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Seal what the cells come to: spreads, paired tests, plots, and every cell's state."""
    from goldenseal.grids import sweep_command as command

    raise typer.Exit(command.collect(folder, into, as_json))


@app.command(epilog="Example:  goldenseal sweep status .goldenseal/sweeps/small_cpu")
def status(
    folder: Folder,
    once: Annotated[bool, typer.Option("--once", help="Do not go on watching.")] = False,
    as_json: AsJson = False,
) -> None:
    """Say of every cell what it is doing: state, step, loss, energy, time left.

    In a terminal it goes on until nothing runs any more; Ctrl-C stops the watching, not the sweep.
    """
    from goldenseal.grids import watch

    raise typer.Exit(watch.status(folder, as_json, once))


@app.command(epilog="Example:  goldenseal sweep cancel .goldenseal/sweeps/small_cpu")
def cancel(folder: Folder, as_json: AsJson = False) -> None:
    """End the jobs of a sweep; what is sealed stays."""
    from goldenseal.grids import watch

    raise typer.Exit(watch.cancel(folder, as_json))


@app.command(epilog="Example:  goldenseal sweep resume .goldenseal/sweeps/small_cpu")
def resume(folder: Folder, waive: Waive = None, as_json: AsJson = False) -> None:
    """Launch again what is neither sealed nor running, as the sweep was launched before.

    In another environment than it was begun in, only under a waiver of `environment`.
    """
    from goldenseal.grids import watch

    raise typer.Exit(watch.resume(folder, as_json, waive or []))

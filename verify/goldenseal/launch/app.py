"""The command `goldenseal record`: options and help. What it does is imported when it is called."""

from pathlib import Path
from typing import Annotated

import typer

from goldenseal.errors import UsageError
from goldenseal.terminal import AsJson, Waive, command_after

EXAMPLES = (
    "Examples:  goldenseal record -- python train.py --lr 0.1   ·   goldenseal record gpt "
    "records/track_cpu_small/2026-11-23_Mine --set ITERATIONS=100 --set NUMERICS=portable"
)


def record(
    context: typer.Context,
    where: Annotated[
        list[str] | None,
        typer.Argument(
            help="Of a system: its name, then a new folder. Before `-- COMMAND`: a new folder, "
            "records/runs/<date>_<script> when left out.",
            metavar="[SYSTEM] [FOLDER] [-- COMMAND...]",
        ),
    ] = None,
    setting: Annotated[
        list[str] | None,
        typer.Option("--set", help="A knob or variable, NAME=value (may be repeated)."),
    ] = None,
    data: Annotated[
        list[Path] | None,
        typer.Option(
            help="Of a command: data that no Python opens, sealed by digest (repeatable)."
        ),
    ] = None,
    output: Annotated[
        list[Path] | None,
        typer.Option(help="Of a command: a file or folder outside the repository (repeatable)."),
    ] = None,
    ignore: Annotated[
        list[str] | None,
        typer.Option(help="Of a command: a pattern of outputs to leave out (repeatable)."),
    ] = None,
    waive: Waive = None,
    source: Annotated[
        Path | None,
        typer.Option(
            "--from",
            help="Seal what W&B (offline), MLflow, TensorBoard, Lightning or the Hugging Face "
            "Trainer logged into this folder, as evidence; nothing is run.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Run a system, or any command, in a new record.

    A system is run in the new folder and leaves a record that is ready to be described and sealed;
    only under a fresh green verdict of this very tree, as every launch: see docs/sweeps.md.

    A command after `--` is run where you stand. Sealed at once: what it wrote, what it printed,
    the source that was imported, digests of the data that was read, where it ran.

    With --from, runs that another tool logged are sealed as evidence: docs/exports.md.
    """
    words, names = command_after(context), where or []
    if source is not None:
        if words or len(names) != 1 or setting or data or output or ignore or waive:
            raise UsageError("record --from DIR takes a new folder for the record, and no more")
        from goldenseal.evidence.command import record_evidence

        raise typer.Exit(record_evidence(source, Path(names[0]), as_json))
    from goldenseal.launch import command
    from goldenseal.launch.collect import Asked

    if words:
        if len(names) > 1 or waive:
            raise UsageError("before `-- COMMAND` stands a folder at most, and no --waive")
        given = command.assigned(setting or [])
        lists = (tuple(data or ()), tuple(output or ()), tuple(ignore or ()))
        folder = Path(names[0]) if names else None
        raise typer.Exit(command.record_outside(folder, Asked(words, given, *lists), as_json))
    if len(names) != 2 or data or output or ignore:
        raise UsageError(
            "record takes a system and a new folder, or a command: goldenseal record -- python "
            "train.py"
        )
    made = command.record(names[0], Path(names[1]), setting or [], waive or [], as_json)
    raise typer.Exit(made)

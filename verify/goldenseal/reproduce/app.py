"""The commands `reproduce` and `explain`."""

from pathlib import Path
from typing import Annotated

import typer

from goldenseal.terminal import AsJson, print_json, wide_console

EXAMPLES_OF_REPRODUCE = (
    "Examples:  goldenseal reproduce 4f1c   ·   "
    "goldenseal reproduce 4f1c --statement mine.json --sign key.pem"
)
EXAMPLES_OF_EXPLAIN = (
    "Examples:  goldenseal explain 6330 320d   ·   goldenseal explain a.jsonl b.jsonl"
)


def reproduce(
    prefix: Annotated[str, typer.Argument(help="Any unique prefix of the record's identity.")],
    steps: Annotated[int | None, typer.Option(help="Compare the first steps only.")] = None,
    setting: Annotated[
        list[str] | None,
        typer.Option("--set", help="Where data lies here, such as DATA_PATH=/data (repeatable)."),
    ] = None,
    present: Annotated[
        bool, typer.Option("--present", help="Run the code as it is now, not the sealed source.")
    ] = False,
    trace: Annotated[
        bool, typer.Option(help="Trace a divergence to its first tensor, by two more runs.")
    ] = True,
    cell: Annotated[str, typer.Option(help="Of a study: the run, such as jepa/1597.")] = "",
    from_checkpoint: Annotated[
        bool, typer.Option("--from-checkpoint", help="Repeat what follows a sealed checkpoint.")
    ] = False,
    statement: Annotated[
        Path | None, typer.Option(help="Also write how it ended, as an in-toto Statement.")
    ] = None,
    sign: Annotated[
        Path | None, typer.Option(help="Sign the statement, with this Ed25519 key in PEM.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Re-run a sealed record and compare; the end is a verdict, see docs/records.md."""
    from goldenseal.reproduce import command

    choices = (prefix, steps, setting or [], present, trace, cell, from_checkpoint)
    raise typer.Exit(command.reproduce(*choices, as_json, statement, sign))


def explain(
    a: Annotated[
        str, typer.Argument(help="A run log, record, seal, verdict, or a digest's start.")
    ],
    b: Annotated[str, typer.Argument(help="Another one.")],
    as_json: AsJson = False,
) -> None:
    """Say in what two runs, records, seals or verdicts differ: knob, file, version, step."""
    from goldenseal.config import repository
    from goldenseal.reproduce import explain as explaining

    explanation = explaining.explain(repository(), a, b)
    if as_json:
        print_json(explanation.to_json())
    else:
        for line in explanation.lines():
            wide_console().print(line, markup=False, soft_wrap=True)
    raise typer.Exit(explanation.exit_code)

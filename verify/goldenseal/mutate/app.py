"""`goldenseal mutate`: its options; the work is in mutate/command.py."""

import os
from typing import Annotated

import typer

from goldenseal.terminal import AsJson

EXAMPLES = (
    "Examples:  goldenseal mutate --count 60   ·   goldenseal mutate --only schedule --list"
    "   ·   goldenseal mutate gpt --on   ·   goldenseal mutate --proofs"
)


def mutate(
    system: Annotated[
        str, typer.Argument(help="Name of the system; it may be left out when there is one.")
    ] = "",
    count: Annotated[int, typer.Option(min=1, help="How many mutants are drawn.")] = 300,
    seed: Annotated[int, typer.Option(help="Seed of the draw.")] = 1597,
    only: Annotated[str, typer.Option(help="Draw from this area only.")] = "",
    listing: Annotated[bool, typer.Option("--list", help="List the mutants and stop.")] = False,
    jobs: Annotated[int, typer.Option(min=1, help="Processes at a time.")] = 2,
    quick: Annotated[
        bool, typer.Option("--quick", help="Only the rungs that run with features off.")
    ] = False,
    proofs: Annotated[
        bool, typer.Option("--proofs", help="Mutants of the theorems and constants instead.")
    ] = False,
    on: Annotated[
        bool, typer.Option("--on", help="Mutants of features that are on; unit tests judge too.")
    ] = False,
    require: Annotated[
        float | None, typer.Option(help="Share that must be killed: 0.97; with --on 0.95.")
    ] = None,
    write: Annotated[
        bool, typer.Option("--write", help="Write the document in docs/mutation/ and its tables.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Plant single edits in the code, run the gates on each, and count those noticed.

    Resumable: what is judged is kept under .goldenseal/mutants/ until the source changes.
    Equivalent mutants count as survivors. See docs/mutation.md.
    """
    os.environ["CUDA_VISIBLE_DEVICES"] = ""
    from goldenseal.mutate import command
    from goldenseal.terminal import wide_console

    wish = command.Wish(system, count, seed, only, jobs, quick, require, on)
    raise typer.Exit(command.main(wish, listing, proofs, write, as_json, wide_console()))

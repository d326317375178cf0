"""`goldenseal theorems …`: what the theorem gate says, and its generated files written anew."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from goldenseal.terminal import AsJson

app = typer.Typer(
    no_args_is_help=True,
    help="Check the theorems, or write their generated files anew: docs/theorems.md.",
    epilog="Example:  goldenseal theorems refresh && git diff theorems/",
)

Root = Annotated[Path | None, typer.Option(help="The repository; found from here if left out.")]


@app.command(epilog="Example:  goldenseal theorems check --json")
def check(root: Root = None, as_json: AsJson = False) -> None:
    """Say what the theorem gate says: sources, axioms, coqchk, pinned statements, constants."""
    from goldenseal.config import find_root
    from goldenseal.coq.gate import check_theorems
    from goldenseal.result import EXIT_CODES
    from goldenseal.terminal import print_json

    result = check_theorems(root or find_root(), progress=_say)
    if as_json:
        print_json(result.to_json())
    else:
        print(f"theorems: {result.verdict.value}: {result.summary}")
        for finding in result.findings:
            print(f"  {finding}")
        if kernel := result.evidence.get("trusted"):
            print(f"  trusted: coqc and coqchk {kernel['coqc']}, Flocq {kernel['flocq']}")
            for problem in kernel["known"]:
                print(f"  known of that kernel, or reported later: {problem}")
    raise typer.Exit(EXIT_CODES[result.verdict])


@app.command(epilog="Example:  goldenseal theorems refresh && git diff theorems/")
def refresh(root: Root = None, as_json: AsJson = False) -> None:
    """Write the constants of the running code, the index, the table of what ties theorems to code
    where it is kept, and the pinned statements.

    Look at the difference before you commit it: a weaker statement is pinned as gladly as any.
    The statements come last and need Coq; without it the others are written all the same.
    """
    from goldenseal.config import find_root
    from goldenseal.coq import actions, bridges, generate, index, pins
    from goldenseal.terminal import print_json

    here = root or find_root()
    written = {}
    for file, action in (
        (generate.FILE, actions.regenerate_constants),
        (index.FILE, actions.renew_index),
        (bridges.FILE, actions.renew_table),
        (pins.FILE, lambda root: actions.pin_statements(root, _say)),
    ):
        written[file] = action(here)
        if not as_json:
            place = file if "/" in file else f"{actions.FOLDER}/{file}"
            print(f"{place}: {'changed' if written[file] else 'unchanged'}")
    if as_json:
        print_json({"changed": sorted(file for file, changed in written.items() if changed)})


def _say(text: str) -> None:
    print(f"  {text}", file=sys.stderr)

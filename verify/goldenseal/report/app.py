"""The command `goldenseal cite`: options and help; the work is imported late."""

from typing import Annotated

import typer

from goldenseal.terminal import AsJson, print_json

EXAMPLES = "Examples:  goldenseal cite 6330 > CITATION.cff   ·   goldenseal cite 6330 --bibtex"


def cite(
    record: Annotated[
        str, typer.Argument(help="A sealed record: its folder, or its identity's start.")
    ],
    author: Annotated[
        list[str] | None,
        typer.Option(help="'Given Family' or '{An Institution}'; those of CITATION.cff if none."),
    ] = None,
    bibtex: Annotated[bool, typer.Option("--bibtex", help="Print BibTeX instead of CFF.")] = False,
    as_json: AsJson = False,
) -> None:
    """Print how a sealed record is cited: CITATION.cff, or BibTeX, with its identity."""
    from goldenseal.report import cite as citing

    made = citing.cite(record, author or ())
    if as_json:
        print_json(made.to_json())
    else:
        print(made.bibtex() if bibtex else made.cff(), end="")

"""The command line of `goldenseal claims`. What it runs is loaded when it runs."""

from pathlib import Path
from typing import Annotated

import typer

from goldenseal.terminal import AsJson, print_json

EXAMPLES = (
    "Examples:  goldenseal claims   ·   goldenseal claims README.md --fix   ·   "
    "goldenseal claims README.md --why gain   ·   goldenseal claims paper.tex published.toml"
)


def claims(
    documents: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Markdown, LaTeX, SVG; tables of others' numbers in TOML. "
            "Those of pyproject.toml if none."
        ),
    ] = None,
    fix: Annotated[
        bool, typer.Option("--fix", help="Rewrite wrong numbers from the evidence.")
    ] = False,
    why: Annotated[
        str, typer.Option(help="Show the evidence and every step of this claim only.")
    ] = "",
    sarif: Annotated[
        Path | None, typer.Option(help="Also write the findings as SARIF, for code review.")
    ] = None,
    html: Annotated[
        Path | None, typer.Option(help="Also write one page: the prose, its numbers marked.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Recompute every number that documents bind to sealed records. Needs no torch."""
    from goldenseal.claims import command
    from goldenseal.records.sums import refuse_output

    for path in (sarif, html):
        if path:
            refuse_output(path)
    judged = command.claims(documents or [], fix)
    if sarif:
        command.write_sarif(judged, sarif)
    if html:
        from goldenseal.claims.page import page_of
        from goldenseal.disk.files import atomic_write

        atomic_write(html, page_of(judged).encode())
    if why:
        raise typer.Exit(command.explain(judged, why, as_json))
    print_json(judged.to_json()) if as_json else command.render(judged)
    raise typer.Exit(judged.exit_code)

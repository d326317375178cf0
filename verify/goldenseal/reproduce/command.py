"""What the command `reproduce` prints."""

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape

from goldenseal.config import repository
from goldenseal.launch.command import assigned, show
from goldenseal.reproduce import rerun
from goldenseal.terminal import print_json

console = Console(emoji=False)


def reproduce(
    prefix: str,
    steps: int | None,
    assignments: Sequence[str],
    present: bool,
    trace: bool,
    cell: str,
    from_checkpoint: bool,
    as_json: bool,
) -> int:
    """Re-run a sealed record."""
    local = assigned(assignments)
    choices = (steps, local, present, trace, cell, from_checkpoint)
    outcome = rerun.reproduce(repository(), prefix, show, *choices)
    if as_json:
        print_json(outcome.to_json())
    else:
        console.print(
            f"[bold]{outcome.verdict}[/]  {escape(outcome.record)}  {outcome.identity[:16]}",
            soft_wrap=True,
        )
        for text in (outcome.reason, outcome.compared, *outcome.notes):
            if text:
                console.print(f"        · {escape(text)}", soft_wrap=True)
    return outcome.exit_code

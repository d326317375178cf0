"""What commands print with: a console of the right width, a progress bar, one JSON document."""

import json
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, TextColumn


def wide_console() -> Console:
    """As wide as the terminal; in a pipe or a log, wide enough that no line is broken."""
    console = Console(emoji=False)
    return console if console.is_terminal else Console(width=240, emoji=False)


def print_json(document: Any) -> None:
    """Print one JSON document, for machines."""
    print(json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False))


def progress_bar(time: ProgressColumn) -> Progress:
    """Progress bar on standard error, when that is a terminal; `time` is its last column."""
    console = Console(stderr=True, emoji=False)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        time,
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )

"""What commands print with: a console of the right width, and one JSON document."""

import json
from typing import Any

from rich.console import Console


def wide_console() -> Console:
    """As wide as the terminal; in a pipe or a log, wide enough that no line is broken."""
    console = Console()
    return console if console.is_terminal else Console(width=240)


def print_json(document: Any) -> None:
    """Print one JSON document, for machines."""
    print(json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False))

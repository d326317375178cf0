"""What commands print with: a console of the right width, a progress bar, one JSON document."""

import json
import os
import sys
from typing import TYPE_CHECKING, Any

import typer
import typer.core

if TYPE_CHECKING:  # a command that prints JSON does not wait for rich
    from rich.console import Console
    from rich.progress import Progress, ProgressColumn

AFTER = "goldenseal.command"
CONTROLS = dict.fromkeys((7, 8, 11, 12, 13))  # rich leaves these out of what it prints


class BeforeCommand(typer.core.TyperCommand):
    """A command of ours whose arguments may end with `--` and the words of another one."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Keep the words after the first `--` for `command_after`."""
        before, after = args, []
        if "--" in args:
            place = args.index("--")
            before, after = args[:place], args[place + 1 :]
        ctx.meta[AFTER] = tuple(after)
        return list(super().parse_args(ctx, before))


def command_after(context: typer.Context) -> tuple[str, ...]:
    """The words after `--`; none when there is no such thing."""
    words: tuple[str, ...] = context.meta[AFTER]
    return words


def plain_console(stderr: bool = False, width: int | None = None) -> "Console":
    """Prints `data.py:100: x` as it stands, where rich would make an emoji of `:100:`."""
    from rich.console import Console

    return Console(stderr=stderr, width=width, emoji=False)


def wide_console() -> "Console":
    """As wide as the terminal; in a pipe or a log, wide enough that no line is broken."""
    console = plain_console()
    return console if console.is_terminal else plain_console(width=240)


def for_people() -> bool:
    """Whether standard output is a terminal, or is asked to be like one."""
    forced = os.environ.get("FORCE_COLOR") or os.environ.get("TTY_COMPATIBLE") == "1"
    return sys.stdout.isatty() or bool(forced)


def say(line: str, mark: str = "", colour: str = "") -> None:
    """Print a line as it stands, after a mark that a terminal shows in its colour.

    Only a terminal waits for rich to be loaded.
    """
    if not for_people():
        print((mark + line).translate(CONTROLS))
        return
    from rich.markup import escape

    shown = f"[{colour}]{mark}[/]" if mark else ""
    plain_console().print(shown + escape(line), soft_wrap=True, highlight=False)


def print_json(document: Any) -> None:
    """Print one JSON document, for machines."""
    print(json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False))


def progress_bar(time: "ProgressColumn") -> "Progress":
    """Progress bar on standard error, when that is a terminal; `time` is its last column."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    console = plain_console(stderr=True)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        time,
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )

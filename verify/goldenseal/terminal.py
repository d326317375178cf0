"""How commands print and end: a console, a progress bar, a JSON document, an error in one line."""

import errno
import io
import json
import os
import re
import sys
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
import typer.core

from goldenseal.errors import EXIT_CANNOT_CHECK, EXIT_USAGE, GoldensealError

if TYPE_CHECKING:  # a command that prints JSON does not wait for rich
    from rich.console import Console
    from rich.progress import Progress, ProgressColumn

# Options that more than one command has.
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document, for machines.")]
Waive = Annotated[
    list[str] | None,
    typer.Option(help="GATE=REASON: launch without this gate; sealed (may be repeated)."),
]

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
    return bool(forced) or (sys.stdout is not None and sys.stdout.isatty())


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
    """Print one JSON document, for machines; in what standard output can hold."""
    escaped = (getattr(sys.stdout, "encoding", None) or "utf-8").lower() != "utf-8"
    print(json.dumps(document, indent=2, sort_keys=True, ensure_ascii=escaped))
    _Printed.json = True


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


class _Printed:
    json = False  # whether standard output holds a document already


def run_app(app: typer.Typer) -> NoReturn:
    """Run the command line and leave with one of the four exit codes, or 130 when interrupted.

    Whatever goes wrong is one line on standard error, and with `--json` also a document with
    `error` and `exit_code` on standard output. A bug keeps its traceback, and ends as what was not
    checked: Python's own code for it, 1, would say that a promise is broken.
    """
    for stream in (sys.stdout, sys.stderr):  # names of files, and ours, in any locale
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    message, code = _run(app)
    try:
        if message:
            print(f"goldenseal: {in_one_line(message)}", file=sys.stderr)
            if "--json" in _own_words() and not _Printed.json:
                print_json({"error": message, "exit_code": code})
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError as error:
        code = EXIT_CANNOT_CHECK  # whoever reads does not have the whole answer
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else Python tries again
        if error.errno != errno.EPIPE and not message:
            print(f"goldenseal: standard output: {error.strerror}", file=sys.stderr)
    sys.exit(code)


def _own_words() -> list[str]:
    words = sys.argv[1:]
    return words[: words.index("--")] if "--" in words else words


def _run(app: typer.Typer) -> tuple[str, int]:
    """(what went wrong, or "", exit code)."""
    try:
        return "", app(standalone_mode=False) or 0
    except SystemExit as end:
        if isinstance(end.__context__, BrokenPipeError):
            return "", EXIT_CANNOT_CHECK
        return "", end.code if isinstance(end.code, int) else EXIT_USAGE * bool(end.code)
    except GoldensealError as error:
        return str(error), error.exit_code
    except OSError as error:
        if error.filename is None and not _here():
            return "the folder in which this was typed is no longer there", EXIT_USAGE
        if error.filename is None:  # no place was named: a disk is full, or a device failed
            return f"{error.strerror or error} while reading or writing", EXIT_CANNOT_CHECK
        place = error.filename
        return (
            f"{os.fsdecode(place) if isinstance(place, bytes) else place}: {error.strerror}",
            EXIT_USAGE,
        )
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if (extra := extra_of(package)) is not None:
            words = f"this needs {package}: pip install 'goldenseal[{extra}]'"
            return words, EXIT_CANNOT_CHECK
        return _bug(error)
    except Exception as error:
        if hasattr(error, "format_message"):  # of click, or of typer's own copy of it
            return _usage(error), EXIT_USAGE
        return _bug(error)


def _usage(error: Any) -> str:
    """Click's sentence about a bad command line, and where the good ones stand."""
    if type(error).__name__ == "NoArgsIsHelpError":
        error.show()
        return ""
    path = error.ctx.command_path if getattr(error, "ctx", None) else "goldenseal"
    return f"{error.format_message().rstrip('.')}: see {path} --help"


def _bug(error: Exception) -> tuple[str, int]:
    import traceback

    traceback.print_exception(error)
    return f"this is a bug of ours, and nothing was checked: {error!r}", EXIT_CANNOT_CHECK


def _here() -> bool:
    try:
        return bool(os.getcwd())
    except FileNotFoundError:
        return False


def in_one_line(text: str) -> str:
    """The text with whatever breaks a line, or moves a terminal's cursor, as an escape."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def extra_of(package: str) -> str | None:
    """The first extra of pyproject.toml that installs what is imported as `package`."""
    from importlib.metadata import PackageNotFoundError, requires

    try:
        needs = requires("goldenseal") or []
    except PackageNotFoundError:  # not installed: run from its folder
        return None
    project = {"PIL": "pillow", "pynvml": "nvidia-ml-py", "yaml": "pyyaml"}.get(package, package)
    for need in needs:
        match = re.match(r"([\w.-]+).*extra == .([\w-]+)", need)
        if match and match[1].lower().replace("-", "_") == project.lower().replace("-", "_"):
            return match[2]
    return None

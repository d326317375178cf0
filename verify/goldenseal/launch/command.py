"""What the command `record` prints, and what every command that runs a system shares."""

import sys
from collections.abc import Sequence
from pathlib import Path

from rich.markup import escape

from goldenseal.config import find_root, repository, system
from goldenseal.errors import EXIT_HOLDS, UsageError
from goldenseal.launch.collect import Asked
from goldenseal.launch.gate import clear
from goldenseal.launch.make_record import make_record, requested
from goldenseal.launch.outside_command import new_folder, record_command
from goldenseal.records.record import read_record, words_on_launch
from goldenseal.terminal import in_one_line, plain_console, print_json

console = plain_console()
SHOWN = 10  # files that were left out


def show(line: str) -> None:
    """A line of the run, beside the command's own output."""
    print(line, file=sys.stderr, flush=True)


def record(
    system_name: str, folder: Path, assignments: Sequence[str], waive: Sequence[str], as_json: bool
) -> int:
    """Run a system and leave a record, given a fresh green verdict or a waiver."""
    root = find_root()
    entry, given = system(root, system_name), assigned(assignments)
    requested(entry, folder.resolve(), given)
    launch = clear(root, entry, waive)
    make_record(root, entry, folder.resolve(), given, show, launch)
    made = read_record(folder.resolve())
    if as_json:
        print_json({"folder": str(folder), "record": made.facts})
        return EXIT_HOLDS
    if words := words_on_launch(made):
        console.print(f"        · {escape(words)}", soft_wrap=True)
    console.print(
        f"{folder} holds the run and record.json. Next: write its README.md, then "
        f"`goldenseal seal {folder}`",
        soft_wrap=True,
    )
    return EXIT_HOLDS


def record_outside(folder: Path | None, asked: Asked, as_json: bool) -> int:
    """Run a command of no system and seal what it left."""
    root = repository()
    wanted = (folder or new_folder(root, asked.command)).absolute()
    done = record_command(root, wanted, asked, _show_bytes)
    where = done.folder
    facts = read_record(where).facts
    if as_json:
        print_json({"folder": str(where), "identity": done.identity, "record": facts})
        return EXIT_HOLDS
    counts = f"{len(facts['source'])} source files, {len(facts['data'])} of data"
    console.print(
        f"{where} is sealed, {done.files} files: {len(facts['outputs'])} outputs, {counts}\n"
        f"identity {done.identity}",
        soft_wrap=True,
    )
    if not facts["environment"]["python_processes"]:
        words = "no Python was seen to run: source and data are what the command line names"
        console.print(f"        · {words}", soft_wrap=True)
    for name, reason in sorted(facts["environment"]["left_out"].items())[:SHOWN]:
        words = in_one_line(f"not in the record: {name}: {reason}")
        console.print(f"        · {escape(words)}", soft_wrap=True)
    return EXIT_HOLDS


def _show_bytes(data: bytes) -> None:
    sys.stderr.buffer.write(data)
    sys.stderr.flush()


def assigned(assignments: Sequence[str]) -> dict[str, str]:
    """What `--set NAME=value` says, by name. Raises UsageError for one without a value."""
    given: dict[str, str] = {}
    for assignment in assignments:
        name, equals, value = assignment.partition("=")
        if not equals or not name:
            raise UsageError(f"--set {assignment}: expected NAME=value")
        if given.setdefault(name, value) != value:
            raise UsageError(f"--set {name} is given twice, as {given[name]} and as {value}")
    return given

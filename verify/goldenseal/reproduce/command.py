"""What the command `reproduce` prints, and the statement that it writes."""

import datetime
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.markup import escape

from goldenseal import __version__
from goldenseal.config import repository
from goldenseal.disk.files import read_small
from goldenseal.errors import UsageError
from goldenseal.launch.command import assigned, show
from goldenseal.records import reproductions
from goldenseal.records.sums import MAX_SUMS_BYTES, SUMS
from goldenseal.reproduce import rerun
from goldenseal.terminal import plain_console, print_json

console = plain_console()


def reproduce(
    prefix: str,
    steps: int | None,
    assignments: Sequence[str],
    present: bool,
    trace: bool,
    cell: str,
    from_checkpoint: bool,
    as_json: bool,
    statement: Path | None = None,
    key: Path | None = None,
) -> int:
    """Re-run a sealed record; with `statement`, also write how it ended, signed with `key`."""
    if key and not statement:
        raise UsageError("--sign signs a statement: give --statement FILE too")
    if statement:
        reproductions.refuse_place(statement, key)
    local, root = assigned(assignments), repository()
    choices = (steps, local, present, trace, cell, from_checkpoint)
    outcome = rerun.reproduce(root, prefix, show, *choices)
    if statement:
        sums = read_small(root / outcome.record / SUMS, MAX_SUMS_BYTES)
        reproductions.write(
            statement, reproductions.document(outcome.record, sums, told(outcome)), key
        )
    if as_json:
        print_json(outcome.to_json())
    else:
        console.print(
            f"[bold]{outcome.verdict}[/]  {escape(outcome.record)}  {outcome.identity[:16]}",
            soft_wrap=True,
        )
        wrote = f"{statement}: this, to hand on{', signed' if key else ''}" if statement else ""
        for text in (outcome.reason, outcome.compared, *outcome.notes, wrote):
            if text:
                console.print(f"        · {escape(text)}", soft_wrap=True)
    return outcome.exit_code


def told(outcome: rerun.Reproduction) -> dict[str, Any]:
    """What a statement tells of a re-run that ended now: `records.reproductions.Told`."""
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    return {
        "end": outcome.verdict,
        "reason": outcome.reason,
        "compared": outcome.compared,
        "notes": outcome.notes,
        "firstStepThatDiffers": outcome.step,
        "system": outcome.system,
        "cell": outcome.cell,
        "steps": outcome.steps,
        "fromStep": outcome.from_step,
        "source": outcome.source,
        "sourceIsSealed": outcome.sealed_source,
        "numericClass": outcome.numeric_class,
        "numericClassIsSealed": outcome.same_class,
        "timeFinished": now.replace("+00:00", "Z"),
        "verifier": {"id": "urn:goldenseal", "version": {"goldenseal": __version__}},
    }

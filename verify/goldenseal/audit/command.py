"""What `goldenseal audit` prints and writes."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from goldenseal.audit import auditor as auditing
from goldenseal.audit.model import LIMITS, Audit, Certainty, Outcome
from goldenseal.audit.page import page
from goldenseal.disk.files import atomic_write

COLORS = {Outcome.CONSISTENT: "green", Outcome.MISMATCH: "red", Outcome.NOT_CHECKABLE: "yellow"}


def audit(paths: Sequence[Path], against: Path | None, html: Path | None, jobs: int) -> Audit:
    """Audit every record at or below the paths; write the page when one is asked for.

    Raises UsageError for a path that is no folder, CannotCheckError for a page without jinja2.
    """
    made = Audit(tuple(auditing.audit(paths, jobs, against)))
    if html is not None:
        atomic_write(html, page(made).encode())
    return made


def render(made: Audit, console: Console) -> None:
    """A table over the records, then what was found in each."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for column in ("record", "verdict", "why"):
        table.add_column(column, overflow="fold")
    for verdict in made.verdicts:
        color = COLORS[verdict.outcome]
        table.add_row(
            escape(Path(verdict.record).name or verdict.record),
            f"[{color}]{verdict.outcome.value}[/]",
            escape(verdict.reason),
        )
    console.print(table)
    for verdict in made.verdicts:
        if verdict.findings:
            console.print(f"\n{escape(verdict.record)}", highlight=False, soft_wrap=True)
        for finding in verdict.findings:
            color = "red" if finding.certainty is Certainty.MISMATCH else "yellow"
            mark = f"[{color}]{finding.certainty.value:9}[/]"
            console.print(f"  {mark}  {escape(str(finding))}", soft_wrap=True, highlight=False)
    counts = ", ".join(f"{count} {name}" for name, count in made.counts().items())
    console.print(f"\n{len(made.verdicts)} records: {counts}", highlight=False)
    console.print(LIMITS, soft_wrap=True, highlight=False)

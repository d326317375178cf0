"""What `goldenseal audit` prints and writes."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from verify.audit import auditor as auditing
from verify.audit.model import Certainty, Outcome, Verdict
from verify.errors import EXIT_CONTRADICTED, EXIT_HOLDS

LIMITS = (
    "Consistent means that the claims follow from the logs beside them. It does not mean that the "
    "runs can be reproduced; and no reading of text sees a causality violation, a leak in the "
    "preparation of data, or a distribution that is not normalised."
)
COLORS = {Outcome.CONSISTENT: "green", Outcome.MISMATCH: "red", Outcome.NOT_CHECKABLE: "yellow"}


@dataclass(frozen=True)
class Audit:
    """The verdicts on all records that were asked for."""

    verdicts: tuple[Verdict, ...]

    @property
    def exit_code(self) -> int:
        """1 when a record is contradicted, else 0."""
        wrong = any(v.outcome is Outcome.MISMATCH for v in self.verdicts)
        return EXIT_CONTRADICTED if wrong else EXIT_HOLDS

    def counts(self) -> dict[str, int]:
        """How many records have each verdict."""
        return {o.value: sum(v.outcome is o for v in self.verdicts) for o in Outcome}

    def to_json(self) -> dict[str, Any]:
        """For machines."""
        return {
            "records": [verdict.to_json() for verdict in self.verdicts],
            "counts": self.counts(),
            "limits": LIMITS,
        }


def audit(paths: Sequence[Path], against: Path | None, html: Path | None, jobs: int) -> Audit:
    """Audit every record at or below the paths; write the page when one is asked for.

    Raises UsageError for a path that is no folder, CannotCheckError for a page without jinja2.
    """
    found = Audit(tuple(auditing.audit(paths, jobs, against)))
    if html is not None:
        from verify.audit.page import page
        from verify.files import atomic_write

        atomic_write(html, page(found).encode())
    return found


def render(found: Audit, console: Console) -> None:
    """A table over the records, then what was found in each."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for column in ("record", "verdict", "why"):
        table.add_column(column, overflow="fold")
    for verdict in found.verdicts:
        color = COLORS[verdict.outcome]
        table.add_row(
            escape(Path(verdict.record).name or verdict.record),
            f"[{color}]{verdict.outcome.value}[/]",
            escape(verdict.reason),
        )
    console.print(table)
    for verdict in found.verdicts:
        if verdict.findings:
            console.print(f"\n{escape(verdict.record)}", highlight=False, soft_wrap=True)
        for finding in verdict.findings:
            color = "red" if finding.certainty is Certainty.MISMATCH else "yellow"
            mark = f"[{color}]{finding.certainty.value:9}[/]"
            console.print(f"  {mark}  {escape(str(finding))}", soft_wrap=True, highlight=False)
    counts = ", ".join(f"{count} {name}" for name, count in found.counts().items())
    console.print(f"\n{len(found.verdicts)} records: {counts}", highlight=False)
    console.print(LIMITS, soft_wrap=True, highlight=False)

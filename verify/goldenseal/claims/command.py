"""What `goldenseal claims` prints."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from goldenseal.claims.findings import Finding
from goldenseal.claims.judgement import Judgement, judge_documents
from goldenseal.claims.why import why
from goldenseal.config import repository
from goldenseal.disk.files import atomic_write
from goldenseal.errors import EXIT_CONTRADICTED, EXIT_HOLDS
from goldenseal.terminal import print_json


def claims(chosen: Sequence[Path], fix: bool) -> Judgement:
    """Judge the documents of this repository, or the chosen ones."""
    return judge_documents(repository(), chosen, fix)


def render(judged: Judgement, console: Console) -> None:
    """One line a document; under it what is wrong, and what is exempt for which reason."""
    for document, verdicts, findings in judged.documents:
        mark = "[red]FAIL[/]" if findings else "[green]pass[/]"
        bound, closed = len(verdicts), document.closed
        console.print(
            f"{mark}  {escape(document.name)}  {bound} numbers bound; {closed} numerals stand in "
            "results sections and tables",
            soft_wrap=True,
        )
        for finding in findings:
            _show(finding, console)
        for exemption in document.exemptions:
            console.print(
                f"        exempt, line {exemption.line} ({exemption.scope}, {exemption.numerals} "
                f"numerals): {escape(exemption.reason)}",
                soft_wrap=True,
            )
    for name in judged.rewritten:
        print(f"goldenseal: {name} was rewritten from the evidence", file=sys.stderr)
    wrong = len(judged.findings)
    console.print(
        f"\n{judged.bound} numbers bound, {judged.exempt} exempt with a reason, {wrong} findings"
    )
    made = judged.coverage
    console.print(
        f"coverage {made.share:.1%}: {made.bound} bound that hold, {made.exempt} exempt, "
        f"{made.red} red"
    )


def _show(finding: Finding, console: Console) -> None:
    """What is wrong, the sentence, and what to type."""
    lines = [f"        · {finding}"]
    if finding.sentence and finding.sentence != finding.claim:
        lines.append(f"          “{finding.sentence}”")
    if finding.command:
        lines.append(f"          {finding.right} is right: {finding.command}")
    for line in lines:
        console.print(escape(line), soft_wrap=True, highlight=False)


def write_sarif(judged: Judgement, out: Path) -> None:
    """The findings for code review."""
    from goldenseal.claims.sarif import to_sarif

    atomic_write(out, (json.dumps(to_sarif(judged), indent=2, sort_keys=True) + "\n").encode())


def explain(judged: Judgement, name: str, as_json: bool, console: Console) -> int:
    """Print why a claim's number is what it is. Exit code 1 when it does not hold there."""
    explained = why(judged, name)
    if as_json:
        print_json([each.to_json() for each in explained])
    else:
        for each in explained:
            for line in each.lines():
                console.print(line, markup=False, highlight=False, soft_wrap=True)
    return EXIT_CONTRADICTED if any(each.findings for each in explained) else EXIT_HOLDS

"""What `goldenseal claims` prints."""

import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from goldenseal.claims.judgement import Judgement, judge_documents
from goldenseal.config import repository


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
            console.print(f"        · {escape(str(finding))}", soft_wrap=True, highlight=False)
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

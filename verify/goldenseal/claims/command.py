"""What `goldenseal claims` prints."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from goldenseal.claims.findings import Finding
from goldenseal.claims.judgement import Judgement, judge_documents
from goldenseal.config import repository
from goldenseal.disk.files import atomic_write
from goldenseal.errors import EXIT_CONTRADICTED, EXIT_HOLDS
from goldenseal.terminal import print_json, say


def claims(chosen: Sequence[Path], fix: bool) -> Judgement:
    """Judge the documents of this repository, or the chosen ones."""
    return judge_documents(repository(), chosen, fix)


def render(judged: Judgement) -> None:
    """One line a document; under it what is wrong, and what is exempt for which reason."""
    for document, verdicts, findings in judged.documents:
        bound, closed = len(verdicts), document.closed
        say(
            f"  {document.name}  {bound} numbers bound; {closed} numerals stand in results "
            "sections and tables",
            *(("FAIL", "red") if findings else ("pass", "green")),
        )
        for finding in findings:
            _show(finding)
        for exemption in document.exemptions:
            say(
                f"        exempt, line {exemption.line} ({exemption.scope}, {exemption.numerals} "
                f"numerals): {exemption.reason}"
            )
    for name in judged.rewritten:
        print(f"goldenseal: {name} was rewritten from the evidence", file=sys.stderr)
    wrong = len(judged.findings)
    say(f"\n{judged.bound} numbers bound, {judged.exempt} exempt with a reason, {wrong} findings")
    made = judged.coverage
    say(
        f"coverage {made.share:.1%}: {made.bound} bound that hold, {made.exempt} exempt, "
        f"{made.red} red"
    )


def _show(finding: Finding) -> None:
    """What is wrong, the sentence, and what to type."""
    say(f"        · {finding}")
    if finding.sentence and finding.sentence != finding.claim:
        say(f"          “{finding.sentence}”")
    if finding.command:
        say(f"          {finding.right} is right: {finding.command}")


def write_sarif(judged: Judgement, out: Path) -> None:
    """The findings for code review."""
    from goldenseal.claims.sarif import to_sarif

    atomic_write(out, (json.dumps(to_sarif(judged), indent=2, sort_keys=True) + "\n").encode())


def explain(judged: Judgement, name: str, as_json: bool) -> int:
    """Print why a claim's number is what it is. Exit code 1 when it does not hold there."""
    from goldenseal.claims.why import why

    explained = why(judged, name)
    if as_json:
        print_json([each.to_json() for each in explained])
    else:
        for each in explained:
            for line in each.lines():
                say(line)
    return EXIT_CONTRADICTED if any(each.findings for each in explained) else EXIT_HOLDS

"""Findings as SARIF 2.1.0, which code review shows beside the lines; fixes where there are."""

from typing import Any

from goldenseal import __version__
from goldenseal.claims.findings import KINDS, OF_OTHERS, Finding
from goldenseal.claims.fix import span_of
from goldenseal.claims.judge import Verdict
from goldenseal.claims.judgement import Judgement

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def to_sarif(judged: Judgement) -> dict[str, Any]:
    """One run of the tool; a result a finding."""
    results = []
    for document, verdicts, findings in judged.documents:
        spans = {}
        for verdict in verdicts:
            if isinstance(verdict, Verdict) and (span := span_of(document.source, verdict.bound)):
                spans.update({id(finding): span for finding in verdict.findings})
        results += [_result(f, document.source, spans.get(id(f))) for f in findings]
    kinds = sorted({result["ruleId"] for result in results})
    texts = OF_OTHERS | KINDS
    rules = [{"id": kind, "shortDescription": {"text": texts[kind]}} for kind in kinds]
    driver = {"name": "goldenseal claims", "version": __version__, "rules": rules}
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "columnKind": "unicodeCodePoints",
                  "results": results}],
    }  # fmt: skip


def _result(finding: Finding, source: str, span: tuple[int, int] | None) -> dict[str, Any]:
    name = f"{finding.claim}: " if finding.claim else ""
    text = f"{name}{finding.message}"
    if finding.sentence:
        text += f"\n“{finding.sentence}”"
    region: dict[str, Any] = {"startLine": max(1, finding.line)}
    if span:
        begin = source.rfind("\n", 0, span[0]) + 1
        region = {
            "startLine": source.count("\n", 0, span[0]) + 1,
            "startColumn": span[0] - begin + 1,
            "endColumn": span[1] - begin + 1,
        }
    place = {"artifactLocation": {"uri": finding.document}, "region": region}
    result: dict[str, Any] = {
        "ruleId": finding.kind,
        "level": "warning" if finding.kind == "could-not-check" else "error",
        "message": {"text": text},
        "locations": [{"physicalLocation": place}],
    }
    if span and finding.command and finding.right:
        change = {
            "artifactLocation": {"uri": finding.document},
            "replacements": [{"deletedRegion": region, "insertedContent": {"text": finding.right}}],
        }
        words = {"text": f"write {finding.right}: {finding.command}"}
        result["fixes"] = [{"description": words, "artifactChanges": [change]}]
    return result

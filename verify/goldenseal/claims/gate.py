"""Every number in a results section or table is recomputed from sealed records, or says why not."""

from pathlib import Path

from goldenseal.claims.judgement import judge_documents
from goldenseal.result import GateResult, conclude, not_run

NAME = "claims"


def check_claims(root: Path) -> GateResult:
    """Judge the documents that pyproject.toml lists; what could not be checked is no pass."""
    judged = judge_documents(root)
    findings = [str(finding) for finding in judged.findings]
    result = conclude(NAME, f"{judged.bound} numbers recomputed from sealed records", findings)
    kinds = {finding.kind for finding in judged.findings}
    if kinds == {"could-not-check"}:
        return not_run(NAME, "; ".join(findings))
    return result

"""A table of sourced numbers as a document under claims: its verdicts and its findings."""

from dataclasses import dataclass, field
from typing import Any

from goldenseal.claims.documents.model import Document
from goldenseal.claims.findings import Finding
from goldenseal.claims.sourced.claim import Claim
from goldenseal.claims.sourced.numbers import shown
from goldenseal.claims.sourced.table import Sourced, judged, parsed
from goldenseal.errors import UsageError


@dataclass
class SourcedVerdict:
    """What was said of sourced numbers, and what is wrong with it."""

    claim: Claim
    line: int
    findings: list[Finding] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """For --json; in the form of a claim that rests on sealed evidence."""
        return {
            "claim": self.claim.says,
            "line": self.line,
            "printed": self.claim.printed,
            "stat": self.claim.kind,
            "evidence": next((f.right for f in self.findings if f.right), None),
            "exact": None,
            "places": [],
            "seeds": [],
            "holds": not self.findings,
            "sources": [self._source(source) for source in self.claim.sources],
        }

    def _source(self, source: Any) -> dict[str, Any]:
        values = {seed: shown(value) for seed, value in source.values.items()}
        facts = {"label": source.label, "origin": source.origin, "values": values}
        return facts | {"mean": shown(source.centre), "n": source.count, "epochs": source.epochs,
                        "examples": source.examples}  # fmt: skip


def judge_table(name: str, text: str) -> tuple[Document, list[SourcedVerdict], list[Finding]]:
    """Judge every claim of a table. Raises UsageError for what is wrong in its form."""
    table: Sourced = parsed(text, name)
    document = Document(name, text, closed=len(table.claims))
    verdicts = []
    for claim, line in zip(table.claims, table.lines, strict=True):
        verdict = SourcedVerdict(claim, line)
        try:
            faults = judged(claim)
        except UsageError as error:
            raise UsageError(f"{name}:{line}: {error}") from None
        verdict.findings = [
            Finding(f.kind, f.words, name, line, claim.says, claim.says, f.right) for f in faults
        ]
        verdicts.append(verdict)
    return document, verdicts, [f for verdict in verdicts for f in verdict.findings]

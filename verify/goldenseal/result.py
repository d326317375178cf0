"""What a gate returns: a verdict, one stable sentence, and the reasons when it is not a pass."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

from goldenseal.errors import EXIT_CANNOT_CHECK, EXIT_CONTRADICTED, EXIT_HOLDS


class Verdict(Enum):
    """`not run` is a verdict of its own and never counts as a pass."""

    PASS = "pass"
    FAIL = "fail"
    NOT_RUN = "not run"


EXIT_CODES = {
    Verdict.PASS: EXIT_HOLDS,
    Verdict.FAIL: EXIT_CONTRADICTED,
    Verdict.NOT_RUN: EXIT_CANNOT_CHECK,
}


@dataclass(frozen=True)
class GateResult:
    """One gate's outcome.

    `summary` goes into smoke.log, so it holds no time, path, host or process number.
    `findings` are one-line reasons; `evidence` is JSON-able and is digested into the verdict.
    `kept`: of a gate that was not run again since all that it read stands, when it was run.
    """

    gate: str
    verdict: Verdict
    summary: str
    findings: tuple[str, ...] = ()
    evidence: Mapping[str, Any] = field(default_factory=dict)
    kept: str = ""

    def of(self, system: str) -> "GateResult":
        """The same, named after its system."""
        return replace(self, gate=f"{system}: {self.gate}")

    def to_json(self) -> dict[str, Any]:
        """For --json."""
        return {
            "gate": self.gate,
            "verdict": self.verdict.value,
            "summary": self.summary,
            "findings": list(self.findings),
            "evidence": dict(self.evidence),
            **({"kept": self.kept} if self.kept else {}),
        }


def conclude(
    gate: str,
    summary: str,
    findings: Iterable[str],
    evidence: Mapping[str, Any] | None = None,
    failed: str = "",
) -> GateResult:
    """Pass when nothing was found, fail otherwise.

    `summary` says what holds when it passes; `failed` what does not when it fails, how many
    findings there are when left out.
    """
    reasons = tuple(findings)
    if reasons:
        summary = failed or f"{len(reasons)} finding{'s' if len(reasons) > 1 else ''}"
    verdict = Verdict.FAIL if reasons else Verdict.PASS
    return GateResult(gate, verdict, summary, reasons, evidence or {})


def not_run(gate: str, reason: str) -> GateResult:
    """The gate could not do its work; `reason` says what is missing and how to get it."""
    return GateResult(gate, Verdict.NOT_RUN, "could not run", (reason,))

"""What can be wrong with a claim, by name, and how it is reported."""

from dataclasses import dataclass
from typing import Any

# Each kind with the sentence that docs/claims.md prints; a test keeps the two the same.
KINDS: dict[str, str] = {
    "unbound": "a numeral in a results section or a table that nothing binds or exempts",
    "bad-claim": "a marker, definition or exemption that is malformed, unknown or unused",
    "no-evidence": "the definition leads to no sealed number: no such record, file, line, pointer",
    "unsealed": "the record is not sealed, or what is read of it is not what was sealed",
    "superseded": "another sealed record corrects the one that the claim rests on",
    "refuted": "the record, or a sealed correction of it, says `refuted`",
    "unmeasured": "the record is a proposal or a baseline, and holds no results",
    "incomplete-grid": "seeds or runs that the record lists or plans are missing from the claim",
    "single-seed": "several seeds are claimed, or needed, and the evidence has one",
    "no-spread": "a t-test over runs that vary by no more than rounding: it is not defined",
    "mislabelled": "the words beside the number name another statistic than the one that is bound",
    "population-sd": "a population deviation where a sample deviation is claimed, or the reverse",
    "unmatched": "the two sides of a comparison differ in more than the factor that is stated",
    "best-of": "a minimum or maximum whose text does not say of how many it is the best",
    "margin": "a margin or ratio that does not follow from its two printed numbers",
    "rounding": "the last printed digit is not what rounding gives",
    "sign-lost": "the number is right but for its sign",
    "unit-lost": "the number is right but for its unit, or the unit is not there",
    "relation": "the evidence is not on the stated side of the printed bound",
    "stale": "the number is that of an earlier run: the record was corrected or sealed anew",
    "misplaced": "a sealed file holds the number, but not at the place that is named",
    "hard-coded": "no sealed file holds the number",
    "could-not-check": "something is not installed, or the document's own record not sealed yet",
}


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong, in a document at a line."""

    kind: str
    message: str
    document: str = ""
    line: int = 0
    claim: str = ""

    def __str__(self) -> str:
        """One line: where, which kind, what."""
        name = f"{self.claim}: " if self.claim else ""
        return f"{self.document}:{self.line}: {self.kind}: {name}{self.message}"

    def to_json(self) -> dict[str, Any]:
        """For --json."""
        return dict(vars(self))


class ClaimError(Exception):
    """A claim does not hold, or cannot be judged; `kind` is one of KINDS."""

    def __init__(self, kind: str, message: str):
        super().__init__(message)
        self.kind = kind
        self.message = message

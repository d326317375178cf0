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
    "pooled": "a deviation over all cells where one over seeds is claimed",
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

# What a table of sourced numbers may be found to be; docs/claims-of-others.md prints these.
OF_OTHERS: dict[str, str] = {
    "no-evidence": "no source gives the number that is printed",
    "rounding": "off by one in the last digit, or right only by the rounding of its parts",
    "unit": "the number of a source, a power of ten off",
    "single-seed": "the value of one seed where a mean of several is claimed",
    "seeds": "more seeds are claimed than a source has",
    "deviation": "neither the sample's deviation nor the population's",
    "population-sd": "the population's deviation where the sample's is claimed",
    "sample-sd": "the sample's deviation where the population's is claimed",
    "pooled": "a deviation over all cells where one over seeds is claimed",
    "list": "values by seed that are not those of the source",
    "unmatched": "two sides differ in epochs, examples or setting, and nothing says so",
    "unauditable": "seeds whose files nobody can look at",
    "range": "values lie outside of the range that is said to hold them all",
    "count": "another number of values or rows is in the band, or so marked",
    "unlike": "two numbers that are called alike differ by more than the factor that is allowed",
    "margin": "a difference, a shift or a clearance that does not follow from its numbers",
    "ratio": "a ratio that does not follow from its numbers",
    "change": "a relative change that does not follow from its numbers",
    "sum": "parts that do not add up to what is printed",
    "boundary": "a threshold at which nothing flips: the deciding value is another",
    "two-values": "one quantity is printed with two values",
    "order": "the sources are not in the order that is claimed, or two print alike",
    "rows": "values that are cited together stand in no row together",
    "extreme": "the best, worst, first, last or mean value of a column is another",
    "trend": "a column does not go where it is said to go",
    "target": "no row comes as near to a target as is said",
    "confounded": "no two experiments differ in the cause alone",
    "lineage": "a thing goes back to what it is said to be free of",
}


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong, in a document at a line.

    `sentence` is where the number stands; `right`, the number that would be right at the printed
    digits; `command`, what rewrites it.
    """

    kind: str
    message: str
    document: str = ""
    line: int = 0
    claim: str = ""
    sentence: str = ""
    right: str = ""
    command: str = ""

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

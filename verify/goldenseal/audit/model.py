"""What an audit is about: a record's files, what they claim, what they log, what was found."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Any

from goldenseal.audit.lists import Listed
from goldenseal.audit.numbers import Number
from goldenseal.audit.runs import Log as Log
from goldenseal.audit.runs import Run as Run
from goldenseal.audit.runs import Score as Score
from goldenseal.audit.runs import Size as Size
from goldenseal.audit.runs import Stage as Stage
from goldenseal.audit.runs import one_a_seed as one_a_seed
from goldenseal.audit.runs import seed_in_name as seed_in_name
from goldenseal.errors import EXIT_CONTRADICTED, EXIT_HOLDS

LIMITS = (
    "Consistent means that the claims follow from the logs beside them. It does not mean that the "
    "runs can be reproduced; and no reading of text sees a causality violation, a leak in the "
    "preparation of data, or a distribution that is not normalised."
)


class Certainty(StrEnum):
    """What a finding means for the verdict: only a mismatch contradicts the record."""

    MISMATCH = "mismatch"
    AMBIGUOUS = "ambiguous"
    NOTE = "note"


class Outcome(StrEnum):
    """The verdict on a record."""

    CONSISTENT = "consistent"
    MISMATCH = "mismatch"
    NOT_CHECKABLE = "not checkable"


@dataclass(frozen=True)
class Claim:
    """One number that the record states. `seed` is None for a statement on the whole record."""

    place: str  # file and JSON pointer, or file and line
    role: str  # bpb, loss, total, model, code, params, steps, train, evaluation, p, t, df
    number: Number
    seed: int | None = None
    statistic: str = ""  # mean, std, standard error, min, max; run: of one run, not said which
    before: bool = False  # stated as a value before quantisation
    nested: bool = False  # stands within a second account (a re-run, a disclosure)
    scale: Decimal = Decimal(1)  # of bytes: a megabyte is 1,000,000; of time: a second is 1,000

    def __str__(self) -> str:
        return f"{self.role} {self.number}"


@dataclass
class Submission:
    """A submission file: its claims, and what was wrong with it."""

    name: str
    facts: dict[str, Any]
    claims: list[Claim]
    seeds: list[int]
    repeated_seeds: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class Cell:
    """A cell of a seed table. `seed` is None in the rows of means and deviations."""

    line: int
    table: int
    column: str
    row: str  # "seed", "mean", "std", "max" or "min"
    seed: int | None
    text: str
    label: str = ""  # the row's first cell


@dataclass(frozen=True)
class Table:
    """A table of the README as it stands: (line, cells) of its header and of each row."""

    number: int
    heading: str  # above it
    header: list[str]
    rows: list[tuple[int, list[str]]]


@dataclass
class Readme:
    """What the README states."""

    name: str
    text: str
    cells: list[Cell] = field(default_factory=list)
    headings: dict[int, str] = field(default_factory=dict)  # above each table
    tables: list[Table] = field(default_factory=list)
    lists: list[Listed] = field(default_factory=list)
    by_config: dict[int, bool] = field(default_factory=dict)  # its rows are of configurations
    guessed: set[int] = field(default_factory=set)  # tables with seeds that no heading calls so


@dataclass(frozen=True)
class Finding:
    """One thing found: what is claimed, where, and the nearest evidence."""

    kind: str
    certainty: Certainty
    claim: str
    place: str
    evidence: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.claim} ({self.place}); {self.evidence}"


@dataclass
class Record:
    """A record folder as it was read; nothing in it was executed."""

    folder: Path
    name: str
    submissions: list[Submission] = field(default_factory=list)
    logs: list[Log] = field(default_factory=list)
    scripts: dict[str, int] = field(default_factory=dict)  # bytes as shipped
    sources: dict[str, str] = field(default_factory=dict)  # text, where the script is there
    empty: list[str] = field(default_factory=list)  # scripts without a byte
    readme: Readme | None = None
    problems: list[Finding] = field(default_factory=list)
    rival: "Record | None" = None  # the record to test against
    facts: dict[str, Any] = field(default_factory=dict)  # what a form keeps for its own checks
    chosen: "list[Run] | None" = None  # the runs that the claims are about, where that is known

    @property
    def runs(self) -> list[Run]:
        """All runs of all logs, byte-identical copies once."""
        seen: set[str] = set()
        runs: list[Run] = []
        for log in self.logs:
            if log.digest not in seen:
                seen.add(log.digest)
                runs += log.runs
        return runs

    def with_siblings(self, run: Run) -> list[Run]:
        """A run, and then the others of its seed: an evaluation may be logged apart."""
        if run.seed is None:
            return [run]
        return [run, *(one for one in self.runs_of(run.seed) if one is not run)]

    def runs_of(self, seed: int | None) -> list[Run]:
        """The runs with that seed inside; all of them for None."""
        return [run for run in self.runs if seed is None or run.seed == seed]

    @property
    def headlines(self) -> list[Claim]:
        """The scores that submission files state for the whole record: bits a byte, else losses."""
        of_all = [
            c
            for s in self.submissions
            for c in s.claims
            if c.seed is None and not c.before and not c.nested and c.number.value > 0
            if c.role in ("bpb", "loss") and c.statistic in ("", "mean", "min")
        ]
        return [c for c in of_all if c.role == "bpb"] or of_all

    @property
    def claimed_seeds(self) -> list[int]:
        """The seeds that submission files list, or else the README's tables."""
        listed = [seed for s in self.submissions for seed in s.seeds]
        if not listed and self.readme:
            listed = [c.seed for c in self.readme.cells if c.seed is not None]
        return list(dict.fromkeys(listed))

    @property
    def used_runs(self) -> list[Run]:
        """The runs that the claims are about: of the claimed seeds, or all that have a score."""
        if self.chosen is not None:
            return self.chosen
        seeds = self.claimed_seeds
        scored = [run for run in self.runs if run.finals or run.scores]
        chosen = [run for run in scored if run.seed in seeds]
        return chosen or scored


@dataclass
class Notes:
    """What the checks write down."""

    findings: list[Finding] = field(default_factory=list)
    confirmed: list[str] = field(default_factory=list)
    scored: set[str] = field(default_factory=set)  # where a score stands that a log supports

    def score(self, claim: object, place: str, evidence: str) -> None:
        """A stated score that a log supports."""
        self.scored.add(place)
        self.confirm(claim, place, evidence)

    def confirm(self, claim: object, place: str, evidence: str) -> None:
        """A claim that the evidence supports."""
        self.confirmed.append(f"{claim} ({place}): {evidence}")

    def add(
        self, kind: str, certainty: Certainty, claim: object, place: str, evidence: str
    ) -> None:
        """A finding; the same one twice counts once."""
        finding = Finding(kind, certainty, str(claim), place, evidence)
        if finding not in self.findings:
            self.findings.append(finding)


@dataclass(frozen=True)
class Verdict:
    """What was found about one record."""

    record: str
    form: str
    outcome: Outcome
    reason: str
    findings: tuple[Finding, ...]
    confirmed: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """For machines."""
        return {
            "record": self.record,
            "form": self.form,
            "verdict": self.outcome.value,
            "reason": self.reason,
            "findings": [
                {
                    "kind": f.kind,
                    "certainty": f.certainty.value,
                    "claim": f.claim,
                    "place": f.place,
                    "evidence": f.evidence,
                }
                for f in self.findings
            ],
            "confirmed": list(self.confirmed),
        }


def unique(values: Iterable[int]) -> list[int]:
    """Without repetitions, in order."""
    return list(dict.fromkeys(values))


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

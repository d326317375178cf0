"""Judging a document: each number against its evidence, and each fault by its name."""

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

from goldenseal.claims.compute import Outcome, compute, follow
from goldenseal.claims.definition import OF_PRINTED, Definition, parse_definition
from goldenseal.claims.documents.model import Bound, Document
from goldenseal.claims.evidence import Library
from goldenseal.claims.findings import ClaimError, Finding
from goldenseal.claims.naming import check_name
from goldenseal.claims.numerals import accepts, render, short
from goldenseal.claims.text import excerpt
from goldenseal.claims.wording import (
    check_best_of,
    check_count,
    check_population,
    check_seeds,
    check_test,
    check_unit,
)

POWERS = (1, 2, 3, 6, 9)  # of ten, by which a lost unit shifts a number
MULTIPLES = tuple(Fraction(10) ** (sign * p) for p in POWERS for sign in (1, -1))
SIGNS = {"<": lambda a, b: a < b, "<=": lambda a, b: a <= b,
         ">": lambda a, b: a > b, ">=": lambda a, b: a >= b}  # fmt: skip
RELATION_WORDS = {
    "<": ("<", "under", "below", "less than", "fewer than"),
    "<=": ("<=", "≤", "at most", "up to"),
    ">": (">", "over", "above", "more than"),
    ">=": (">=", "≥", "at least"),
}


@dataclass
class Verdict:
    """A claim as judged: what is printed, what the evidence says, and what is wrong."""

    bound: Bound
    definition: Definition | None = None
    outcome: Outcome | None = None
    findings: list[Finding] = field(default_factory=list)

    @property
    def fixable(self) -> bool:
        """Whether the evidence stands, so that it can say what the number should be.

        A number in a picture is drawn again, not rewritten.
        """
        stated = self.definition is not None and not self.definition.relation
        return self.outcome is not None and stated and not self.bound.file

    @property
    def right(self) -> str:
        """The number at its printed digits as the evidence has it; empty where it is so printed."""
        printed, definition = self.bound.printed, self.definition
        if self.outcome is None or definition is None or definition.relation:
            return ""
        return "" if accepts(printed, self.outcome.exact) else render(self.outcome.exact, printed)

    def _places(self) -> list[str]:
        if self.outcome is None:
            return []
        if self.outcome.sourced and self.definition:
            return [f"{self.definition.table}#{self.definition.sourced}"]
        return sorted({o.where for o in (*self.outcome.left, *self.outcome.right)})

    def to_json(self) -> dict[str, Any]:
        """For --json: the exact value is a fraction in text, beside its nearest short decimal."""
        known = self.outcome
        return {
            "claim": self.bound.claim,
            "line": self.bound.line,
            "printed": self.bound.printed.text,
            "stat": self.definition.stat if self.definition else None,
            "evidence": short(known.exact) if known else None,
            "exact": str(known.exact) if known and len(str(known.exact)) < 400 else None,
            "places": self._places(),
            "seeds": sorted(known.seeds) if known else [],
            "holds": not self.findings,
        }


def judge(
    document: Document, library: Library, ignored: Sequence[str] = ()
) -> tuple[list[Verdict], list[Finding]]:
    """Every bound number of a document, and all findings, in order of line.

    `ignored` are knobs that name places; comparisons leave them out.
    """
    return _Judge(document, library, ignored).run()


class _Judge:
    def __init__(self, document: Document, library: Library, ignored: Sequence[str]):
        self.document, self.library, self.ignored = document, library, ignored
        self.findings = list(document.findings)
        self.definitions: dict[str, Definition] = {}
        self.faults: dict[str, ClaimError] = {}
        self.outcomes: dict[str, Outcome] = {}
        self.first: dict[str, Bound] = {}
        self.blocks: dict[int, list[Bound]] = {}  # the bound numbers of each text
        for bound in document.bound:
            self.first.setdefault(bound.claim, bound)
            self.blocks.setdefault(bound.block, []).append(bound)

    def run(self) -> tuple[list[Verdict], list[Finding]]:
        for name, (line, entry) in self.document.definitions.items():
            try:
                self.definitions[name] = parse_definition(name, entry)
            except ClaimError as error:
                self.faults[name] = error
            if name not in self.first:
                message = "it is defined, and no numeral is bound to it"
                self.findings.append(Finding("bad-claim", message, self.document.name, line, name))
        verdicts = [self._verdict(bound) for bound in self.document.bound]
        for verdict in verdicts:
            verdict.findings = [self._shown(verdict, finding) for finding in verdict.findings]
            self.findings += verdict.findings
        return verdicts, sorted(self.findings, key=lambda finding: finding.line)

    def _shown(self, verdict: Verdict, finding: Finding) -> Finding:
        """With its sentence, the right number, and what to type."""
        bound, name = verdict.bound, self.document.name
        command = (
            f"goldenseal claims {shlex.quote(name)} --fix"
            if verdict.fixable and verdict.right
            else ""
        )
        said = excerpt(bound.text, bound.start, bound.start + len(bound.printed.text))
        return replace(finding, sentence=said, right=verdict.right, command=command)

    def _verdict(self, bound: Bound) -> Verdict:
        name = bound.claim
        verdict = Verdict(bound, self.definitions.get(name))
        try:
            verdict.outcome = outcome = self._outcome(name)
        except ClaimError as error:
            verdict.findings.append(self._finding(bound, error))
            return verdict
        definition = self.definitions[name]
        checks = (
            self._check_number,
            self._check_name,
            check_unit,
            check_seeds,
            check_count,
            check_test,
            check_best_of,
            check_population,
        )
        for check in checks:
            try:
                check(bound, definition, outcome)
            except ClaimError as error:
                verdict.findings.append(self._finding(bound, error))
        sources = {each.sealed.name: each.sealed for each in (*outcome.left, *outcome.right)}
        for sealed in sources.values():
            if sealed.draft and not verdict.findings:
                message = f"{sealed.name} says so, and is not sealed yet"
                verdict.findings.append(
                    self._finding(bound, ClaimError("could-not-check", message))
                )
        return verdict

    def _finding(self, bound: Bound, error: ClaimError) -> Finding:
        place = bound.file or self.document.name
        return Finding(error.kind, error.message, place, bound.line, bound.claim)

    def _outcome(self, name: str) -> Outcome:
        """What the evidence says; computed once a name. Raises ClaimError, each time."""
        if name in self.faults:
            raise self.faults[name]
        if name not in self.definitions:
            raise ClaimError("bad-claim", "nothing of this name is defined in the document")
        if name not in self.outcomes:
            try:
                definition = self.definitions[name]
                if definition.stat in OF_PRINTED:
                    return self._follow(definition)
                self.outcomes[name] = compute(self.library, definition, self.ignored)
            except ClaimError as error:
                self.faults[name] = error
                raise
        return self.outcomes[name]

    def _follow(self, definition: Definition) -> Outcome:
        """Of two printed numbers. Those may be wrong themselves; then they have findings too."""
        names = definition.operands
        operands = []
        for name in names:
            if name not in self.first or name not in self.definitions:
                raise ClaimError("bad-claim", f"it follows from {name}, which is no claim here")
            if self.definitions[name].stat in OF_PRINTED:
                raise ClaimError("bad-claim", f"it follows from {name}, itself a margin or ratio")
            operands.append(self._outcome(name))
        return follow(
            definition,
            (self.first[names[0]].printed, self.first[names[1]].printed),
            (operands[0], operands[1]),
            (self.definitions[names[0]], self.definitions[names[1]]),
            self.ignored,
        )

    def _check_number(self, bound: Bound, definition: Definition, outcome: Outcome) -> None:
        """Raise ClaimError, of the most telling kind, unless the number is the evidence's."""
        if definition.relation:
            _check_relation(bound, definition, outcome)
            return
        printed, exact = bound.printed, outcome.exact
        if accepts(printed, exact):
            return
        says = f"{printed.text} is printed, the evidence says {short(exact)}"
        right = render(exact, printed)
        flipped = replace(printed, value=-printed.value)
        if printed.value and accepts(replace(flipped, text=flipped.text.lstrip("+-−")), exact):
            raise ClaimError("sign-lost", f"{says}: write {right}")
        for name, other in sorted(outcome.alternatives.items()):
            kind, _, seed = name.partition(" ")
            if accepts(printed, other) and seed:
                raise ClaimError(kind, f"{says}: it is seed {seed} alone; write {right}")
            if accepts(printed, other) and kind == "pooled":
                raise ClaimError(kind, f"{says}: it is over all cells; write {right}")
            if accepts(printed, other):
                claimed = "sample" if definition.ddof else "population"
                raise ClaimError(
                    kind, f"{says} as {claimed} deviation (ddof = {definition.ddof}): write {right}"
                )
        if definition.count == "seeds" and printed.value == outcome.runs:
            raise ClaimError(
                "single-seed", f"{outcome.runs} runs of {short(exact)} seeds: write {right}"
            )
        if any(printed.value and accepts(printed, exact * multiple) for multiple in MULTIPLES):
            raise ClaimError("unit-lost", f"{says}: another unit, or `times` is missing")
        if definition.stat in OF_PRINTED:
            a, b = (self.first[name].printed.text for name in definition.operands)
            raise ClaimError("margin", f"{says}: the {definition.stat} of {a} and {b}")
        if abs(exact - printed.value) < printed.unit:
            raise ClaimError("rounding", f"{says}: write {right}")
        if definition.table:
            raise ClaimError("no-evidence", f"{says}, in {definition.table}: write {right}")
        self._raise_origin(definition, bound, says, right)

    def _check_name(self, bound: Bound, definition: Definition, outcome: Outcome) -> None:
        peers = self.blocks[bound.block]
        check_name(bound, peers, self.definitions, self.document.notes.get(bound.table, ""))

    def _raise_origin(self, definition: Definition, bound: Bound, says: str, right: str) -> None:
        """Where does the number come from, if not from its evidence?"""
        for earlier in self._earlier(definition):
            try:
                outcome = compute(self.library, earlier, self.ignored)
            except ClaimError:
                continue  # the corrected record has no such number
            if accepts(bound.printed, outcome.exact):
                old = outcome.left[0].where
                raise ClaimError(
                    "stale", f"{says}: it is of a corrected record, {old}; write {right}"
                )
        if place := self.library.index.place_of(bound.printed, definition.times):
            raise ClaimError("misplaced", f"{says}: {place} holds it")
        raise ClaimError("hard-coded", f"{says}: no sealed file holds it; write {right}")

    def _earlier(self, definition: Definition) -> Iterator[Definition]:
        """The claim as it was about the records that its records correct, the nearest first."""
        source = definition.source
        for index, reference in enumerate(source.records if source else ()):
            for older in self.library.predecessors(self.library.find(reference)):
                records = list(source.records) if source else []
                records[index] = older.identity
                past = replace(source, records=tuple(records), standing=False) if source else None
                yield replace(definition, source=past)


def _check_relation(bound: Bound, definition: Definition, outcome: Outcome) -> None:
    relation, printed = definition.relation, bound.printed
    words = RELATION_WORDS[relation]
    before = bound.before.lower().rstrip()
    if not before.endswith(words):
        raise ClaimError(
            "relation",
            f"`is = {relation!r}`, so one of {', '.join(words)} stands before the number",
        )
    if not SIGNS[relation](outcome.exact, printed.value):
        raise ClaimError(
            "relation",
            f"{relation} {printed.text} is printed, the evidence is {short(outcome.exact)}",
        )

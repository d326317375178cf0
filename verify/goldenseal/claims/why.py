"""Why a claim's number is what it is: evidence, file, pointer, statistic, every step."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from goldenseal.claims.compute import Outcome
from goldenseal.claims.definition import OF_PRINTED, Definition
from goldenseal.claims.documents.model import Bound
from goldenseal.claims.findings import ClaimError
from goldenseal.claims.judge import Verdict
from goldenseal.claims.judgement import Judgement
from goldenseal.claims.numerals import render, short
from goldenseal.claims.runs import Observation
from goldenseal.claims.sourced.document import SourcedVerdict
from goldenseal.claims.statistics import mean
from goldenseal.errors import UsageError
from goldenseal.stats.student import paired, welch

MAX_FILE_BYTES = 256 * 1024 * 1024


@dataclass
class Explanation:
    """A claim of a document, step by step."""

    document: str
    line: int
    claim: str
    printed: str
    stat: str
    steps: list[str] = field(default_factory=list)
    evidence: list[dict[str, Any]] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """For --json."""
        return {**vars(self), "holds": not self.findings}

    def lines(self) -> list[str]:
        """For people."""
        shown = [f"{self.document}:{self.line}: {self.claim}: {self.printed} is printed"]
        for each in self.evidence:
            shown.append("  evidence  " + "  ".join(f"{k} {v}" for k, v in each.items() if v != ""))
        shown += [f"  step      {step}" for step in self.steps]
        shown += [f"  wrong     {finding}" for finding in self.findings]
        return [*shown, f"  so        {'it does not hold' if self.findings else 'it holds'}"]


def why(judged: Judgement, name: str) -> list[Explanation]:
    """Every place where a claim of that name is printed, explained.

    A claim of a table of sourced numbers is named by what it says. Raises UsageError for a name
    that no document has.
    """
    found = []
    for document, verdicts, _ in judged.documents:
        for verdict in verdicts:
            if isinstance(verdict, SourcedVerdict):
                if verdict.claim.says == name:
                    found.append(_of_others(document.name, verdict))
            elif verdict.bound.claim == name:
                found.append(_explained(document.name, verdict, verdicts))
    if not found:
        known = sorted({v.claim.says if isinstance(v, SourcedVerdict) else v.bound.claim
                        for _, verdicts, _ in judged.documents for v in verdicts})  # fmt: skip
        shown = ", ".join(known[:20]) + (", …" if len(known) > 20 else "") or "none"
        raise UsageError(f"no claim is called {name!r}; there are: {shown}")
    return found


def _explained(document: str, verdict: Verdict, verdicts: Sequence[Any]) -> Explanation:
    bound, definition, outcome = verdict.bound, verdict.definition, verdict.outcome
    stat = definition.stat if definition else ""
    made = Explanation(bound.file or document, bound.line, bound.claim, bound.printed.text, stat)
    made.findings = [f"{finding.kind}: {finding.message}" for finding in verdict.findings]
    if outcome is None or definition is None:
        return made
    made.evidence = [_evidence(each) for each in (*outcome.left, *outcome.right)]
    if definition.stat in OF_PRINTED:
        _of_printed(made, definition, verdicts)
    else:
        _steps(made, definition, outcome)
    if definition.times != 1:
        made.steps.append(f"times {short(definition.times)}: {short(outcome.exact)}")
    if definition.relation:
        made.steps.append(f"{short(outcome.exact)} {definition.relation} {bound.printed.text}")
    else:
        right = render(outcome.exact, bound.printed)
        made.steps.append(f"at the printed digits, {short(outcome.exact)} is {right}")
    return made


def _evidence(seen: Observation) -> dict[str, Any]:
    """What one value is read from; the file's own digest, so that anybody can look."""
    sealed = seen.sealed
    try:
        digest = hashlib.sha512(sealed.bytes_of(seen.file, MAX_FILE_BYTES)).hexdigest()[:16]
    except ClaimError:  # it was read a moment ago; the verdict stands
        digest = ""
    return {
        "record": sealed.name,
        "identity": sealed.identity[:16] or "not sealed yet",
        "place": seen.where.removeprefix(f"{sealed.name}/"),
        "sha512": digest,
        "seeds": ", ".join(map(str, seen.seeds)),
        "stored": f"{seen.value!r:.60}",
    }


def _list(values: Sequence[Fraction]) -> str:
    return ", ".join(short(value) for value in values)


def _steps(made: Explanation, definition: Definition, outcome: Outcome) -> None:
    """The arithmetic from values to the statistic."""
    say, stat = made.steps.append, definition.stat
    if outcome.sourced:
        source = outcome.sourced
        say(
            f"{definition.table}, {definition.sourced}: {source.label}, printed by others, unsealed"
        )
        if source.origin:
            say(f"it stands in {source.origin}")
        for seed, value in source.values.items():
            say(f"seed {seed}: {short(value)}")
        say(f"{stat} of {source.count} seeds")
        return
    left, right = ([o.exact for o in side] for side in (outcome.left, outcome.right)) \
        if stat != "count" else ([], [])  # fmt: skip
    if stat == "count":
        say(f"count of {definition.count}: {short(outcome.exact)}")
    elif stat == "value":
        say(f"the value is {short(left[0])}")
    elif stat == "mean":
        say(f"sum of {_list(left)} is {short(sum(left, Fraction(0)))}")
        say(f"divided by {len(left)}: {short(mean(left))}")
    elif stat in ("min", "max"):
        say(f"{stat} of {_list(left)}: {short(outcome.exact / definition.times)}")
    elif stat == "sd":
        _deviation(say, left, definition.ddof)
    else:
        _comparison(say, definition, left, right, outcome)


def _deviation(say: Any, values: Sequence[Fraction], ddof: int) -> None:
    centre = mean(values)
    squares = [(value - centre) ** 2 for value in values]
    total = sum(squares, Fraction(0))
    variance = total / (len(values) - ddof)
    say(f"mean of {_list(values)}: {short(centre)}")
    say(f"squared distances {_list(squares)}: sum {short(total)}")
    say(f"divided by n - ddof = {len(values)} - {ddof}: {short(variance)}")
    say(f"its root: {float(variance) ** 0.5:.6g}")


def _comparison(
    say: Any,
    definition: Definition,
    left: Sequence[Fraction],
    right: Sequence[Fraction],
    outcome: Outcome,
) -> None:
    say(f"one side: {_list(left)}, mean {short(mean(left))}")
    say(f"other side: {_list(right)}, mean {short(mean(right))}")
    say(f"they differ in {', '.join(definition.varied)}")
    pairs = definition.stat == "paired difference" or definition.test == "paired"
    if pairs:
        a, b = ({o.seeds[0]: o.exact for o in side} for side in (outcome.left, outcome.right))
        gains = [a[seed] - b[seed] for seed in sorted(a)]
        say(f"by seed {', '.join(map(str, sorted(a)))}: {_list(gains)}, mean {short(mean(gains))}")
    else:
        gains = []
        say(f"difference of the means: {short(mean(left) - mean(right))}")
    if definition.stat == "p":
        zeros = [Fraction(0)] * len(gains)
        test = paired(gains, zeros) if pairs else welch(left, right)
        if test:
            say(f"{definition.test} test: t = {test.t:.6g}, df = {test.df:.6g}")
            say(f"p, {definition.tail}: {short(outcome.exact / definition.times)}")


def _of_printed(made: Explanation, definition: Definition, verdicts: Sequence[Any]) -> None:
    """A margin, ratio or change: of two numbers as they are printed."""
    first: dict[str, Bound] = {}
    for verdict in verdicts:
        first.setdefault(verdict.bound.claim, verdict.bound)
    a, b = (first[name] for name in definition.operands)
    for bound in (a, b):
        made.steps.append(f"{bound.claim} is printed as {bound.printed.text}, line {bound.line}")
    x, y = a.printed.value, b.printed.value
    made.steps.append({
        "margin": lambda: f"{short(x)} - {short(y)} = {short(x - y)}",
        "ratio": lambda: f"{short(x)} / {short(y)} = {short(x / y)}",
        "change": lambda: f"({short(x)} - {short(y)}) / {short(y)} = {short((x - y) / y)}",
    }[definition.stat]())  # fmt: skip


def _of_others(document: str, verdict: SourcedVerdict) -> Explanation:
    claim = verdict.claim
    made = Explanation(document, verdict.line, claim.says, claim.printed, claim.kind)
    made.findings = [f"{finding.kind}: {finding.message}" for finding in verdict.findings]
    facts = verdict.to_json()["sources"]
    made.evidence = [{k: v if v not in ({}, None) else "" for k, v in f.items()} for f in facts]
    if claim.table:
        made.evidence.append({"table": claim.table.label, "origin": claim.table.origin})
    made.steps = [f"asked is a {claim.kind}"]
    return made

"""Which logged value, if any, supports a claim."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import combinations

from verify.audit.model import Run, Score, Stage
from verify.audit.numbers import Agreement, Number, agreement, mean, plain, rounded

MAX_SUBSET = 8  # runs; among more of them some subset fits anything
MIN_DIGITS = 3  # that a log must have, to support a claim of more


@dataclass(frozen=True)
class Value:
    """A logged or computed value; `digits` None when it is exact."""

    value: Decimal
    digits: int | None
    what: str

    def __str__(self) -> str:
        return f"{self.what} = {plain(self.value)}"


@dataclass(frozen=True)
class Match:
    """The best support found for a claim, and the nearest value when there is none."""

    agreement: Agreement
    value: Value | None

    @property
    def holds(self) -> bool:
        """Whether the claim is supported, at the digits that the log has."""
        return self.agreement >= Agreement.FEWER

    @property
    def how(self) -> str:
        """The evidence in words."""
        if self.value is None:
            return "no such value is logged"
        if self.agreement is Agreement.FEWER:
            return f"{self.value}, supported only to {self.value.digits} digits"
        if self.agreement is Agreement.TRUNCATED:
            return f"{self.value}, which was cut off instead of rounded"
        return str(self.value) if self.agreement else f"nearest: {self.value}"


def best(claim: Number, values: Iterable[Value], scale: Decimal = Decimal(1)) -> Match:
    """The value that supports the claim best; the nearest one when none does.

    `scale` is what the claim's unit holds of the values' unit.
    """
    found = Match(Agreement.NONE, None)
    distance = None
    for value in values:
        given = value.value / scale
        how = agreement(claim, given, value.digits)
        if how is Agreement.FEWER and (value.digits or 0) < MIN_DIGITS:
            how = Agreement.NONE
        gap = abs(given - claim.value)
        if found.value is None or (how, -gap) > (found.agreement, -(distance or Decimal(0))):
            found, distance = Match(how, value), gap
    return found


def score_values(
    runs: Iterable[Run], role: str, stages: Sequence[Stage] = tuple(Stage)
) -> list[Value]:
    """Every logged loss or bpb of these stages."""
    return [
        Value(number.value, number.digits, f"{score.label or role} {role} at {run.at(score.line)}")
        for run in runs
        for score in run.scores
        if score.stage in stages and (number := number_of(score, role)) is not None
    ]


def number_of(score: Score, role: str) -> Number | None:
    """The loss or the bpb of a logged score."""
    return score.bpb if role == "bpb" else score.loss


def family(score: Score) -> str:
    """Scores of the same family may be averaged over seeds."""
    return "step" if score.stage is Stage.STEP else score.label.split(" stride")[0].lower()


def per_run(runs: Sequence[Run], role: str, stages: Sequence[Stage]) -> dict[str, list[Number]]:
    """Of each label family that all of the runs have: its last value in each run."""
    tables: list[dict[str, Number]] = []
    for run in runs:
        table: dict[str, Number] = {}
        for score in run.scores:
            number = number_of(score, role)
            if score.stage in stages and number is not None:
                table[family(score)] = number
        tables.append(table)
    if not tables:
        return {}
    shared = [name for name in tables[0] if all(name in table for table in tables)]
    found = {name: [table[name] for table in tables] for name in shared}
    if Stage.FINAL in stages and all(run.finals for run in runs):
        last = [number_of(run.finals[-1], role) for run in runs]
        if all(last):
            found["last evaluation"] = [number for number in last if number is not None]
    return found


def means(runs: Sequence[Run], role: str, stages: Sequence[Stage], digits: int) -> list[Value]:
    """Means over the runs of each family: of the raw values, and of them rounded first."""
    found = []
    for name, numbers in per_run(runs, role, stages).items():
        what = f"mean of {len(numbers)} runs, {name or role}"
        raw = [number.value for number in numbers]
        known = min(number.digits for number in numbers)
        found.append(Value(mean(raw), max(known, MIN_DIGITS + 1), what))
        for places in (digits, digits + 1):
            if places < known:
                short = mean(rounded(value, places) for value in raw)
                found.append(Value(short, None, f"{what}, of values rounded to {places} digits"))
    return found


def subset_means(
    runs: Sequence[Run], role: str, digits: int
) -> list[tuple[Value, tuple[Run, ...]]]:
    """Means over every proper subset of two runs or more, when there are few enough."""
    if not 3 <= len(runs) <= MAX_SUBSET:
        return []
    found = []
    for size in range(len(runs) - 1, 1, -1):
        for chosen in combinations(runs, size):
            found += [(v, chosen) for v in means(chosen, role, (Stage.FINAL,), digits)]
    return found

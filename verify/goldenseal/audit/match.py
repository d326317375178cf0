"""Which logged value, if any, supports a claim."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import combinations

from goldenseal.audit.model import Run, Score, Stage
from goldenseal.audit.numbers import Agreement, Number, agreement, mean, plain, rounded

MAX_SUBSET = 8  # runs; among more of them some subset fits anything
LAST = "last evaluation"
PRECISE = 6  # digits of an exactly logged score
MIN_DIGITS = 3  # that a log must have, to support a claim of more


@dataclass(frozen=True)
class Value:
    """A logged or computed value; `digits` None when it is exact."""

    value: Decimal
    digits: int | None
    what: str
    guess: bool = False  # accepted as support, but never shown as the nearest evidence

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
    nearest = Match(Agreement.NONE, None)
    distance = None
    for value in values:
        given = value.value / scale
        how = agreement(claim, given, value.digits)
        if how is Agreement.FEWER and (value.digits or 0) < MIN_DIGITS:
            how = Agreement.NONE
        if value.guess and how < Agreement.FEWER:
            continue
        gap = abs(given - claim.value)
        if nearest.value is None or (how, -gap) > (nearest.agreement, -(distance or Decimal(0))):
            nearest, distance = Match(how, value), gap
    return nearest


def score_values(
    runs: Iterable[Run], role: str, stages: Sequence[Stage] = tuple(Stage)
) -> list[Value]:
    """Every logged loss or bpb of these stages; one that is also logged precisely, so only."""
    values = []
    for run in runs:
        numbers = [
            (number, score)
            for score in run.scores
            if score.stage in stages and (number := number_of(score, role)) is not None
        ]
        precise = {n.value for n, _ in numbers if n.digits >= PRECISE}
        short = {rounded(value, places) for value in precise for places in range(3, PRECISE)}
        for number, score in numbers:
            if number.digits >= PRECISE or number.value not in short:
                what = f"{score.label or role} {role} at {run.at(score.line)}"
                values.append(Value(number.value, number.digits, what))
    return values


def number_of(score: Score, role: str) -> Number | None:
    """The loss or the bpb of a logged score."""
    return score.bpb if role == "bpb" else score.loss


def family(score: Score) -> str:
    """Scores of the same family may be averaged over seeds."""
    return "step" if score.stage is Stage.STEP else score.label.split(" stride")[0].lower()


def per_run(runs: Sequence[Run], role: str, stages: Sequence[Stage]) -> dict[str, list[Number]]:
    """Of each label family its last value in each run that has it, if these are of all seeds."""
    families: dict[str, dict[int, Number]] = {}
    for i, run in enumerate(runs):
        for score in run.scores:
            number = number_of(score, role)
            if score.stage in stages and number is not None:
                families.setdefault(family(score), {})[i] = number
        last = [number_of(score, role) for score in run.finals]
        if last and last[-1] is not None and Stage.FINAL in stages:
            families.setdefault(LAST, {})[i] = last[-1]
    seeds = {run.seed for run in runs}
    return {
        name: list(values.values())
        for name, values in families.items()
        if len(values) == len(runs)
        or (len(seeds) == len(values) > 1 and {runs[i].seed for i in values} == seeds)
    }


def means(runs: Sequence[Run], role: str, stages: Sequence[Stage], digits: int) -> list[Value]:
    """Means over the runs of each family: of the raw values, and of them rounded first."""
    values = []
    for name, numbers in per_run(runs, role, stages).items():
        what = f"mean of {len(numbers)} runs, {name or role}"
        raw = [number.value for number in numbers]
        known = min(number.digits for number in numbers)
        values.append(Value(mean(raw), max(known, MIN_DIGITS + 1), what))
        for places in (digits, digits + 1):
            if places < known:
                short = mean(rounded(value, places) for value in raw)
                values.append(Value(short, None, f"{what}, of values rounded to {places} digits"))
    return as_precise(values)


def as_precise(values: list[Value]) -> list[Value]:
    """Values of few digits that another one gives precisely support only what they say to the
    last digit: they are means of values as printed.
    """
    precise = [v.value for v in values if v.digits is None or v.digits >= PRECISE]
    return [
        replace(v, digits=None)
        if v.digits is not None
        and v.digits < PRECISE
        and any(abs(v.value - p) <= Decimal(1).scaleb(-v.digits) for p in precise)
        else v
        for v in values
    ]


def subset_means(
    runs: Sequence[Run], role: str, digits: int
) -> list[tuple[Value, tuple[Run, ...]]]:
    """Means over every proper subset of two runs or more, when there are few enough."""
    if not 3 <= len(runs) <= MAX_SUBSET:
        return []
    averages = []
    for size in range(len(runs) - 1, 1, -1):
        for chosen in combinations(runs, size):
            averages += [(v, chosen) for v in means(chosen, role, (Stage.FINAL,), digits)]
    return averages


def matched(stated: list[Number], held: list[list[Number]]) -> tuple[list[int], list[Number]]:
    """(runs taken, stated numbers that no run holds): each run counts once."""
    free = set(range(len(held)))
    taken, missing = [], []
    for number in stated:
        fitting = [i for i in free if any(holds(number, value) for value in held[i])]
        if fitting:
            # Of several, the one that the fewest digits would also give.
            closest = min(fitting, key=lambda i: min(abs(v.value - number.value) for v in held[i]))
            taken.append(closest)
            free.remove(closest)
        else:
            missing.append(number)
    return taken, missing


def holds(number: Number, value: Number) -> bool:
    """Whether a stated number is a logged one, rounded, or in fewer digits than it was logged."""
    return agreement(number, value.value, value.digits) >= Agreement.FEWER

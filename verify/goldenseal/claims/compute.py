"""What the evidence says a claim's number is."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import TYPE_CHECKING

from goldenseal.claims.definition import COMPARISONS, Definition, Source
from goldenseal.claims.evidence import Library
from goldenseal.claims.findings import ClaimError
from goldenseal.claims.matched import SEED, check_matched
from goldenseal.claims.numerals import Printed
from goldenseal.claims.runs import Observation, check_complete, observations, runs_of
from goldenseal.claims.statistics import deviation, mean, p_value

if TYPE_CHECKING:  # numbers of others are rare
    from goldenseal.claims.sourced.numbers import Source as Sourced

_SUMMARIES: dict[str, Callable[[Sequence[Fraction]], Fraction]] = {
    "mean": mean,
    "min": min,
    "max": max,
}


@dataclass(frozen=True)
class Outcome:
    """The exact value of a claim, and the observations of its two sides."""

    exact: Fraction
    left: tuple[Observation, ...] = ()
    right: tuple[Observation, ...] = ()
    runs: int = 0  # of a count
    sourced: "Sourced | None" = None  # printed by others, and not sealed
    alternatives: Mapping[str, Fraction] = field(default_factory=dict)

    @property
    def seeds(self) -> set[int]:
        """The distinct seeds that the value rests on."""
        return {seed for each in (*self.left, *self.right) for seed in each.seeds}

    @property
    def seed_counts(self) -> set[int]:
        """How many seeds: all in all, and on each side of a comparison."""
        if self.sourced:
            return {self.sourced.count}
        sides = ({seed for each in side for seed in each.seeds} for side in (self.left, self.right))
        return {len(self.seeds), *(len(side) for side in sides)} - {0}


def compute(library: Library, definition: Definition, ignored: Sequence[str] = ()) -> Outcome:
    """The value of a claim from the sealed records; see `follow` for margins and ratios.

    `ignored` are the knobs that name places. Raises ClaimError.
    """
    if definition.table:
        return _of_others(library, definition)
    if definition.source is None:
        raise ClaimError("bad-claim", f"stat = {definition.stat!r} follows from two claims")
    if definition.stat in COMPARISONS and definition.against is not None:
        outcome = _compare(library, definition, definition.source, definition.against, ignored)
    elif definition.stat == "count":
        outcome = _count(library, definition, definition.source)
    else:
        outcome = _one_side(library, definition, definition.source, ignored)
    scaled = {key: value * definition.times for key, value in outcome.alternatives.items()}
    return replace(outcome, exact=outcome.exact * definition.times, alternatives=scaled)


def _of_others(library: Library, definition: Definition) -> Outcome:
    """A number of a table of sourced numbers. It is as printed there; nothing of it is sealed."""
    sources = library.table(definition.table).sources
    source = sources.get(definition.sourced)
    if source is None:
        known = ", ".join(sorted(sources))
        raise ClaimError(
            "no-evidence",
            f"{definition.table} has no source {definition.sourced!r}; it has {known}",
        )
    alternatives: dict[str, Fraction] = {}
    if definition.stat == "count":
        exact = Fraction(source.count)
    elif definition.stat == "sd":
        from goldenseal.claims.sourced.seeds import source_deviation

        exact, alternatives = source_deviation(source, definition.ddof)
    else:
        if definition.stat == "mean" and source.count < 2:
            raise ClaimError("single-seed", f"{definition.sourced} is of one seed: stat = 'value'")
        if definition.stat == "value" and source.count > 1:
            raise ClaimError(
                "bad-claim", f"{definition.sourced} is of {source.count} seeds: state its mean"
            )
        exact = source.centre
        if len(source.values) > 1:
            alternatives = {f"single-seed {seed}": v for seed, v in source.values.items()}
    times = definition.times if definition.stat != "count" else 1
    scaled = {kind: value * times for kind, value in alternatives.items()}
    return Outcome(exact * times, alternatives=scaled, sourced=source)


def _one_side(
    library: Library, definition: Definition, source: Source, ignored: Sequence[str]
) -> Outcome:
    several = definition.stat != "value"
    seen = observations(library, source, several)
    if several:
        _several_seeds(seen)
    values = [observation.exact for observation in seen]
    alternatives = {}
    if definition.stat == "value":
        if len(values) != 1:
            raise ClaimError(
                "bad-claim", f"{len(values)} values where one is claimed: choose by `seeds`"
            )
        exact = values[0]
    elif definition.stat == "sd":
        exact = deviation(values, definition.ddof)
        alternatives = {"population-sd": deviation(values, 1 - definition.ddof)}
    else:
        exact = _SUMMARIES[definition.stat](values)
    if several:
        check_matched(seen, seen, (), ignored)
    return Outcome(exact, tuple(seen), alternatives=alternatives)


def _several_seeds(seen: list[Observation]) -> None:
    if len({seed for observation in seen for seed in observation.seeds}) < 2:
        raise ClaimError(
            "single-seed", f"{seen[0].where} is the only run: state it as stat = 'value'"
        )


def _compare(
    library: Library,
    definition: Definition,
    source: Source,
    against: Source,
    ignored: Sequence[str],
) -> Outcome:
    left, right = (observations(library, side, several=True) for side in (source, against))
    check_matched(left, right, definition.varied, ignored)
    a, b = [o.exact for o in left], [o.exact for o in right]
    paired = definition.stat == "paired difference" or definition.test == "paired"
    if paired:
        by_seed = [{o.seeds[0]: o.exact for o in side} for side in (left, right)]
        if set(by_seed[0]) != set(by_seed[1]):
            odd = sorted(set(by_seed[0]) ^ set(by_seed[1]))
            raise ClaimError("incomplete-grid", f"only one side has seed {odd[0]}: no pairs")
        seeds = sorted(by_seed[0])
        a, b = ([side[seed] for seed in seeds] for side in by_seed)
    if definition.stat == "p":
        exact = p_value(a, b, definition.test, definition.tail)
    else:
        exact = mean(a) - mean(b)  # of pairs, the mean of the differences is the same number
    return Outcome(exact, tuple(left), tuple(right))


def _count(library: Library, definition: Definition, source: Source) -> Outcome:
    if definition.count == "items":
        seen = observations(library, source, several=False)
        if len(seen) != 1 or not isinstance(seen[0].value, list | dict):
            raise ClaimError("no-evidence", f"{seen[0].where} is neither a list nor an object")
        return Outcome(Fraction(len(seen[0].value)), tuple(seen))
    if source.file is not None:
        raise ClaimError("bad-claim", "a count of seeds or runs is of logs: leave out `file`")
    seen = observations(library, replace(source, pointer="/kind"), several=False)
    for sealed in {
        observation.sealed.identity: observation.sealed for observation in seen
    }.values():
        check_complete(sealed, runs_of(sealed))
    seeds = {seed for observation in seen for seed in observation.seeds}
    number = len(seeds) if definition.count == "seeds" else len(seen)
    return Outcome(Fraction(number), tuple(seen), runs=len(seen))


def follow(
    definition: Definition,
    printed: tuple[Printed, Printed],
    outcomes: tuple[Outcome, Outcome],
    operands: tuple[Definition, Definition],
    ignored: Sequence[str] = (),
) -> Outcome:
    """The margin, ratio or change of two numbers as printed.

    When they are of different runs this is a comparison: the factor must be stated and alone.
    `operands` are the definitions of the two. Raises ClaimError.
    """
    left, right = (outcome.left for outcome in outcomes)
    if left and right and (definition.varied or _runs(left) != _runs(right)):
        check_matched(left, right, definition.varied, ignored)
        many = [len({seed for each in side for seed in each.seeds}) for side in (left, right)]
        if min(many) == 1 < max(many):
            raise ClaimError(
                "single-seed", f"{many[0]} seeds are compared with {many[1]}: one is no mean"
            )
    a_source, b_source = (outcome.sourced for outcome in outcomes)
    if a_source and b_source:
        from goldenseal.claims.sourced.seeds import differs

        if wrong := differs(a_source, b_source, definition.varied):
            raise ClaimError("unmatched", "; ".join(wrong))
    if bool(a_source) != bool(b_source) and "sealed" not in definition.varied:
        raise ClaimError(
            "unmatched",
            "one number is sealed, the other printed by others: say so by varied = ['sealed']",
        )
    if operands[0].times != operands[1].times or operands[0].unit != operands[1].unit:
        raise ClaimError("unit-lost", "the two numbers are printed in different units")
    a, b = printed[0].value, printed[1].value
    if definition.stat != "margin" and b == 0:
        raise ClaimError("margin", "a ratio to a number printed as 0")
    value = {"margin": lambda: a - b, "ratio": lambda: a / b, "change": lambda: (a - b) / b}
    return Outcome(value[definition.stat]() * definition.times, left, right)


def _runs(side: Sequence[Observation]) -> set[tuple[str, tuple[tuple[str, str], ...]]]:
    """Which runs a side rests on, but for their seeds."""
    return {
        (
            each.sealed.identity,
            tuple(sorted(item for item in each.knobs.items() if item[0] != SEED)),
        )
        for each in side
    }

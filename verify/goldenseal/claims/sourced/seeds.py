"""Claims about sources: what is printed is the statistic that its words name, of their seeds."""

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from itertools import pairwise

from goldenseal.claims.findings import ClaimError
from goldenseal.claims.numerals import root
from goldenseal.claims.sourced.claim import Check, Claim, Fault
from goldenseal.claims.sourced.numbers import (
    Source,
    by_rounding,
    follows,
    number,
    shown,
    unit,
)
from goldenseal.errors import UsageError
from goldenseal.stats.student import variance

ALIKE = 2  # two numbers that are called alike lie within this factor, unless `by` says another
PLACES = 3  # to which means are rounded in a reader's head before they are subtracted


def deviation(values: Sequence[Fraction], ddof: int) -> Fraction:
    """Standard deviation of two values or more, cut off far beyond any printed digit."""
    return root(variance(values) * (len(values) - 1) / (len(values) - ddof))


def wrong_mean(claim: Claim) -> Iterator[Fault]:
    """A printed number that is not the mean, and what it is instead."""
    source = claim.sources[0]
    centre = source.centre * number(claim.times)
    if follows(centre, claim.printed):
        return
    right = shown(centre)
    words = f"the mean of {source.count} is {right}"
    for power in (-2, -1, 1, 2):
        scaled = number(claim.printed) * Fraction(10) ** power
        if scaled and scaled in (centre, *source.values.values()):
            factor = shown(Fraction(10) ** power)
            yield Fault("unit", f"off by {factor} from {shown(scaled)}", right)
            return
    for seed, value in source.values.items():
        if follows(value * number(claim.times), claim.printed) and claim.seeds > 1:
            yield Fault("single-seed", f"it is seed {seed} alone; {words}", right)
            return
    slack = source.slack * number(claim.times)
    if by_rounding(centre - slack, centre + slack, claim.printed):
        yield Fault("rounding", f"{words}, and it is right only by their rounding", right)
    elif abs(centre - number(claim.printed)) <= unit(claim.printed):
        yield Fault("rounding", words, right)
    else:
        yield Fault("no-evidence", f"no source has it; {words}", right)


def _spread(source: Source) -> tuple[Fraction, Fraction, Fraction] | None:
    """The sample's deviation, the population's, and by how much rounding may move them."""
    count = source.count
    if source.sd:
        own, ratio = number(source.sd), root(Fraction(count - 1, count))
        sides = (own, own * ratio) if source.ddof else (own / ratio, own)
        return *sides, unit(source.sd) / 2
    if len(source.values) < 2:
        return None
    values = [*source.values.values()]
    slack = max(map(unit, source.texts)) / 2 * root(Fraction(len(values), len(values) - 1))
    return deviation(values, 1), deviation(values, 0), slack


def source_deviation(source: Source, ddof: int) -> tuple[Fraction, dict[str, Fraction]]:
    """The deviation of a source, and by kind of fault what may be printed in its place.

    Raises ClaimError `single-seed` for a source of one seed, `no-evidence` without a spread.
    """
    if source.count < 2:
        raise ClaimError("single-seed", f"{source.label} is of one seed: it has no deviation")
    spread = _spread(source)
    if spread is None:
        raise ClaimError("no-evidence", f"{source.label}: neither values by seed nor `sd`")
    sample, population, _ = spread
    others = {"population-sd": population if ddof else sample}
    if source.cells:
        others["pooled"] = deviation(source.all_cells, 1)
    return (sample if ddof else population), others


def wrong_deviation(claim: Claim) -> Iterator[Fault]:
    """A printed deviation that is not of the sample, or with ddof = 0 not of the population."""
    source = claim.sources[0]
    if not claim.deviation or source.count < 2:
        return
    times = number(claim.times)
    spread = _spread(source)
    if spread is None:
        return
    sample, population, slack = (each * times for each in spread)
    right, other = (sample, population) if claim.ddof else (population, sample)
    if follows(right, claim.deviation):
        return
    words = f"over seeds it is {shown(sample)}, of a population {shown(population)}"
    pooled = source.cells and deviation(source.all_cells, 1) * times
    if pooled and follows(pooled, claim.deviation):
        words = f"it is over all {len(source.all_cells)} cells; {words}"
        yield Fault("pooled", words, shown(right))
    elif follows(other, claim.deviation):
        kind = "population-sd" if claim.ddof else "sample-sd"
        yield Fault(kind, words, shown(right))
    elif by_rounding(right - slack, right + slack, claim.deviation):
        yield Fault("rounding", f"{words}; right only by their rounding", shown(right))
    else:
        yield Fault("deviation", f"neither: {words}", shown(right))


def differs(a: Source, b: Source, said: Sequence[str]) -> list[str]:
    """In what two sources differ that is not `said`: epochs, examples, keys of the setting."""
    pairs = [("epochs", a.epochs, b.epochs), ("examples", a.examples, b.examples)]
    wrong = [
        f"{ours} {what} against {theirs}"
        for what, ours, theirs in pairs
        if None not in (ours, theirs) and ours != theirs and what not in said
    ]
    for key in sorted(set(a.setting) & set(b.setting) - set(said)):
        if a.setting[key] != b.setting[key]:
            wrong.append(f"{key} {a.setting[key]} against {b.setting[key]}")
    return wrong


def unmatched(claim: Claim) -> Iterator[Fault]:
    """Two sides that differ in epochs, examples or setting, where nothing says so."""
    for words in differs(claim.sources[0], claim.sources[1], claim.values):
        yield Fault("unmatched", words)


def too_few_seeds(claim: Claim) -> Iterator[Fault]:
    """More seeds in the words than in a source."""
    for source in claim.sources:
        if claim.seeds > source.count:
            yield Fault("seeds", f"{source.label}: {source.count} of {claim.seeds} seeds")


def unlisted(claim: Claim) -> Iterator[Fault]:
    """A list by seed that is not the source's."""
    known = list(claim.sources[0].values.values())
    right = " ".join(shown(value) for value in known)
    if len(known) != len(claim.values):
        yield Fault("list", f"{len(claim.values)} of {len(known)} seeds: it is {right}", right)
    elif not all(map(follows, known, claim.values)):
        yield Fault("list", f"it is {right}", right)


def untracked(claim: Claim) -> Iterator[Fault]:
    """Seeds whose files nobody can look at."""
    for source in claim.sources:
        known = set(source.seeds) | set(source.cells)
        missing = sorted(known - set(known if source.tracked is None else source.tracked))
        if missing:
            yield Fault("unauditable", f"no tracked file of seeds {', '.join(missing)}")


def _cells(claim: Claim) -> list[Fraction]:
    return [value for source in claim.sources for value in source.all_cells]


def outside(claim: Claim) -> Iterator[Fault]:
    """Cells that a stated range leaves out."""
    low, high = number(claim.low), number(claim.high)
    if left := [value for value in _cells(claim) if not low <= value <= high]:
        yield Fault("range", "outside: " + ", ".join(shown(value) for value in left))


def wrong_count(claim: Claim) -> Iterator[Fault]:
    """A number of cells in a band that is another."""
    low, high = number(claim.low), number(claim.high)
    inside = sum(low <= value <= high for value in _cells(claim))
    if inside != number(claim.printed):
        words = f"{inside} of {len(_cells(claim))} lie from {claim.low} to {claim.high}"
        yield Fault("count", words, str(inside))


def unlike(claim: Claim) -> Iterator[Fault]:
    """Two numbers that are called alike and are not."""
    a, b = (source.centre for source in claim.sources)
    if a == b:
        return
    ratio = max(abs(a / b), abs(b / a)) if a * b else None
    if ratio is None or ratio > number(claim.by or str(ALIKE)) or a * b < 0:
        times = f"{shown(ratio, 2)} times" if ratio else "and one of them is 0"
        yield Fault("unlike", f"they differ {times}")


def _as_read(source: Source) -> Fraction:
    """A mean as a reader sees it, as tables print it."""
    return round(source.centre, PLACES) if source.count > 1 else source.centre


def follows_from(
    combine: Callable[[Sequence[Fraction]], Fraction], name: str, signs: Sequence[int]
) -> Check:
    """The check that a printed number follows from those that it was made of.

    `signs`: which way each of them must be off for the result to be as large as can be; the last
    one is that of all further ones.
    """

    def check(claim: Claim) -> Iterator[Fault]:
        times = number(claim.times)
        extra = [number(claim.by)] if claim.by else []
        exact = [*(source.centre for source in claim.sources), *extra]
        read = [*map(_as_read, claim.sources), *extra]
        try:
            value, rounded = times * combine(exact), times * combine(read)
        except ZeroDivisionError:
            yield Fault(name, "a ratio to 0")
            return
        if follows(value, claim.printed) or follows(rounded, claim.printed):
            return
        slack = [source.slack for source in claim.sources] + [Fraction(0)] * len(extra)
        turned = [signs[min(i, len(signs) - 1)] for i in range(len(exact))]
        ends = []
        for way in (-1, 1):
            off = [v + way * s * by for v, s, by in zip(exact, turned, slack, strict=True)]
            ends.append(times * combine(off) if all(off) else value)
        words = f"it is {shown(value, 3)}"
        if by_rounding(min(ends), max(ends), claim.printed):
            low, high = (shown(end, 3) for end in sorted(ends))
            words += f"; by the rounding of its parts it may be {low} to {high}"
        yield Fault(name, words, shown(value, 3))

    return check


def wrong_boundary(claim: Claim) -> Iterator[Fault]:
    """A threshold at which nothing flips: the value that decides is another."""
    pick = {"min": min, "max": max, "": max}[claim.which]
    value = pick(source.centre for source in claim.sources)
    if not follows(value, claim.printed):
        yield Fault("boundary", f"the value that decides is {shown(value)}", shown(value))


def does_not_clear(claim: Claim) -> Iterator[Fault]:
    """Seeds that do not clear a baseline by the margin that is asked, at one setting."""
    ours, baseline = claim.sources
    yield from unmatched(claim)
    times = number(claim.times)
    for seed, value in ours.values.items() or [("0", ours.centre)]:
        margin = value - baseline.centre
        if margin < number(claim.by):
            asked = shown(times * number(claim.by))
            words = f"seed {seed}: {shown(times * margin, 2)}, asked is {asked}"
            yield Fault("margin", words if seed != "0" else words.partition(": ")[2])


def not_the_same(claim: Claim) -> Iterator[Fault]:
    """One quantity with two values: other runs, another definition, another batch."""
    a, b = claim.sources
    if a.label != b.label:
        raise UsageError(f"{claim.says}: {a.label} and {b.label} are not one quantity")
    if abs(a.centre - b.centre) < a.slack + b.slack:  # some number rounds to both
        return
    words = f"{shown(a.centre)} and {shown(b.centre)}"
    if a.centre * b.centre > 0:
        ratio = max(a.centre / b.centre, b.centre / a.centre)
        words += f", {shown(ratio, 3)} times"
    yield Fault("two-values", words)


def out_of_order(claim: Claim) -> Iterator[Fault]:
    """Sources that are not in the order that is claimed, the largest first, in each group.

    `which = "rising"` has the smallest first. Two that print alike have no order.
    """
    for group in claim.groups or (claim.sources,):
        for a, b in pairwise(group):
            if a.centre == b.centre:
                words = f"{a.label} and {b.label} are both {shown(a.centre)}: no order"
                yield Fault("order", words)
            elif (a.centre < b.centre) != (claim.which == "rising"):
                words = f"{a.label} {shown(a.centre)}, {b.label} {shown(b.centre)}"
                yield Fault("order", words)


KINDS: dict[str, tuple[Check, ...]] = {
    "statistic": (wrong_mean, wrong_deviation, too_few_seeds),
    "comparison": (unmatched,),
    "list": (unlisted,),
    "sourced": (untracked,),
    "range": (outside, too_few_seeds),
    "count": (wrong_count,),
    "alike": (unlike,),
    "difference": (follows_from(lambda v: v[0] - v[1], "margin", (1, -1)), too_few_seeds),
    "ratio": (follows_from(lambda v: v[0] / v[1], "ratio", (1, -1)),),
    "change": (follows_from(lambda v: v[0] / v[1] - 1, "change", (1, -1)),),
    "sum": (follows_from(lambda v: sum(v, Fraction(0)), "sum", (1,)),),
    "shifted": (follows_from(lambda v: v[0] + v[1], "margin", (1,)),),
    "boundary": (wrong_boundary,),
    "clears": (does_not_clear,),
    "same": (not_the_same,),
    "order": (out_of_order,),
}
# Which keys a kind needs besides those of every claim, and how many sources at least.
NEEDS: dict[str, tuple[int, tuple[str, ...]]] = {
    "statistic": (1, ("printed",)),
    "comparison": (2, ()),
    "list": (1, ("values",)),
    "sourced": (1, ()),
    "range": (1, ("low", "high")),
    "count": (1, ("printed", "low", "high")),
    "alike": (2, ()),
    "difference": (2, ("printed",)),
    "ratio": (2, ("printed",)),
    "change": (2, ("printed",)),
    "sum": (2, ("printed",)),
    "shifted": (1, ("printed", "by")),
    "boundary": (1, ("printed",)),
    "clears": (2, ("by",)),
    "same": (2, ()),
    "order": (0, ()),
}

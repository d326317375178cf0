"""Claims held against the numbers that they should follow from.

A source holds numbers as printed, by seed where that is known; a claim says what was made of them.
Every check is about a kind of claim, none about one claim: what is printed must be the statistic
that its words name, of the seeds that they name, and two sides must differ only in what they say.
"""

from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction

from goldenseal.errors import UsageError
from train_gpt_style.credit.constants import CREDIT_MARGIN
from train_gpt_style.credit.protocol.numbers import deviation, exact

ALIKE = 2  # two numbers that are called alike lie within this factor


def number(text):
    """A printed number, exactly."""
    return Fraction(Decimal(text))


def follows(value, printed):
    """Whether a value rounds to what is printed, half up or half even."""
    unit = Fraction(10) ** Decimal(printed).as_tuple().exponent
    return abs(Fraction(value) - number(printed)) <= unit / 2


@dataclass(frozen=True)
class Source:
    """Numbers as printed. seeds: by seed; cells: several by seed; mean: where that alone is known.

    of: how many seeds the mean is of. tracked: seeds whose files are under version control.
    """

    name: str
    label: str
    epochs: int
    seeds: dict[str, str] = field(default_factory=dict)
    cells: dict[str, list[str]] = field(default_factory=dict)
    mean: str = ""
    of: int = 0
    tracked: list[str] | None = None
    setting: dict[str, object] = field(default_factory=dict)

    @property
    def values(self):
        """One number a seed: its own, or the mean of its cells."""
        if self.cells:
            return {seed: sum(map(number, row)) / len(row) for seed, row in self.cells.items()}
        return {seed: number(text) for seed, text in self.seeds.items()}

    @property
    def all_cells(self):
        """Every cell, over all seeds."""
        return [number(text) for row in self.cells.values() for text in row]

    @property
    def centre(self):
        """The mean: the printed one, or that of the seeds."""
        if self.mean:
            return number(self.mean)
        return sum(self.values.values()) / len(self.values)

    @property
    def unit(self):
        """One of the last digit that is printed."""
        text = self.mean or next(iter(self.seeds.values()))
        return Fraction(10) ** Decimal(text).as_tuple().exponent

    @property
    def count(self):
        """Of seeds."""
        return self.of or len(self.seeds) or len(self.cells)


@dataclass(frozen=True)
class Claim:
    """What was said. kind: which checks apply; the rest as the kind needs it."""

    says: str
    kind: str
    sources: tuple[Source, ...]
    incident: int = 0
    printed: str = ""
    deviation: str = ""
    seeds: int = 0
    times: str = "1"
    values: tuple[str, ...] = ()
    low: str = ""
    high: str = ""
    by: str = ""
    letter: str = ""


@dataclass(frozen=True)
class Finding:
    """What is wrong: a kind, and words with the number that the sources give."""

    kind: str
    words: str


def shown(value, digits=4):
    """A number as short as it is clear."""
    return f"{float(value):.{digits}g}"


def wrong_mean(claim):
    """A printed number that is not the mean, and what it is instead."""
    source = claim.sources[0]
    if follows(source.centre, claim.printed):
        return
    right = f"the mean of {source.count} is {shown(source.centre)}"
    for power in (-2, -1, 1, 2):
        scaled = number(claim.printed) * Fraction(10) ** power
        near = [source.centre, *source.values.values()]
        if any(scaled == value for value in near):
            yield Finding("unit", f"off by {shown(Fraction(10) ** power)} from {shown(scaled)}")
            return
    for seed, value in source.values.items():
        if follows(value, claim.printed) and claim.seeds > 1:
            yield Finding("single-seed", f"it is seed {seed} alone; {right}")
            return
    unit = Fraction(10) ** Decimal(claim.printed).as_tuple().exponent
    if abs(source.centre - number(claim.printed)) <= unit:
        yield Finding("rounding", right)
        return
    yield Finding("no-evidence", f"no source has it; {right}")


def wrong_deviation(claim):
    """A printed deviation that is not the sample's."""
    source = claim.sources[0]
    if not claim.deviation or source.count < 2:
        return
    values = [float(v) for v in source.values.values()]
    sample, population = deviation(values, 1), deviation(values, 0)
    if follows(sample, claim.deviation):
        return
    words = f"over seeds it is {shown(sample)}, of a population {shown(population)}"
    if source.cells and follows(
        deviation([float(v) for v in source.all_cells], 1), claim.deviation
    ):
        yield Finding("pooled", f"it is over all {len(source.all_cells)} cells; {words}")
    elif follows(population, claim.deviation):
        yield Finding("population-sd", words)
    else:
        yield Finding("deviation", f"neither: {words}")


def unmatched(claim):
    """Two sides that differ in epochs, setting or seeds, where nothing says so."""
    a, b = claim.sources[:2]
    if a.epochs != b.epochs:
        yield Finding("unmatched", f"{a.epochs} epochs against {b.epochs}")
    for key in sorted(set(a.setting) & set(b.setting)):
        if a.setting[key] != b.setting[key]:
            yield Finding("unmatched", f"{key} {a.setting[key]} against {b.setting[key]}")


def too_few_seeds(claim):
    """More seeds in the words than in a source."""
    for source in claim.sources:
        if claim.seeds > source.count:
            words = f"{source.label}: {source.count} of {claim.seeds} seeds"
            yield Finding("seeds", words)


def unlisted(claim):
    """A list by seed that is not the source's."""
    known = list(claim.sources[0].values.values())
    if not all(follows(v, text) for v, text in zip(known, claim.values, strict=True)):
        yield Finding("list", "it is " + " ".join(shown(v) for v in known))


def untracked(claim):
    """Seeds whose files nobody can look at."""
    for source in claim.sources:
        missing = sorted(set(source.seeds) - set(source.tracked or source.seeds))
        if missing:
            yield Finding("unauditable", f"no tracked file of seeds {', '.join(missing)}")


def outside(claim):
    """Cells that a stated range leaves out."""
    low, high = number(claim.low), number(claim.high)
    cells = claim.sources[0].all_cells
    left = [v for v in cells if not low <= v <= high]
    if left:
        yield Finding("range", "outside: " + ", ".join(shown(v) for v in left))


def unlike(claim):
    """Two numbers that are called alike and are not."""
    a, b = (source.centre for source in claim.sources)
    ratio = max(abs(a / b), abs(b / a))
    if ratio > ALIKE or a * b < 0:
        yield Finding("unlike", f"they differ {shown(ratio, 2)} times")


def operands(claim):
    """Means as a reader sees them: to three places, as the tables print."""
    return [
        round(source.centre, 3) if source.count > 1 else source.centre for source in claim.sources
    ]


def wrong_result(claim, combine, name):
    """A printed difference, ratio or shift that does not follow from its operands."""
    value = number(claim.times) * combine(*(source.centre for source in claim.sources))
    rounded = number(claim.times) * combine(*operands(claim))
    if not (follows(value, claim.printed) or follows(rounded, claim.printed)):
        yield Finding(name, f"it is {shown(value, 3)}")


def wrong_boundary(claim):
    """A threshold at which nothing flips."""
    value = claim.sources[0].centre
    if not follows(value, claim.printed):
        yield Finding("boundary", f"the value that decides is {shown(value)}")


def does_not_clear(claim):
    """Accuracies that do not clear their baseline by the margin of (d), at one setting."""
    ours, baseline = claim.sources
    yield from unmatched(claim)
    for seed, value in ours.values.items():
        margin = value - baseline.centre
        if margin < exact(CREDIT_MARGIN):
            words = f"seed {seed}: {shown(100 * margin, 2)} points, (d) asks for 2"
            yield Finding("margin", words if seed != "0" else words.partition(": ")[2])


def not_the_same(claim):
    """One quantity with two values: other runs, another definition, another batch."""
    a, b = claim.sources
    if a.label != b.label:
        raise UsageError(f"{claim.says}: {a.label} and {b.label} are not one quantity")
    if abs(a.centre - b.centre) <= max(a.unit, b.unit):
        return
    ratio = max(a.centre / b.centre, b.centre / a.centre)
    words = f"{shown(a.centre)} and {shown(b.centre)}, {shown(ratio, 3)} times"
    yield Finding("two-values", words)


KINDS = {
    "statistic": (wrong_mean, wrong_deviation, too_few_seeds),
    "comparison": (unmatched,),
    "list": (unlisted,),
    "sourced": (untracked,),
    "range": (outside, too_few_seeds),
    "alike": (unlike,),
    "difference": (
        lambda claim: wrong_result(claim, lambda a, b: a - b, "margin"),
        too_few_seeds,
    ),
    "ratio": (lambda claim: wrong_result(claim, lambda a, b: a / b, "ratio"),),
    "shifted": (lambda claim: wrong_result(claim, lambda a: a + number(claim.by), "margin"),),
    "boundary": (wrong_boundary,),
    "clears": (does_not_clear,),
    "same": (not_the_same,),
}


def judged(claim):
    """Every finding of a claim."""
    return [finding for check in KINDS[claim.kind] for finding in check(claim)]

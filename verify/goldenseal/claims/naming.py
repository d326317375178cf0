"""Whether the words beside a number name the statistic that is bound to it.

The first words that name a statistic decide. Looked at in turn: the number's own sentence or cell;
the head of its column with the name of its row; what is said of a whole table, list or paragraph;
the heading. In a sentence a name belongs to the number nearest to it, before all to one of its own
kind: "mean 1.42 ± 0.52 (standard error)" calls the second number a standard error, not the first.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from goldenseal.claims.definition import OF_PRINTED, Definition
from goldenseal.claims.documents.model import Bound
from goldenseal.claims.findings import ClaimError
from goldenseal.claims.labels import BOUND, KINDS, LOCATION, MULTIPLE, SPREAD, Mention, mentions
from goldenseal.claims.numerals import NUMERAL
from goldenseal.claims.text import sentence_at

SD = "standard deviation"
EXTREMES = frozenset({"best", "worst", "minimum", "maximum"})
# What each statistic may be called.
RIGHT: dict[str, frozenset[str]] = {
    "mean": frozenset({"mean"}),
    "min": EXTREMES - {"maximum"},
    "max": EXTREMES - {"minimum"},
    "difference": EXTREMES | {"mean", "difference of means"},
    "paired difference": EXTREMES | {"mean", "paired difference"},
    "p": frozenset({"p"}),
}
SPOKEN = {"min": "minimum", "max": "maximum"}
OF_ANY = frozenset(name for name, kind in KINDS.items() if kind == LOCATION)
# How far from a number a name may stand, in words: a name of its kind, a common word, a name of
# another kind, which must be nearer still where it comes after the number; and a number that is not
# bound is taken for what is meant only if it is as near.
FAR, LOOSE, NEAR, OTHER = 20.0, 4.0, 4.0, 4.0

DECIMAL = re.compile(r"\d\.\d|\de[-+−]?\d")
JOINED = re.compile(
    r"(?i:[\s,;:/±()+&–-]*(?:(?:and|or|plus|with|their|the|its|in|brackets)\b[\s,;:/±()+&–-]*)*)"
)
# A sentence about how numbers are given, and a paragraph that is about the table above it.
CONVENTION = re.compile(
    r"(?i:±|\+/-|\b(?:report(?:s|ed)?|given?|gives|show[ns]?|list(?:s|ed)?|stated?|values|numbers"
    r"|entries|cells|error bars|brackets|parenthes\w+|denotes?|everywhere|throughout|always)\b)"
)
NOTE = re.compile(
    r"(?i:\W*(?:the\s+)?(?:tables?|notes?|legend|values|numbers|entries|cells|errors?|error bars"
    r"|uncertaint\w+|all|each|±))|[^.]*±"
)


@dataclass(frozen=True)
class Number:
    """A number in a sentence: what kind of statistic it is, and what it may be called."""

    start: int
    end: int
    kind: str = ""  # not known, as of a number that is not bound
    right: frozenset[str] = frozenset()
    bound: bool = False


def statistic_of(definition: Definition) -> tuple[str, str, frozenset[str]] | None:
    """(name, kind, what it may be called) of what a claim is bound to.

    A single value is what the last part of its pointer names, as in `/summary/all/sd`. None for one
    that names nothing, for a knob, and for a count.
    """
    stat = definition.stat
    if stat == "sd":
        own = f"{'population' if definition.ddof == 0 else 'sample'} {SD}"
        return own, SPREAD, frozenset({SD, own})
    if stat in RIGHT:
        name = SPOKEN.get(stat, stat)
        return name, KINDS.get(name, LOCATION), RIGHT[stat]
    if stat in OF_PRINTED:
        return stat, LOCATION, OF_ANY
    return _named_by_pointer(definition)


def _named_by_pointer(definition: Definition) -> tuple[str, str, frozenset[str]] | None:
    stat = definition.stat
    pointer = definition.source.pointer if definition.source and stat == "value" else ""
    parts = [part for part in pointer.split("/") if not part.isdigit()]
    named = mentions(parts[-1]) if parts and "knobs" not in parts else []
    if not named:
        return None
    name = named[-1].name
    also = {f"population {SD}", f"sample {SD}"} if name == SD else set()
    return (
        name,
        named[-1].kind,
        frozenset({name} | also | (EXTREMES if name in EXTREMES else set())),
    )


def check_name(
    bound: Bound,
    peers: Sequence[Bound],
    definitions: Mapping[str, Definition],
    note: str,
) -> None:
    """Raise ClaimError `mislabelled`, or `population-sd`, when the words name another statistic.

    `peers` are the bound numbers of the same text, this one among them; `note` is the paragraph
    right after its table.
    """
    own = statistic_of(definitions[bound.claim])
    if own is None:
        return
    name, kind, right = own
    numbers = [_number(peer, definitions) for peer in peers]
    named = _beside(bound, numbers)
    if named is None:
        named = _above(bound, numbers, kind, right) or _of_all(bound, note, kind, right)
    if named is None or named.name in right:
        return
    populations = {f"population {SD}", f"sample {SD}"}
    raise ClaimError(
        "population-sd" if {named.name, name} == populations else "mislabelled",
        f"the text calls it {' '.join(named.said.split())!r}, it is bound to the {name}: write "
        f"{name!r}, or bind what the text says",
    )


def _number(bound: Bound, definitions: Mapping[str, Definition]) -> Number:
    definition = definitions.get(bound.claim)
    own = statistic_of(definition) if definition else None
    _, kind, right = own or ("", "", frozenset())
    return Number(bound.start, bound.start + len(bound.printed.text), kind, right, True)


# -- the sentence or cell ------------------------------------------------------------------------


def _beside(bound: Bound, numbers: Sequence[Number]) -> Mention | None:
    """The name that the sentence gives the number; None when it gives none."""
    text = bound.text
    for number in numbers:
        text = text[: number.start] + BOUND * (number.end - number.start) + text[number.end :]
    low, high = (0, len(text)) if bound.table else sentence_at(text, bound.start)
    nearby = [m for m in mentions(text) if low <= m.start < high]
    inside = [number for number in numbers if low <= number.start < high]
    mine = next(number for number in inside if number.start == bound.start)
    if turns := _in_turn(text, nearby, [number for number in inside if number.kind]):
        return turns[bound.start]
    inside += [
        Number(match.start(), match.end())
        for match in NUMERAL.finditer(text, low, high)
        if DECIMAL.search(match[0]) and not any(m.start <= match.start() < m.end for m in nearby)
    ]
    owners = [(mention, *_owner(text, mention, inside)) for mention in nearby]
    own = [(m.kind != mine.kind, far, m) for m, owner, far in owners if owner is mine]
    if own:
        return min(own, key=lambda each: each[:2])[2]
    # "1.0 ± 0.2 and 2.0 ± 0.1 (mean ± standard error)": a name that its number may not have is
    # that of every number of its kind.
    shared = [
        (_distance(text, m, mine, inside), m)
        for m, owner, _ in owners
        if owner and owner.bound and m.kind == mine.kind and not m.loose
        if m.name not in owner.right
    ]
    return min(shared, key=lambda each: each[0])[1] if shared else None


def _in_turn(text: str, named: Sequence[Mention], numbers: Sequence[Number]) -> dict[int, Mention]:
    """`_turns`, where all names stand before or after all numbers, nothing else between them."""
    joined = all(JOINED.fullmatch(text[a.end : b.start]) for a, b in pairwise(named))
    apart = bool(named and numbers) and (
        named[-1].end <= numbers[0].start or numbers[-1].end <= named[0].start
    )
    return _turns(named, numbers) if joined and apart else {}


def _turns(named: Sequence[Mention], numbers: Sequence[Number]) -> dict[int, Mention]:
    """The first name for the first number and so on, once around or more; empty when names and
    numbers are not of the same kinds, in whatever order.
    """
    if len(named) < 2 or not numbers or len(numbers) % len(named):
        return {}
    turns = [named[place % len(named)] for place in range(len(numbers))]
    if sorted(m.kind for m in turns) != sorted(number.kind for number in numbers):
        return {}
    return {number.start: m for number, m in zip(numbers, turns, strict=True)}


def _owner(text: str, mention: Mention, numbers: Sequence[Number]) -> tuple[Number | None, float]:
    """The number that a name is of, and how far off it is; None when it is of none of them."""
    alike = any(number.kind == mention.kind for number in numbers)
    reach = LOOSE if mention.loose else FAR
    near: list[tuple[float, int, Number]] = []
    for number in numbers:
        far = _distance(text, mention, number, numbers)
        if number.kind == mention.kind:
            cost, limit = far, reach
        elif not number.bound:
            cost, limit = far + 2, min(reach, OTHER)
        elif not number.kind:
            cost, limit = far + 8, reach
        else:
            behind = mention.start >= number.end
            no = alike or mention.name == MULTIPLE  # "a gain of 0.5 is two standard deviations"
            cost, limit = far, -1.0 if no else NEAR - 1.5 * behind
        if far <= limit:
            near.append((cost, number.start, number))
    if not near:
        return None, 0.0
    cost, _, owner = min(near, key=lambda each: each[:2])
    return owner, cost


def _distance(text: str, mention: Mention, number: Number, numbers: Sequence[Number]) -> float:
    """Words between a name and a number; stops and other numbers count for several."""
    after = mention.start >= number.end
    low, high = (number.end, mention.start) if after else (mention.end, number.start)
    gap = text[low:high]
    words = len(re.findall(r"[^\W\d_\ue002]+", gap))
    stops = 3 * gap.count(",") + 6 * gap.count(";") + 2 * (gap.count("(") + gap.count(")"))
    crossed = sum(low <= other.start < high for other in numbers)
    return words + stops + 3 * crossed + 0.5 * after


# -- around it -----------------------------------------------------------------------------------


def _above(
    bound: Bound, numbers: Sequence[Number], kind: str, right: frozenset[str]
) -> Mention | None:
    """The name that the head of the column and that of the row give."""
    head, row = mentions(bound.heading), mentions(bound.row)
    in_cell = [number for number in numbers if number.kind]
    if turns := _turns(head, in_cell):
        return turns[bound.start]
    named = [*head, *row]
    chosen = _chosen(named, kind, right)
    return chosen or (named[0] if named and len(in_cell) == 1 else None)


def _of_all(bound: Bound, note: str, kind: str, right: frozenset[str]) -> Mention | None:
    """The name that is said of all numbers of a table, list, paragraph or section."""
    for text in _said_of_all(bound, note):
        strict = [mention for mention in mentions(text) if not mention.loose]
        if chosen := _chosen(strict, kind, right):
            return chosen
    return None


def _said_of_all(bound: Bound, note: str) -> Iterator[str]:
    if bound.table:
        yield " ".join(part for part in _sentences(bound.lead) if not DECIMAL.search(part))
        yield note if NOTE.match(note) else ""
    else:
        others = [part for part in _sentences(bound.text) if not DECIMAL.search(part)]
        yield " ".join(part for part in others if CONVENTION.search(part) or _begins(part))
        yield bound.lead
    yield bound.contexts[-1]


def _begins(text: str) -> bool:
    """Whether a sentence says first of all which statistic: "Means and standard errors of all."."""
    return any(not text[: m.start].strip(" *_(") for m in mentions(text))


def _sentences(text: str) -> list[str]:
    parts, place = [], 0
    while place < len(text):
        _, end = sentence_at(text, place)
        parts.append(text[place:end])
        place = end
    return parts


def _chosen(named: Sequence[Mention], kind: str, right: frozenset[str]) -> Mention | None:
    """Of the names of this kind one that is right, if there is one; else the first of them."""
    same = [mention for mention in named if mention.kind == kind]
    return next((m for m in same if m.name in right), same[0] if same else None)

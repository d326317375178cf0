"""How two runs differ, in words that lead to the cause: by kind, ranked, by name, with the line.

Of each kind of difference the first is told. What decides a run stands before what follows from it:
which calls there are, how data is loaded, hyperparameters, initial weights, random draws, batches;
then outputs, gradients, weights; then text and files.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from goldenseal.ladder.events import Event, is_line, without_lines
from goldenseal.ladder.lines import at, lines_apart, one_line

HEX = re.compile(r"-?0x[01]\.[0-9a-f]+p[+-]\d+")
NAMES = 4  # parameters that are named; of more, how many

KINDS = (
    ("calls", re.compile(r"$^")),
    ("modes", re.compile(r"parts in the other mode$|gradient enabled$|.*training$|trains ")),
    ("loaders", re.compile(r"batch size$|drops the last$|sampler|samples$")),
    ("groups", re.compile(r"group \d+ ")),
    ("initial state", re.compile(r"state ")),
    ("random numbers", re.compile(r"rng ")),
    ("inputs", re.compile(r"input")),
    ("outputs", re.compile(r"output|loss")),
    ("gradients", re.compile(r"gradient of ")),
    ("parameters", re.compile(r"parameter |left ")),
    ("optimizer state", re.compile(r".* of ")),
    ("text", re.compile(r"text$")),
    ("others", re.compile(r"")),
)
ORDER = {name: i for i, (name, _) in enumerate(KINDS)}


def kind_of(where: str, name: str) -> str:
    """Which kind of fact it is."""
    if where.startswith("file "):
        return "others"
    return next(kind for kind, pattern in KINDS if pattern.match(name))


def ranked(expected: Sequence[Event], actual: Sequence[Event]) -> list[str]:
    """The first difference of each kind, in words, causes first; empty when there is none.

    Up to the first call or step that only one of the two makes: what follows it has no counterpart.
    What is printed is held against each other by itself: a line more shifts no call.
    """
    first = _first(without_lines(expected), without_lines(actual))
    lines = lines_apart(*(list(filter(is_line, run)) for run in (expected, actual)))
    if lines:
        first["text"] = lines
    if not first:
        first = _first(expected, actual)  # the same things in another order
    return [first[kind] for kind in sorted(first, key=ORDER.__getitem__)]


def _first(expected: Sequence[Event], actual: Sequence[Event]) -> dict[str, str]:
    """By kind, the first difference, in words."""
    first: dict[str, str] = {}
    for index, (a, b) in enumerate(zip(expected, actual, strict=False)):
        if a.where != b.where:
            first.setdefault("calls", other_call(expected, actual, index))
            break
        if a.facts == b.facts:
            continue
        by_kind: dict[str, list[str]] = {}
        for name in [*a.facts, *(n for n in b.facts if n not in a.facts)]:
            if a.facts.get(name) != b.facts.get(name):
                by_kind.setdefault(kind_of(a.where, name), []).append(name)
        for kind, names in by_kind.items():
            if kind not in first:
                if kind == "groups":
                    a, b = with_groups(expected, index), with_groups(actual, index)
                first[kind] = _told(kind, names, a, b)
    else:
        if len(expected) != len(actual):
            index = min(len(expected), len(actual))
            first["calls"] = other_call(expected, actual, index)
    return first


def with_groups(run: Sequence[Event], index: int) -> Event:
    """The event before a step, with which parameters each group holds: that is noted as it changes.

    Beside others of its class, an optimizer is known by the gradients that it meets.
    """
    event = run[index]
    if any(name.endswith(" holds") for name in event.facts):
        return event
    met = frozenset(n.removeprefix("gradient of ") for n in event.facts if n.startswith("gradient"))
    known: dict[frozenset[str], dict[str, str]] = {}
    for earlier in run[:index]:
        if earlier.where.rpartition(" ")[0] == event.where.rpartition(" ")[0]:
            held = {name: text for name, text in earlier.facts.items() if name.endswith(" holds")}
            if held:
                known[frozenset(" ".join(held.values()).split())] = held
    alone = next(iter(known.values())) if len(known) == 1 else {}
    return replace(event, facts={**event.facts, **known.get(met, alone)})


def other_call(expected: Sequence[Event], actual: Sequence[Event], index: int) -> str:
    """Two events at the same place that are not of the same kind, in words."""
    a = expected[index] if index < len(expected) else None
    b = actual[index] if index < len(actual) else None
    if a is not None and b is not None:
        modes = mode_of(a), mode_of(b)
        if all(modes) and modes[0] != modes[1]:
            return (
                f"{b.where}{at(b)}: the network is in {modes[1]} mode, expected {modes[0]} mode"
                f"{at(a, 'in the baseline')}"
            )
        wheres = {event.where for event in actual[index : index + 200]}
        if a.where in wheres:
            return (
                f"{b.where}{at(b)} is extra{_count(expected, actual, b)}: expected {a.where}{at(a)}"
            )
        wheres = {event.where for event in expected[index : index + 200]}
        if b.where in wheres:
            return (
                f"{a.where}{at(a)} is missing{_count(expected, actual, a)}: found {b.where}{at(b)}"
            )
        return f"expected {a.where}{at(a)}, found {b.where}{at(b)}"
    if a is not None:
        return f"{a.where}{at(a)} is missing{_count(expected, actual, a)}"
    return f"{b.where}{at(b)} is extra{_count(expected, actual, b)}" if b is not None else ""


def _count(expected: Sequence[Event], actual: Sequence[Event], event: Event) -> str:
    """How often there is such an event on each side."""
    kind = re.sub(r" \d+$", "", event.where)
    a, b = (sum(re.sub(r" \d+$", "", e.where) == kind for e in run) for run in (expected, actual))
    return f" ({b} of `{kind}`, expected {a})" if a != b else ""


def mode_of(event: Event) -> str:
    """The mode of a forward call; empty for another event."""
    match = re.match(r"forward \((\w+)\)", event.where)
    return match[1] if match else ""


def _told(kind: str, names: list[str], a: Event, b: Event) -> str:
    where = f"{b.where}{at(b)}"
    if kind == "groups":
        return f"{where}: {groups_apart(a.facts, b.facts, names)}"
    if kind == "initial state" and any(set(names) - set(side.facts) for side in (a, b)):
        extra = [n.removeprefix("state ") for n in names if n not in a.facts]
        lost = [n.removeprefix("state ") for n in names if n not in b.facts]
        parts = [f"{few(extra)} {_is(extra)} extra"] if extra else []
        parts += [f"{few(lost)} {_is(lost)} missing"] if lost else []
        if parts:
            return f"{where}: {', '.join(parts)}"
    p, q = (one_line(side.facts.get(names[0], "nothing")) for side in (a, b))
    more = f", and {len(names) - 1} more" if len(names) > 1 else ""
    return f"{where}: {names[0]} is {decimal(q, p)}, expected {decimal(p, q)}{more}"


def _is(names: Sequence[str]) -> str:
    return "is" if len(names) == 1 else "are"


def few(names: Sequence[str]) -> str:
    """Some names, and how many more there are."""
    shown = ", ".join(names[:NAMES])
    return f"{shown} and {len(names) - NAMES} more" if len(names) > NAMES else shown


def settings_by_parameter(facts: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """By parameter, the hyperparameters of its group; of facts that say which are in it."""
    found: dict[str, dict[str, str]] = {}
    for name, held in facts.items():
        match = re.fullmatch(r"(group \d+) holds", name)
        if match:
            group = f"{match[1]} "
            settings = {
                key.removeprefix(group): text
                for key, text in facts.items()
                if key.startswith(group) and key != name
            }
            found |= dict.fromkeys(held.split(), settings)
    return found


def groups_apart(
    expected: Mapping[str, str], actual: Mapping[str, str], names: Sequence[str]
) -> str:
    """What is another in the optimizer's groups, by parameter where the groups are others."""
    by_a, by_b = settings_by_parameter(expected), settings_by_parameter(actual)
    if by_a and by_b:
        texts = list(_moved(by_a, by_b))
        if texts:
            return "; ".join(texts)
    texts = []
    for name in names:
        p, q = expected.get(name, "nothing"), actual.get(name, "nothing")
        if name.endswith(" holds"):
            if set(p.split()) == set(q.split()):
                texts.append(f"{name} the same parameters in another order: {q[:80]}")
            continue
        held = actual.get(f"{' '.join(name.split()[:2])} holds", "").split()
        of = f" (of {few(held)})" if held else ""
        texts.append(f"{name} is {decimal(q, p)}, expected {decimal(p, q)}{of}")
    return "; ".join(texts[:NAMES]) or "its groups are others"


def _moved(
    expected: Mapping[str, Mapping[str, str]], actual: Mapping[str, Mapping[str, str]]
) -> Iterator[str]:
    lost = [name for name in expected if name not in actual]
    extra = [name for name in actual if name not in expected]
    if lost:
        yield f"{few(lost)} {_is(lost)} in no group of the optimizer, expected in one"
    if extra:
        yield f"{few(extra)} {_is(extra)} in a group of the optimizer, and not in the baseline"
    changed: dict[tuple[str, str, str], list[str]] = {}
    for name in expected:
        if name in actual:
            for key in sorted({*expected[name], *actual[name]}):
                p, q = expected[name].get(key, "nothing"), actual[name].get(key, "nothing")
                if p != q:
                    changed.setdefault((key, p, q), []).append(name)
    for (key, p, q), held in changed.items():
        everything = " (all that it steps)" if len(held) == len(expected) else ""
        yield f"{key} of {few(held)}{everything} is {decimal(q, p)}, expected {decimal(p, q)}"


def decimal(text: str, other: str = "") -> str:
    """A fact with its number in decimals, and in full where that would show no difference."""

    def plain(match: re.Match[str]) -> str:
        return f"{float.fromhex(match[0]):.9g}"

    shown = HEX.sub(plain, text)
    return text if shown == HEX.sub(plain, other) and text != other else shown

"""Two traces of operations, realigned: the stretches that one has and the other lacks."""

import difflib
from collections import Counter
from collections.abc import Sequence
from itertools import zip_longest

Op = tuple[str, str]  # the operation, and the line that it comes from
WINDOW = 1500  # operations that are realigned, from the first that differs
SHOWN = 4


def name_of(operation: str) -> str:
    """`aten.mm` of `aten.mm.default(float32[8, 4], ...)`."""
    return ".".join(operation.partition("(")[0].split(".")[:2])


def stretch_in_words(expected: Sequence[Op], actual: Sequence[Op]) -> str | None:
    """The first stretch at which two traces part, in words; None when they are the same."""
    first = next(
        (
            i
            for i, (p, q) in enumerate(zip_longest(expected, actual))
            if (p or "")[:1] != (q or "")[:1]
        ),
        None,
    )
    if first is None:
        return None
    a, b = expected[first : first + WINDOW], actual[first : first + WINDOW]
    if len(expected) == len(actual) and _one_by_one(a, b):
        (p, at_p), (q, at_q) = expected[first], actual[first]
        return f"operation {first + 1} is {q}{_at(at_q)}, expected {p}{_at(at_p, at_q)}"
    matcher = difflib.SequenceMatcher(None, [x[0] for x in a], [x[0] for x in b], autojunk=False)
    blocks = [block for block in matcher.get_opcodes() if block[0] != "equal"]
    kind, i, j, k, m = blocks[0]
    lost, extra = a[i:j], b[k:m]
    number = first + k + 1
    if kind == "delete":
        text = f"operation {number}: {_several(lost)} missing{_from(lost)}"
    elif kind == "insert":
        text = f"operation {number}: {_several(extra)} extra{_from(extra)}"
    else:
        text = (
            f"operation {number}: {_several(extra)} found{_from(extra)}, "
            f"expected {_several(lost, False)}{_from(lost)}"
        )
    return text + (f"; {len(blocks) - 1} more stretches differ" if len(blocks) > 1 else "")


def _one_by_one(a: Sequence[Op], b: Sequence[Op]) -> bool:
    """Whether the same operations come in the same order, and only arguments are others."""
    return [name_of(p) for p, _ in a] == [name_of(q) for q, _ in b]


def _several(stretch: Sequence[Op], verb: bool = True) -> str:
    if len(stretch) == 1:
        return f"{stretch[0][0]}{' is' if verb else ''}"
    names = list(dict.fromkeys(name_of(operation) for operation, _ in stretch))
    more = ", …" if len(names) > SHOWN else ""
    return f"{len(stretch)} operations ({', '.join(names[:SHOWN])}{more}){' are' if verb else ''}"


def _from(stretch: Sequence[Op]) -> str:
    """The lines that the operations come from, the most frequent first."""
    places = [place for place, _ in Counter(p for _, p in stretch if p).most_common(2)]
    return f", from {' and '.join(places)}" if places else ""


def _at(place: str, other: str = "") -> str:
    return f" ({place})" if place and place != other else ""

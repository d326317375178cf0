"""Whether two sides of a comparison differ in the stated factor and in nothing else."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from goldenseal.claims.findings import ClaimError

if TYPE_CHECKING:
    from goldenseal.claims.runs import Observation

SEED = "SEED"
FACTS = ("system", "data", "source", "numeric_class")  # beside the knobs; may be stated as varied
SHOWN = 4


def check_matched(
    left: "Iterable[Observation]",
    right: "Iterable[Observation]",
    varied: Sequence[str],
    ignored: Sequence[str] = (),
) -> None:
    """Raise ClaimError `unmatched` unless the sides differ in `varied`, all of it and only that.

    The seed is matched elsewhere. `ignored` are knobs that name places, such as DATA_PATH: what
    lies there is compared as `data`.
    """
    a, b = list(left), list(right)
    for side in (a, b):
        inside = {key for other in side for key in differing(side[0], other)} - set(ignored)
        if inside:
            raise _unmatched(f"the runs of one side differ in {', '.join(sorted(inside))}")
    differences = differing(a[0], b[0])
    extra = [key for key in differences if key not in varied and key not in ignored]
    if extra:
        words = [f"{key} {differences[key]}" for key in sorted(extra)[:SHOWN]]
        words += ["…"] if len(extra) > SHOWN else []
        stated = ", ".join(varied) or "nothing"
        raise _unmatched(f"{stated} is said to vary, and so does {'; '.join(words)}")
    idle = [key for key in varied if key not in differences]
    if idle:
        raise _unmatched(f"{', '.join(idle)} is said to vary, and is the same on both sides")


def differing(a: "Observation", b: "Observation") -> dict[str, str]:
    """What differs between the runs of two values: name, and the two values in words."""
    differences: dict[str, str] = {}
    if a is b:
        return differences
    if a.knobs != b.knobs:
        differences = {
            key: f"{_word(a.knobs, key)} against {_word(b.knobs, key)}"
            for key in sorted({*a.knobs, *b.knobs} - {SEED})
            if a.knobs.get(key) != b.knobs.get(key)
        }
    one, other = a.sealed.record.facts, b.sealed.record.facts
    for key in FACTS:
        if one.get(key) != other.get(key):
            differences[key] = _words(one.get(key), other.get(key))
    return differences


def _word(knobs: Mapping[str, str], key: str) -> str:
    return knobs.get(key, "unset")


def _words(a: Any, b: Any) -> str:
    if isinstance(a, str) or isinstance(b, str):
        return f"{a} against {b}"
    keys = sorted({*(a or {}), *(b or {})})
    return f"({', '.join(key for key in keys if (a or {}).get(key) != (b or {}).get(key))[:80]})"


def _unmatched(message: str) -> ClaimError:
    return ClaimError("unmatched", message)

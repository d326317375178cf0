"""What a claim is bound to, as written in a document's `<!-- claims -->` comments, in TOML.

    loss = { record = "63300667", file = "metrics.json", pointer = "/hex/roundtrip_val_loss" }
    mean = { record = "4f1c", seeds = [1, 2, 3], stat = "mean", pointer = "/val_bpb" }

Without `file`, values come from the logs of the record's runs, from the line that `line` selects
(the last one when it is left out).
"""

from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any

from goldenseal.claims.findings import ClaimError

SINGLE = ("value",)
SEVERAL = ("mean", "sd", "min", "max")
COMPARISONS = ("difference", "paired difference", "p")
OF_PRINTED = ("margin", "ratio", "change")
STATS = (*SINGLE, *SEVERAL, *COMPARISONS, "count", *OF_PRINTED)
RELATIONS = ("<", "<=", ">", ">=")
TYPES: dict[str, type | tuple[type, ...]] = {
    "record": (str, list),
    "file": str,
    "pointer": str,
    "line": dict,
    "configuration": str,
    "seeds": list,
    "stat": str,
    "ddof": int,
    "against": dict,
    "varied": list,
    "test": str,
    "tail": str,
    "count": str,
    "from": list,
    "times": (int, str),
    "unit": str,
    "is": str,
    "table": str,
    "source": str,
}
SOURCED = ("value", "mean", "sd", "count")  # what a source of another's table can give
SIDE = ("record", "file", "pointer", "line", "configuration", "seeds")
CHOICES: dict[str, tuple[Any, ...]] = {
    "stat": STATS,
    "ddof": (0, 1),
    "test": ("paired", "welch"),
    "tail": ("two-sided", "less", "greater"),
    "count": ("seeds", "runs", "items"),
    "is": RELATIONS,
}
# Which keys a statistic needs besides those of its evidence, and which it may have.
NEEDS: dict[str, tuple[str, ...]] = {
    "mean": ("seeds",),
    "sd": ("seeds", "ddof"),
    "min": ("seeds",),
    "max": ("seeds",),
    "difference": ("seeds", "against", "varied"),
    "paired difference": ("seeds", "against", "varied"),
    "p": ("seeds", "against", "varied", "test", "tail"),
    "count": ("count",),
    "margin": ("from",),
    "ratio": ("from",),
    "change": ("from",),
}


@dataclass(frozen=True)
class Source:
    """Where values come from: records, and in them a file, or the logs of chosen runs."""

    records: tuple[str, ...]
    pointer: str = ""
    file: str | None = None
    line: dict[str, Any] = field(default_factory=dict, hash=False)
    configuration: str | None = None
    seeds: tuple[int, ...] | None = None
    standing: bool = True  # the records must not be corrected; else the claim is about the past


@dataclass(frozen=True)
class Definition:
    """A claim's evidence, statistic and how its number is printed."""

    name: str
    stat: str
    source: Source | None
    against: Source | None = None
    varied: tuple[str, ...] = ()
    ddof: int = 1
    test: str = ""
    tail: str = ""
    count: str = ""
    operands: tuple[str, ...] = ()
    times: Fraction = Fraction(1)
    unit: str = ""
    relation: str = ""
    table: str = ""  # of sourced numbers; then there is no sealed source
    sourced: str = ""  # which source of it


def parse_definition(name: str, entry: Any) -> Definition:
    """Validate one entry. Raises ClaimError `bad-claim` naming the key and what it may be."""
    if not isinstance(entry, dict):
        raise _bad("expected a table such as { record = …, file = …, pointer = … }")
    _check_keys(entry, tuple(TYPES))
    stat = entry.get("stat", "value")
    if "table" in entry or "source" in entry:
        _check_sourced(entry, stat)
    else:
        _check_needs(entry, stat)
    against = entry.get("against")
    unsealed = stat in OF_PRINTED or "table" in entry
    source = None if unsealed else _source({k: entry[k] for k in SIDE if k in entry})
    other = None
    if against is not None:
        _check_keys(against, SIDE)
        inherited = {k: entry[k] for k in SIDE if k in entry}
        other = _source(inherited | against)
    return Definition(
        name=name,
        stat=stat,
        source=source,
        against=other,
        varied=_texts(entry, "varied"),
        ddof=entry.get("ddof", 1),
        test=entry.get("test", ""),
        tail=entry.get("tail", ""),
        count=entry.get("count", ""),
        operands=_texts(entry, "from"),
        times=_factor(entry.get("times", 1)),
        unit=entry.get("unit", ""),
        relation=entry.get("is", ""),
        table=entry.get("table", ""),
        sourced=entry.get("source", ""),
    )


def _bad(message: str) -> ClaimError:
    return ClaimError("bad-claim", message)


def _check_keys(entry: dict[str, Any], allowed: tuple[str, ...]) -> None:
    for key, value in entry.items():
        if key not in allowed:
            raise _bad(f"unknown key `{key}`; it may have {', '.join(allowed)}")
        if not isinstance(value, TYPES[key]) or isinstance(value, bool):
            raise _bad(f"`{key}` is of the wrong type: {value!r}")
        if key in CHOICES and value not in CHOICES[key]:
            raise _bad(
                f"`{key}` is {value!r}; it may be one of {', '.join(map(str, CHOICES[key]))}"
            )


def _check_needs(entry: dict[str, Any], stat: str) -> None:
    needs = NEEDS.get(stat, ())
    for key in needs:
        if key not in entry:
            raise _bad(f"stat = {stat!r} must state `{key}`")
    only = {"ddof", "against", "test", "tail", "count", "from"}
    for key in sorted(only & set(entry) - set(needs)):
        raise _bad(f"`{key}` has no meaning for stat = {stat!r}")
    if "varied" in entry and stat not in (*COMPARISONS, *OF_PRINTED):
        raise _bad(f"`varied` has no meaning for stat = {stat!r}")
    if stat in OF_PRINTED:
        if len(entry["from"]) != 2:
            raise _bad("`from` names two claims of this document")
        for key in sorted(set(SIDE) & set(entry)):
            raise _bad(f"`{key}` has no meaning for stat = {stat!r}: it follows from two numbers")


def _check_sourced(entry: dict[str, Any], stat: str) -> None:
    """A claim on a number that others printed: `table` and `source`, and nothing of a record."""
    if not entry.get("table") or not entry.get("source"):
        raise _bad("`table` and `source` belong together: a file, and the name of a source in it")
    if stat not in SOURCED:
        raise _bad(f"stat = {stat!r} is not of a source; it may be {', '.join(SOURCED)}")
    if (stat == "sd") != ("ddof" in entry):
        raise _bad("stat = 'sd' must state `ddof`, and nothing else may")
    if stat == "count" and entry.get("count") != "seeds":
        raise _bad("a count of a source is one of its `seeds`")
    others = set(entry) - {"table", "source", "stat", "ddof", "times", "unit", "is", "count"}
    for key in sorted(others):
        raise _bad(f"`{key}` has no meaning for a source: its table says what it is of")


def _source(entry: dict[str, Any]) -> Source:
    records = entry.get("record")
    if not records:
        raise ClaimError("no-evidence", "no `record` is named: this number has no sealed evidence")
    names = (records,) if isinstance(records, str) else tuple(records)
    if not all(isinstance(name, str) for name in names) or len(set(names)) != len(names):
        raise _bad("`record` must be an identity's first digits or a path, or a list of such")
    seeds = entry.get("seeds")
    if seeds is not None and (not seeds or any(type(seed) is not int for seed in seeds)):
        raise _bad("`seeds` must be a list of integers")
    if seeds is not None and len(set(seeds)) != len(seeds):
        raise ClaimError("single-seed", "`seeds` lists a seed twice")
    file, line = entry.get("file"), entry.get("line", {})
    if file is not None and ("configuration" in entry):
        raise _bad("`configuration` chooses among logs: leave out `file`")
    if any(not isinstance(value, str | int | float) for value in line.values()):
        raise _bad("`line` selects by key and value, such as { kind = 'validation', step = 300 }")
    chosen = tuple(seeds) if seeds is not None else None
    return Source(
        names, entry.get("pointer", ""), file, dict(line), entry.get("configuration"), chosen
    )


def _texts(entry: dict[str, Any], key: str) -> tuple[str, ...]:
    values = entry.get(key, [])
    if not all(isinstance(value, str) for value in values):
        raise _bad(f"`{key}` must be a list of names")
    return tuple(values)


def _factor(value: int | str) -> Fraction:
    try:
        factor = Fraction(Decimal(value))
    except (InvalidOperation, ValueError, OverflowError):
        raise _bad(f"`times` is {value!r}: expected a number such as 100 or '0.001'") from None
    if factor <= 0:
        raise _bad("`times` must be positive")
    return factor

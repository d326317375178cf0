"""Tables that people write, read into dataclasses by pydantic: an error is one line.

The line names the place and what is legal there. Values are taken as they are typed (strict): "2"
is no number and true no 1.
"""

import dataclasses
import difflib
import json
import typing
from collections.abc import Sequence
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from goldenseal.errors import UsageError

T = TypeVar("T")
CLOSED: Any = {"extra": "forbid"}  # as __pydantic_config__ of a dataclass: no other key is legal
KINDS = {
    "string_type": "must be a str",
    "int_type": "must be an int",
    "tuple_type": "must be a list",
    "dict_type": "must be a table",
    "dataclass_type": "must be a table",
}
Place = Sequence[int | str]


def parse(kind: type[T], table: Any, file: str, *above: str) -> T:
    """`table`, which stands in `file` below the keys `above`, as a `kind`. Raises UsageError."""
    text = json.dumps(table, default=str)  # strict JSON has lists for tuples, tables for classes
    try:
        return TypeAdapter(kind).validate_json(text, strict=True)
    except ValidationError as error:
        problems = error.errors(include_url=False)
    loc, what = problems[0]["loc"], problems[0]["type"]
    last = next((i for i in reversed(range(len(loc))) if isinstance(loc[i], str)), 0)
    place, name = loc[:last], loc[last] if loc else ""
    where = f"{file}: {_in_brackets((*above, *place))}".rstrip()
    if what == "missing":
        lacking = [str(each["loc"][-1]) for each in problems if each["loc"][:-1] == loc[:-1]]
        raise UsageError(f"{where} lacks a key: it needs {_ticked(lacking)}")
    if what == "unexpected_keyword_argument":
        legal = _ticked(_keys(kind, place))
        unknown = f"has no key `{name}`" if place or above else f"unknown table [{name}]"
        near = difflib.get_close_matches(str(name), _keys(kind, place), n=1)
        hint = f" (did you mean `{near[0]}`?)" if near else ""
        raise UsageError(f"{where} {unknown}{hint}; it has {legal}")
    if what == "literal_error":
        raise UsageError(f"{where} {name} must be {problems[0]['ctx']['expected']}")
    raise UsageError(f"{where} {name} {KINDS.get(what, problems[0]['msg'])}")


def _ticked(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _in_brackets(place: Place) -> str:
    """[a.b], or [[a]] 2 for the second of a list of tables."""
    if place and isinstance(place[-1], int):
        return f"[[{'.'.join(map(str, place[:-1]))}]] {place[-1] + 1}"
    return f"[{'.'.join(map(str, place))}]" if place else ""


def _keys(kind: Any, place: Place) -> list[str]:
    """The keys that are legal at a place: below dataclasses, dict[str, …] and tuple[…, ...]."""
    for step in place:
        if dataclasses.is_dataclass(kind):
            kind = typing.get_type_hints(kind)[str(step)]
        else:
            kind = typing.get_args(kind)[0 if isinstance(step, int) else 1]
    return [field.name for field in dataclasses.fields(kind)]

"""Schemas of the files that people write: pydantic's models, our one line for what does not hold.

A value is of the type that the file gives it: nothing is converted. A validator raises ValueError
with words; where these hold {key}, they are about a key of a table, else about the table.
"""

import difflib
import math
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, ValidationError

from goldenseal.disk import canonical, toml
from goldenseal.disk.files import problem_with_name, read_small
from goldenseal.errors import UsageError
from goldenseal.records.kinds.cells import SEED

MAX_BYTES = 1 << 20
NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")
NUMBER = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")
NO_NUMBER = 'no number in plain digits, such as "0.17"'
FEWEST_SEEDS = 2  # a spread, and with it a paired test, needs two differences
TYPES = {"model": "table", "dict": "table", "string": "str"}  # pydantic's names, a file's names


class Table(BaseModel):
    """A table with exactly these keys."""

    model_config = ConfigDict(
        strict=True, extra="forbid", frozen=True, protected_namespaces=(), defer_build=True
    )


Model = TypeVar("Model", bound=Table)


def read_toml(path: Path) -> dict[str, Any]:
    """What a small TOML file says. Raises UsageError in one line."""
    return toml.read_toml(read_small(path, MAX_BYTES), path.name)


def checked(model: type[Model], facts: Any, where: str) -> Model:
    """The table, once it holds.

    Raises UsageError for the first thing that does not, `where` in front: keys that are lacking or
    unknown before values, and with the legal ones.
    """
    try:
        holding = model.model_validate(facts)
        _refuse_unwritable(facts, (), where)
        return holding
    except ValidationError as error:
        found = error.errors(include_url=False)
    ranks = {"missing": 0, "extra_forbidden": 1}
    first = min(found, key=lambda each: (len(each["loc"]), ranks.get(each["type"], 2)))
    place = _place(first["loc"][:-1], where)
    if first["type"] not in ranks:
        raise UsageError(_about_value(first, place, where)) from None
    beside = [e for e in found if e["loc"][:-1] == first["loc"][:-1]]
    lacking, unknown = ([str(e["loc"][-1]) for e in beside if e["type"] == kind] for kind in ranks)
    parts = [f"lacks `{lacking[0]}`"] if lacking else []
    if unknown:
        legal = keys_at(model, first["loc"][:-1])
        parts.append(f"has an unknown key {unknown[0]!r}{meant(unknown[0], legal, listed=True)}")
    raise UsageError(f"{place} {' and '.join(parts)}") from None


def _refuse_unwritable(value: Any, loc: tuple[int | str, ...], where: str) -> None:
    """Refuse a number that canonical JSON, and so a digest of the table, cannot hold."""
    if isinstance(value, dict | list):
        for key, each in value.items() if isinstance(value, dict) else enumerate(value):
            _refuse_unwritable(each, (*loc, key), where)
    elif isinstance(value, int | float) and not abs(value) < 1 << 53 and loc:
        if isinstance(value, int) or not math.isfinite(value):
            *above, key = (each for each in loc if isinstance(each, str))
            raise UsageError(
                f"{_place(above, where)}: `{key}` holds {value}, which is no number of JSON"
            )


def _about_value(error: Any, place: str, where: str) -> str:
    loc, kind = error["loc"], error["type"]
    key = str(loc[-1]) if loc else ""
    if kind == "value_error":
        words = str(error["ctx"]["error"])
        return (
            f"{place}: {words.replace('{key}', key)}"
            if "{key}" in words
            else f"{_place(loc, where)}: {words}"
        )
    if kind == "literal_error":
        legal = tuple(re.findall("'([^']*)'", error["ctx"]["expected"]))
        words = f"one of {legal}" if len(legal) > 1 else repr(legal[0])
        return f"{place}: `{key}` is {error['input']!r}, expected {words}"
    name = kind.removesuffix("_type")
    return f"{place}: `{key}` must be a {TYPES.get(name, name)}"


def _place(loc: Sequence[Any], where: str) -> str:
    return f"{where}: [{'.'.join(map(str, loc))}]" if loc else where


def keys_at(model: type[Table], loc: Sequence[Any]) -> list[str]:
    """The keys that the table at `loc` may have."""
    for key in loc:
        inner = next((f for n, f in model.model_fields.items() if (f.alias or n) == key), None)
        kinds = [inner.annotation, *getattr(inner.annotation, "__args__", ())] if inner else []
        below = [k for k in kinds if isinstance(k, type) and issubclass(k, Table)]
        model = below[0] if below else model
    return sorted(field.alias or name for name, field in model.model_fields.items())


def meant(name: str, known: Sequence[str], listed: bool = False) -> str:
    """The word that was perhaps meant; `listed`, else all of them."""
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    if close:
        return f"; did you mean {close[0]}?"
    return f"; it may have {list(known)}" if listed else ""


def must(holds: Callable[[Any], bool], words: str) -> BeforeValidator:
    """Of a value for which `holds`; the words are what a refusal says of any other."""

    def check(value: Any) -> Any:
        if not holds(value):
            raise ValueError("`{key}` is " + f"{value!r}, {words}")
        return value

    return BeforeValidator(check)


def _text(value: str) -> str:
    if not value.strip():
        raise ValueError("`{key}` is empty")
    return value


def _seeds(value: list[Any]) -> list[Any]:
    if not all(type(seed) is int and 0 <= seed <= canonical.MAX_INTEGER for seed in value):
        raise ValueError("`{key}` must be a list of integers, none negative")
    if len(set(value)) != len(value):
        raise ValueError("`{key}`: a seed is listed twice")
    if len(value) < FEWEST_SEEDS:
        few = f"{len(value)} seeds; a paired test needs {FEWEST_SEEDS} or more"
        raise ValueError("`{key}`: " + few)
    return value


def is_number(text: str) -> bool:
    """Whether a text is an exact number, in plain decimal digits."""
    return NUMBER.fullmatch(text) is not None


def _names(value: list[Any]) -> list[Any]:
    if not all(isinstance(name, str) for name in value):
        raise ValueError("`{key}` must be a list of names")
    return value


def _knobs(knobs: dict[str, Any]) -> dict[str, Any]:
    for name, value in sorted(knobs.items()):
        if not isinstance(value, str):
            raise ValueError(f'{name} must be a text: {name} = "{value}"')
        if name == SEED:
            raise ValueError(f"{SEED} is set by `seeds`")
    return knobs


def refuse_odd_names(names: Mapping[str, Any], what: str) -> None:
    """Raise ValueError unless each can name `what`, a folder in particular."""
    for name in names:
        if not NAME.fullmatch(name) or problem_with_name(name):
            raise ValueError(f"{name!r} cannot name {what}: use a-z, 0-9, _, . and -")


Schema = Annotated[int, must(lambda v: type(v) is not int or v == 1, "only schema 1 is known")]
Text = Annotated[str, AfterValidator(_text)]
Word = Annotated[str, must(lambda v: type(v) is str and v != "", 'it must be a text, like "2.50"')]
Digits = Annotated[Word, must(lambda v: type(v) is not str or is_number(v), NO_NUMBER)]
Share = Annotated[
    float, must(lambda v: type(v) is float and 0 < v < 1, "expected one between 0 and 1")
]
Seeds = Annotated[list[Any], AfterValidator(_seeds)]
Names = Annotated[list[Any], AfterValidator(_names)]
Knobs = Annotated[dict[str, Any], AfterValidator(_knobs)]

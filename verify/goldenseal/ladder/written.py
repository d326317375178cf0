"""What the files that describe a pair have in common: probe.toml and goldenseal.toml."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from goldenseal.disk.toml import read_toml
from goldenseal.errors import UsageError
from goldenseal.knobs import Feature, Knob
from goldenseal.schema import parse

T = TypeVar("T")


def read_as(kind: type[T], path: Path) -> T:
    """The file as a `kind`. Raises UsageError with the file and the key for what is amiss."""
    try:
        table = read_toml(path.read_bytes(), str(path))
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error
    return parse(kind, table, str(path))


def refuse_patterns(file: str, patterns: Iterable[str]) -> None:
    """Raise UsageError for one that is no regular expression."""
    for pattern in patterns:
        try:
            re.compile(pattern)
        except re.error as error:
            raise UsageError(f"{file}: {pattern!r} is no regular expression: {error}") from None


def refuse_twins(file: str, features: Iterable[Feature]) -> None:
    """Raise UsageError for two of one name: each is run, and told, by its own."""
    seen = set[str]()
    for feature in features:
        if feature.name in seen:
            raise UsageError(f"{file}: two [[feature]] are called {feature.name}")
        seen.add(feature.name)


def text_of(value: Any, where: str) -> str:
    """The value of a variable as text; who writes TOML writes numbers and booleans as such."""
    if isinstance(value, bool):
        return str(int(value))
    if not isinstance(value, str | int | float):
        raise UsageError(f"{where}: {value!r} must be a text or a number")
    return str(value)


def texts_of(table: Any, where: str) -> dict[str, str]:
    """Variables by name."""
    if not isinstance(table, Mapping):
        raise UsageError(f"{where}: variables must be a table, such as {{ WIDTH = 16 }}")
    return {str(name): text_of(value, where) for name, value in table.items()}


def values_of(name: str, value: Any, where: str) -> tuple[str, ...]:
    """The values that a knob is tried at: one, or a list of them."""
    each = tuple(text_of(v, where) for v in (value if isinstance(value, list) else [value]))
    if not each:
        raise UsageError(f"{where}: knob {name} has no value to try")
    return each


def sub_knob(name: str, values: tuple[str, ...]) -> Knob:
    """A knob of a feature that is not its master."""
    choices = values if len(values) > 1 else ()
    return Knob(name, str, "", "sub-knob", on=values[0], choices=choices)

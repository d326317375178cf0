"""What a repository tells the theorem gate: `[tool.goldenseal]` in its `pyproject.toml`."""

import importlib
import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from goldenseal import config
from goldenseal.coq.constants import Constant
from goldenseal.errors import UsageError
from goldenseal.schema import parse


@dataclass(frozen=True)
class Settings:
    """`constants`: places such as `package.module:NAME`; `scan`: folders with training code."""

    constants: tuple[str, ...] = ()
    scan: tuple[str, ...] = ()


def read(root: Path) -> Settings:
    """Settings of the repository at `root`; empty ones when it states none.

    Raises UsageError for a file that is no TOML or a value that is no list of strings.
    """
    return parse(Settings, config.settings(root), "pyproject.toml", *config.PLACE)


@dataclass(frozen=True)
class Declared:
    """`constants`, sorted by name; `homes`: file of each constants module -> the names it declares.

    Files are named from the root, with `/`.
    """

    constants: list[Constant]
    homes: dict[str, frozenset[str]]


def load_constants(root: Path, places: Iterable[str]) -> Declared:
    """What the constants modules at `places` declare, imported from the repository at `root`.

    Each place is `module:object`; the object is an iterable of Constant or a callable giving one.
    Raises UsageError when a place does not exist, lies outside `root`, holds something else, or
    declares a name that another one has; when the module has no variable of a constant's name and
    value, which is what code would import; and for a float in the module that is not declared.
    """
    constants: dict[str, Constant] = {}
    homes: dict[str, frozenset[str]] = {}
    variables: dict[str, dict[str, object]] = {}
    for place in places:
        file, module, values = _at(root, place)
        names = set()
        for constant in values:
            if not isinstance(constant, Constant):
                raise UsageError(f"{place}: holds {constant!r}, which is not a Constant")
            if constant.name in constants:
                raise UsageError(f"{place}: declares {constant.name} a second time")
            _same_by_name(file, constant, module)
            constants[constant.name] = constant
            names.add(constant.name)
        homes[file] = homes.get(file, frozenset()) | names
        variables[file] = module
    for file, module in variables.items():
        for name, value in module.items():
            if isinstance(value, float) and repr(value) != repr(_value_of(constants.get(name))):
                raise UsageError(f"{file}: the float {name} is declared by no Constant")
    return Declared([constants[name] for name in sorted(constants)], homes)


def _same_by_name(file: str, constant: Constant, module: dict[str, object]) -> None:
    """Refuse a Constant beside which its own module has no such variable to import."""
    if constant.name not in module:
        raise UsageError(
            f"{file}: declares {constant.name}, but has no variable of that name to import: "
            f"write {constant.name} = {constant.value!r}"
        )
    value = module[constant.name]
    if type(value) is not type(constant.value) or repr(value) != repr(constant.value):
        raise UsageError(
            f"{file}: {constant.name} is {value!r}, but is declared as {constant.value!r}"
        )


def _value_of(constant: Constant | None) -> float | int | None:
    return None if constant is None else constant.value


def _at(root: Path, place: str) -> tuple[str, dict[str, object], Iterable[object]]:
    """(file from the root, variables of the module, what is at the place)."""
    module_name, _, attribute = place.partition(":")
    if not module_name or not attribute:
        raise UsageError(f"{place!r} is not of the form module:object")
    before = list(sys.path)
    sys.path[:0] = config.python_path(root).split(os.pathsep)
    try:
        module = importlib.import_module(module_name)
        value = getattr(module, attribute)
        value = value() if callable(value) else value
    except Exception as error:  # the module is the repository's own code: it may raise anything
        raise UsageError(f"{place}: cannot be loaded: {type(error).__name__}: {error}") from None
    finally:
        sys.path[:] = before
    file = Path(module.__file__ or "").resolve()
    if not file.is_relative_to(root.resolve()):
        raise UsageError(f"{place}: was loaded from {file}, not from the repository under check")
    if not isinstance(value, Iterable):
        raise UsageError(f"{place}: is {value!r}, not an iterable of Constant")
    return file.relative_to(root.resolve()).as_posix(), dict(vars(module)), value

"""What a repository tells the theorem gate: `[tool.goldenseal]` in its `pyproject.toml`."""

import importlib
import sys
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from verify.constants import Constant
from verify.errors import UsageError


@dataclass(frozen=True)
class Settings:
    """`constants`: places such as `package.module:NAME`; `scan`: folders with training code."""

    constants: tuple[str, ...] = ()
    scan: tuple[str, ...] = ()


def read(root: Path) -> Settings:
    """Settings of the repository at `root`; empty ones when it states none.

    Raises UsageError for a file that is no TOML or a value that is no list of strings.
    """
    path = root / "pyproject.toml"
    try:
        table = tomllib.loads(path.read_text("utf-8")).get("tool", {}).get("goldenseal", {})
    except FileNotFoundError:
        return Settings()
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"pyproject.toml: cannot be read: {error}") from None
    for key in ("constants", "scan"):
        value = table.get(key, [])
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise UsageError(f"pyproject.toml: tool.goldenseal.{key} must be a list of strings")
    return Settings(tuple(table.get("constants", [])), tuple(table.get("scan", [])))


def load_constants(root: Path, places: Iterable[str]) -> list[Constant]:
    """The constants at `places`, sorted by name, imported from the repository at `root`.

    Each place is `module:object`; the object is an iterable of Constant or a callable giving one.
    Raises UsageError when a place does not exist, lies outside `root`, holds something else, or
    declares a name that another one has.
    """
    found: dict[str, Constant] = {}
    for place in places:
        for constant in _at(root, place):
            if not isinstance(constant, Constant):
                raise UsageError(f"{place}: holds {constant!r}, which is not a Constant")
            if constant.name in found:
                raise UsageError(f"{place}: declares {constant.name} a second time")
            found[constant.name] = constant
    return [found[name] for name in sorted(found)]


def _at(root: Path, place: str) -> Iterable[object]:
    module_name, _, attribute = place.partition(":")
    if not module_name or not attribute:
        raise UsageError(f"{place!r} is not of the form module:object")
    sys.path.insert(0, str(root))
    try:
        module = importlib.import_module(module_name)
        value = getattr(module, attribute)
        value = value() if callable(value) else value
    except (ImportError, AttributeError) as error:
        raise UsageError(f"{place}: cannot be loaded: {error}") from None
    finally:
        sys.path.remove(str(root))
    file = Path(module.__file__ or "").resolve()
    if not file.is_relative_to(root.resolve()):
        raise UsageError(f"{place}: was loaded from {file}, not from the repository under check")
    if not isinstance(value, Iterable):
        raise UsageError(f"{place}: is {value!r}, not an iterable of Constant")
    return value

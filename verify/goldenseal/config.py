"""What `[tool.goldenseal]` in pyproject.toml says: the systems that this repository offers.

[tool.goldenseal]
pythonpath = [".", "src"]                  # where its packages lie; by default its top folder
source = ["src", "pyproject.toml"]         # what a run may be made of; by default all Python files
claims = ["README.md"]                     # documents whose numbers are recomputed
require = ["citation", "seals"]            # gates that are no longer left out for want of an input

[tool.goldenseal.systems.gpt]
module = "train_gpt_style.gpt"             # `python -m` runs it
probe = "train_gpt_style.gpt.probe:PROBE"  # how the gates drive it
log = "train.jsonl"                        # its chained run log
outputs = ["final_model.safetensors"]      # what else a re-run must repeat
local_knobs = ["DATA_PATH"]                # knobs that hold paths of data
place_knobs = ["CHECKPOINT_DIR"]           # knobs that say where something is written
"""

import os
import sys
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, ClassVar

from goldenseal.disk.toml import read_toml
from goldenseal.errors import UsageError

PLACE = ("tool", "goldenseal")


@dataclass(frozen=True)
class _Table:
    """Every key of [tool.goldenseal]; what is in the values is judged by those who read them."""

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    systems: dict[str, dict[str, Any]] = field(default_factory=dict)
    pythonpath: Any = None
    source: Any = None
    claims: tuple[str, ...] = ()
    require: Any = None
    constants: Any = None
    scan: Any = None


@dataclass(frozen=True)
class System:
    """A training system of the repository, by name."""

    name: str
    module: str
    probe: str
    log: str = "train.jsonl"
    outputs: tuple[str, ...] = ()
    local_knobs: tuple[str, ...] = ()
    place_knobs: tuple[str, ...] = ()

    @property
    def path_knobs(self) -> tuple[str, ...]:
        """Knobs that name places: an equal run may have other ones."""
        return (*self.local_knobs, *self.place_knobs)


@dataclass(frozen=True)
class _Entry:
    """Every key of [tool.goldenseal.systems.NAME]."""

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    module: str
    probe: str
    log: str = "train.jsonl"
    outputs: tuple[str, ...] = ()
    local_knobs: tuple[str, ...] = ()
    place_knobs: tuple[str, ...] = ()
    mutate: Any = None  # docs/mutation.md
    mutate_on: Any = None

    def named(self, name: str) -> System:
        """The system of these keys."""
        places = (self.log, self.outputs, self.local_knobs, self.place_knobs)
        return System(name, self.module, self.probe, *places)


def find_root(start: Path | None = None) -> Path:
    """The nearest folder, upwards from `start`, whose pyproject.toml has a [tool.goldenseal].

    Raises UsageError when there is none.
    """
    here = (start or Path.cwd()).resolve()
    if (declared := _declared(here)) is None:
        raise UsageError(f"no pyproject.toml with a [tool.goldenseal] table at or above {here}")
    return declared


def repository(start: Path | None = None) -> Path:
    """The top of the repository around `start`, which need not have heard of Goldenseal.

    That of `find_root`; else the nearest folder with a .git; else `start` itself.
    """
    here = (start or Path.cwd()).resolve()
    above = (folder for folder in (here, *here.parents) if (folder / ".git").exists())
    return _declared(here) or next(above, here)


def _declared(here: Path) -> Path | None:
    for folder in (here, *here.parents):
        if "goldenseal" in _tool(folder):
            return folder
    return None


def systems(root: Path) -> list[System]:
    """The systems in order of name; from then on their packages can be imported.

    What is installed comes first: a folder of the repository hides no library. Raises UsageError
    for an ill-formed entry.
    """
    from goldenseal.schema import parse  # pydantic: most commands ask for no system

    for folder in python_path(root).split(os.pathsep):
        if folder not in sys.path:
            sys.path.append(folder)
    table = settings(root).get("systems", {})
    return [
        parse(_Entry, entry, "pyproject.toml", *PLACE, "systems", name).named(name)
        for name, entry in sorted(table.items())
    ]


def system(root: Path, name: str) -> System:
    """The system of that name. Raises UsageError with the names that exist."""
    known = systems(root)
    for entry in known:
        if entry.name == name:
            return entry
    raise UsageError(f"no system is called {name!r}; there are {[s.name for s in known]}")


def package_folders(root: Path) -> tuple[str, ...]:
    """The folders of a source tree in which packages lie, relative to it: `pythonpath`.

    A tree that says nothing, or has no pyproject.toml, has them at its top. Raises UsageError for
    a value that is no list of folders in the tree.
    """
    named = settings(root).get("pythonpath", ["."])
    within = isinstance(named, list) and all(
        isinstance(name, str)
        and "\0" not in name
        and (root / name).resolve().is_relative_to(root.resolve())
        for name in named
    )
    if not within or not named:
        raise UsageError(
            f"pyproject.toml: [tool.goldenseal] pythonpath = {named!r}: expected a list of folders "
            'below the file, such as [".", "src"]'
        )
    return tuple(named)


def python_path(root: Path) -> str:
    """PYTHONPATH for a process that runs the code of a source tree."""
    return os.pathsep.join(str(root / folder) for folder in package_folders(root))


def settings(root: Path) -> dict[str, Any]:
    """The [tool.goldenseal] table; empty where there is none.

    Raises UsageError for a key that it does not have: a misspelt one would be a gate left out.
    """
    table = dict(_tool(root).get("goldenseal", {}))
    if not _looks_right(table):  # most commands need no pydantic but to say what is wrong
        from goldenseal.schema import parse

        parse(_Table, table, "pyproject.toml", *PLACE)
    return table


def _looks_right(table: dict[str, Any]) -> bool:
    """Whether `_Table` surely takes the table."""
    systems, claims = table.get("systems", {}), table.get("claims", [])
    return (
        set(table) <= {each.name for each in fields(_Table)}
        and isinstance(systems, dict)
        and all(isinstance(entry, dict) for entry in systems.values())
        and isinstance(claims, list)
        and all(isinstance(path, str) for path in claims)
    )


def _tool(folder: Path) -> dict[str, Any]:
    path = folder / "pyproject.toml"
    if not path.is_file():
        return {}
    try:
        table = read_toml(path.read_bytes(), f"pyproject.toml: of {folder}")
    except OSError as error:
        raise UsageError(f"pyproject.toml: of {folder}: {error.strerror}") from error
    tool = table.get("tool", {})
    if not isinstance(tool, dict) or not isinstance(tool.get("goldenseal", {}), dict):
        raise UsageError(f"pyproject.toml: of {folder}: [tool.goldenseal] must be a table")
    return tool

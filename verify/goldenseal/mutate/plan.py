"""What pyproject.toml says of a system's areas, and the tree that mutants are planted in.

[tool.goldenseal.systems.gpt.mutate]           # the default path
model = ["package/model.py"]                   # area = files

[tool.goldenseal.systems.gpt.mutate_on]        # with features on
tests = ["tests/gpt"]                          # what judges them besides the gates
[tool.goldenseal.systems.gpt.mutate_on.areas]
loops = ["package/features/loops.py"]
"""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from goldenseal.config import package_folders, settings, systems
from goldenseal.config import system as find_system
from goldenseal.errors import UsageError
from goldenseal.mutate.operators import Mutant, mutants_of

UNCOPIED = shutil.ignore_patterns("__pycache__", ".*", "*.egg-info")


@dataclass(frozen=True)
class Plan:
    """A system, the areas of its code, and where it lies.

    on: whether features are on. tests: files or folders of unit tests, then. shared: of the files,
    those that the default path has a part in: only what it does not execute counts, then. others:
    systems beside this one, of which the tests are asked nothing.
    """

    root: Path
    system: str
    probe: str
    areas: dict[str, tuple[str, ...]]
    on: bool = False
    tests: tuple[str, ...] = ()
    shared: frozenset[str] = frozenset()
    others: frozenset[str] = frozenset()

    @property
    def label(self) -> str:
        """What results, the document and the tables are called."""
        return f"{self.system}-on" if self.on else self.system

    @property
    def files(self) -> list[str]:
        """Every file that is mutated, sorted."""
        return sorted({file for files in self.areas.values() for file in files})

    def sources(self, tree: Path) -> dict[str, bytes]:
        """The files' bytes by name, as they are in `tree`."""
        return {file: (tree / file).read_bytes() for file in self.files}

    def mutants(self, sources: dict[str, bytes]) -> list[Mutant]:
        """Every mutant of every area, by area and place, executed or not."""
        return [
            mutant
            for area, files in sorted(self.areas.items())
            for file in sorted(files)
            for mutant in mutants_of(sources[file], file, area)
        ]


def read_plan(root: Path, name: str, on: bool = False) -> Plan:
    """The plan of a system, for its default path or for its features.

    Raises UsageError when the system names no areas, a file is not there or in two areas.
    """
    name = name or _only_one(root)
    known = find_system(root, name)
    entry: dict[str, Any] = settings(root)["systems"][name]
    place = f"pyproject.toml: [tool.goldenseal.systems.{name}.mutate"
    if not on:
        return Plan(root, name, known.probe, _areas(root, entry.get("mutate"), f"{place}]"))
    table = entry.get("mutate_on", {})
    areas = _areas(root, table.get("areas"), f"{place}_on.areas]")
    tests = table.get("tests", [])
    if not _are_texts(tests) or not tests or set(table) - {"areas", "tests"}:
        raise UsageError(f"{place}_on] takes `tests`, a list of files or folders, and `areas`")
    for test in tests:
        if not (root / test).exists():
            raise UsageError(f"{place}_on] tests names {test}, which is not there")
    off = entry.get("mutate", {})
    shared = frozenset(file for files in _areas(root, off, f"{place}]").values() for file in files)
    named = frozenset(file for files in areas.values() for file in files)
    others = frozenset(system.name for system in systems(root)) - {name}
    return Plan(root, name, known.probe, areas, True, tuple(tests), shared & named, others)


def _areas(root: Path, table: Any, place: str) -> dict[str, tuple[str, ...]]:
    """Files by area, both sorted."""
    if not table:
        raise UsageError(f"{place} is not there: it maps each area of the code to its files")
    seen: dict[str, str] = {}
    for area, files in sorted(table.items()):
        if not _are_texts(files):
            raise UsageError(f"{place} {area} must be a list of files")
        for file in files:
            if file in seen:
                raise UsageError(f"{place} names {file} in {seen[file]} and in {area}: choose one")
            if not (root / file).is_file():
                raise UsageError(f"{place} {area} names {file}, which is not there")
            seen[file] = area
    return {area: tuple(files) for area, files in sorted(table.items())}


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def _only_one(root: Path) -> str:
    names = [system.name for system in systems(root)]
    if len(names) != 1:
        raise UsageError(f"name the system: there are {names}")
    return names[0]


def copy_tree(plan: Plan, source: Path, target: Path, whole: bool = False) -> None:
    """Copy what is mutated, the whole package around it, and files; other folders are linked.

    Folders that packages lie in are copied too: a link would lead out of the tree. whole: copy the
    tests as well, so that nobody can change them while they judge.
    """
    packages = [folder for folder in package_folders(source) if folder != "."]
    paths = (*plan.files, *packages, *(plan.tests if whole else ()))
    copied = {path.split("/")[0] for path in paths}
    for entry in sorted(source.iterdir()):
        if entry.name in copied and entry.is_dir():
            shutil.copytree(entry, target / entry.name, ignore=UNCOPIED)
        elif entry.is_file() and (entry.name in copied or not entry.name.startswith(".")):
            shutil.copy2(entry, target / entry.name)
        elif not entry.name.startswith("."):
            (target / entry.name).symlink_to(entry.resolve())

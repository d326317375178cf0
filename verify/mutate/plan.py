"""What `[tool.goldenseal.systems.NAME.mutate]` says, and the tree that mutants are planted in.

[tool.goldenseal.systems.gpt.mutate]
model = ["package/model.py"]    # area = files
"""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from verify.config import settings, systems
from verify.config import system as find_system
from verify.errors import UsageError
from verify.mutate.operators import Mutant, mutants_of

UNCOPIED = shutil.ignore_patterns("__pycache__", ".*", "*.egg-info")


@dataclass(frozen=True)
class Plan:
    """A system, the areas of its code, and where it lies."""

    root: Path
    system: str
    probe: str
    areas: dict[str, tuple[str, ...]]

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


def read_plan(root: Path, name: str) -> Plan:
    """The plan of a system.

    Raises UsageError when the system names no areas, a file is not there or in two areas.
    """
    name = name or _only_one(root)
    found = find_system(root, name)
    table: Any = settings(root)["systems"][name].get("mutate", {})
    place = f"pyproject.toml: [tool.goldenseal.systems.{name}.mutate]"
    if not table:
        raise UsageError(f"{place} is not there: it maps each area of the code to its files")
    seen: dict[str, str] = {}
    for area, files in sorted(table.items()):
        if not isinstance(files, list) or not all(isinstance(file, str) for file in files):
            raise UsageError(f"{place} {area} must be a list of files")
        for file in files:
            if file in seen:
                raise UsageError(f"{place} names {file} in {seen[file]} and in {area}: choose one")
            if not (root / file).is_file():
                raise UsageError(f"{place} {area} names {file}, which is not there")
            seen[file] = area
    areas = {area: tuple(files) for area, files in sorted(table.items())}
    return Plan(root, name, found.probe, areas)


def _only_one(root: Path) -> str:
    names = [system.name for system in systems(root)]
    if len(names) != 1:
        raise UsageError(f"name the system: there are {names}")
    return names[0]


def copy_tree(plan: Plan, source: Path, target: Path) -> None:
    """Copy what is mutated, the whole package around it; the rest of the tree is linked."""
    packages = {file.split("/")[0] for file in plan.files}
    for entry in sorted(source.iterdir()):
        if entry.name in packages and entry.is_dir():
            shutil.copytree(entry, target / entry.name, ignore=UNCOPIED)
        elif entry.name in packages:
            shutil.copy2(entry, target / entry.name)
        elif not entry.name.startswith("."):
            (target / entry.name).symlink_to(entry.resolve())

"""A plan held against the knobs of its system: what every cell will run with."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from goldenseal.config import System, system
from goldenseal.disk import canonical
from goldenseal.errors import UsageError
from goldenseal.knobs import Knob, read_settings
from goldenseal.launch.knobs import all_knobs, with_log
from goldenseal.records.kinds.cells import SEED, Cell
from goldenseal.records.kinds.plan import Group, Plan, read_plan, read_sweep
from goldenseal.records.kinds.schema import meant


@dataclass(frozen=True)
class Planned:
    """A plan that holds: its system and every configuration's knobs, resolved."""

    path: Path
    plan: Plan
    system: System
    knobs: Mapping[str, Mapping[str, str]]

    def environment(self, cell: Cell) -> dict[str, str]:
        """Every knob of a cell, as text."""
        return {**self.knobs[cell.configuration], SEED: str(cell.seed)}


def command_of(entry: System) -> list[str]:
    """What a cell runs: the system's module, from the frozen source alone (-P)."""
    return [sys.executable, "-P", "-m", entry.module]


def planned(root: Path, path: Path, sweep: bool) -> Planned:
    """Read a plan and hold it against its system. Raises UsageError, one line."""
    plan = read_sweep(path) if sweep else read_plan(path)
    entry = system(root, plan.system)
    declared = all_knobs(entry)
    log = with_log(declared)
    knobs = {name: {**own, **log} for name, own in resolve(plan, declared).items()}
    return Planned(path, plan, entry, knobs)


def resolve(plan: Plan, declared: tuple[Knob, ...]) -> dict[str, dict[str, str]]:
    """Every configuration's knobs, resolved; the seed of a cell is set beside them.

    Raises UsageError for a knob that does not exist, with the one that was perhaps meant, a value
    out of range, or two cells that come to the same run once defaults are filled in.
    """
    resolved: dict[str, dict[str, str]] = {}
    seen: dict[bytes, list[str]] = {}
    for group in plan.groups.values():
        for number, name in enumerate(group.configurations):
            seeds = group.seeds[:1] if number else group.seeds  # a seed is as legal in each
            resolved[name] = _resolved(plan, group, name, seeds, declared)
            alike = seen.setdefault(canonical.dumps(resolved[name]), [])
            for other in alike:
                if both := sorted(set(plan.seeds_of(other)) & set(group.seeds)):
                    raise UsageError(
                        f"{plan.name}: {Cell(other, both[0])} and {Cell(name, both[0])} are the "
                        "same run"
                    )
            alike.append(name)
    return resolved


def _resolved(
    plan: Plan, group: Group, name: str, seeds: tuple[int, ...], declared: tuple[Knob, ...]
) -> dict[str, str]:
    """One configuration; each of the seeds is held against its knob."""
    names = [knob.name for knob in declared]
    given = group.knobs(Cell(name, seeds[0]))
    if unknown := sorted(set(given) - set(names)):
        raise UsageError(
            f"{plan.name}, {name}: {unknown[0]} is no knob of {plan.system}"
            f"{meant(unknown[0], names) or ': see `goldenseal knobs`'}"
        )
    try:
        knobs = read_settings(given, declared).as_environment()
        (knob,) = (knob for knob in declared if knob.name == SEED)
        for seed in seeds[1:]:  # all else is the same: a plan may have very many
            knob.parse(str(seed))
    except UsageError as error:
        raise UsageError(f"{plan.name}, {name}: {error}") from None
    knobs.pop(SEED)
    return knobs

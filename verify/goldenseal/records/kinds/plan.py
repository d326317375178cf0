"""Plans: one file with everything that is fixed before a grid of runs is launched.

plan.toml of a study, schema 1:

name, question, system                texts; the system is one of this repository's
seeds = [1597, 2584]                  every configuration runs with every one of them
baseline = "baseline"                 the configuration that the others are held against
[common]                              knobs of every run, as texts
[configurations.phinta]               what this configuration sets beside them
[analysis]
primary = "ttt_val_bpb"               a result of the run log's closing line
better = "lower"                      or "higher"
test = "paired-t"                     two-sided, paired by seed; or "sign-flip", the exact test over
                                      all choices of signs
correction = "holm"                   over all configurations but the baseline
alpha = 0.05
secondary = ["roundtrip_val_bpb"]     further results, described
tested = ["roundtrip_val_bpb"]        if there is one: those of them that are tested too, each
                                      with a correction of its own; the margin is the primary's
counts = "…"                          what would count as a result, in words
margin = 0.002                        if there is one, a difference counts only beyond it
range = [0.0, 8.0]                    if known, what the primary result can be
[stopping]
rule = "…"                            when the study ends, in words

A sweep.toml has besides:

[resources]                           of one cell
gpus = 8, nodes = 1, cpus = 16        gpus and cpus on each node
minutes = 300                         the job's time limit
gpu_hour_cost = "2.50"                optional, with currency = "USD"
partition, account, constraint, memory_gb   optional, for a scheduler
[power]
effect, deviation                     of one paired difference: what is hoped for, and its spread
[groups.NAME]                         a further grid: its own seeds, baseline and configurations,
                                      and whatever of the tables above differs
[cost]                                a costs.toml (grids/grant.py)

The first grid is the group `main`, the only one of a study. Configurations have one name each over
all groups, and no run is in two of them. The tests of a group are corrected together, those of two
groups are not.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from goldenseal.disk import canonical
from goldenseal.disk.files import read_small
from goldenseal.errors import UsageError
from goldenseal.records.kinds.cells import SEED, Cell
from goldenseal.records.kinds.rules import refuse_dead_rule
from goldenseal.records.kinds.schema import MAX_BYTES, NAME, checked, read_toml
from goldenseal.records.kinds.sections import OneGrid, OneGroup, OwnPart, SweepFile

MAIN = "main"
MERGED = ("common", "analysis", "resources", "power")  # tables that a group has in part


@dataclass(frozen=True)
class Group:
    """One grid of a plan; `facts` is all of it, `resources` and `power` are a sweep's alone."""

    name: str
    facts: Mapping[str, Any]
    resources: Mapping[str, Any]
    power: Mapping[str, float]
    margin: float

    @property
    def seeds(self) -> tuple[int, ...]:
        """In the order of the plan."""
        return tuple(self.facts["seeds"])

    @property
    def baseline(self) -> str:
        """The configuration that the others are held against."""
        return str(self.facts["baseline"])

    @property
    def configurations(self) -> dict[str, dict[str, str]]:
        """The knobs of each configuration, beside the common ones; in the order of the plan."""
        return dict(self.facts["configurations"])

    @property
    def analysis(self) -> dict[str, Any]:
        """The statistic, the test and what would count."""
        return dict(self.facts["analysis"])

    @property
    def cell_gpu_hours(self) -> Fraction:
        """GPU-hours of one cell that uses its whole time."""
        per_hour = self.resources["gpus"] * self.resources["nodes"]
        return Fraction(per_hour * self.resources["minutes"], 60)

    def cells(self) -> Iterator[Cell]:
        """Every run: seed by seed, so that an early end leaves whole pairs."""
        for seed in self.seeds:
            for configuration in self.configurations:
                yield Cell(configuration, seed)

    def knobs(self, cell: Cell) -> dict[str, str]:
        """What a run sets: the common knobs, the configuration's, and the seed."""
        own = self.facts["configurations"][cell.configuration]
        return {**self.facts["common"], **own, SEED: str(cell.seed)}


@dataclass(frozen=True)
class Plan:
    """What a plan's file says."""

    facts: Mapping[str, Any]
    groups: Mapping[str, Group]

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.facts["name"])

    @property
    def system(self) -> str:
        """The system of every cell."""
        return str(self.facts["system"])

    @property
    def main(self) -> Group:
        """The first grid."""
        return self.groups[MAIN]

    @property
    def seeds(self) -> tuple[int, ...]:
        """Every seed of every group, in order, each once."""
        every = (seed for group in self.groups.values() for seed in group.seeds)
        return tuple(dict.fromkeys(every))

    @property
    def configurations(self) -> dict[str, dict[str, str]]:
        """The knobs of each configuration of every group, beside the common ones."""
        return {n: k for group in self.groups.values() for n, k in group.configurations.items()}

    def seeds_of(self, configuration: str) -> tuple[int, ...]:
        """The seeds with which a configuration runs."""
        return self.group_of(configuration).seeds

    def group_of(self, configuration: str) -> Group:
        """The group that a configuration belongs to."""
        groups = self.groups.values()
        return next(group for group in groups if configuration in group.facts["configurations"])

    @property
    def digest(self) -> str:
        """SHA-512 of what the plan says, whatever its comments and its layout."""
        return hashlib.sha512(canonical.dumps(self.facts)).hexdigest()

    def cells(self) -> Iterator[Cell]:
        """Every run, group by group, seed by seed."""
        for group in self.groups.values():
            yield from group.cells()

    def knobs(self, cell: Cell) -> dict[str, str]:
        """What a run sets: the common knobs, the configuration's, and the seed."""
        return self.group_of(cell.configuration).knobs(cell)


def is_sweep(path: Path) -> bool:
    """Whether a plan's file is a sweep's: it names what a cell takes."""
    return b"\n[resources]" in read_small(path, MAX_BYTES)


def read_any(path: Path) -> Plan:
    """The plan of a study or a sweep."""
    return read_sweep(path) if is_sweep(path) else read_plan(path)


def read_plan(path: Path) -> Plan:
    """Read and validate a plan.toml.

    Raises UsageError, one line, naming the key that is missing, unknown, ill-typed or at odds, a
    rule that no result could ever meet, or seeds too few for the test.
    """
    facts = read_toml(path)
    return Plan(facts, {MAIN: _group(MAIN, facts, path.name, OneGrid)})


def read_sweep(path: Path) -> Plan:
    """The same of a sweep.toml."""
    facts, where = read_toml(path), path.name
    checked(SweepFile, facts, where)
    main = {key: value for key, value in facts.items() if key not in ("groups", "cost")}
    groups = {MAIN: _group(MAIN, main, where, OneGroup)}
    for name, own in facts.get("groups", {}).items():
        here = f"{where}: [groups.{name}]"
        if not NAME.fullmatch(name) or name == MAIN:
            raise UsageError(f"{here}: a group needs a name of its own: a-z, 0-9, _, . and -")
        checked(OwnPart, own, here)
        merged = {key: {**main[key], **own[key]} for key in MERGED if key in own}
        groups[name] = _group(name, {**main, **own, **merged}, here, OneGroup)
    _refuse_shared_names(groups, where)
    return Plan(facts, groups)


def _group(name: str, said: Mapping[str, Any], where: str, model: type[OneGrid]) -> Group:
    checked(model, dict(said), where)
    facts = {key: value for key, value in said.items() if key not in ("resources", "power")}
    analysis = dict(facts["analysis"])
    margin, _ = analysis.pop("margin", 0.0), analysis.pop("range", None)
    comparisons = len(facts["configurations"]) - 1
    refuse_dead_rule(analysis["test"], analysis["alpha"], len(facts["seeds"]), comparisons, where)
    resources, power = said.get("resources", {}), said.get("power", {})
    return Group(name, {**facts, "analysis": analysis}, resources, power, margin)


def _refuse_shared_names(groups: Mapping[str, Group], where: str) -> None:
    owner: dict[str, str] = {}
    for group in groups.values():
        for name in group.configurations:
            if owner.setdefault(name, group.name) != group.name:
                raise UsageError(
                    f"{where}: configuration {name!r} is in the groups {owner[name]} and "
                    f"{group.name}: give each its own name"
                )

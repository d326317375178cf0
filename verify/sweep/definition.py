"""Sweeps: one file with everything that is fixed before a grid is launched.

sweep.toml, schema 1, is a plan.toml (verify/plan.py) with, besides:

[resources]                           of one cell
gpus = 8, nodes = 1, cpus = 16        gpus and cpus on each node
minutes = 300                         the job's time limit
gpu_hour_cost = "2.50"                optional, with currency = "USD"
partition, account, constraint, memory_gb   optional, for a scheduler
[power]
effect, deviation                     of one paired difference: what is hoped for, and its spread
[analysis]                            may also have
test = "sign-flip"                    the exact test over all choices of signs, in place of paired-t
margin = 0.002                        a difference counts only beyond it
range = [0.0, 8.0]                    what the primary result can be
[groups.NAME]                         a further grid: its own seeds, baseline and configurations,
                                      and whatever of the tables above differs
[cost]                                a costs.toml (verify/grant.py)

The first grid is the group `main`. Configurations have one name each over all groups, and no run is
in two of them. The tests of a group are corrected together, those of two groups are not.
"""

import difflib
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from verify import canonical
from verify.errors import UsageError
from verify.files import read_small
from verify.grant import number
from verify.knobs import Knob, read_settings
from verify.plan import MAX_BYTES, NAME, SEED, TABLES, Cell, Plan, plan_of, read_toml
from verify.sweep.power import refuse_dead_rule

MAIN = "main"
TESTS = ("paired-t", "sign-flip")
OPTIONAL_TABLES = ("groups", "cost")
COUNTS = {"gpus": 0, "nodes": 1, "cpus": 1, "minutes": 1}  # with the least of each
TEXTS = ("gpu_hour_cost", "currency", "partition", "account", "constraint")
GROUP_KEYS = {
    "question": str,
    "seeds": list,
    "baseline": str,
    "common": dict,
    "configurations": dict,
    "analysis": dict,
    "resources": dict,
    "power": dict,
}
NEEDED_OF_GROUP = ("seeds", "baseline", "configurations")


@dataclass(frozen=True)
class Group:
    """One grid of a sweep: a plan, what a cell of it takes, and what its power is stated for."""

    name: str
    plan: Plan
    resources: Mapping[str, Any]
    power: Mapping[str, float]
    margin: float

    @property
    def cell_gpu_hours(self) -> Fraction:
        """GPU-hours of one cell that uses its whole time."""
        per_hour = self.resources["gpus"] * self.resources["nodes"]
        return Fraction(per_hour * self.resources["minutes"], 60)


@dataclass(frozen=True)
class Sweep:
    """What a sweep.toml says."""

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
    def seeds(self) -> tuple[int, ...]:
        """Every seed of every group, in order, each once."""
        every = (seed for group in self.groups.values() for seed in group.plan.seeds)
        return tuple(dict.fromkeys(every))

    @property
    def configurations(self) -> dict[str, dict[str, str]]:
        """The knobs of each configuration of every group, beside the common ones."""
        return {n: k for g in self.groups.values() for n, k in g.plan.configurations.items()}

    def seeds_of(self, configuration: str) -> tuple[int, ...]:
        """The seeds with which a configuration runs."""
        return self.group_of(configuration).plan.seeds

    def group_of(self, configuration: str) -> Group:
        """The group that a configuration belongs to."""
        groups = self.groups.values()
        return next(group for group in groups if configuration in group.plan.configurations)

    @property
    def digest(self) -> str:
        """SHA-512 of what the sweep says, whatever its comments and its layout."""
        return hashlib.sha512(canonical.dumps(self.facts)).hexdigest()

    def cells(self) -> Iterator[Cell]:
        """Every run, group by group, seed by seed."""
        for group in self.groups.values():
            yield from group.plan.cells()


def read_sweep(path: Path) -> Sweep:
    """Read and validate a sweep.

    Raises UsageError, one line, naming the key that is missing, unknown, ill-typed or at odds, a
    rule that no result could ever meet, or seeds too few for the test.
    """
    return sweep_of(read_toml(path), path.name)


def is_sweep(path: Path) -> bool:
    """Whether a plan's file is a sweep's: it names what a cell takes."""
    return b"\n[resources]" in read_small(path, MAX_BYTES)


def sweep_of(facts: dict[str, Any], where: str) -> Sweep:
    """The same, from what the file says."""
    known = {*TABLES[""], "resources", "power", *OPTIONAL_TABLES}
    for key in sorted(facts):
        if key not in known:
            raise UsageError(f"{where} has an unknown key {key!r}{_meant(key, sorted(known))}")
    tables = ("analysis", "common", "resources", "power", *OPTIONAL_TABLES)
    for key in tables:
        if not isinstance(facts.get(key, {}), dict):
            raise UsageError(f"{where}: `{key}` must be a table")
    for key in ("resources", "power"):
        if key not in facts:
            raise UsageError(f"{where} lacks [{key}]")
    main = {key: value for key, value in facts.items() if key not in OPTIONAL_TABLES}
    groups = {MAIN: _group(MAIN, main, where)}
    for name, own in facts.get("groups", {}).items():
        here = f"{where}: [groups.{name}]"
        if not NAME.fullmatch(name) or name == MAIN:
            raise UsageError(f"{here}: a group needs a name of its own: a-z, 0-9, _, . and -")
        groups[name] = _group(name, {**main, **_own_part(own, main, here)}, here)
    _refuse_shared_names(groups, where)
    return Sweep(facts, groups)


def _own_part(own: Any, main: Mapping[str, Any], where: str) -> dict[str, Any]:
    """What a group says, with the tables of the sweep under its own."""
    if not isinstance(own, dict):
        raise UsageError(f"{where} must be a table")
    for key in [*NEEDED_OF_GROUP, *sorted(own)]:
        if key not in own:
            raise UsageError(f"{where} lacks `{key}`")
        if key not in GROUP_KEYS:
            raise UsageError(f"{where} has an unknown key {key!r}; it may have {list(GROUP_KEYS)}")
        if type(own[key]) is not GROUP_KEYS[key]:
            raise UsageError(f"{where}: `{key}` must be a {GROUP_KEYS[key].__name__}")
    merged = {
        key: {**main.get(key, {}), **own[key]}
        for key in ("common", "analysis", "resources", "power")
        if key in own
    }
    return {**own, **merged}


def _group(name: str, said: Mapping[str, Any], where: str) -> Group:
    facts = {key: value for key, value in said.items() if key not in ("resources", "power")}
    analysis = dict(facts.get("analysis", {}))
    margin, bounds = analysis.pop("margin", 0.0), analysis.pop("range", None)
    plan = plan_of({**facts, "analysis": analysis}, where, TESTS)
    _check_margin(margin, bounds, f"{where}: [analysis]")
    comparisons = len(plan.configurations) - 1
    refuse_dead_rule(analysis["test"], analysis["alpha"], len(plan.seeds), comparisons, where)
    resources = _resources(said["resources"], f"{where}: [resources]")
    return Group(name, plan, resources, _power(said["power"], f"{where}: [power]"), margin)


def _check_margin(margin: Any, bounds: Any, where: str) -> None:
    if type(margin) is not float or not 0 <= margin < float("inf"):
        raise UsageError(f"{where}: `margin` is {margin!r}, expected a number such as 0.002")
    if bounds is None:
        return
    shaped = isinstance(bounds, list) and len(bounds) == 2
    if not shaped or not all(type(b) is float for b in bounds) or not bounds[0] < bounds[1]:
        raise UsageError(f"{where}: `range` is {bounds!r}, expected such as [0.0, 8.0]")
    if margin >= bounds[1] - bounds[0]:
        raise UsageError(
            f"{where}: a `margin` of {margin} is as wide as the result's range {bounds}: no "
            "difference could ever count"
        )


def _resources(table: Mapping[str, Any], where: str) -> dict[str, Any]:
    legal = [*COUNTS, "memory_gb", *TEXTS]
    for key in [*COUNTS, *sorted(table)]:
        if key not in table:
            raise UsageError(f"{where} lacks `{key}`")
        if key not in legal:
            raise UsageError(f"{where} has an unknown key {key!r}{_meant(key, legal)}")
        value = table[key]
        if key in TEXTS:
            if type(value) is not str or not value:
                raise UsageError(f'{where}: `{key}` must be a text, such as "2.50"')
        elif type(value) is not int or value < COUNTS.get(key, 1):
            least = COUNTS.get(key, 1)
            raise UsageError(
                f"{where}: `{key}` is {value!r}, expected an integer, at least {least}"
            )
    if "gpu_hour_cost" in table:
        number(table["gpu_hour_cost"], f"{where}: gpu_hour_cost")
    return dict(table)


def _power(table: Mapping[str, Any], where: str) -> dict[str, float]:
    for key in ["effect", "deviation", *sorted(table)]:
        if key not in table:
            raise UsageError(f"{where} lacks `{key}`: what is hoped for, and its spread")
        if key not in ("effect", "deviation"):
            raise UsageError(f"{where} has an unknown key {key!r}")
        if type(table[key]) is not float or not 0 < abs(table[key]) < float("inf"):
            raise UsageError(f"{where}: `{key}` is {table[key]!r}, expected such as -0.003")
    if table["deviation"] < 0:
        raise UsageError(f"{where}: `deviation` is {table['deviation']}, expected one above 0")
    return dict(table)


def _refuse_shared_names(groups: Mapping[str, Group], where: str) -> None:
    owner: dict[str, str] = {}
    for group in groups.values():
        for name in group.plan.configurations:
            if owner.setdefault(name, group.name) != group.name:
                raise UsageError(
                    f"{where}: configuration {name!r} is in the groups {owner[name]} and "
                    f"{group.name}: give each its own name"
                )


def resolve(sweep: Sweep, declared: tuple[Knob, ...]) -> dict[str, dict[str, str]]:
    """Every configuration's knobs, resolved; the seed of a cell is set beside them.

    Raises UsageError for a knob that does not exist, with the one that was perhaps meant, a value
    out of range, or two cells that come to the same run once defaults are filled in.
    """
    names = [knob.name for knob in declared]
    resolved: dict[str, dict[str, str]] = {}
    seen: dict[bytes, list[str]] = {}
    for group in sweep.groups.values():
        for name, own in group.plan.configurations.items():
            given = {**group.plan.facts["common"], **own}
            if unknown := sorted(set(given) - set(names)):
                raise UsageError(
                    f"{sweep.name}, {name}: {unknown[0]} is no knob of {sweep.system}"
                    f"{_meant(unknown[0], names)}"
                )
            try:
                resolved[name] = read_settings(given, declared).as_environment()
            except UsageError as error:
                raise UsageError(f"{sweep.name}, {name}: {error}") from None
            resolved[name].pop(SEED, None)  # each cell has its own
            alike = seen.setdefault(canonical.dumps(resolved[name]), [])
            for other in alike:
                if both := sorted(set(sweep.seeds_of(other)) & set(group.plan.seeds)):
                    raise UsageError(
                        f"{sweep.name}: {Cell(other, both[0])} and {Cell(name, both[0])} are the "
                        "same run"
                    )
            alike.append(name)
    return resolved


def _meant(name: str, known: list[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    return f"; did you mean {close[0]}?" if close else ""

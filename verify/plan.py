"""Plans: a grid of configurations and seeds, with its question and its test, fixed in advance.

plan.toml, schema 1:

name, question, system                texts; the system is one of this repository's
seeds = [1597, 2584]                  every configuration runs with every one of them
baseline = "baseline"                 the configuration that the others are held against
[common]                              knobs of every run, as texts
[configurations.phinta]               what this configuration sets beside them
[analysis]
primary = "ttt_val_bpb"               a result of the run log's closing line
better = "lower"                      or "higher"
test = "paired-t"                     two-sided, paired by seed
correction = "holm"                   over all configurations but the baseline
alpha = 0.05
secondary = ["roundtrip_val_bpb"]     further results, described and not tested
counts = "…"                          what would count as a result, in words
[stopping]
rule = "…"                            when the study ends, in words
"""

import hashlib
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from verify import canonical
from verify.errors import UsageError
from verify.files import problem_with_name, read_small
from verify.knobs import Knob, read_settings

SCHEMA = 1
MAX_BYTES = 1 << 20
SEED = "SEED"  # the knob that takes the seed, in every system that is studied
NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")
TESTS, CORRECTIONS, BETTER = ("paired-t",), ("holm",), ("lower", "higher")
FEWEST_SEEDS = 2  # a spread, and with it a paired test, needs two differences

TABLES: dict[str, dict[str, type]] = {
    "": {
        "schema": int,
        "name": str,
        "question": str,
        "system": str,
        "seeds": list,
        "baseline": str,
        "common": dict,
        "configurations": dict,
        "analysis": dict,
        "stopping": dict,
    },
    "analysis": {
        "primary": str,
        "better": str,
        "test": str,
        "correction": str,
        "alpha": float,
        "secondary": list,
        "counts": str,
    },
    "stopping": {"rule": str},
}


@dataclass(frozen=True)
class Cell:
    """One run of a plan: a configuration under a seed."""

    configuration: str
    seed: int

    def __str__(self) -> str:
        return f"{self.configuration}/{self.seed}"


@dataclass(frozen=True)
class Plan:
    """What a plan.toml says; `facts` is all of it."""

    facts: Mapping[str, Any]

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.facts["name"])

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
    def digest(self) -> str:
        """SHA-512 of what the plan says, whatever its comments and its layout."""
        return hashlib.sha512(canonical.dumps(self.facts)).hexdigest()

    def seeds_of(self, configuration: str) -> tuple[int, ...]:
        """The seeds with which a configuration runs: all of the plan's."""
        return self.seeds

    def cells(self) -> Iterator[Cell]:
        """Every run: seed by seed, so that an early end leaves whole pairs."""
        for seed in self.seeds:
            for configuration in self.configurations:
                yield Cell(configuration, seed)

    def knobs(self, cell: Cell) -> dict[str, str]:
        """What a run sets: the common knobs, the configuration's, and the seed."""
        own = self.configurations[cell.configuration]
        return {**self.facts["common"], **own, SEED: str(cell.seed)}


def read_plan(path: Path) -> Plan:
    """Read and validate a plan.

    Raises UsageError, one line, naming the key that is missing, unknown, ill-typed or at odds.
    """
    return plan_of(read_toml(path), path.name)


def read_toml(path: Path) -> dict[str, Any]:
    """A small TOML file. Raises UsageError, one line, with the place that cannot be read."""
    try:
        return tomllib.loads(read_small(path, MAX_BYTES).decode("utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise UsageError(f"{path.name}: {str(error).splitlines()[0]}") from None


def plan_of(facts: dict[str, Any], where: str, tests: tuple[str, ...] = TESTS) -> Plan:
    """Validate what a plan says; `where` begins each message, `tests` are those it may name.

    Raises UsageError as `read_plan` does.
    """
    refuse_odd_keys(facts, TABLES[""], where)
    if facts["schema"] != SCHEMA:
        raise UsageError(f"{where}: schema {facts['schema']}, only schema {SCHEMA} is known")
    for table in ("analysis", "stopping"):
        refuse_odd_keys(facts[table], TABLES[table], f"{where}: [{table}]")
    _check_analysis(facts["analysis"], f"{where}: [analysis]", tests)
    _check_grid(facts, where)
    return Plan(facts)


def refuse_odd_keys(table: Mapping[str, Any], types: Mapping[str, type], where: str) -> None:
    """Raise UsageError unless `table` has exactly these keys with values of these types."""
    for key in [*types, *sorted(table)]:
        if key not in table:
            raise UsageError(f"{where} lacks `{key}`")
        if key not in types:
            raise UsageError(f"{where} has an unknown key {key!r}; it may have {sorted(types)}")
        if type(table[key]) is not types[key]:
            raise UsageError(f"{where}: `{key}` must be a {types[key].__name__}")
        if types[key] is str and not table[key].strip():
            raise UsageError(f"{where}: `{key}` is empty")


def _check_analysis(analysis: Mapping[str, Any], where: str, tests: tuple[str, ...]) -> None:
    for key, legal in (("test", tests), ("correction", CORRECTIONS), ("better", BETTER)):
        if analysis[key] not in legal:
            raise UsageError(f"{where}: `{key}` is {analysis[key]!r}, expected one of {legal}")
    if not 0 < analysis["alpha"] < 1:
        raise UsageError(f"{where}: `alpha` is {analysis['alpha']}, expected one between 0 and 1")
    secondary = analysis["secondary"]
    if not all(isinstance(name, str) for name in secondary):
        raise UsageError(f"{where}: `secondary` must be a list of names of results")
    if len({analysis["primary"], *secondary}) != len(secondary) + 1:
        raise UsageError(f"{where}: a result is named twice")


def _check_grid(facts: Mapping[str, Any], where: str) -> None:
    seeds, configurations = facts["seeds"], facts["configurations"]
    if not all(type(seed) is int and 0 <= seed <= canonical.MAX_INTEGER for seed in seeds):
        raise UsageError(f"{where}: `seeds` must be a list of integers, none negative")
    if len(set(seeds)) != len(seeds):
        raise UsageError(f"{where}: a seed is listed twice")
    if len(seeds) < FEWEST_SEEDS:
        raise UsageError(f"{where}: {len(seeds)} seeds; a paired test needs {FEWEST_SEEDS} or more")
    if facts["baseline"] not in configurations:
        raise UsageError(f"{where}: the baseline {facts['baseline']!r} is no configuration")
    if len(configurations) < 2:
        raise UsageError(f"{where}: nothing is held against the baseline: give a configuration")
    _check_knobs(facts["common"], f"{where}: [common]")
    seen: dict[bytes, str] = {}
    for name, knobs in configurations.items():
        if not NAME.fullmatch(name) or problem_with_name(name):
            raise UsageError(f"{where}: {name!r} cannot name a folder: use a-z, 0-9, _, . and -")
        if not isinstance(knobs, dict):
            raise UsageError(f"{where}: [configurations.{name}] must be a table of knobs")
        _check_knobs(knobs, f"{where}: [configurations.{name}]")
        same = seen.setdefault(canonical.dumps({**facts["common"], **knobs}), name)
        if same != name:
            raise UsageError(f"{where}: {name} sets exactly what {same} sets: one run, two names")


def _check_knobs(knobs: Mapping[str, Any], where: str) -> None:
    for name, value in sorted(knobs.items()):
        if not isinstance(value, str):
            raise UsageError(f'{where}: {name} must be a text: {name} = "{value}"')
        if name == SEED:
            raise UsageError(f"{where}: {SEED} is set by `seeds`")


def check_against(plan: Plan, declared: tuple[Knob, ...]) -> dict[Cell, dict[str, str]]:
    """Every run's knobs, resolved, given the knobs that the plan's system declares.

    Raises UsageError for a knob that does not exist, a value out of range, or two configurations
    that come to the same run once defaults are filled in.
    """
    names = {knob.name for knob in declared}
    resolved: dict[Cell, dict[str, str]] = {}
    seen: dict[bytes, Cell] = {}
    for cell in plan.cells():
        given = plan.knobs(cell)
        if unknown := sorted(set(given) - names):
            raise UsageError(
                f"{plan.name}, {cell.configuration}: {unknown[0]} is no knob of "
                f"{plan.facts['system']}: see `goldenseal knobs`"
            )
        try:
            resolved[cell] = read_settings(given, declared).as_environment()
        except UsageError as error:
            raise UsageError(f"{plan.name}, {cell.configuration}: {error}") from None
        same = seen.setdefault(canonical.dumps(resolved[cell]), cell)
        if same != cell:
            raise UsageError(f"{plan.name}: {cell} and {same} are the same run")
    return resolved

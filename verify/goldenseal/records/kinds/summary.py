"""What the logs of a study say together, in plain arithmetic: means, spreads, paired differences.

A check of a sealed study recomputes all of this, so it needs no more than the standard library, and
what is written here must not change: sealed records would no longer pass.
"""

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from goldenseal.records.kinds.cells import Cell
from goldenseal.records.kinds.logs import Numbers
from goldenseal.records.kinds.plan import Group


def summarise(group: Group, found: Mapping[Cell, Numbers]) -> dict[str, Any]:
    """By result: n, mean and sample standard deviation of each configuration and of its paired
    differences from the baseline, seed by seed.

    A result that some cell lacks is summed up for nobody. Raises KeyError when a cell is missing.
    """
    names = (group.analysis["primary"], *group.analysis["secondary"])
    by_result: dict[str, Any] = {}
    for name in names:
        if any(name not in found[cell] for cell in group.cells()):
            continue
        columns = {c: column(group, found, c, name) for c in group.configurations}
        base = columns[group.baseline]
        by_result[name] = {
            "configurations": {c: describe(values) for c, values in columns.items()},
            "differences": {
                c: describe([a - b for a, b in zip(values, base, strict=True)])
                for c, values in columns.items()
                if c != group.baseline
            },
        }
    return by_result


def column(
    group: Group, found: Mapping[Cell, Numbers], configuration: str, name: str
) -> list[float]:
    """A configuration's values of one result, in the plan's order of seeds."""
    return [found[Cell(configuration, seed)][name] for seed in group.seeds]


def describe(values: Sequence[float]) -> dict[str, Any]:
    """n, mean and standard deviation (n - 1 in the denominator), both correctly rounded."""
    return {
        "mean": statistics.fmean(values),
        "n": len(values),
        "sd": statistics.stdev(values),
    }

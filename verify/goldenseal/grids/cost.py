"""What a sweep costs: the cells' time limits, or the rows of its [cost] table, and their price."""

from fractions import Fraction
from typing import Any

from goldenseal.errors import UsageError
from goldenseal.grids.grant import Grant, as_markdown, decimal, grant_of, number
from goldenseal.grids.markers import table
from goldenseal.records.kinds.plan import Group, Plan


def check_cost(sweep: Plan, where: str) -> Grant | None:
    """The rows of [cost], if there are any.

    Raises UsageError for what `grant_of` refuses, and for a row that asks more hours of a run than
    the time limit of its cells leaves.
    """
    if "cost" not in sweep.facts:
        return None
    here = f"{where}: [cost]"
    grant = grant_of(sweep.facts["cost"], sweep, here)
    for row in sweep.facts["cost"]["rows"]:
        for name in row.get("configurations", ()):
            limit = sweep.group_of(name).resources["minutes"]
            if number(row["hours"], here) * 60 > limit:
                raise UsageError(
                    f"{here}: row {row['label']!r} takes {row['hours']} hours a run, the time "
                    f"limit of {name} is {limit} minutes"
                )
    return grant


def group_cells(group: Group) -> int:
    """How many cells a group has."""
    return len(group.configurations) * len(group.seeds)


def limits(sweep: Plan) -> list[dict[str, Any]]:
    """By group: cells, hours and GPU-hours at most, and their price if one is named."""
    found = []
    for group in sweep.groups.values():
        cells, resources = group_cells(group), group.resources
        hours = Fraction(resources["minutes"] * cells, 60)
        gpu_hours = group.cell_gpu_hours * cells
        cost = resources.get("gpu_hour_cost")
        price = None if cost is None else decimal(gpu_hours * number(cost, "gpu_hour_cost"))
        found.append(
            {
                "cells": cells,
                "currency": resources.get("currency", ""),
                "gpu_hours": decimal(gpu_hours),
                "group": group.name,
                "hours": decimal(hours),
                "price": price,
            }
        )
    return found


def compute_grant(sweep: Plan, where: str) -> str:
    """compute_grant.md: the rows of [cost] beside what was published, then the limits by group."""
    grant = check_cost(sweep, where)
    rows = [
        [
            row["group"],
            str(row["cells"]),
            row["hours"],
            row["gpu_hours"],
            "–" if row["price"] is None else f"{row['price']} {row['currency']}".strip(),
        ]
        for row in limits(sweep)
    ]
    headings = ["group", "cells", "hours at most", "GPU-hours at most", "price at most"]
    most = table(headings, rows)
    if grant is None:
        title = f"# Compute grant\n\nWhat the sweep “{sweep.name}” costs at most"
        return f"{title}, when every cell uses its whole time limit.\n\n{most}\n"
    head = as_markdown(grant, sweep).replace("`plan.toml` and `costs.toml`", "`sweep.toml`")
    return f"{head}\n## At most\n\nWhen every cell uses its whole time limit:\n\n{most}\n"

"""The planned test of one group: paired differences, effect sizes, corrected p-values."""

from collections.abc import Mapping
from typing import Any

from verify.plan import Cell
from verify.study.analysis import compare, holm
from verify.study.paired import sign_flip
from verify.study.summary import Numbers, column
from verify.sweep.definition import Group


def analyse(group: Group, found: Mapping[Cell, Numbers]) -> list[dict[str, Any]]:
    """For each configuration but the baseline, in the plan's order: its paired comparison.

    Beside what a study's comparison has: `d_z` (Cohen's: mean over deviation of the paired
    differences), `p_holm` over the group, `counts` (p_holm below alpha and the mean beyond the
    margin) and `direction` (better, worse). What is not defined, where all differences are equal,
    is null. Raises KeyError when a cell is missing or lacks the primary result.
    """
    plan, analysis = group.plan, group.plan.analysis
    name = analysis["primary"]
    base = column(plan, found, plan.baseline, name)
    rows = []
    for configuration in plan.configurations:
        if configuration == plan.baseline:
            continue
        row: dict[str, Any] = {"configuration": configuration}
        row |= compare(column(plan, found, configuration, name), base)
        row["d_z"] = row["mean"] / row["sd"] if row["sd"] > 0 else None
        if analysis["test"] == "sign-flip":
            row |= {"p": sign_flip(row["differences"]), "t": None}
        rows.append(row)
    for row, p in zip(rows, holm([row["p"] for row in rows]), strict=True):
        row["p_holm"] = p
        beyond = abs(row["mean"]) > group.margin
        row["counts"] = None if p is None else p < analysis["alpha"] and beyond
        lower = row["mean"] < 0
        row["direction"] = "better" if lower == (analysis["better"] == "lower") else "worse"
    return rows

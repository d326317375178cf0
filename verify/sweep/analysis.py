"""The planned test of one group: paired differences, effect sizes, corrected p-values."""

from collections.abc import Mapping, Sequence
from typing import Any

from verify.plan import Cell
from verify.spread import exceeds
from verify.study.analysis import compare, holm
from verify.study.paired import sign_flip
from verify.study.summary import Numbers, column
from verify.sweep.definition import Group


def analyse(group: Group, found: Mapping[Cell, Numbers]) -> list[dict[str, Any]]:
    """For each configuration but the baseline, in the plan's order: its paired comparison.

    Beside what a study's comparison has: `d_z` (Cohen's: mean over deviation of the paired
    differences), `p_holm` over the group, `counts` (p_holm below alpha and the mean beyond the
    margin, by more than rounding) and `direction` (better, worse). Where all differences are equal
    but for rounding, t, its p and d_z are null and nothing counts; a sign-flip test needs no
    spread, and takes a difference that is only rounding for none. Raises KeyError when a cell is
    missing or lacks the primary result.
    """
    plan, analysis = group.plan, group.plan.analysis
    name = analysis["primary"]
    base = column(plan, found, plan.baseline, name)
    rows, beyond = [], {}
    for configuration in plan.configurations:
        if configuration == plan.baseline:
            continue
        row: dict[str, Any] = {"configuration": configuration}
        values = column(plan, found, configuration, name)
        row |= compare(values, base)
        row["d_z"] = row["mean"] / row["sd"] if row["sd"] > 0 else None
        if analysis["test"] == "sign-flip":
            row |= {"p": sign_flip(signed(row["differences"], values, base)), "t": None}
            row.pop("why_not", None)
        rows.append(row)
        beyond[configuration] = exceeds(abs(row["mean"]), group.margin, (*values, *base))
    for row, p in zip(rows, holm([row["p"] for row in rows]), strict=True):
        row["p_holm"] = p
        row["counts"] = p is not None and p < analysis["alpha"] and beyond[row["configuration"]]
        lower = row["mean"] < 0
        row["direction"] = "better" if lower == (analysis["better"] == "lower") else "worse"
    return rows


def signed(
    differences: Sequence[float], values: Sequence[float], base: Sequence[float]
) -> list[float]:
    """The differences, with 0 for those that rounding explains: they have no sign of their own."""
    return [
        difference if exceeds(abs(difference), 0, pair) else 0.0
        for difference, *pair in zip(differences, values, base, strict=True)
    ]

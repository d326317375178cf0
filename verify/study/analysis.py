"""The paired test that a plan names, over its whole grid. Needs scipy."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from verify.errors import CannotCheckError
from verify.plan import Cell, Plan
from verify.study.summary import Numbers, column, describe

CONFIDENCE = 0.95


def analyse(plan: Plan, found: Mapping[Cell, Numbers]) -> list[dict[str, Any]]:
    """For each configuration but the baseline, in the plan's order: the paired differences of the
    primary result, seed by seed, their mean, sd and 95 % confidence interval, and the test.

    `p` is two-sided (scipy.stats.ttest_rel), `p_holm` is corrected over all comparisons, and
    `counts` says whether the plan's rule is met; all are null when every difference is the same,
    where t is not defined. Raises CannotCheckError when a cell is missing or lacks the result.
    """
    name = plan.analysis["primary"]
    missing = [str(cell) for cell in plan.cells() if name not in found.get(cell, {})]
    if missing:
        raise CannotCheckError(
            f"{len(missing)} of {len(list(plan.cells()))} cells have no {name}, such as "
            f"{missing[0]}: an incomplete grid carries no claim"
        )
    base = column(plan, found, plan.baseline, name)
    rows = [
        {"configuration": c, **compare(column(plan, found, c, name), base)}
        for c in plan.configurations
        if c != plan.baseline
    ]
    corrected = holm([row["p"] for row in rows])
    for row, p in zip(rows, corrected, strict=True):
        row["p_holm"] = p
        row["counts"] = None if p is None else p < plan.analysis["alpha"]
    return rows


def compare(values: Sequence[float], base: Sequence[float]) -> dict[str, Any]:
    """One paired comparison."""
    from scipy import stats

    differences = [a - b for a, b in zip(values, base, strict=True)]
    facts: dict[str, Any] = {**describe(differences), "differences": differences}
    degrees = len(differences) - 1
    facts |= {"ci95": None, "df": degrees, "p": None, "t": None}
    if facts["sd"] > 0:
        test = stats.ttest_rel(values, base)
        half = float(stats.t.ppf((1 + CONFIDENCE) / 2, degrees)) * facts["sd"]
        half /= math.sqrt(len(differences))
        facts["ci95"] = [facts["mean"] - half, facts["mean"] + half]
        facts["p"], facts["t"] = float(test.pvalue), float(test.statistic)
    return facts


def holm(values: Sequence[float | None]) -> list[float | None]:
    """Holm's step-down correction: the smallest of m is multiplied by m, the next by m - 1, and
    none may fall below the one before. An undefined p stays so, but counts as a comparison.
    """
    order = sorted((p, i) for i, p in enumerate(values) if p is not None)
    corrected: list[float | None] = [None] * len(values)
    least = 0.0
    for rank, (p, index) in enumerate(order):
        least = max(least, min(1.0, p * (len(values) - rank)))
        corrected[index] = least
    return corrected

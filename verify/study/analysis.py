"""The paired test that a plan names, over its whole grid. Needs scipy."""

import math
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

from verify.errors import CannotCheckError, UsageError
from verify.plan import Cell, Plan
from verify.spread import NO_SPREAD
from verify.study.paired import spread_of
from verify.study.summary import Numbers, column

CONFIDENCE = 0.95


def analyse(plan: Plan, found: Mapping[Cell, Numbers]) -> list[dict[str, Any]]:
    """For each configuration but the baseline, in the plan's order: the paired differences of the
    primary result, seed by seed, their mean, sd and 95 % confidence interval, and the test.

    `p` is two-sided (scipy.stats.ttest_rel), `p_holm` is corrected over all comparisons, and
    `counts` says whether the plan's rule is met. Where every difference is the same but for
    rounding, t is not defined: the ps are null, `counts` is false and `why_not` says so. Raises
    CannotCheckError when a cell is missing or lacks the result.
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
        row["counts"] = p is not None and p < plan.analysis["alpha"]
    return rows


def compare(values: Sequence[float], base: Sequence[float]) -> dict[str, Any]:
    """One paired comparison.

    When rounding explains all that the differences vary, `sd` is 0, `ci95`, `p` and `t` are null,
    `counts` is false and `why_not` is there. Raises UsageError for fewer than two pairs, sides of
    unlike length, or a value that is not finite.
    """
    from scipy import stats

    if len(values) != len(base):
        raise UsageError(f"{len(values)} values against {len(base)}: a paired test needs pairs")
    differences = [a - b for a, b in zip(values, base, strict=True)]
    facts: dict[str, Any] = spread_of(differences, (*values, *base))
    degrees = len(differences) - 1
    facts |= {"ci95": None, "df": degrees, "differences": differences, "p": None, "t": None}
    if facts["sd"] == 0:
        return {**facts, "counts": False, "why_not": NO_SPREAD}
    with warnings.catch_warnings():  # scipy warns of a spread that is small beside the mean
        warnings.simplefilter("ignore", RuntimeWarning)
        test = stats.ttest_rel(values, base)
    half = float(stats.t.ppf((1 + CONFIDENCE) / 2, degrees)) * facts["sd"]
    half /= math.sqrt(len(differences))
    facts["ci95"] = [facts["mean"] - half, facts["mean"] + half]
    facts["p"], facts["t"] = float(test.pvalue), float(test.statistic)
    if not math.isfinite(facts["t"]):  # squares beyond the doubles: the same t, by its definition
        facts["t"] = facts["mean"] / facts["sd"] * math.sqrt(len(differences))
        facts["p"] = 2 * float(stats.t.sf(abs(facts["t"]), degrees))
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


def p_text(p: float | None) -> str:
    """A p for people: two significant digits, and no more than that it is below 0.001."""
    if p is None:
        return "not defined"
    return "< 0.001" if p < 0.001 else f"{p:.2g}"

"""The planned test of one group: paired differences, effect sizes, corrected p. Needs scipy."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from goldenseal.errors import CannotCheckError, UsageError
from goldenseal.grids.paired import sign_flip, spread_of
from goldenseal.records.kinds.cells import Cell
from goldenseal.records.kinds.logs import Numbers
from goldenseal.records.kinds.plan import Group
from goldenseal.records.kinds.summary import column
from goldenseal.stats.spread import NO_SPREAD, exceeds

CONFIDENCE = 0.95


def analyse(
    group: Group, found: Mapping[Cell, Numbers], name: str | None = None
) -> list[dict[str, Any]]:
    """For each configuration but the baseline, in the plan's order: the paired differences of a
    result, seed by seed, their mean, sd and 95 % confidence interval, and the test.

    name: one that the plan has among `tested`; None: the primary result, whose margin and better
    side the plan gives.

    `p` is two-sided, of a t-test (scipy.stats.ttest_rel) or the exact sign-flip test; `p_holm` is
    corrected over the group's tests of this result; `d_z` is Cohen's, mean over deviation of the
    paired differences; `counts`: p_holm below alpha and the mean beyond the margin, by more than
    rounding; `direction`: better, worse; of another result than the primary higher, lower. Where
    every difference is the same but for rounding, t, its p and d_z are null, nothing counts and
    `why_not` says so; a sign-flip test needs no spread, and takes a difference that is only
    rounding for none. Raises CannotCheckError when a cell is missing or lacks the result.
    """
    analysis, primary = group.analysis, name is None
    name = analysis["primary"] if name is None else name
    margin = group.margin if primary else 0.0
    missing = [str(cell) for cell in group.cells() if name not in found.get(cell, {})]
    if missing:
        raise CannotCheckError(
            f"{len(missing)} of {len(list(group.cells()))} cells have no {name}, such as "
            f"{missing[0]}: an incomplete grid carries no claim"
        )
    base = column(group, found, group.baseline, name)
    rows, beyond = [], {}
    for configuration in group.configurations:
        if configuration == group.baseline:
            continue
        row: dict[str, Any] = {"configuration": configuration}
        values = column(group, found, configuration, name)
        row |= compare(values, base)
        row["d_z"] = row["mean"] / row["sd"] if row["sd"] > 0 else None
        if analysis["test"] == "sign-flip":
            row |= {"p": sign_flip(signed(row["differences"], values, base)), "t": None}
            row.pop("why_not", None)
        rows.append(row)
        beyond[configuration] = exceeds(abs(row["mean"]), margin, (*values, *base))
    for row, p in zip(rows, holm([row["p"] for row in rows]), strict=True):
        row["p_holm"] = p
        row["counts"] = p is not None and p < analysis["alpha"] and beyond[row["configuration"]]
        lower = row["mean"] < 0
        if primary:
            row["direction"] = "better" if lower == (analysis["better"] == "lower") else "worse"
        else:
            row["direction"] = "lower" if lower else "higher"
    return rows


def signed(
    differences: Sequence[float], values: Sequence[float], base: Sequence[float]
) -> list[float]:
    """The differences, with 0 for those that rounding explains: they have no sign of their own."""
    return [
        difference if exceeds(abs(difference), 0, pair) else 0.0
        for difference, *pair in zip(differences, values, base, strict=True)
    ]


def compare(values: Sequence[float], base: Sequence[float]) -> dict[str, Any]:
    """One paired comparison.

    When rounding explains all that the differences vary, `sd` is 0, `ci95`, `p` and `t` are null,
    `counts` is false and `why_not` is there. Raises UsageError for fewer than two pairs, sides of
    unlike length, or a value that is not finite.
    """
    from scipy import special  # not scipy.stats, which takes most of a second to load

    if len(values) != len(base):
        raise UsageError(f"{len(values)} values against {len(base)}: a paired test needs pairs")
    differences = [a - b for a, b in zip(values, base, strict=True)]
    facts: dict[str, Any] = spread_of(differences, (*values, *base))
    degrees = len(differences) - 1
    facts |= {"ci95": None, "df": degrees, "differences": differences, "p": None, "t": None}
    if facts["sd"] == 0:
        return {**facts, "counts": False, "why_not": NO_SPREAD}
    half = float(special.stdtrit(degrees, (1 + CONFIDENCE) / 2)) * facts["sd"]
    half /= math.sqrt(len(differences))
    facts["ci95"] = [facts["mean"] - half, facts["mean"] + half]
    facts["t"] = paired_t(differences)
    if not math.isfinite(facts["t"]):  # squares beyond the doubles: the same t, by its definition
        facts["t"] = facts["mean"] / facts["sd"] * math.sqrt(len(differences))
    facts["p"] = 2 * float(special.stdtr(degrees, -abs(facts["t"])))
    return facts


def paired_t(differences: Sequence[float]) -> float:
    """t as scipy.stats.ttest_rel has it, to the bit: sealed results were told by that."""
    import numpy as np

    gains, n = np.array(differences), len(differences)
    with np.errstate(all="ignore"):
        mean = gains.mean()
        variance = ((gains - mean) ** 2).mean() * (n / (n - 1))
        return float(mean / np.sqrt(variance / n))


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

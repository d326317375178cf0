"""The verdicts of a block study: lower, higher, same, or cannot tell. Needs scipy.

Of each block and arm, the logarithm of the ratio to the baseline: the mean logarithm of the arm's
two windows less that of the baseline's. Two endpoints, what it takes to reach the target loss and
what a step takes, in joules where every chunk of every window was measured and in seconds
otherwise. The plan's rule:

    same         two one-sided t tests, corrected: within the margin
    lower        exact sign-flip test, corrected, and the whole interval below 0
    higher       the same, above 0
    cannot tell  otherwise; always when the rig failed, or an arm did not reach the target, or
                 the blocks do not vary: then no t test is defined

The rig holds when enough blocks are valid, the arms did the same, the null's interval covers 0 and
reaches no further than the margin to either side of its middle, and the control's lies above 0.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from goldenseal.errors import UsageError
from goldenseal.grids.analysis import holm
from goldenseal.grids.blocks.plan import BlockPlan
from goldenseal.grids.blocks.windows import (
    COSTS,
    MEASURED,
    SPOILING,
    Block,
    Window,
    problems_with_blocks,
)
from goldenseal.grids.paired import equivalence, interval, sign_flip
from goldenseal.stats.spread import NO_SPREAD

ENDPOINTS = ("to_target", "per_step")
UNMEASURED = "no energy claim: not measured"


def analyse_blocks(blocks: Sequence[Block], plan: BlockPlan) -> dict[str, Any]:
    """Everything that the blocks come to. Raises UsageError for fewer than two valid blocks."""
    valid = [block for block in blocks if not spoiled(block)]
    dropped = {str(block.seed): sorted(spoiled(block)) for block in blocks if spoiled(block)}
    if len(valid) < 2:
        raise UsageError(f"{len(valid)} of {len(blocks)} blocks are valid: two are needed at least")
    cost = "joules" if all(has_joules(block) for block in valid) else "seconds"
    problems = problems_with_blocks(list(valid), plan)
    if len(valid) < plan.facts["stopping"]["blocks"]:
        least = plan.facts["stopping"]["blocks"]
        problems.append(f"{len(valid)} valid blocks, the plan asks for {least}")
    arms = {
        arm: {name: measure(valid, plan, arm, name, cost) for name in ENDPOINTS}
        for arm in plan.arms
        if arm != plan.baseline
    }
    rig = {name: problems + rig_problems(arms, plan, name) for name in ENDPOINTS}
    judge(arms, plan, rig)
    return {
        "blocks": len(blocks),
        "valid": len(valid),
        "dropped": dropped,
        "cost": cost,
        "source": valid[0].header["source"],
        "scope": valid[0].header["scope"],
        "energy": "measured" if cost == "joules" else UNMEASURED,
        "rig": rig,
        "arms": arms,
        "losses": {arm: losses(valid, plan, arm) for arm in arms},
        "means": means(valid, plan),
    }


def spoiled(block: Block) -> set[str]:
    """The flags by which the plan's rule drops a block."""
    return {flag for window in block.windows for flag in window.flags} & set(SPOILING)


def has_joules(block: Block) -> bool:
    """Whether a meter measured each chunk of each window."""
    known = all(window.costs("joules") is not None for window in block.windows)
    return known and block.header["source"] in MEASURED


def value(window: Window, plan: BlockPlan, endpoint: str, cost: str) -> float | None:
    """A window's endpoint."""
    if endpoint == "to_target":
        return window.to_target(cost, plan.target)
    return window.per_step(cost)


def logarithms(
    blocks: Sequence[Block], plan: BlockPlan, arm: str, endpoint: str, cost: str
) -> list[float | None]:
    """By block, the mean logarithm of an arm's two windows; None where one missed the target."""
    found: list[float | None] = []
    for block in blocks:
        values = [value(window, plan, endpoint, cost) for window in block.of(arm)]
        known = [math.log(v) for v in values if v is not None and v > 0]
        found.append(math.fsum(known) / 2 if len(known) == 2 else None)
    return found


def measure(
    blocks: Sequence[Block], plan: BlockPlan, arm: str, endpoint: str, cost: str
) -> dict[str, Any]:
    """One arm's endpoint: by block, interval, exact p, and p of the two one-sided tests."""
    own, base = (logarithms(blocks, plan, name, endpoint, cost) for name in (arm, plan.baseline))
    ratios = [None if a is None or b is None else a - b for a, b in zip(own, base, strict=True)]
    known = [ratio for ratio in ratios if ratio is not None]
    facts: dict[str, Any] = {"ratios": ratios, "censored": len(ratios) - len(known)}
    if facts["censored"]:
        empty = ("mean", "sd", "interval", "p", "p_same")
        return {**facts, "n": len(known), **dict.fromkeys(empty)}
    # A cost that is off by a unit in its last place is off by as much of 1 in its logarithm.
    of = [1.0, *(each for each in (*own, *base) if each is not None)]
    facts |= interval(known, plan.analysis["confidence"], of)
    facts["p"] = sign_flip(known)
    facts["p_same"] = equivalence(known, plan.analysis["margin"], of)
    return facts


def rig_problems(arms: Mapping[str, Any], plan: BlockPlan, endpoint: str) -> list[str]:
    """Why the null or the control says that nothing can be told; empty: the rig holds."""
    problems = []
    null, control = (arms[plan.facts[role]][endpoint] for role in ("null", "control"))
    if null["censored"]:
        problems.append(f"{endpoint}: the baseline did not reach the target in every window")
        return problems
    if null["interval"] is None:
        problems.append(f"{endpoint}: the null has {NO_SPREAD}")
    else:
        low, high = null["interval"]
        if not low <= 0 <= high:
            problems.append(f"{endpoint}: the null's interval does not cover 0")
        if (high - low) / 2 >= plan.analysis["margin"]:
            problems.append(f"{endpoint}: the null's interval is wider than the margin")
    if control["interval"] is None and not control["censored"]:
        problems.append(f"{endpoint}: the control has {NO_SPREAD}")
    elif control["interval"] is None or not control["interval"][0] > 0:
        problems.append(f"{endpoint}: the control's known extra cost was not seen")
    return problems


def judge(arms: dict[str, Any], plan: BlockPlan, rig: Mapping[str, list[str]]) -> None:
    """Add `p_holm`, `p_same_holm` and `verdict` to each tested arm's endpoints."""
    family = [(arm, name) for arm in plan.tested for name in ENDPOINTS]
    for key in ("p", "p_same"):
        corrected = holm([arms[arm][name][key] for arm, name in family])
        for (arm, name), p in zip(family, corrected, strict=True):
            arms[arm][name][f"{key}_holm"] = p
    for arm, name in family:
        arms[arm][name]["verdict"] = verdict(arms[arm][name], plan, bool(rig[name]))


def verdict(facts: Mapping[str, Any], plan: BlockPlan, broken: bool) -> str:
    """The plan's rule."""
    alpha = plan.analysis["alpha"]
    if broken or facts["censored"]:
        return "cannot tell"
    if facts["interval"] is None:
        return "cannot tell"
    if facts["p_same_holm"] < alpha:
        return "same"
    low, high = facts["interval"]
    if facts["p_holm"] < alpha and not low <= 0 <= high:
        return "lower" if high < 0 else "higher"
    return "cannot tell"


def losses(blocks: Sequence[Block], plan: BlockPlan, arm: str) -> dict[str, Any]:
    """The log-ratio of the losses at the end, by block, and whether they are the same.

    Losses that are equal to the last bit in every block are the same without a test; ratios that
    are alike in every block, but not 0, allow none.
    """
    ratios = [
        math.log(block.of(arm)[0].losses[-1] / block.of(plan.baseline)[0].losses[-1])
        for block in blocks
    ]
    p = equivalence(ratios, plan.analysis["loss_margin"], of=(1.0,))
    facts = interval(ratios, plan.analysis["confidence"], of=(1.0,))
    identical = not any(ratios)
    same = identical or (p is not None and p < plan.analysis["alpha"])
    return {**facts, "p_same": p, "parity": same}


def means(blocks: Sequence[Block], plan: BlockPlan) -> dict[str, Any]:
    """Of each arm: mean over blocks and windows of each cost that is known, and of the power."""
    found: dict[str, Any] = {}
    for arm in plan.arms:
        windows = [window for block in blocks for window in block.of(arm)]
        facts: dict[str, Any] = {"loss": _mean([window.losses[-1] for window in windows])}
        for cost in COSTS:
            for name in ENDPOINTS:
                facts[f"{name}_{cost}"] = _mean([value(w, plan, name, cost) for w in windows])
        joules, seconds = facts["per_step_joules"], facts["per_step_seconds"]
        facts["watts"] = None if joules is None else joules / seconds
        found[arm] = facts
    return found


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return math.fsum(known) / len(known) if known and len(known) == len(values) else None

"""The claim printer of block studies: an energy sentence, or each reason why there is none.

It believes neither record.json nor results.json: everything is computed again from the chained logs
of a sealed record, under the plan that was sealed before, and under limits of its own, which no
plan can loosen. Needs scipy.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from goldenseal.disk import canonical
from goldenseal.errors import GoldensealError
from goldenseal.grids.blocks.analysis import ENDPOINTS, UNMEASURED, analyse_blocks, spoiled
from goldenseal.grids.blocks.plan import BlockPlan, read_block_plan
from goldenseal.grids.blocks.windows import Block, log_name, read_blocks
from goldenseal.records.check import check, resolve
from goldenseal.records.record import read_record

PLAN, PROFILE = "plan.toml", "profile.json"
COUNTERS = ("nvml-counter", "wall-meter")
FEWEST_BLOCKS = 12
LEAST_SECONDS = 30  # of a window's training
LEAST_REFRESHES = 100  # of a chunk
# No plan may ask for less, or allow more, than this.
LIMITS = {"alpha": 0.05, "margin": 0.01, "loss_margin": 0.01, "presumed": 0.02}
LEAST_CONFIDENCE = 0.95
WORDS = {"to_target": "to reach the target loss", "per_step": "a step"}


@dataclass(frozen=True)
class EnergyClaim:
    """One arm and endpoint: a sentence, or why there is none."""

    arm: str
    endpoint: str
    sentence: str | None
    refusals: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """For --json."""
        return {
            "arm": self.arm,
            "endpoint": self.endpoint,
            "refusals": list(self.refusals),
            "sentence": self.sentence,
        }


def energy_claims(root: Path, folder: Path) -> list[EnergyClaim]:
    """What may be said of energy, by tested arm and endpoint.

    Raises GoldensealError for a folder that holds no plan of blocks.
    """
    checked = check(folder)
    plan = read_block_plan(folder / PLAN)
    cells = [(arm, endpoint) for arm in plan.tested for endpoint in ENDPOINTS]
    if not checked.holds:
        reasons = (f"the seal does not verify: {checked.reasons()[0]}",)
        return [EnergyClaim(*cell, None, reasons) for cell in cells]
    blocks, lacking = read_blocks(folder, plan)
    common = [f"block {seed}: {why}" for seed, why in lacking.items()]
    common += problems_with_record(folder, plan) + problems_with_plan(root, plan, blocks)
    try:
        results = analyse_blocks(blocks, plan)
    except GoldensealError as error:
        return [EnergyClaim(*cell, None, (*common, str(error))) for cell in cells]
    common += problems_with_source(results, blocks)
    profile = read_profile(folder)
    claims = []
    for arm, endpoint in cells:
        refusals = common + problems_with_arm(results, arm, endpoint)
        refusals += unexplained(results, plan, arm, profile)
        sentence = None if refusals else say(results, plan, arm, endpoint, checked.identity)
        claims.append(EnergyClaim(arm, endpoint, sentence, tuple(refusals)))
    return claims


def problems_with_record(folder: Path, plan: BlockPlan) -> list[str]:
    """Whether record.json is a measured one that lists the log of every planned block."""
    record = read_record(folder)
    if record.status != "measured":
        return [f"the record is {record.status}, not measured"]
    wanted = {str(seed): log_name(seed) for seed in plan.seeds}
    if record.facts.get("logs") != wanted:
        return ["record.json does not list exactly the planned blocks"]
    return []


def problems_with_plan(root: Path, plan: BlockPlan, blocks: Sequence[Block]) -> list[str]:
    """Whether the plan was sealed as a record of its own, intact and the same, and strict."""
    problems = []
    for name, most in LIMITS.items():
        if plan.analysis[name] > most:
            problems.append(f"the plan's {name} of {plan.analysis[name]} exceeds {most}")
    if plan.analysis["confidence"] < LEAST_CONFIDENCE:
        problems.append(f"the plan's confidence is below {LEAST_CONFIDENCE}")
    identities = {str(block.header.get("plan_record")) for block in blocks}
    if len(identities) != 1:
        return [*problems, "the blocks name no one sealed plan"]
    identity = identities.pop()
    try:
        sealed, full = resolve(root, identity)
        if full != identity or not check(sealed.folder).holds:
            problems.append("the sealed plan does not verify")
        elif read_block_plan(sealed.folder / PLAN).digest != plan.digest:
            problems.append("the sealed plan is another one")
        elif sealed.status != "proposal":
            problems.append("the sealed plan is no proposal")
    except GoldensealError as error:
        problems.append(f"the sealed plan: {error}")
    return problems


def problems_with_source(results: Mapping[str, Any], blocks: Sequence[Block]) -> list[str]:
    """Whether joules were measured by a counter, over windows that are long enough, on images."""
    problems = []
    if results["cost"] != "joules":
        problems.append(UNMEASURED)
    elif results["source"] not in COUNTERS:
        problems.append(f"the source is {results['source']}, not {' or '.join(COUNTERS)}")
    if results["valid"] < FEWEST_BLOCKS:
        problems.append(f"{results['valid']} valid blocks, {FEWEST_BLOCKS} are needed")
    if any(block.header.get("source") != results["source"] for block in blocks):
        problems.append("the blocks were measured by several sources")
    valid = [block for block in blocks if not spoiled(block)]
    windows = [window for block in valid for window in block.windows]
    if any(math.fsum(w.costs("seconds") or []) < LEAST_SECONDS for w in windows):
        problems.append(f"a window trains for less than {LEAST_SECONDS} s")
    refresh = valid[0].header.get("refresh_ms")
    if not isinstance(refresh, int | float) or refresh <= 0:
        problems.append("the refresh of the source is not known")
    elif any(
        1000 * s < LEAST_REFRESHES * refresh for w in windows for s in w.costs("seconds") or []
    ):
        problems.append(f"a chunk is shorter than {LEAST_REFRESHES} refreshes of the source")
    flags = sorted({flag for window in windows for flag in window.flags})
    if flags and results["cost"] == "joules":  # the plan's rule drops the flags that it knows
        problems.append(f"a chunk is flagged {', '.join(flags)}")
    if any(
        joules <= 0 for w in windows for joules in w.costs("joules") or []
    ):  # a counter that ran backwards, or stood
        problems.append("a chunk took no joules")
    data = valid[0].header.get("data")
    if not isinstance(data, dict) or data.get("kind") in (None, "synthetic"):
        problems.append("it was trained on noise")
    return problems


def problems_with_arm(results: Mapping[str, Any], arm: str, endpoint: str) -> list[str]:
    """Whether rig, interval and loss allow a sentence about this arm."""
    facts = results["arms"][arm][endpoint]
    problems = [f"the rig: {problem}" for problem in results["rig"][endpoint]]
    if facts["censored"]:
        problems.append(f"{facts['censored']} blocks did not reach the target")
    elif facts["verdict"] not in ("lower", "higher"):
        problems.append(f"the verdict is {facts['verdict']}")
    elif facts["interval"][0] <= 0 <= facts["interval"][1]:
        problems.append("the interval covers 0")
    if not results["losses"][arm]["parity"]:
        problems.append("the losses at the end were not shown to be the same")
    return problems


def read_profile(folder: Path) -> dict[str, Any]:
    """profile.json: by arm `operations` and `kernels`; empty when it is missing or of no form."""
    try:
        profile = canonical.read(folder / PROFILE, PROFILE)
    except (GoldensealError, OSError):
        return {}
    return profile if isinstance(profile, dict) else {}


def work(profile: Mapping[str, Any], arms: Sequence[str]) -> list[int]:
    """What each arm launches: kernels where all were counted in those, else operations.

    Empty where neither is known of all.
    """
    tables = [profile.get(arm) for arm in arms]
    for unit in ("kernels", "operations"):
        counts = [table.get(unit) for table in tables if isinstance(table, dict)]
        known = [count for count in counts if type(count) is int and count > 0]
        if len(known) == len(arms):
            return known
    return []


def unexplained(
    results: Mapping[str, Any], plan: BlockPlan, arm: str, profile: Mapping[str, Any]
) -> list[str]:
    """Whether the profile stands against what a step was measured to cost."""
    counts = work(profile, (arm, plan.baseline))
    if not counts:
        return ["there is no profile of the arm and the baseline"]
    own, base = counts
    if own < base:
        return ["the arm launches less than the baseline: they do not run the same step"]
    effect = results["arms"][arm]["per_step"]["mean"]
    more = effect is not None and effect > 0 and own > base
    if effect is None or (abs(effect) > plan.analysis["presumed"] and not more):
        return ["a step differs by more than a profile explains: presumed an artefact"]
    return []


def say(
    results: Mapping[str, Any], plan: BlockPlan, arm: str, endpoint: str, identity: str | None
) -> str:
    """The sentence."""
    facts = results["arms"][arm][endpoint]
    mean, low, high = (percent(x) for x in (facts["mean"], *facts["interval"]))
    share = f"{plan.analysis['confidence']:.0%}"
    return (
        f"{arm} took {'less' if facts['verdict'] == 'lower' else 'more'} energy than "
        f"{plan.baseline} {WORDS[endpoint]}: {mean} ({share} interval {low} to {high}), "
        f"{facts['n']} blocks, {results['source']}, {results['scope']}; record {str(identity)[:16]}"
    )


def percent(ratio: float) -> str:
    """A log-ratio as a change in percent."""
    return f"{100 * math.expm1(ratio):+.2f} %"

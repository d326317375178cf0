"""The windows of a block study, read back from its chained logs, and what each cost.

blocks/<seed>.jsonl, a run log (runlog.py):

header   system, seed (a text), plan (digest), plan_record (identity of the sealed plan), order,
         source and scope of the meter, data and numeric_class, which must be equal in all blocks
window   arm, place in the order, steps, initial, data_order and final (digests), reads (of the
         host), lr, losses: [step, hex] from step 0, one after each chunk
         clock: chunks [{seconds, joules or null, flags}], and what the device said of itself
end      windows, their number
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from goldenseal.errors import ContradictedError, GoldensealError, UsageError
from goldenseal.grids.blocks.plan import BlockPlan
from goldenseal.runlog import run_log_lines

BLOCKS = "blocks"
MEASURED = ("nvml-counter", "wall-meter", "nvml-power", "rapl")  # sources of joules, best first
SPOILING = (
    *("above-limit", "below-floor", "clock-backwards", "counter-reset", "foreign-process", "gap"),
    *("may-have-wrapped", "no-change", "shared-counter", "short-window", "sources-disagree"),
    *("suspended", "throttled", "unchecked", "unreadable", "zero-length"),
)
COSTS = ("joules", "seconds")


@dataclass(frozen=True)
class Window:
    """One window of one arm: facts that an equal run repeats, and what each chunk took."""

    arm: str
    facts: Mapping[str, Any]
    chunks: tuple[Mapping[str, Any], ...]

    @property
    def losses(self) -> list[float]:
        """Validation losses: before the first step, then after each chunk."""
        return [float.fromhex(text) for _, text in self.facts["losses"]]

    @property
    def flags(self) -> set[str]:
        """Of all chunks."""
        return {flag for chunk in self.chunks for flag in chunk["flags"]}

    def costs(self, cost: str) -> list[float] | None:
        """Joules or seconds of each chunk; None when one was not measured."""
        values = [chunk.get(cost) for chunk in self.chunks]
        known = [float(v) for v in values if isinstance(v, int | float) and math.isfinite(v)]
        return known if len(known) == len(values) else None

    def per_step(self, cost: str) -> float | None:
        """Joules or seconds a step."""
        values = self.costs(cost)
        return None if values is None else math.fsum(values) / int(self.facts["steps"])

    def to_target(self, cost: str, target: float) -> float | None:
        """What it took until the validation loss first reached the target.

        Within a chunk cost and loss are taken to be linear. None: not reached, or not measured.
        """
        values, losses = self.costs(cost), self.losses
        if values is None or losses[0] <= target:
            return None
        for number, value in enumerate(values):
            before, after = losses[number], losses[number + 1]
            if after <= target:
                share = (before - target) / (before - after)
                return math.fsum(values[:number]) + share * value
        return None


@dataclass(frozen=True)
class Block:
    """The windows of one seed."""

    seed: int
    header: Mapping[str, Any]
    windows: tuple[Window, ...]

    def of(self, arm: str) -> list[Window]:
        """An arm's two windows."""
        return [window for window in self.windows if window.arm == arm]


def log_name(seed: int) -> str:
    """The log of a block, relative to the study's folder."""
    return f"{BLOCKS}/{seed}.jsonl"


def read_block(path: Path, plan: BlockPlan, seed: int) -> Block:
    """One block, its chain and its form checked.

    Raises ContradictedError for a log of another plan, seed, order or number of windows, one that
    was cut short or edited; UsageError for a line of another form.
    """
    windows: list[Window] = []
    header: dict[str, Any] = {}
    for line in run_log_lines(path):
        if line["kind"] == "header":
            header = line
        elif line["kind"] == "window":
            windows.append(_window(line, plan, f"{path.name}, window {len(windows)}"))
    if header.get("plan") != plan.digest:
        raise ContradictedError(f"{path.name}: its header names another plan")
    if header.get("seed") != str(seed):
        raise ContradictedError(f"{path.name}: its header says seed {header.get('seed')!r}")
    if header.get("order") != plan.order(seed) or [w.arm for w in windows] != plan.order(seed):
        raise ContradictedError(f"{path.name}: its windows are not in the order of the plan")
    return Block(seed, header, tuple(windows))


def _window(line: Mapping[str, Any], plan: BlockPlan, where: str) -> Window:
    steps, count = plan.facts["window"]["steps"], plan.facts["window"]["chunks"]
    marks = [number * steps // count for number in range(count + 1)]
    try:
        chunks = line["clock"]["chunks"]
        found = Window(line["arm"], line, tuple(chunks))
        if [step for step, _ in line["losses"]] != marks or line["steps"] != steps:
            raise ContradictedError(f"{where}: its steps are not the plan's")
        if len(chunks) != count or not all(isinstance(c["flags"], list) for c in chunks):
            raise ContradictedError(f"{where}: {len(chunks)} chunks, the plan says {count}")
        if not all(math.isfinite(loss) for loss in found.losses):
            raise ContradictedError(f"{where}: a loss is not finite")
        if found.costs("seconds") is None or min(found.costs("seconds") or [0]) <= 0:
            raise ContradictedError(f"{where}: a chunk took no time")
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UsageError(f"{where}: of another form: {error!r}") from None
    return found


def read_blocks(folder: Path, plan: BlockPlan) -> tuple[list[Block], dict[int, str]]:
    """(finished blocks in the plan's order, by seed why each other one is not)."""
    found, lacking = [], {}
    for seed in plan.seeds:
        path = folder / log_name(seed)
        try:
            if not path.is_file():
                raise UsageError("not run")
            found.append(read_block(path, plan, seed))
        except GoldensealError as error:
            lacking[seed] = str(error)
    return found, lacking


def problems_with_blocks(blocks: list[Block], plan: BlockPlan) -> list[str]:
    """What makes the arms incomparable; empty: all arms did the same, their rule aside."""
    problems = []
    for key in ("numeric_class", "plan_record", "data", "source", "scope"):
        if len({repr(block.header.get(key)) for block in blocks}) > 1:
            problems.append(f"the blocks differ in {key}")
    identical = set(plan.analysis["identical"])
    for block in blocks:
        base = block.of(plan.baseline)[0]
        for window in block.windows:
            where = f"block {block.seed}, {window.arm}"
            for key in ("initial", "data_order", "reads"):
                if window.facts.get(key) != base.facts.get(key):
                    problems.append(f"{where}: `{key}` is not the baseline's")
            if "LR" not in plan.arms[window.arm] and window.facts["lr"] != base.facts["lr"]:
                problems.append(f"{where}: `lr` is not the baseline's")
            first = block.of(window.arm)[0]
            for other, why in ((first, "its own first window"), (base, "the baseline")):
                if other is base and window.arm not in identical:
                    continue
                for key in ("final", "losses"):
                    if window.facts.get(key) != other.facts.get(key):
                        problems.append(f"{where}: `{key}` is not that of {why}")
    return list(dict.fromkeys(problems))

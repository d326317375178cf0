"""What the logs of a study say together, in plain arithmetic: means, spreads, paired differences.

A check of a sealed study recomputes all of this, so it needs no more than the standard library, and
what is written here must not change: sealed records would no longer pass.
"""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from verify.plan import Cell, Plan
from verify.runlog import run_log_lines
from verify.study.cells import check_header, numbers

Numbers = dict[str, float]


@dataclass(frozen=True)
class Run:
    """What a finished run says: results as numbers, digest of its weights, its class, its knobs."""

    numbers: Numbers
    state: str
    numeric_class: dict[str, Any]
    knobs: dict[str, str] = field(default_factory=dict)


def read_run(log: Path, seed: int, knobs: Mapping[str, str]) -> Run:
    """Read a whole log, chain and header checked as in `read_end`.

    Beside the results of the closing line there are `val_bpb` and `val_loss` of the last validation
    before export, and `step_ms`, the mean time of a training step, which no re-run repeats.
    """
    found: Numbers = {}
    state, numeric_class, logged = "", {}, {}
    line: Mapping[str, Any] = {}
    for line in run_log_lines(log):
        if line["kind"] == "header":
            check_header(line, log.name, seed, knobs)
            numeric_class, logged = line.get("numeric_class", {}), line["knobs"]
        elif line["kind"] == "validation":
            found |= {k: v for k, v in numbers(line).items() if k in ("val_bpb", "val_loss")}
        elif line["kind"] == "step":
            time, step = _inside(line, "clock", "train_ms"), line.get("step")
            if type(time) in (int, float) and type(step) is int and step > 0:
                found["step_ms"] = time / step
        elif line["kind"] == "trained":
            state = str(_inside(line, "state", "model") or "")
    return Run(found | numbers(line), state, numeric_class, logged)  # `line`: the one of the end


def _inside(line: Mapping[str, Any], key: str, inner: str) -> Any:
    table = line.get(key)
    return table.get(inner) if isinstance(table, dict) else None


def summarise(plan: Plan, found: Mapping[Cell, Numbers]) -> dict[str, Any]:
    """By result: n, mean and sample standard deviation of each configuration and of its paired
    differences from the baseline, seed by seed.

    A result that some cell lacks is summed up for nobody. Raises KeyError when a cell is missing.
    """
    names = (plan.analysis["primary"], *plan.analysis["secondary"])
    by_result: dict[str, Any] = {}
    for name in names:
        if any(name not in found[cell] for cell in plan.cells()):
            continue
        columns = {c: column(plan, found, c, name) for c in plan.configurations}
        base = columns[plan.baseline]
        by_result[name] = {
            "configurations": {c: describe(values) for c, values in columns.items()},
            "differences": {
                c: describe([a - b for a, b in zip(values, base, strict=True)])
                for c, values in columns.items()
                if c != plan.baseline
            },
        }
    return by_result


def column(plan: Plan, found: Mapping[Cell, Numbers], configuration: str, name: str) -> list[float]:
    """A configuration's values of one result, in the plan's order of seeds."""
    return [found[Cell(configuration, seed)][name] for seed in plan.seeds]


def describe(values: Sequence[float]) -> dict[str, Any]:
    """n, mean and standard deviation (n - 1 in the denominator), both correctly rounded."""
    return {
        "mean": statistics.fmean(values),
        "n": len(values),
        "sd": statistics.stdev(values),
    }

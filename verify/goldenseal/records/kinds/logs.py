"""What the log of one run says, once it is whole and of that run."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from goldenseal.errors import ContradictedError
from goldenseal.runlog import HEX_FLOAT, run_log_lines

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


def read_end(log: Path, seed: int, knobs: Mapping[str, str]) -> dict[str, Any]:
    """The run log's closing line, after the whole chain and the header are checked.

    `knobs` are those that the run must have had, at least; a seed is a text in a header, since JSON
    numbers end at 2^53. Raises ContradictedError when the header tells of another run, the chain
    breaks, or the log was cut short; UsageError when there is no log.
    """
    end: dict[str, Any] = {}
    for line in run_log_lines(log):
        if line["kind"] == "header":
            check_header(line, log.name, seed, knobs)
        end = line
    return end


def check_header(header: Mapping[str, Any], name: str, seed: int, knobs: Mapping[str, str]) -> None:
    """Raise ContradictedError unless a log's header tells of this seed and of these knobs."""
    if str(header.get("seed")) != str(seed):
        raise ContradictedError(
            f"{name}: its header says seed {header.get('seed')!r}, the plan says {seed}"
        )
    logged = header.get("knobs")
    if not isinstance(logged, dict):
        raise ContradictedError(f"{name}: its header names no knobs")
    if knobs.items() <= logged.items():
        return
    for knob, text in sorted(knobs.items()):
        if logged.get(knob) != text:
            raise ContradictedError(
                f"{name}: its header says {knob}={logged.get(knob)}, the plan says {text}"
            )


def numbers(end: Mapping[str, Any]) -> dict[str, float]:
    """The results of a closing line as numbers, its sizes among them; the log holds them exactly.

    A result that is not finite, or no number, is left out.
    """
    clock = end.get("clock")
    sizes = clock if isinstance(clock, dict) else {}
    found = {}
    for name, value in {**sizes, **end}.items():
        if isinstance(value, str) and HEX_FLOAT.fullmatch(value):
            value = _from_hex(value)
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
            found[name] = value
    return found


def _from_hex(text: str) -> float:
    try:
        return float.fromhex(text)
    except OverflowError:
        return math.inf

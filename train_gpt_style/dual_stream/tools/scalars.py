"""A run log as TensorBoard scalars, by TensorBoard's own writer.

    python -m train_gpt_style.dual_stream scalars train.jsonl runs/mine
    tensorboard --logdir runs

Each number of a step and of a validation becomes a scalar; so does each plain number of the
diagnosis in a scan.jsonl beside the log. Needs the package `tensorboard`: pip install tensorboard.
"""

import argparse
import json
import sys
from pathlib import Path

from goldenseal.errors import CannotCheckError, UsageError
from goldenseal.runlog import read_run_log


def numbers(line):
    """(name, value) of each number of a log line; floats are hex there."""
    for name, value in line.items():
        if name in ("step", "type", "hash", "clock", "state", "data"):
            continue
        try:
            yield name, float.fromhex(value) if isinstance(value, str) else float(value)
        except (TypeError, ValueError):
            continue


def scalars(log):
    """(tag, value, step) of a run log, and of a scan.jsonl beside it. Raises UsageError."""
    if not log.is_file():
        raise UsageError(f"{log}: no such file; RUN_LOG=1 writes train.jsonl")
    for line in read_run_log(log):
        if isinstance(line.get("step"), int):
            yield from ((f"train/{name}", v, line["step"]) for name, v in numbers(line))
    beside = log.with_name("scan.jsonl")
    for text in beside.read_text(encoding="utf-8").splitlines() if beside.is_file() else ():
        line = json.loads(text)
        for name, value in line["diagnosis"].items():
            table = value if isinstance(value, dict) else {"": value}
            for key, each in table.items():
                if isinstance(each, int | float) and not isinstance(each, bool):
                    yield f"scan/{name} {key}".strip().replace(" ", "_"), each, line["step"]


def main(arguments):
    """Write the events."""
    parser = argparse.ArgumentParser(prog=sys.argv[0], description=__doc__.splitlines()[0])
    parser.add_argument("log", type=Path, help="train.jsonl of RUN_LOG")
    parser.add_argument("folder", type=Path, help="where TensorBoard looks")
    options = parser.parse_args(arguments)
    found = list(scalars(options.log))
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        raise CannotCheckError(
            "the package tensorboard is missing: pip install tensorboard"
        ) from None
    with SummaryWriter(str(options.folder)) as writer:
        for tag, value, step in found:
            writer.add_scalar(tag, value, step)
    print(f"{len(found)} scalars in {options.folder}")

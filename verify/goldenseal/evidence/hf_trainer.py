"""Hugging Face's Trainer: `trainer_state.json` with its log, `*_results.json` with what is final.

`training_args.bin` is a pickle, and is never loaded: what it says is not known.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from goldenseal.disk import canonical
from goldenseal.disk.files import read_small
from goldenseal.errors import UsageError
from goldenseal.evidence.model import Point, Run, numbers

TOOL = "Hugging Face Trainer"
STATE, RESULTS = "trainer_state.json", "_results.json"
NOT_METRICS = ("step", "epoch")
CHECKPOINT = re.compile(r"((?:.*/)?)checkpoint-([0-9]{1,17})")
MAX_STEP = 10**18
# Python writes these, and JSON has none of them; in quotes they are read as the numbers they are.
NOT_JSON = re.compile(rb"(?<=[:\[,\s])(NaN|-?Infinity)(?=\s*[,\]}])")


def files_of(names: list[str]) -> list[str]:
    """The files that hold a run."""
    return [name for name in names if name.rpartition("/")[2] == STATE]


def read(folder: Path, names: list[str]) -> Iterator[Run]:
    """A run for each folder with a state, that of its last checkpoint where it has none itself."""
    for name in last_states(files_of(names)):
        above = name.rpartition("/")[0]
        run = Run(above or ".")
        beside = [n for n in names if n.rpartition("/")[0] == above and n.endswith(RESULTS)]
        for each in (name, *beside):
            try:
                data = read_small(folder / each, canonical.MAX_BYTES)
                facts = canonical.loads(NOT_JSON.sub(rb'"\1"', data), each)
                run.add(_of_state(facts, each) if each == name else _of_results(facts, each))
            except UsageError as error:
                run.problems.append(str(error))
        yield run


def last_states(states: list[str]) -> list[str]:
    """The states that tell of a run to its end: checkpoints are the past of the run around them."""
    last: dict[str, tuple[int, str]] = {}
    for name in states:
        above = name.rpartition("/")[0]
        match = CHECKPOINT.fullmatch(above)
        run, step = (match[1].rstrip("/"), int(match[2])) if match else (above, MAX_STEP)
        last[run] = max(last.get(run, (-1, "")), (step, name))
    return [name for _, name in last.values()]


def _of_state(facts: Any, where: str) -> list[Point]:
    history = facts.get("log_history") if isinstance(facts, dict) else None
    if not isinstance(history, list) or not all(isinstance(line, dict) for line in history):
        raise UsageError(f"{where}: no `log_history`, a list of objects")
    points = []
    for line in history:
        step = line.get("step")
        at = step if isinstance(step, int) and not isinstance(step, bool) else None
        for key, value in line.items():
            if key not in NOT_METRICS:
                points += [Point(name, at, found) for name, found in numbers(key, value)]
    return points


def _of_results(facts: Any, where: str) -> list[Point]:
    """What is final has no step; its name says of which file it is."""
    if not isinstance(facts, dict):
        raise UsageError(f"{where}: not an object")
    stem = where.rpartition("/")[2].removesuffix(".json")
    return [
        Point(f"{stem}/{name}", None, found)
        for key, value in facts.items()
        if key != "epoch"
        for name, found in numbers(key, value)
    ]

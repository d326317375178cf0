"""The check of a sealed sweep: every planned cell is listed, and what is listed is what ran.

cells.jsonl has one canonical line a cell, in the order of the plan: `configuration`, `seed`,
`state` (finished, failed, missing), `attempts`, `reason` (null when finished) and, of a finished
one, `identity` (of its sealed folder, which is not kept), `knobs` (what it has beside the record's
common ones), `log`, `weights` (SHA-512 of the trained state) and `results`. A check reads it line
by line and recomputes the summary from the logs; only the planned results are held in memory.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from verify import canonical
from verify.errors import ContradictedError, GoldensealError, UsageError
from verify.files import open_regular
from verify.plan import SEED, Cell
from verify.record import Record
from verify.runlog import MAX_LINE_BYTES
from verify.study.recorded import same_value
from verify.study.summary import Numbers, read_run, summarise
from verify.sweep.definition import Sweep, read_sweep

FINISHED, FAILED, MISSING = "finished", "failed", "missing"
ALWAYS: dict[str, type | tuple[type, ...]] = {
    "attempts": int,
    "configuration": str,
    "reason": (str, type(None)),
    "seed": int,
    "state": str,
}
WHEN_FINISHED: dict[str, type | tuple[type, ...]] = {
    "identity": str,
    "knobs": dict,
    "log": str,
    "results": dict,
    "weights": str,
}
MANY = 20  # problems that are listed one by one


def problems_with_sweep(record: Record, names: set[str]) -> list[str]:
    """What does not hold of a sweep's plan, or of its cells when it has any; empty: all holds.

    Only the files in `names` are opened.
    """
    try:
        sweep = read_sweep(record.folder / str(record.facts["plan"]))
    except UsageError as error:
        return [str(error)]
    problems = []
    if tuple(record.facts["seeds"]) != sweep.seeds:
        problems.append("record.json: `seeds` are not the plan's")
    if "cells" not in record.facts:
        return problems
    if record.facts["cells"] not in names:
        return [*problems, f"record.json names {record.facts['cells']}: not here"]
    found: dict[Cell, Numbers] = {}
    try:
        for problem in _problems_with_cells(record, sweep, names, found):
            problems.append(problem)
            if len(problems) >= MANY:
                return [*problems, "and perhaps more: the rest was not looked at"]
    except GoldensealError as error:
        return [*problems, str(error)]
    lacking = sum(cell not in found for cell in sweep.cells())
    if record.status == "measured" and lacking:
        problems.append(f"record.json says `measured`, but {lacking} cells are not finished")
    if not problems and "results" in record.facts:
        told = canonical.dumps(record.facts["results"])
        if told != canonical.dumps(summaries(sweep, found)):
            problems.append("record.json: `results` are not what its cells come to")
    return problems


def summaries(sweep: Sweep, found: Mapping[Cell, Numbers]) -> dict[str, Any]:
    """The summary of each group, as a study has it. Raises KeyError when a cell is missing."""
    return {name: summarise(group.plan, found) for name, group in sweep.groups.items()}


def kept(sweep: Sweep, cell: Cell, numbers: Numbers) -> Numbers:
    """Of a run's results those that the plan names."""
    analysis = sweep.group_of(cell.configuration).plan.analysis
    names = (analysis["primary"], *analysis["secondary"])
    return {name: numbers[name] for name in names if name in numbers}


def lines_of(path: Path) -> Iterator[dict[str, Any]]:
    """The lines of a cells.jsonl, each once its form is checked. Raises UsageError."""
    with open_regular(path) as file:
        number = 0
        while raw := file.readline(MAX_LINE_BYTES + 1):
            number += 1
            where = f"{path.name}:{number}"
            if not raw.endswith(b"\n"):
                raise UsageError(f"{where}: the line does not end")
            line = canonical.loads(raw[:-1], where)
            if not isinstance(line, dict):
                raise UsageError(f"{where}: not a JSON object")
            types = ALWAYS | (WHEN_FINISHED if line.get("state") == FINISHED else {})
            if set(line) != set(types):
                raise UsageError(f"{where}: expected the keys {sorted(types)}")
            for key, kind in types.items():
                if not isinstance(line[key], kind) or isinstance(line[key], bool):
                    raise UsageError(f"{where}: `{key}` is of another kind")
            if line["state"] not in (FINISHED, FAILED, MISSING):
                raise UsageError(f"{where}: {line['state']!r} is no state of a cell")
            yield line


def find_cell(record: Record, name: str) -> dict[str, Any]:
    """The finished cell that is called `configuration/seed`.

    Raises UsageError when there is none, with how many there are.
    """
    finished = 0
    for line in lines_of(record.folder / record.facts["cells"]):
        if line["state"] == FINISHED:
            finished += 1
            if name == f"{line['configuration']}/{line['seed']}":
                return line
    raise UsageError(
        f"{record.folder.name} is a sweep: choose one of its {finished} finished cells with "
        f"--cell, such as configuration/seed; {record.facts['cells']} lists them"
    )


def _problems_with_cells(
    record: Record, sweep: Sweep, names: set[str], found: dict[Cell, Numbers]
) -> Iterator[str]:
    """What does not hold of each line; `found` is given the planned results of finished cells."""
    planned = sweep.cells()
    for line in lines_of(record.folder / record.facts["cells"]):
        cell, due = Cell(line["configuration"], line["seed"]), next(planned, None)
        if cell != due:
            yield f"cells: {cell} is listed, where the plan has {due or 'no more'}"
            return
        if line["state"] == FINISHED:
            try:
                found[cell] = kept(sweep, cell, _results_of(record, sweep, cell, line, names))
            except GoldensealError as error:
                yield f"{cell}: {error}"
    for cell in planned:
        yield f"{cell} is in the plan, but not among the cells"


def _results_of(
    record: Record, sweep: Sweep, cell: Cell, line: Mapping[str, Any], names: set[str]
) -> Numbers:
    """The results in a cell's log. Raises ContradictedError when they are not those listed."""
    if line["log"] not in names:
        raise ContradictedError(f"its log {line['log']} is not here")
    common: dict[str, str] = record.get("knobs")
    every = {**common, **line["knobs"], SEED: str(cell.seed)}
    for knob, text in sorted(sweep.group_of(cell.configuration).plan.knobs(cell).items()):
        if not same_value(every.get(knob), text):
            raise ContradictedError(f"ran with {knob}={every.get(knob)}, the plan says {text}")
    path = record.folder / line["log"]
    run = read_run(path, cell.seed, {**line["knobs"], SEED: str(cell.seed)})
    for knob, text in sorted(run.knobs.items()):
        if every.get(knob) != text:
            raise ContradictedError(f"its log says {knob}={text}, the record {every.get(knob)}")
    if canonical.dumps(run.numbers) != canonical.dumps(line["results"]):
        raise ContradictedError(f"its `results` are not those of {line['log']}")
    if run.state != line["weights"]:
        raise ContradictedError(f"its `weights` are not those of {line['log']}")
    if record.status == "measured" and run.numeric_class != record.get("numeric_class"):
        raise ContradictedError("its log is of another numeric class than record.json says")
    return run.numbers

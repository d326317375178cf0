"""The check of a grid's record: each planned cell is listed, and what is listed is what ran.

record.json of a study has `plan`, the name of its plan's file, and `runs`, a list of
`configuration`, `seed`, `knobs` (what this run sets beside the record's common `knobs`), `log`,
`state` (SHA-512 of the trained weights, which are not kept) and `results`, the numbers of the log.

That of a sweep has `cells`, the name of a file with one canonical line a cell, in the order of the
plan: `configuration`, `seed`, `state` (finished, failed, missing), `attempts`, `reason` (null when
finished) and, of a finished one, `identity` (of its sealed folder, which is not kept), `knobs`,
`log`, `weights` (as `state` of a study's run) and `results`.

The record's own `results` are the summary over all runs, of a sweep by group. A check recomputes
every one of them from the logs, cell by cell; only the planned results are held in memory.
"""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from goldenseal.disk import canonical
from goldenseal.errors import ContradictedError, GoldensealError, UsageError
from goldenseal.records.kinds.cells import SEED, Cell
from goldenseal.records.kinds.lines import lines_of
from goldenseal.records.kinds.logs import Numbers, read_run
from goldenseal.records.kinds.plan import Plan, read_any, read_plan, read_sweep
from goldenseal.records.kinds.summary import summarise

if TYPE_CHECKING:
    from goldenseal.records.record import Record

MANY = 20  # problems that are listed one by one


def problems_with_plan(record: "Record", names: set[str]) -> list[str]:
    """What does not hold of a plan that nobody has run yet."""
    return _plan_of(record, names)[1]


def problems_with_grid(record: "Record", names: set[str]) -> list[str]:
    """The same of a study or a sweep: of its plan, its cells, their logs, what they come to."""
    plan, problems = _plan_of(record, names)
    cells = record.facts.get("cells")
    if cells is not None and cells not in names:
        problems.append(f"record.json names {cells}: not here")
    if plan is None or (cells is not None and cells not in names):
        return problems
    found: dict[Cell, Numbers] = {}
    try:
        for problem in _problems_with_cells(record, plan, names, found):
            problems.append(problem)
            if len(problems) >= MANY:
                return [*problems, "and perhaps more: the rest was not looked at"]
        if not problems and "results" in record.facts:
            comes_to = summaries(plan, found)
            told = comes_to if cells is not None else comes_to[plan.main.name]
            if canonical.dumps(record.facts["results"]) != canonical.dumps(told):
                problems.append("record.json: `results` are not what its runs come to")
    except OverflowError:
        problems.append("record.json: its runs have results too large to be summed up")
    except GoldensealError as error:
        problems.append(str(error))
    return problems


def _plan_of(record: "Record", names: set[str]) -> tuple[Plan | None, list[str]]:
    """(the plan when it can be read, what does not hold of it)."""
    name = record.facts.get("plan")
    if name not in names:
        return None, ["record.json names no plan that is here: `plan`"]
    try:
        plan = _reader(record)(record.folder / name)
    except UsageError as error:
        return None, [str(error)]
    if tuple(record.facts["seeds"]) != plan.seeds:
        return plan, ["record.json: `seeds` are not the plan's"]
    return plan, []


def _reader(record: "Record") -> Any:
    by_kind = {"study": read_plan, "sweep": read_sweep}
    return by_kind.get(record.kind.name, read_any)


def read_grid(record: "Record") -> Plan:
    """The plan of a record. Raises UsageError."""
    plan: Plan = _reader(record)(record.folder / str(record.facts["plan"]))
    return plan


def summaries(plan: Plan, found: Mapping[Cell, Numbers]) -> dict[str, Any]:
    """The summary of each group. Raises KeyError when a cell is missing."""
    return {name: summarise(group, found) for name, group in plan.groups.items()}


def kept(plan: Plan, cell: Cell, numbers: Numbers) -> Numbers:
    """Of a run's results those that the plan names."""
    analysis = plan.group_of(cell.configuration).analysis
    names = (analysis["primary"], *analysis["secondary"])
    return {name: numbers[name] for name in names if name in numbers}


def _entries(record: "Record") -> Iterator[tuple[dict[str, Any], str | None]]:
    """(each entry of the listing, the digest of its weights when it has a run)."""
    if record.kind.name == "sweep":
        for line in lines_of(record.folder / record.facts["cells"]):
            yield line, line.get("weights")
    else:
        for run in record.facts["runs"]:
            yield run, run["state"]


def _problems_with_cells(
    record: "Record", plan: Plan, names: set[str], found: dict[Cell, Numbers]
) -> Iterator[str]:
    """What does not hold of each; `found` is given the planned results of finished cells."""
    planned, listed = list(plan.cells()), []
    every, settable = set(planned), _settable(plan)
    for entry, weights in _entries(record):
        cell = Cell(entry["configuration"], entry["seed"])
        listed.append(cell)
        if cell not in every:
            yield f"{cell} is not in the plan"
        elif weights is not None:
            try:
                numbers = _results_of(record, plan, cell, entry, weights, names)
                if odd := sorted(set(entry["knobs"]) - settable):
                    yield f"{cell}: sets {odd[0]}, which no configuration of the plan sets"
            except GoldensealError as error:
                yield f"{cell}: {error}"
            else:
                found[cell] = kept(plan, cell, numbers)
    there = set(listed)
    if len(there) < len(listed):
        twice = sorted({cell for cell in there if listed.count(cell) > 1}, key=str)
        yield from (f"{cell} is listed twice" for cell in twice)
    sweep = record.kind.name == "sweep"
    if sweep or record.status == "measured":
        word = "cells" if sweep else "runs"
        lacking = [cell for cell in planned if cell not in there]
        yield from (f"{cell} is in the plan, but not among the {word}" for cell in lacking)
        if sweep and there == every and listed != planned:
            yield "cells: they are not in the order of the plan"
    unfinished = sum(cell in there and cell not in found for cell in planned)
    if sweep and record.status == "measured" and unfinished:
        yield f"record.json says `measured`, but {unfinished} cells are not finished"


def _settable(plan: Plan) -> set[str]:
    """The knobs that a configuration, or a group, of the plan sets."""
    own = {knob for knobs in plan.configurations.values() for knob in knobs}
    return own.union(*(group.facts["common"] for group in plan.groups.values()))


def _results_of(
    record: "Record",
    plan: Plan,
    cell: Cell,
    entry: Mapping[str, Any],
    weights: str,
    names: set[str],
) -> Numbers:
    """The results in a cell's log.

    Raises ContradictedError for a log that is missing, cut short, edited or of another run, one
    that has other results or weights, or knobs that are not the plan's; the knobs that say where
    data lay are in no log.
    """
    log = entry["log"]
    if log not in names:
        raise ContradictedError(f"its log {log} is not here")
    own = record.kind.listed(record.facts, entry)
    every = own.environment
    group = plan.group_of(cell.configuration)
    for knob, text in sorted(group.knobs(cell).items()):
        if not same_value(every.get(knob), text):
            raise ContradictedError(f"ran with {knob}={every.get(knob)}, the plan says {text}")
    wanted = {**entry["knobs"], SEED: every[SEED]}
    run = read_run(record.folder / log, cell.seed, wanted)
    for knob, text in sorted(run.knobs.items()):
        if every.get(knob) != text:
            raise ContradictedError(f"its log says {knob}={text}, the record {every.get(knob)}")
    if canonical.dumps(run.numbers) != canonical.dumps(entry["results"]):
        raise ContradictedError(f"its `results` are not those of {log}")
    if run.state != weights:
        raise ContradictedError(f"its `weights` are not those of {log}")
    if record.status != "incomplete" and run.numeric_class != record.get("numeric_class"):
        raise ContradictedError("its log is of another numeric class than record.json says")
    return run.numbers


def same_value(had: str | None, planned: str) -> bool:
    """Whether two texts of a knob mean the same: 0.10 and 0.1 do."""
    if had is None or had == planned:
        return had == planned
    try:
        return float(had) == float(planned)
    except ValueError:
        return False

"""A study as one measured record: what its record.json says of each run, and the check of that.

record.json of a study has `plan`, the name of its plan file, and `runs`, a list of
`configuration`, `seed`, `knobs` (what this run sets beside the record's common `knobs`), `log`,
`state` (SHA-512 of the trained weights, which are not kept) and `results`, the numbers of the log.
Its own `results` are the summary over all runs. They stand there only when each cell of the plan
has its run, and a check recomputes every one of them from the logs.
"""

from collections.abc import Mapping
from typing import Any

from verify import canonical
from verify.errors import ContradictedError, GoldensealError, UsageError
from verify.plan import SEED, Cell, Plan, read_plan
from verify.record import Record
from verify.study.cells import logged_knobs
from verify.study.summary import Numbers, Run, read_run, summarise
from verify.sweep.definition import is_sweep


def run_knobs(record: Record, run: Mapping[str, Any]) -> dict[str, str]:
    """Every knob of one run, its seed among them."""
    return {**record.get("knobs"), **run["knobs"], SEED: str(run["seed"])}


def find_run(record: Record, cell: str) -> dict[str, Any]:
    """The run that is called `configuration/seed`. Raises UsageError with those that exist."""
    if "cells" in record.facts:
        from verify.sweep.recorded import find_cell  # it reads plans, as this does

        return find_cell(record, cell)
    runs = {f"{run['configuration']}/{run['seed']}": run for run in record.get("runs")}
    if cell not in runs:
        raise UsageError(
            f"{record.folder.name} is a study of many runs: choose one with --cell, of "
            f"{', '.join(sorted(runs))}"
        )
    return dict(runs[cell])


def problems_with_study(record: Record, names: set[str]) -> list[str]:
    """What does not hold of a record with a plan, with or without runs; empty: all holds.

    Only the files in `names` are opened.
    """
    if not {"plan", "runs", "cells"} & set(record.facts):
        return []
    plan_name = record.facts.get("plan")
    if plan_name not in names:
        return ["record.json names no plan that is here: `plan`"]
    if "cells" in record.facts or is_sweep(record.folder / str(plan_name)):
        from verify.sweep.recorded import problems_with_sweep  # it reads plans, as this does

        return problems_with_sweep(record, names)
    try:
        plan = read_plan(record.folder / str(plan_name))
    except UsageError as error:
        return [str(error)]
    problems = []
    if tuple(record.facts["seeds"]) != plan.seeds:
        problems.append("record.json: `seeds` are not the plan's")
    if "runs" in record.facts:
        problems += problems_with_runs(record, plan, names)
    return problems


def problems_with_runs(record: Record, plan: Plan, names: set[str]) -> list[str]:
    """What does not hold of the runs: of the grid, of their logs, and of what they come to."""
    runs: list[dict[str, Any]] = record.facts["runs"]
    problems = problems_with_grid(record, plan, runs)
    found: dict[Cell, Numbers] = {}
    for run in runs:
        cell = Cell(run["configuration"], run["seed"])
        try:
            found[cell] = read_listed_run(record, run, names).numbers
        except GoldensealError as error:
            problems.append(f"{cell}: {error}")
    if not problems and "results" in record.facts:
        told = canonical.dumps(record.facts["results"])
        try:
            if told != canonical.dumps(summarise(plan, found)):
                problems.append("record.json: `results` are not what its runs come to")
        except OverflowError:
            problems.append("record.json: its runs have results too large to be summed up")
    return problems


def problems_with_grid(record: Record, plan: Plan, runs: list[dict[str, Any]]) -> list[str]:
    """Whether the runs are the plan's cells, each once, under the plan's knobs."""
    listed = [Cell(run["configuration"], run["seed"]) for run in runs]
    planned = set(plan.cells())
    problems = [f"{c} is listed twice" for c in sorted(set(listed), key=str) if listed.count(c) > 1]
    problems += [f"{c} is not in the plan" for c in sorted(set(listed) - planned, key=str)]
    if record.status == "measured":
        missing = [str(cell) for cell in plan.cells() if cell not in set(listed)]
        problems += [f"{cell} is in the plan, but not among the runs" for cell in missing]
    for run in runs:
        cell = Cell(run["configuration"], run["seed"])
        if cell not in planned:
            continue
        had = run_knobs(record, run)
        for knob, text in sorted(plan.knobs(cell).items()):
            if not same_value(had.get(knob), text):
                problems.append(f"{cell}: ran with {knob}={had.get(knob)}, the plan says {text}")
        own = set(plan.configurations[cell.configuration])
        all_own = own.union(*(set(knobs) for knobs in plan.configurations.values()))
        for knob in sorted(set(run["knobs"]) - all_own):
            problems.append(f"{cell}: sets {knob}, which no configuration of the plan sets")
    return problems


def same_value(had: str | None, planned: str) -> bool:
    """Whether two texts of a knob mean the same: 0.10 and 0.1 do."""
    if had is None or had == planned:
        return had == planned
    try:
        return float(had) == float(planned)
    except ValueError:
        return False


def read_listed_run(record: Record, run: Mapping[str, Any], names: set[str]) -> Run:
    """The log of one listed run, held against what record.json says of it.

    Raises ContradictedError for a log that is missing, cut short, edited or of another run, or one
    that has other results or other weights; the knobs that say where data lay are in no log.
    """
    if run["log"] not in names:
        raise ContradictedError(f"record.json names {run['log']}: not here")
    common: dict[str, str] = record.get("knobs")
    wanted = {**run["knobs"], SEED: str(run["seed"])}
    path = record.folder / run["log"]
    found = read_run(path, run["seed"], wanted)
    header_knobs = logged_knobs(path)
    every = {**common, **wanted}
    for knob, text in sorted(header_knobs.items()):
        if every.get(knob) != text:
            raise ContradictedError(
                f"{run['log']}: its header says {knob}={text}, record.json {every.get(knob)}"
            )
    if canonical.dumps(found.numbers) != canonical.dumps(run["results"]):
        raise ContradictedError(f"record.json: `results` are not those of {run['log']}")
    if found.state != run["state"]:
        raise ContradictedError(f"record.json: `state` is not the one in {run['log']}")
    if found.numeric_class != record.get("numeric_class"):
        raise ContradictedError(f"{run['log']} is of another numeric class than record.json says")
    return found

"""What a grid comes to, in words, numbers and files; its record is told from its finished runs."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from goldenseal.config import system
from goldenseal.disk import canonical
from goldenseal.disk.files import atomic_write
from goldenseal.errors import CannotCheckError, GoldensealError, UsageError
from goldenseal.grids.analysis import analyse, p_text
from goldenseal.grids.markers import replace_part, table
from goldenseal.grids.plot import draw
from goldenseal.grids.state import STUDY, Grid, read_state
from goldenseal.grids.study import PLAN, failure
from goldenseal.launch.gate import provenance
from goldenseal.records.kinds.cells import SEED, Cell
from goldenseal.records.kinds.logs import Numbers, Run, read_run
from goldenseal.records.kinds.plan import Group, Plan, read_plan
from goldenseal.records.kinds.summary import summarise
from goldenseal.records.write import dated_name, facts_of, write_facts

README, RESULTS, PLOT, PART = "README.md", "results.json", "plot.svg", "study"
MOST_NAMED = 10  # seeds whose differences are listed one by one


def collect(root: Path, folder: Path) -> tuple[Grid, dict[Cell, Run], dict[Cell, str]]:
    """(the study, its finished runs, why each other cell has none)."""
    plan, state = read_plan(folder / PLAN), read_state(folder, STUDY)
    if state["plan"] != plan.digest:
        raise UsageError(f"{folder}: {PLAN} is not the plan that the study was begun with")
    grid = Grid(root, folder, plan, system(root, plan.system), STUDY, state, folder)
    runs, lacking = {}, {}
    for cell in plan.cells():
        log = grid.cell_folder(cell) / grid.system.log
        try:
            if not log.exists():
                failed = failure(grid, cell)
                raise CannotCheckError(
                    f"failed, tried {failed[0]}: {failed[1]}" if failed else "not run"
                )
            runs[cell] = read_run(log, cell.seed, grid.logged(cell))
        except GoldensealError as error:
            lacking[cell] = str(error)
    return grid, runs, lacking


def write_report(root: Path, folder: Path) -> dict[str, Any]:
    """Write everything that follows from the logs of a study; returns what results.json says.

    The folder is `<date>_<Name>`; a README.md with the markers of PART is begun when there is none.
    Raises CannotCheckError for an incomplete grid, and writes nothing then.
    """
    grid, runs, lacking = collect(root, folder)
    if lacking:
        cell, why = next(iter(lacking.items()))
        raise CannotCheckError(
            f"{len(lacking)} of {len(runs) + len(lacking)} cells are not finished, such as {cell}: "
            f"{why}: an incomplete grid carries no claim"
        )
    plan = grid.plan
    found = {cell: run.numbers for cell, run in runs.items()}
    part = results_of(plan.main, found)
    results = {
        **part,
        "cells": {str(cell): numbers for cell, numbers in found.items()},
        "plan": plan.digest,
    }
    facts = record_facts(grid, runs, part["summary"])
    readme = folder / README
    start = f"# {plan.name}\n\n<!-- {PART} -->\n<!-- /{PART} -->\n"
    text = readme.read_text(encoding="utf-8") if readme.exists() else start
    text = replace_part(text, PART, tables(plan.main, part), f"{folder.name}/{README}")
    atomic_write(folder / RESULTS, canonical.dumps(results))
    atomic_write(folder / PLOT, draw(plan.main, found, part["tests"]))
    write_facts(folder, facts)
    atomic_write(readme, text.encode())
    return results


def results_of(group: Group, found: Mapping[Cell, Numbers]) -> dict[str, Any]:
    """A group of results.json: its rule, its spreads and its tests."""
    also = {name: analyse(group, found, name) for name in group.analysis.get("tested", ())}
    return {
        **({"also": also} if also else {}),
        "analysis": group.analysis,
        "baseline": group.baseline,
        "margin": group.margin,
        "seeds": list(group.seeds),
        "summary": summarise(group, found),
        "tests": analyse(group, found),
    }


def facts_of_grid(
    folder: Path, read: Plan, state: Mapping[str, Any], status: str, **more: Any
) -> dict[str, Any]:
    """What record.json says of any grid, in a folder <date>_<Name>; `more` as of `facts_of`.

    read: its plan. Raises UsageError for a folder that is called otherwise.
    """
    date, name = dated_name(folder)
    of_every = {"system": read.system, "data": state["data"], "source": state["source"]}
    more = {**of_every, "outputs": [], **provenance(state), **more}
    return facts_of(name, status, read.seeds, date, **more)


def record_facts(grid: Grid, runs: Mapping[Cell, Run], summary: Mapping[str, Any]) -> Any:
    """record.json of a whole study. Raises CannotCheckError when its runs were of two classes."""
    plan = grid.plan
    classes = {canonical.dumps(run.numeric_class): run.numeric_class for run in runs.values()}
    if len(classes) != 1:
        raise CannotCheckError(
            f"{grid.folder.name}: its runs are of {len(classes)} numeric classes"
        )
    own = {knob for knobs in plan.configurations.values() for knob in knobs}
    first = grid.environment(next(plan.cells()))
    return facts_of_grid(
        *(grid.folder, plan, grid.state, "measured"),
        knobs={k: text for k, text in first.items() if k not in {SEED, *own}},
        numeric_class=next(iter(classes.values())),
        plan=PLAN,
        runs=[
            {
                "configuration": cell.configuration,
                "seed": cell.seed,
                "knobs": {k: grid.environment(cell)[k] for k in sorted(own)},
                "log": (STUDY.folder(Path(), cell) / grid.system.log).as_posix(),
                "state": run.state,
                "results": run.numbers,
            }
            for cell, run in runs.items()
        ],
        results=summary,
    )


def tables(group: Group, results: Mapping[str, Any]) -> str:
    """Two tables of a README: every configuration, then every comparison."""
    summary, tests, analysis = results["summary"], results["tests"], group.analysis
    rows = [
        [configuration, str(len(group.seeds))]
        + [spread(facts["configurations"][configuration]) for facts in summary.values()]
        for configuration in group.configurations
    ]
    first = table(["configuration", "n", *(f"`{name}`" for name in summary)], rows)
    text = (
        f"Seeds {', '.join(map(str, group.seeds))}; mean ± sample standard deviation over them."
        f"\n\n{first}\n\nPaired differences of `{analysis['primary']}` ({analysis['better']} is "
        f"better), {analysis['test']}, two-sided, Holm's correction over {len(tests)} comparisons, "
        f"alpha {analysis['alpha']}, margin {group.margin}:\n\n{compared(group, tests)}"
    )
    for name, others in results.get("also", {}).items():
        text += (
            f"\n\nPaired differences of `{name}`, the same test, with a correction of its own and "
            f"no margin:\n\n{compared(group, others)}"
        )
    return text


def compared(group: Group, tests: Sequence[Mapping[str, Any]]) -> str:
    """The table of one result's comparisons."""
    by_seed = len(group.seeds) <= MOST_NAMED
    rows = [
        [
            row["configuration"],
            *([", ".join(f"{value:+.4f}" for value in row["differences"])] if by_seed else []),
            f"{row['mean']:+.4f} ± {row['sd']:.4f}",
            "not defined" if row["ci95"] is None else "{:+.4f} to {:+.4f}".format(*row["ci95"]),
            "not defined" if row["d_z"] is None else f"{row['d_z']:.3g}",
            *(p_text(row[key]) for key in ("p", "p_holm")),
            f"yes, {row['direction']}" if row["counts"] else row.get("why_not", "no"),
        ]
        for row in tests
    ]
    headings = [f"against {group.baseline}", *(["by seed"] if by_seed else []), "mean ± sd"]
    headings += ["95 % interval", "d_z", "p", "p, Holm", "counts"]
    return table(headings, rows)


def spread(facts: Mapping[str, Any]) -> str:
    """Mean ± sd, or the one value when all are the same whole number."""
    mean, sd = facts["mean"], facts["sd"]
    if sd == 0 and float(mean).is_integer():
        return f"{mean:,.0f}"
    digits = 4 if abs(mean) < 100 else 0
    return f"{mean:,.{digits}f} ± {sd:,.{digits}f}"

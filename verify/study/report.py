"""Writing what a study shows: record.json, results.json, plot.svg and the README's tables."""

import datetime
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from verify import canonical
from verify.config import System, system
from verify.errors import CannotCheckError, GoldensealError, UsageError
from verify.files import atomic_write
from verify.plan import SEED, Cell, Plan, read_plan
from verify.record import SCHEMA
from verify.study.analysis import analyse, p_text
from verify.study.cells import PLAN, cell_folder, read_failure
from verify.study.markers import replace_part, table
from verify.study.plot import draw
from verify.study.run import read_state
from verify.study.summary import Run, read_run, summarise
from verify.sweep.launch_gate import provenance

README, RESULTS, PLOT, PART = "README.md", "results.json", "plot.svg", "study"


def collect(root: Path, folder: Path) -> tuple[Plan, System, dict[Cell, Run], dict[Cell, str]]:
    """(plan, system, finished runs, why each other cell has none)."""
    plan = read_plan(folder / PLAN)
    entry = system(root, str(plan.facts["system"]))
    state = read_state(folder)
    if state["plan"] != plan.digest:
        raise UsageError(f"{folder}: {PLAN} is not the plan that the study was begun with")
    runs, lacking = {}, {}
    for cell in plan.cells():
        knobs = state["knobs"][str(cell)]
        wanted = {name: text for name, text in knobs.items() if name not in entry.path_knobs}
        log = cell_folder(folder, cell) / entry.log
        failure = read_failure(folder, cell)
        try:
            if failure:
                raise CannotCheckError(f"failed, tried {failure['attempts']}: {failure['reason']}")
            if not log.exists():
                raise CannotCheckError("not run")
            runs[cell] = read_run(log, cell.seed, wanted)
        except GoldensealError as error:
            lacking[cell] = str(error)
    return plan, entry, runs, lacking


def write_report(root: Path, folder: Path) -> dict[str, Any]:
    """Write everything that follows from the logs; returns what results.json says.

    The folder is `<date>_<Name>`; a README.md with the markers of PART is begun when there is none.
    Raises CannotCheckError for an incomplete grid, and writes nothing then.
    """
    plan, entry, runs, lacking = collect(root, folder)
    if lacking:
        cell, why = next(iter(lacking.items()))
        raise CannotCheckError(
            f"{len(lacking)} of {len(runs) + len(lacking)} cells are not finished, such as {cell}: "
            f"{why}: an incomplete grid carries no claim"
        )
    found = {cell: run.numbers for cell, run in runs.items()}
    tests = analyse(plan, found)
    summary = summarise(plan, found)
    results = {
        "analysis": plan.analysis,
        "baseline": plan.baseline,
        "cells": {str(cell): numbers for cell, numbers in found.items()},
        "plan": plan.digest,
        "seeds": list(plan.seeds),
        "summary": summary,
        "tests": tests,
    }
    facts = record_facts(folder, plan, entry, read_state(folder), runs, summary)
    readme = folder / README
    start = f"# {plan.name}\n\n<!-- {PART} -->\n<!-- /{PART} -->\n"
    text = readme.read_text(encoding="utf-8") if readme.exists() else start
    text = replace_part(text, PART, tables(plan, summary, tests), f"{folder.name}/{README}")
    atomic_write(folder / RESULTS, canonical.dumps(results))
    atomic_write(folder / PLOT, draw(plan, found, tests))
    atomic_write(folder / "record.json", canonical.dumps(facts))
    atomic_write(readme, text.encode())
    return results


def record_facts(
    folder: Path,
    plan: Plan,
    entry: System,
    state: Mapping[str, Any],
    runs: Mapping[Cell, Run],
    summary: Mapping[str, Any],
) -> dict[str, Any]:
    """record.json of a whole study. Raises CannotCheckError when its runs were of two classes."""
    date, name = dated_name(folder)
    classes = {canonical.dumps(run.numeric_class): run.numeric_class for run in runs.values()}
    if len(classes) != 1:
        raise CannotCheckError(f"{folder.name}: its runs are of {len(classes)} numeric classes")
    own = {SEED}.union(*(set(knobs) for knobs in plan.configurations.values()))
    first: dict[str, str] = next(iter(state["knobs"].values()))
    return {
        "schema": SCHEMA,
        "name": name,
        "date": date,
        "status": "measured",
        "system": entry.name,
        "seeds": list(plan.seeds),
        "knobs": {knob: text for knob, text in first.items() if knob not in own},
        "data": state["data"],
        "source": state["source"],
        "numeric_class": next(iter(classes.values())),
        "outputs": [],
        "plan": PLAN,
        "runs": [
            {
                "configuration": cell.configuration,
                "seed": cell.seed,
                "knobs": {k: state["knobs"][str(cell)][k] for k in sorted(own - {SEED})},
                "log": (cell_folder(Path(), cell) / entry.log).as_posix(),
                "state": run.state,
                "results": run.numbers,
            }
            for cell, run in runs.items()
        ],
        "results": summary,
        **provenance(state),
    }


def dated_name(folder: Path) -> tuple[str, str]:
    """(date, name) of a folder <date>_<Name>. Raises UsageError when it is called otherwise."""
    date, _, name = folder.resolve().name.partition("_")
    try:
        datetime.date.fromisoformat(date)
    except ValueError:
        name = ""
    if not name:
        raise UsageError(f"{folder.name}: expected a folder such as 2026-01-31_Study")
    return date, name


def tables(plan: Plan, summary: Mapping[str, Any], tests: list[dict[str, Any]]) -> str:
    """The README's two tables: every configuration, then every comparison."""
    names = list(summary)
    rows = [
        [configuration, str(len(plan.seeds))]
        + [spread(summary[name]["configurations"][configuration]) for name in names]
        for configuration in plan.configurations
    ]
    first = table(["configuration", "n", *(f"`{name}`" for name in names)], rows)
    compared = [
        [
            row["configuration"],
            ", ".join(f"{value:+.4f}" for value in row["differences"]),
            f"{row['mean']:+.4f} ± {row['sd']:.4f}",
            "not defined" if row["ci95"] is None else "{:+.4f} to {:+.4f}".format(*row["ci95"]),
            *(p_text(row[key]) for key in ("p", "p_holm")),
            "yes" if row["counts"] else row.get("why_not", "no"),
        ]
        for row in tests
    ]
    headings = ["against " + plan.baseline, "by seed", "mean ± sd", "95 % interval"]
    second = table([*headings, "p", "p, Holm", "counts"], compared)
    seeds = ", ".join(str(seed) for seed in plan.seeds)
    return (
        f"Seeds {seeds}; mean ± sample standard deviation over them.\n\n{first}\n\n"
        f"Paired differences of `{plan.analysis['primary']}` ({plan.analysis['better']} is "
        f"better), two-sided paired t-test, {len(plan.seeds) - 1} degrees of freedom, Holm's "
        f"correction over {len(tests)} comparisons, alpha {plan.analysis['alpha']}:\n\n{second}"
    )


def spread(facts: Mapping[str, Any]) -> str:
    """Mean ± sd, or the one value when all are the same whole number."""
    mean, sd = facts["mean"], facts["sd"]
    if sd == 0 and float(mean).is_integer():
        return f"{mean:,.0f}"
    digits = 4 if abs(mean) < 100 else 0
    return f"{mean:,.{digits}f} ± {sd:,.{digits}f}"

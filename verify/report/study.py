"""What a page shows of a record of many runs: each run, what they come to, and the plan's test."""

from collections.abc import Mapping
from typing import Any

from verify.errors import CannotCheckError, GoldensealError
from verify.plan import Cell, Plan, read_plan
from verify.record import Record
from verify.report.curves import themed
from verify.report.table import Table
from verify.runlog import read_run_log
from verify.study.summary import Numbers


def study_tables(record: Record) -> list[Table]:
    """The runs with their results, the summary, and the comparisons; none for a single run."""
    found = numbers(record)
    if not found:
        return []
    plan = planned(record)
    names = sorted({name for results in found.values() for name in results})
    if plan:
        first = [plan.analysis["primary"], *plan.analysis["secondary"]]
        names = [n for n in first if n in names] + [n for n in names if n not in first]
    rows: list[tuple[str, ...]] = [
        (cell.configuration, str(cell.seed), *(shown(results.get(name)) for name in names))
        for cell, results in found.items()
    ]
    missing = [cell for cell in (plan.cells() if plan else ()) if cell not in found]
    rows += [(c.configuration, str(c.seed), *("no run" for _ in names)) for c in missing]
    tables = [Table("Runs", ("configuration", "seed", *names), rows)]
    return [*comparisons(plan, found), *summary(record), *tables] if plan else tables


def numbers(record: Record) -> dict[Cell, Numbers]:
    """The results of each run that record.json lists."""
    return {
        Cell(str(run["configuration"]), int(run["seed"])): dict(run["results"])
        for run in record.facts.get("runs", ())
    }


def planned(record: Record) -> Plan | None:
    """The record's plan; None when it has none that can be read."""
    try:
        return read_plan(record.folder / str(record.facts["plan"]))
    except (GoldensealError, KeyError):
        return None


def summary(record: Record) -> list[Table]:
    """Mean and sample standard deviation of each configuration, by result."""
    columns = ("result", "configuration", "n", "mean", "sd")
    rows = [
        (result, configuration, shown(facts["n"]), shown(facts["mean"]), shown(facts["sd"]))
        for result, parts in sorted(record.facts.get("results", {}).items())
        if isinstance(parts, dict)
        for configuration, facts in sorted(parts.get("configurations", {}).items())
    ]
    return [Table("Mean and sample standard deviation", columns, rows)]


def comparisons(plan: Plan, found: Mapping[Cell, Numbers]) -> list[Table]:
    """The plan's paired test, computed again from the runs; none of an incomplete grid."""
    columns = ("configuration", "mean difference", "sd", "95 % interval", "p", "p, Holm", "counts")
    title = f"{plan.analysis['primary']} against {plan.baseline}, paired by seed"
    rows = [
        (
            str(test["configuration"]),
            shown(test["mean"]),
            shown(test["sd"]),
            " to ".join(shown(end) for end in test["ci95"] or ()) or "not defined",
            shown(test["p"]),
            shown(test["p_holm"]),
            "yes" if test["counts"] else "no",
        )
        for test in tested(plan, found)
    ]
    return [Table(title, columns, rows)]


def tested(plan: Plan, found: Mapping[Cell, Numbers]) -> list[dict[str, Any]]:
    """The tests; none when a cell is missing, since an incomplete grid carries no claim."""
    if any(plan.analysis["primary"] not in found.get(cell, {}) for cell in plan.cells()):
        return []
    try:
        from verify.study.analysis import analyse

        return analyse(plan, found)
    except ImportError:
        raise CannotCheckError(
            "the page of a study needs scipy: pip install 'goldenseal[study]'"
        ) from None


def study_picture(record: Record) -> str:
    """The dots of every run and every paired difference as an <svg>; empty when there is none."""
    plan, found = planned(record), numbers(record)
    tests = tested(plan, found) if plan and found else []
    if not plan or not tests:
        return ""
    from verify.study.plot import draw

    title = f"{plan.analysis['primary']} of each run, and the paired differences"
    return themed(title, lambda: draw(plan, found, tests).decode())


def run_logs(record: Record) -> dict[str, list[dict[str, Any]]]:
    """The lines of each run's log by configuration/seed; unreadable ones are left to the check."""
    found = {}
    for run in record.facts.get("runs", ()):
        try:
            lines = read_run_log(record.folder / str(run["log"]), complete=False)
        except GoldensealError:
            continue
        found[f"{run['configuration']}/{run['seed']}"] = lines
    return found


def shown(value: Any) -> str:
    """A number at six digits; anything else as it is."""
    return f"{value:.6g}" if isinstance(value, float) else "" if value is None else str(value)

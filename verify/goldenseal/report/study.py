"""What a page shows of a record of many runs, a study or a sweep: its runs and its plan's tests."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from typing import Any

from goldenseal.errors import CannotCheckError, GoldensealError
from goldenseal.grids.analysis import analyse, p_text
from goldenseal.records.kinds import Cell, Listed
from goldenseal.records.kinds.logs import Numbers
from goldenseal.records.kinds.plan import Group
from goldenseal.records.record import Record
from goldenseal.report.curves import themed
from goldenseal.report.table import Table
from goldenseal.runlog import read_run_log
from goldenseal.stats.spread import exceeds

CURVES = 60  # runs; of a larger sweep the first ones in the plan's order are drawn


def listed(record: Record) -> list[Listed]:
    """Every cell that the record of many runs lists; none for a single run."""
    return record.cells() if record.kind.many else []


def groups(record: Record) -> dict[str, Group]:
    """The grids of the plan by name; none when no plan can be read."""
    try:
        return record.kind.groups(record)
    except GoldensealError:
        return {}


def study_tables(record: Record) -> list[Table]:
    """The tests, the summary, and the runs with their results; none for a single run."""
    cells = listed(record)
    if not cells:
        return []
    found = {each.cell: each.results for each in cells if each.results is not None}
    tables, first = [], []
    for name, group in groups(record).items():
        first += [group.analysis["primary"], *group.analysis["secondary"]]
        results = (None, *group.analysis.get("tested", ()))
        tables += [
            comparisons(name, group, planned_tests(group, found, each), each) for each in results
        ]
    names = sorted({name for results in found.values() for name in results})
    names = [n for n in dict.fromkeys(first) if n in names] + [n for n in names if n not in first]
    planned = {cell for group in groups(record).values() for cell in group.cells()}
    lacking = sorted(planned - {each.cell for each in cells}, key=str)
    cells += [Listed(cell, state="no run") for cell in lacking]
    rows = [
        (
            each.cell.configuration,
            str(each.cell.seed),
            each.state,
            *(shown((each.results or {}).get(name)) for name in names),
            each.reason,
        )
        for each in cells
    ]
    columns = ("configuration", "seed", "state", *names, "reason")
    return [*tables, summary(record), Table("Runs", columns, rows)]


def summary(record: Record) -> Table:
    """Mean and sample standard deviation of each configuration, by result."""
    rows = [
        (result, configuration, shown(part["n"]), shown(part["mean"]), deviation(part))
        for _, results in sorted(record.kind.summaries(record.facts).items())
        for result, parts in sorted(results.items())
        if isinstance(parts, dict)
        for configuration, part in sorted(parts.get("configurations", {}).items())
    ]
    columns = ("result", "configuration", "n", "mean", "sd")
    return Table("Mean and sample standard deviation", columns, rows)


def deviation(part: Mapping[str, Any]) -> str:
    """A standard deviation; 0 where it is no more than rounding of what it is the deviation of."""
    return shown(part["sd"] if exceeds(part["sd"], 0, (part["mean"],)) else 0.0)


def comparisons(
    name: str, group: Group, tests: Sequence[Mapping[str, Any]], result: str | None = None
) -> Table:
    """The plan's paired tests of a result, None the primary; none of an incomplete grid."""
    columns = ("configuration", "mean difference", "sd", "95 % interval", "p", "p, Holm", "counts")
    result = group.analysis["primary"] if result is None else result
    words = f"{result} against {group.baseline}, paired by seed"
    rows = [
        (
            str(test["configuration"]),
            shown(test["mean"]),
            shown(test["sd"]),
            " to ".join(shown(end) for end in test["ci95"] or ()) or "not defined",
            p_text(test["p"]),
            p_text(test["p_holm"]),
            "yes" if test["counts"] else test.get("why_not", "no"),
        )
        for test in tests
    ]
    return Table(f"{name}: {words}" if name else words, columns, rows)


def planned_tests(
    group: Group, found: Mapping[Cell, Numbers], result: str | None = None
) -> list[dict[str, Any]]:
    """The tests of a result, None the primary, computed again from the runs.

    None when a cell is missing, since an incomplete grid carries no claim.
    """
    name = group.analysis["primary"] if result is None else result
    if any(name not in found.get(cell, {}) for cell in group.cells()):
        return []
    try:
        return analyse(group, found, result)
    except ImportError:
        raise CannotCheckError(
            "the page of a study needs scipy: pip install 'goldenseal[study]'"
        ) from None


def study_pictures(record: Record) -> list[str]:
    """One <svg> a group: the dots of every run and every paired difference."""
    found = {each.cell: each.results for each in listed(record) if each.results is not None}
    pictures = []
    for name, group in groups(record).items():
        tests = planned_tests(group, found)
        if tests:
            words = f"{group.analysis['primary']} of each run, and the paired differences"
            title = f"{name}: {words}" if name else words
            pictures.append(themed(title, partial(_svg, group, found, tests)))
    return pictures


def _svg(group: Group, found: Mapping[Cell, Numbers], tests: Sequence[Mapping[str, Any]]) -> str:
    from goldenseal.grids.plot import draw

    return draw(group, found, tests).decode()


def run_logs(record: Record) -> Iterator[tuple[str, str, list[dict[str, Any]]]]:
    """(configuration/seed, file, lines) of each run's log; what cannot be read is left out."""
    for each in islice((each for each in listed(record) if each.log), CURVES):
        try:
            lines = read_run_log(record.folder / each.log, complete=False)
            yield str(each.cell), each.log, lines
        except GoldensealError:
            continue


def shown(value: Any) -> str:
    """A number at six digits; anything else as it is."""
    return f"{value:.6g}" if isinstance(value, float) else "" if value is None else str(value)

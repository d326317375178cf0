"""What the README of a folder of runs claims, held against the metrics that the runs logged."""

import re

from goldenseal.audit.checks.readme_spread import spreads_in
from goldenseal.audit.forms import claims_of_rows, differences, moments
from goldenseal.audit.forms.claims_of_sentences import sentences, settings
from goldenseal.audit.forms.judged import judge, judge_mean, judge_spread
from goldenseal.audit.forms.metric_runs import Meant, MetricRun, meant
from goldenseal.audit.forms.named_runs import runs_of
from goldenseal.audit.model import Notes, Readme, Table
from goldenseal.audit.numbers import Number, parse
from goldenseal.audit.readme_tables import row_kind

BOLD = re.compile(r"\\(?:mathbf|textbf|bf|underline)\s*\{([^{}]*)\}")
CELL = re.compile(r"^[~≈]?\s*(\d[\d,]*(?:\.\d+)?|\.\d+)\s*(%?)")


def check(readme: Readme, runs: list[MetricRun], notes: Notes) -> None:
    """Tables, then sentences, then settings."""
    for table in readme.tables:
        if moments.check_table(readme.name, table, runs, notes):
            continue
        rows = [(line, cells, runs_of(table, cells, runs)) for line, cells in table.rows]
        if not any(own for _, _, own in rows) and claims_of_rows.check(readme, table, runs, notes):
            continue
        for at in range(len(table.header)):
            wanted = meant(table.header[at])
            if any(run.named(wanted) for run in runs):
                column(readme, table, at, wanted, rows, runs, notes)
        differences.check(readme, table, notes)
    sentences(readme, runs, notes)
    settings(readme, runs, notes)


def bare(cell: str) -> str:
    """A cell without emphasis, in Markdown or in LaTeX."""
    return BOLD.sub(r"\1", cell).strip("*$ ")


def column(
    readme: Readme,
    table: Table,
    at: int,
    wanted: Meant,
    rows: list[tuple[int, list[str], list[MetricRun]]],
    runs: list[MetricRun],
    notes: Notes,
) -> None:
    """One column of a metric."""
    above: list[Number] = []
    for line, cells, own in rows:
        if at >= len(cells) or not (match := CELL.match(bare(cells[at]))):
            continue
        number, percent = parse(match[1]), bool(match[2]) or wanted.percent
        if number is None:
            continue
        place = f"{readme.name}:{line}"
        kind, _ = row_kind(cells[0])
        shown = f"{table.header[at]} {cells[at].strip('* ')}"
        if own and kind not in ("mean", "std"):
            above.append(number)
            whose = own[0].name if len(own) == 1 else f"{len(own)} runs"
            judge(number, percent, wanted, own, f"{shown} of {whose}", place, notes)
            for spread, label in spreads_in(cells[at]):
                judge_spread(spread, label, wanted, own, place, notes)
        elif kind == "mean" and len(above) > 1:
            judge_mean(number, percent, wanted, above, runs, shown, place, notes)
            for spread, label in spreads_in(cells[at], cells[0]):
                judge_spread(spread, label, wanted, runs, place, notes)
        elif kind == "std" and len(above) > 1:
            judge_spread(number, "std", wanted, runs, place, notes)

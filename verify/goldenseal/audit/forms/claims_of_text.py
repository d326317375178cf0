"""What the README of a folder of runs claims, held against the metrics that the runs logged."""

import re

from goldenseal.audit.checks.readme_spread import spreads_in
from goldenseal.audit.forms import claims_of_rows, moments
from goldenseal.audit.forms.claims_of_sentences import flat, sentences, settings
from goldenseal.audit.forms.judged import judge, judge_mean, judge_spread
from goldenseal.audit.forms.metric_runs import Meant, MetricRun, meant
from goldenseal.audit.model import Notes, Readme, Table
from goldenseal.audit.numbers import Number, parse
from goldenseal.audit.readme_tables import row_kind

CELL = re.compile(r"^[~≈]?\s*(\d[\d,]*(?:\.\d+)?|\.\d+)\s*(%?)")
OWN = re.compile(r"\b(?:ours|this (?:run|work|model)|our (?:run|model))\b", re.IGNORECASE)


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
    sentences(readme, runs, notes)
    settings(readme, runs, notes)


def runs_of(table: Table, cells: list[str], runs: list[MetricRun]) -> list[MetricRun]:
    """The runs that a row is about: by seed, by name, or by the beginning of their names; of a
    table by method and seed, by both.
    """
    named, seeds = list(runs), set()
    found = False
    for header, cell in zip(table.header, cells, strict=False):
        if re.fullmatch(r"(?:random )?seeds?", header.strip(), re.IGNORECASE) and cell.isdigit():
            seeds.add(int(cell))
            continue
        name = flat(cell)
        if len(name) < 2 or re.fullmatch(r"[\d.]+%?", cell.strip()):
            continue
        exact = [run for run in named if flat(run.name.rsplit("/", 1)[-1].split(".")[0]) == name]
        begins = [
            run for run in named if flat(run.name).startswith(name) or name in parts(run.name)
        ]
        if exact or begins:
            named, found = exact or begins, True
    if seeds:
        named = [run for run in named if run.seed in seeds]
    if not found and len(runs) == 1 and cells and OWN.search(cells[0]):
        return runs
    if not found and not seeds and cells and row_kind(cells[0])[0] == "seed":
        _, seed = row_kind(cells[0])
        named, found = [run for run in runs if run.seed == seed], True
    return named if found or seeds else []


def parts(name: str) -> set[str]:
    """The names of the folders and of the file in a run's path, flat."""
    pieces = re.split(r"[/]", name)
    stems = {
        re.sub(r"[-_ ]?(?:seed|s|run)[-_ ]?\d+$", "", p.split(".")[0], flags=re.I) for p in pieces
    }
    return {flat(piece) for piece in (*pieces, *stems)} - {""}


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
        if at >= len(cells) or not (match := CELL.match(cells[at].strip("* "))):
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

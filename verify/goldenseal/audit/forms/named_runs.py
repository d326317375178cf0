"""Which runs a name in a README means, and which runs are seeds of one thing."""

import re
from collections import defaultdict

from goldenseal.audit.forms.metric_runs import MetricRun
from goldenseal.audit.model import Table
from goldenseal.audit.readme_tables import row_kind

OWN = re.compile(r"\b(?:ours|this (?:run|work|model)|our (?:run|model))\b", re.IGNORECASE)
SEED = re.compile(r"[-_ .]?(?:seed|run|s|trial|fold)[-_ =]?\d+(?![\d.])", re.IGNORECASE)
LOCAL = re.compile(r"seed|name|path|dir|uuid|\bid\b|time|host|file|commit|user", re.IGNORECASE)


def flat(text: str) -> str:
    """A name in letters and digits only."""
    return re.sub(r"[^a-z0-9]+", "", text.lower())


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


def called(name: str, runs: list[MetricRun]) -> list[MetricRun]:
    """The runs that one name means."""
    return runs_of(Table(0, "", ["name"], []), [name], runs)


def groups_of(runs: list[MetricRun]) -> list[list[MetricRun]]:
    """Runs that differ in nothing but their seeds: by their names; else by their settings."""
    by_name: dict[str, list[MetricRun]] = defaultdict(list)
    by_settings: dict[str, list[MetricRun]] = defaultdict(list)
    for run in runs:
        by_name[SEED.sub("", run.name)].append(run)
        settings = {k: v for k, v in run.settings.items() if not LOCAL.search(k)}
        by_settings[repr(sorted(settings.items()))].append(run)
    named = list(by_name.values())
    if all(len(group) == 1 for group in named) and all(run.settings for run in runs):
        named = list(by_settings.values())
    return [group for group in named if len(group) > 1]

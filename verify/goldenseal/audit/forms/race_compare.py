"""The table that a speed-run's script prints of its variants: runs, steps, times, losses, p."""

import re
from collections.abc import Callable
from decimal import Decimal

from goldenseal.audit.checks.spread import both
from goldenseal.audit.forms.curve import Curve
from goldenseal.audit.forms.race import Race
from goldenseal.audit.forms.race_lists import close, p_is, target_of
from goldenseal.audit.match import Value, best
from goldenseal.audit.model import Certainty, Notes, Readme
from goldenseal.audit.numbers import Number, mean, parse, plain
from goldenseal.stats.student import one_sample

MISMATCH = Certainty.MISMATCH
COLUMNS: dict[str, str] = {
    "runs": r"runs|n",
    "steps": r"steps",
    "time": r"time\s*(?:μ|mean|avg)",
    "time sd": r"time\s*(?:σ|sd|std)",
    "loss": r"loss\s*(?:μ|mean|avg)",
    "loss sd": r"loss\s*(?:σ|sd|std)",
    "p": r"(?:loss\s*)?p(?:[- ]value)?",
}


def check(readme: Readme, race: Race, notes: Notes) -> None:
    """Each row of such a table against the runs of the folder that it names."""
    header: list[str] = []
    for number, line in enumerate(readme.text.splitlines(), start=1):
        cells = re.split(r"\s{2,}", line.strip())
        if {"runs", "steps"} <= {cell.lower() for cell in cells}:
            header = cells
        elif header and (row := row_of(header, line)):
            name, values = row
            if curves := meant(name, values, race):
                judge(readme, number, name, values, curves, race, notes)
        elif not line.strip() or line.startswith("```"):
            header = []


def row_of(header: list[str], line: str) -> tuple[str, dict[str, Number]] | None:
    """(name, numbers by column) of one row; None for a line that is none."""
    names = header if header[0].lower() == "runs" else header[1:]
    parts = line.split()
    if len(parts) <= len(names):
        return None
    name, cells = " ".join(parts[: -len(names)]), parts[-len(names) :]
    values = {}
    for column, cell in zip(names, cells, strict=True):
        for key, pattern in COLUMNS.items():
            number = parse(cell)
            if number is not None and re.fullmatch(pattern, column.strip(), re.IGNORECASE):
                values[key] = number  # of two columns of p, the last one is that of the loss
    return (name, values) if "runs" in values and "loss" in values else None


def meant(name: str, values: dict[str, Number], race: Race) -> list[Curve]:
    """The runs that a row is of: those of the folder that it is named after; else those that have
    its number and its steps, when there is one such group.
    """
    groups: dict[str, list[Curve]] = {}
    for curve in race.curves:
        groups.setdefault(curve.file.rpartition("/")[0], []).append(curve)
    for folder, curves in groups.items():
        if folder and flat(folder.rsplit("/", 1)[-1]) == flat(name):
            return curves
    steps = values["steps"].value if "steps" in values else None
    alike = [
        curves
        for curves in groups.values()
        if len(curves) == values["runs"].value and all(c.last.step == steps for c in curves)
    ]
    return alike[0] if len(alike) == 1 else []


def flat(name: str) -> str:
    """A name without what is only written otherwise: `baseline-s1480` is `baseline 1480`."""
    return re.sub(r"[^a-z0-9]+", "", re.sub(r"(?<![a-z])s(?=\d)", "", name.lower()))


def judge(
    readme: Readme,
    line: int,
    name: str,
    values: dict[str, Number],
    curves: list[Curve],
    race: Race,
    notes: Notes,
) -> None:
    """One row: its count, its means and deviations, and its p."""
    place = f"{readme.name}:{line}"
    losses = [next(iter(c.last.losses.values())).value for c in curves]
    times = [c.last.ms / 1000 for c in curves if c.last.ms is not None]

    def say(key: str, holds: bool, evidence: str, score: bool = False) -> None:
        shown = f"{name}: {key} {values[key]}"
        if not holds:
            return notes.add("row-not-in-log", MISMATCH, shown, place, evidence)
        return (
            notes.score(shown, place, evidence) if score else notes.confirm(shown, place, evidence)
        )

    stated = values["runs"].value
    say("runs", stated == len(curves), f"{len(curves)} logs of them are here")
    if stated != len(curves):
        return
    checks: list[tuple[str, list[Decimal], Callable[[Number], tuple[bool, str]]]] = [
        ("loss", losses, lambda n: mean_is(n, losses)),
        ("time", times, lambda n: mean_is(n, times)),
        ("loss sd", losses, lambda n: spread_is(n, losses)),
        ("time sd", times, lambda n: spread_is(n, times)),
    ]
    for key, held, test in checks:
        if key in values and len(held) > 1:
            holds, evidence = test(values[key])
            say(key, holds, evidence, score=key == "loss")
    target = target_of(readme.text, race) or Decimal("3.28")
    test_of = one_sample([float(v) for v in losses], float(target)) if len(losses) > 1 else None
    if "p" in values and test_of is not None:
        shown = f"against {target}, one-sided: {test_of.less:.4g}"
        say("p", p_is(values["p"], "=", test_of.less), shown)


def mean_is(number: Number, values: list[Decimal]) -> tuple[bool, str]:
    """Whether a number is the mean of these, and what is."""
    exact = mean(values)
    return close(number, exact), f"the mean of {len(values)} logs is {plain(exact, 6)}"


def spread_is(number: Number, values: list[Decimal]) -> tuple[bool, str]:
    """Whether a number is a deviation of these, and what is."""
    candidates = [Value(v.value, None, v.what) for v in both(values, "the logs", number.digits)]
    nearest = best(number, candidates)
    return nearest.holds, nearest.how

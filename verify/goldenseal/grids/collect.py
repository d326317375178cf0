"""Collecting a sweep: one sealed record over all of its cells, complete or not.

sweep.toml      the plan, as it was sealed before the launch
launch.json     the plan's identity, the verdict that covered the launch, and each waiver
cells.jsonl     every planned cell with its state, see recorded.py
runs/           the logs of finished cells; weights stay in the cells, named by their digest
results.json    of a complete grid: spreads, tests, effect sizes; with a plot for each group
README.md       the same, for people

Cells are read one after the other, and of each no more is kept than the results that the plan
names, so that memory hardly grows with their number.
"""

import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from goldenseal.config import system
from goldenseal.disk import canonical
from goldenseal.disk.files import atomic_write
from goldenseal.errors import UsageError
from goldenseal.grids.analysis import p_text
from goldenseal.grids.gather import Expected, gather
from goldenseal.grids.lock import alone
from goldenseal.grids.markers import table
from goldenseal.grids.prepare import LOCK, PLAN, SWEEP_FILE
from goldenseal.grids.report import facts_of_grid, results_of, tables
from goldenseal.grids.state import SWEEP, read_state
from goldenseal.records.kinds.cells import FINISHED, Cell
from goldenseal.records.kinds.logs import Numbers
from goldenseal.records.kinds.plan import Plan, read_sweep
from goldenseal.records.kinds.recorded import kept
from goldenseal.records.seal import seal
from goldenseal.records.sums import refuse_inside_sealed
from goldenseal.records.write import dated_name, today, write_sealed

CELLS_FILE, LAUNCH, RESULTS, RECORD = "cells.jsonl", "launch.json", "results.json", "record"
LACKING_SHOWN = 100
MOST_PLOTTED = 20  # configurations, and seeds, of a group: a plot of more shows no run any more


@dataclass
class Collected:
    """What was sealed, and what it says."""

    folder: Path
    identity: str = ""
    states: Counter[str] = field(default_factory=Counter)
    attempts: int = 0
    lacking: list[dict[str, Any]] = field(default_factory=list)  # the first few
    classes: dict[bytes, dict[str, Any]] = field(default_factory=dict)  # numeric classes
    results: dict[str, dict[str, Any]] = field(default_factory=dict)  # by group

    @property
    def complete(self) -> bool:
        """Whether the planned claim can be carried: all cells finished, on one numeric class."""
        return set(self.states) == {FINISHED} and len(self.classes) == 1

    @property
    def why_not(self) -> str:
        """Why the grid is not complete, in words."""
        total = self.states.total()
        if self.states[FINISHED] < total:
            return f"{total - self.states[FINISHED]} of {total} cells are not finished"
        return f"its cells ran on {len(self.classes)} numeric classes, which no pair may mix"

    def to_json(self) -> dict[str, Any]:
        """For --json."""
        return {
            "attempts": self.attempts,
            "complete": self.complete,
            "folder": str(self.folder),
            "identity": self.identity,
            "lacking": self.lacking,
            "states": dict(self.states),
            "summary": {name: part["summary"] for name, part in self.results.items()},
            "tests": {name: part["tests"] for name, part in self.results.items()},
        }

    def lines(self) -> list[str]:
        """For a terminal."""
        counts = ", ".join(f"{count} {state}" for state, count in sorted(self.states.items()))
        found = [f"{counts}; {self.attempts} attempts"]
        if not self.complete:
            found.append(f"incomplete: {self.why_not}: the planned claim is not carried")
        found += [
            f"        · {_name(line)}: {line['state']}: {line['reason']}" for line in self.lacking
        ]
        for group, part in self.results.items():
            for row in part["tests"]:
                p = p_text(row["p_holm"])
                word = f"counts, {row['direction']}" if row["counts"] else "does not count"
                word += f" ({row['why_not']})" if "why_not" in row else ""
                found.append(
                    f"{group}, {row['configuration']}: {row['mean']:+.4f} ± {row['sd']:.4f}, p "
                    f"after Holm {p}: {word}"
                )
        return [*found, f"sealed: {self.folder}  {self.identity[:16]}"]


def collect(root: Path, folder: Path, into: Path | None = None) -> Collected:
    """Write and seal the record of a sweep; an incomplete one is sealed as what it is.

    Raises UsageError for a folder that is no sweep, whose plan is not the one that it was begun
    with, which is being launched, or a record that is there already.
    """
    state = read_state(folder, SWEEP)
    sweep = read_sweep(folder / PLAN / SWEEP_FILE)
    if state["plan"] != sweep.digest:
        raise UsageError(f"{folder}: the plan is not the one that the sweep was begun with")
    target = into or folder / RECORD / f"{today()}_{folder.resolve().name}"
    dated_name(target)
    if os.path.lexists(target):
        raise UsageError(f"{target} exists: a record is made once; give --into a new folder")
    refuse_inside_sealed(target)
    done = Collected(target)
    with alone(folder / LOCK, f"{folder} is being launched"):
        sealed = write_sealed(
            target, lambda making: _write(root, folder, making, sweep, state, done)
        )
    done.identity = sealed.identity
    return done


def _write(
    root: Path,
    folder: Path,
    making: Path,
    sweep: Plan,
    state: Mapping[str, Any],
    done: Collected,
) -> dict[str, Any]:
    """Everything but record.json, into `making`; what that says, and `done` what was found."""
    entry = system(root, sweep.system)
    knobs = planned_knobs(folder)
    common = _common(knobs)
    expected = Expected(folder, making, entry.log, knobs, common, entry.path_knobs)
    found: dict[Cell, Numbers] = {}
    with open(making / CELLS_FILE, "wb") as file:
        for cell in sweep.cells():
            primary = sweep.group_of(cell.configuration).analysis["primary"]
            line, run = gather(expected, cell, primary)
            file.write(canonical.dumps(line) + b"\n")
            done.states[line["state"]] += 1
            done.attempts += line["attempts"]
            if run is not None:
                found[cell] = kept(sweep, cell, run.numbers)
                done.classes.setdefault(canonical.dumps(run.numeric_class), run.numeric_class)
            elif len(done.lacking) < LACKING_SHOWN:
                done.lacking.append(line)
    launch = {key: state[key] for key in ("plan", "verdict", "waivers")}
    launch["identity"] = seal(folder / PLAN).identity
    atomic_write(making / LAUNCH, canonical.dumps(launch))
    atomic_write(making / SWEEP_FILE, (folder / PLAN / SWEEP_FILE).read_bytes())
    if done.complete:
        _write_results(making, sweep, done, found)
    atomic_write(making / "README.md", readme(sweep, done, state["waivers"]).encode())
    return facts_of_grid(
        *(done.folder, sweep, state, "measured" if done.complete else "incomplete"),
        cells=CELLS_FILE,
        knobs=common,
        plan=SWEEP_FILE,
        numeric_class=next(iter(done.classes.values())) if len(done.classes) == 1 else None,
        results={n: part["summary"] for n, part in done.results.items()} if done.complete else None,
    )


def planned_knobs(folder: Path) -> dict[str, dict[str, str]]:
    """Every configuration's knobs, as the sealed plan resolved them.

    Raises UsageError when the plan is not as it was sealed.
    """
    sealed = seal(folder / PLAN)
    document = canonical.read(sealed.folder / "cells.json", f"{PLAN}/cells.json")
    knobs: dict[str, dict[str, str]] = document["knobs"]
    return knobs


def _common(knobs: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """What all configurations have alike."""
    first, *others = knobs.values()
    return {
        knob: text
        for knob, text in first.items()
        if all(other.get(knob) == text for other in others)
    }


def _write_results(
    making: Path, sweep: Plan, done: Collected, found: Mapping[Cell, Numbers]
) -> None:
    from goldenseal.grids.plot import draw

    done.results = {name: results_of(group, found) for name, group in sweep.groups.items()}
    results = {"groups": done.results, "plan": sweep.digest}
    atomic_write(making / RESULTS, canonical.dumps(results))
    for name, group in sweep.groups.items():
        if max(len(group.configurations), len(group.seeds)) <= MOST_PLOTTED:
            plot = draw(group, found, done.results[name]["tests"])
            atomic_write(making / f"plot-{name}.svg", plot)


def readme(sweep: Plan, done: Collected, waivers: Mapping[str, str]) -> str:
    """README.md: what was planned, what became of it, what it shows."""
    counts = ", ".join(f"{count} {state}" for state, count in sorted(done.states.items()))
    parts = [f"# {sweep.name}", " ".join(sweep.facts["question"].split())]
    if not done.complete:
        parts.append(
            f"**Incomplete: {done.why_not}.** The planned claim is not carried: no test was made, "
            "and no number of this record may stand for the sweep."
        )
    total = done.states.total()
    parts.append(f"{total} cells were planned: {counts}; {done.attempts} attempts in all.")
    if waivers:
        rows = [[name, reason] for name, reason in sorted(waivers.items())]
        parts.append("Launched with waivers:\n\n" + table(["what did not hold", "reason"], rows))
    for name, part in done.results.items():
        parts.append(f"## {name}\n\n{tables(sweep.groups[name], part)}")
    parts.append("## Cells\n\nEvery planned cell is in `cells.jsonl`.")
    if done.lacking:
        rows = [
            [_name(line), line["state"], " ".join(str(line["reason"]).replace("|", "/").split())]
            for line in done.lacking
        ]
        parts.append("Not finished:\n\n" + table(["cell", "state", "reason"], rows))
    return "\n\n".join(parts) + "\n"


def _name(line: Mapping[str, Any]) -> str:
    return f"{line['configuration']}/{line['seed']}"

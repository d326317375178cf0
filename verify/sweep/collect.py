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

import datetime
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from verify import canonical
from verify.config import System, system
from verify.errors import UsageError
from verify.files import atomic_write
from verify.plan import Cell
from verify.record import SCHEMA
from verify.seal import seal
from verify.study.analysis import p_text
from verify.study.report import dated_name
from verify.study.summary import Numbers
from verify.sweep.analysis import analyse
from verify.sweep.definition import Sweep, read_sweep
from verify.sweep.gather import Expected, gather
from verify.sweep.launch_gate import provenance
from verify.sweep.prepare import PLAN, SWEEP_FILE, alone, read_state
from verify.sweep.readme import readme
from verify.sweep.recorded import FINISHED, kept, summaries

CELLS_FILE, LAUNCH, RESULTS, RECORD = "cells.jsonl", "launch.json", "results.json", "record"
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
    summary: dict[str, Any] = field(default_factory=dict)
    tests: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

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
            "summary": self.summary,
            "tests": self.tests,
        }

    def lines(self) -> list[str]:
        """For a terminal."""
        counts = ", ".join(f"{count} {state}" for state, count in sorted(self.states.items()))
        found = [f"{counts}; {self.attempts} attempts"]
        if not self.complete:
            found.append(f"incomplete: {self.why_not}: the planned claim is not carried")
        found += [
            f"        · {line['configuration']}/{line['seed']}: {line['state']}: {line['reason']}"
            for line in self.lacking
        ]
        for group, rows in self.tests.items():
            for row in rows:
                p = p_text(row["p_holm"])
                word = f"counts, {row['direction']}" if row["counts"] else "does not count"
                word += f" ({row['why_not']})" if "why_not" in row else ""
                found.append(
                    f"{group}, {row['configuration']}: {row['mean']:+.4f} ± {row['sd']:.4f}, p "
                    f"after Holm {p}: {word}"
                )
        return [*found, f"sealed: {self.folder}  {self.identity[:16]}"]


LACKING_SHOWN = 100


def collect(root: Path, folder: Path, into: Path | None = None) -> Collected:
    """Write and seal the record of a sweep; an incomplete one is sealed as what it is.

    Raises UsageError for a folder that is no sweep, whose plan is not the one that it was begun
    with, which is being launched, or a record that is there already.
    """
    state = read_state(folder)
    sweep = read_sweep(folder / PLAN / SWEEP_FILE)
    if state["plan"] != sweep.digest:
        raise UsageError(f"{folder}: the plan is not the one that the sweep was begun with")
    target = into or folder / RECORD / f"{_today()}_{folder.resolve().name}"
    date, name = dated_name(target)
    if os.path.lexists(target):
        raise UsageError(f"{target} exists: a record is made once; give --into a new folder")
    target.parent.mkdir(parents=True, exist_ok=True)
    with alone(folder):
        making = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}."))
        try:
            done = _write(root, folder, making, sweep, state, {"date": date, "name": name})
            done.identity = seal(making).identity
            making.chmod(0o755)
            os.rename(making, target)
        finally:
            shutil.rmtree(making, ignore_errors=True)
    done.folder = target
    return done


def _today() -> str:
    return datetime.datetime.now(datetime.UTC).date().isoformat()


def _write(
    root: Path,
    folder: Path,
    making: Path,
    sweep: Sweep,
    state: Mapping[str, Any],
    dated: Mapping[str, str],
) -> Collected:
    entry = system(root, sweep.system)
    knobs = planned_knobs(folder)
    common = _common(knobs)
    expected = Expected(folder, making, entry.log, knobs, common, entry.path_knobs)
    done = Collected(making)
    found: dict[Cell, Numbers] = {}
    with open(making / CELLS_FILE, "wb") as file:
        for cell in sweep.cells():
            primary = sweep.group_of(cell.configuration).plan.analysis["primary"]
            line, run = gather(expected, cell, primary)
            file.write(canonical.dumps(line) + b"\n")
            done.states[line["state"]] += 1
            done.attempts += line["attempts"]
            if run is not None:
                found[cell] = kept(sweep, cell, run.numbers)
                done.classes.setdefault(canonical.dumps(run.numeric_class), run.numeric_class)
            elif len(done.lacking) < LACKING_SHOWN:
                done.lacking.append(line)
    launch = {key: state[key] for key in ("identity", "plan", "verdict", "waivers")}
    atomic_write(making / LAUNCH, canonical.dumps(launch))
    atomic_write(making / SWEEP_FILE, (folder / PLAN / SWEEP_FILE).read_bytes())
    if done.complete:
        _write_results(making, sweep, done, found)
    facts = _record_facts(sweep, entry, state, common, done)
    atomic_write(making / "record.json", canonical.dumps({**facts, **dated}))
    text = readme(sweep, done.complete, done, state["waivers"])
    atomic_write(making / "README.md", text.encode())
    return done


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
    making: Path, sweep: Sweep, done: Collected, found: Mapping[Cell, Numbers]
) -> None:
    from verify.study.plot import draw

    done.summary = summaries(sweep, found)
    done.tests = {name: analyse(group, found) for name, group in sweep.groups.items()}
    results = {
        "groups": {
            name: {
                "analysis": group.plan.analysis,
                "baseline": group.plan.baseline,
                "margin": group.margin,
                "seeds": list(group.plan.seeds),
                "summary": done.summary[name],
                "tests": done.tests[name],
            }
            for name, group in sweep.groups.items()
        },
        "plan": sweep.digest,
    }
    atomic_write(making / RESULTS, canonical.dumps(results))
    for name, group in sweep.groups.items():
        if max(len(group.plan.configurations), len(group.plan.seeds)) <= MOST_PLOTTED:
            plot = draw(group.plan, found, done.tests[name])
            atomic_write(making / f"plot-{name}.svg", plot)


def _record_facts(
    sweep: Sweep,
    entry: System,
    state: Mapping[str, Any],
    common: Mapping[str, str],
    done: Collected,
) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "cells": CELLS_FILE,
        "data": {os.path.basename(path): digest for path, digest in state["data"].items()},
        "knobs": dict(common),
        "outputs": [],
        "plan": SWEEP_FILE,
        "schema": SCHEMA,
        "seeds": list(sweep.seeds),
        "source": state["source"],
        "status": "measured" if done.complete else "incomplete",
        "system": entry.name,
    }
    facts |= provenance(state)
    if len(done.classes) == 1:
        facts["numeric_class"] = next(iter(done.classes.values()))
    if done.complete:
        facts["results"] = done.summary
    return facts

"""What each kind of record answers; see the package."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from goldenseal.disk.files import hash_file
from goldenseal.errors import UsageError
from goldenseal.records.kinds.cells import Cell, Listed
from goldenseal.records.kinds.lines import checked_line, lines_of

if TYPE_CHECKING:
    from goldenseal.records.kinds.plan import Group
    from goldenseal.records.record import Record

Facts = Mapping[str, Any]
Lines = Callable[[str], Iterable[Any]]


class Kind:
    """A record without runs; every other kind says in what it differs."""

    name = ""
    many = False  # runs, of which a re-run has to choose one

    def refuse(self, record: "Record", where: str) -> None:
        """Raise UsageError unless record.json of a measured record lists its runs as it must."""
        logs = record.get("logs")
        for seed in record.facts["seeds"]:
            name = logs.get(str(seed))
            if not isinstance(name, str) or not (record.folder / name).is_file():
                raise UsageError(f"{where}: seed {seed} is listed, but `logs` names no log of it")
        if len(set(record.facts["seeds"])) != len(record.facts["seeds"]):
            raise UsageError(f"{where}: a seed is listed twice")
        if not record.facts["seeds"]:
            raise UsageError(f"{where}: a measured record lists its seeds")

    def cells(self, facts: Facts, lines: Lines) -> Iterator[Listed]:
        """The cells that the record lists; `lines` gives the lines of one of its files."""
        logs = facts.get("logs", {})
        for seed in facts["seeds"]:
            if str(seed) in logs:
                yield Listed(Cell("", seed), logs[str(seed)], facts.get("knobs", {}))

    def listed(self, facts: Facts, entry: Facts) -> Listed:
        """What an entry of a list of cells says."""
        name, seed = str(entry.get("configuration", "")), int(entry["seed"])
        knobs = {**facts.get("knobs", {}), **entry.get("knobs", {})}
        return Listed(Cell(name, seed), entry.get("log", ""), knobs, entry.get("results"))

    def planned(self, facts: Facts, plan: Facts | None, runs: Iterable[Cell]) -> list[Cell]:
        """The cells of the record's grid, sorted; `plan` is what its plan's file says, if any.

        Without a plan, all configurations that have a run, under all seeds that are listed.
        """
        plan = plan or {}
        names = {cell.configuration for cell in runs} | set(plan.get("configurations", {}))
        seeds = {*facts["seeds"], *(s for s in plan.get("seeds", []) if type(s) is int)}
        return [Cell(name, seed) for name in sorted(names or {""}) for seed in sorted(seeds)]

    def problems(self, record: "Record", names: set[str]) -> list[str]:
        """What does not hold beyond the logs that record.json names; empty: all holds.

        Only the files in `names` are opened.
        """
        return []

    def find(self, record: "Record", cell: str) -> Listed:
        """The finished run that is called configuration/seed. Raises UsageError without one."""
        raise UsageError(f"--cell {cell}: {record.folder.name} is the record of one run")

    def groups(self, record: "Record") -> "dict[str, Group]":
        """The grids of the record's plan by name, each with its test; none where none was run."""
        return {}

    def summaries(self, facts: Facts) -> Mapping[str, Facts]:
        """`results` by group: what the runs come to."""
        return {"": facts.get("results", {})}


class Run(Kind):
    """One configuration, with a run for each log that is listed."""

    name = "run"


class Command(Kind):
    """A command of no system, with what it read, ran and left: see launch/outside_command.py."""

    name = "command"

    def refuse(self, record: "Record", where: str) -> None:
        """It needs no log and no seed: of such a command, neither need be known."""
        if "outputs" not in record.facts or "source" not in record.facts:
            raise UsageError(f"{where}: the record of a command lists its `outputs` and `source`")

    def problems(self, record: "Record", names: set[str]) -> list[str]:
        """What record.json lists and the folder does not hold, or holds as something else."""
        lacking = [name for name in record.facts["outputs"] if name not in names]
        problems = [f"record.json names {name}: not here" for name in lacking]
        for name, digest in sorted(record.facts["source"].items()):
            copy = f"source/{name}"
            if copy not in names:
                problems.append(f"record.json names the source {name}: {copy} is not here")
            elif hash_file(record.folder / copy) != digest:
                problems.append(f"{copy} is not what record.json says that it is")
        return problems


class Evidence(Kind):
    """Runs that another tool logged, their numbers in a file of lines: see evidence/collect.py."""

    name = "evidence"

    def refuse(self, record: "Record", where: str) -> None:
        """It has no results of its own, and says what is not known."""
        told = record.facts["evidence"]
        lists = all(
            isinstance(told.get(key), list) and all(isinstance(each, str) for each in told[key])
            for key in ("tools", "unknown", "left_out")
        )
        if not lists or not told["tools"] or not told["unknown"]:
            raise UsageError(f"{where}: `evidence` says which tools logged, and what is not known")
        if not isinstance(told.get("metrics"), str) or not isinstance(told.get("runs"), list):
            raise UsageError(
                f"{where}: `evidence` names its file of `metrics` and lists its `runs`"
            )
        if "results" in record.facts or "logs" in record.facts:
            raise UsageError(f"{where}: evidence holds no `results` or `logs` of its own")

    def problems(self, record: "Record", names: set[str]) -> list[str]:
        """The file of metrics that is not here."""
        metrics = record.facts["evidence"]["metrics"]
        return [] if metrics in names else [f"record.json names {metrics}: not here"]


class Baseline(Kind):
    """A frozen script: it lists no runs."""

    name = "baseline"


class Proposal(Kind):
    """Something that nobody has run yet."""

    name = "proposal"


class Planned(Kind):
    """A plan, with or without what it says being run."""

    name = "plan"

    def problems(self, record: "Record", names: set[str]) -> list[str]:
        """Of its plan."""
        from goldenseal.records.kinds.recorded import problems_with_plan

        return problems_with_plan(record, names)


class Study(Kind):
    """Many runs, listed in record.json as `runs`."""

    name = "study"
    many = True

    def refuse(self, record: "Record", where: str) -> None:
        """A plan, and a run of each seed."""
        facts = record.facts
        _refuse_two_places(facts, where)
        if missing := sorted(set(facts["seeds"]) - {run["seed"] for run in facts["runs"]}):
            raise UsageError(f"{where}: seed {missing[0]} is listed, but no run has it")
        if not facts["seeds"]:
            raise UsageError(f"{where}: a measured record lists its seeds")

    def cells(self, facts: Facts, lines: Lines) -> Iterator[Listed]:
        """In the order of record.json."""
        return (self.listed(facts, run) for run in facts["runs"])

    def problems(self, record: "Record", names: set[str]) -> list[str]:
        """Of plan, cells, logs, and what they come to."""
        from goldenseal.records.kinds.recorded import problems_with_grid

        return problems_with_grid(record, names)

    def find(self, record: "Record", cell: str) -> Listed:
        """Raises UsageError with those that exist."""
        runs = {str(run.cell): run for run in self.cells(record.facts, list)}
        if cell not in runs:
            raise UsageError(
                f"{record.folder.name} is a study of many runs: choose one with --cell, of "
                f"{', '.join(sorted(runs))}"
            )
        return runs[cell]

    def groups(self, record: "Record") -> "dict[str, Group]":
        """One, without a name. Raises UsageError for a plan that does not hold."""
        from goldenseal.records.kinds.recorded import read_grid

        return {"": read_grid(record).main}


class Sweep(Study):
    """Many runs, listed with what has none in a file of lines, `cells`."""

    name = "sweep"

    def refuse(self, record: "Record", where: str) -> None:
        """A plan; the cells are held against it by `problems`."""
        _refuse_two_places(record.facts, where)

    def cells(self, facts: Facts, lines: Lines) -> Iterator[Listed]:
        """In the order of the plan."""
        name = facts["cells"]
        for number, line in enumerate(lines(name), start=1):
            yield self.listed(facts, checked_line(line, f"{name}:{number}"))

    def listed(self, facts: Facts, entry: Facts) -> Listed:
        """Of an unfinished cell: its state, and why."""
        state, reason = str(entry.get("state")), str(entry.get("reason") or "")
        return replace(super().listed(facts, entry), state=state, reason=reason)

    def planned(self, facts: Facts, plan: Facts | None, runs: Iterable[Cell]) -> list[Cell]:
        """Those of every group of the plan."""
        try:
            grids = [plan or {}, *(plan or {}).get("groups", {}).values()]
            every = {Cell(c, s) for g in grids for c in g["configurations"] for s in g["seeds"]}
            return sorted(every, key=lambda cell: (cell.configuration, cell.seed))
        except (AttributeError, KeyError, TypeError):
            raise UsageError(f"{facts['plan']}: no plan of a sweep") from None

    def find(self, record: "Record", cell: str) -> Listed:
        """Raises UsageError with how many there are."""
        name, finished = record.facts["cells"], 0
        for each in self.cells(record.facts, lambda file: lines_of(record.folder / file)):
            if each.finished:
                finished += 1
                if str(each.cell) == cell:
                    return each
        raise UsageError(
            f"{record.folder.name} is a sweep: choose one of its {finished} finished cells with "
            f"--cell, such as configuration/seed; {name} lists them"
        )

    def groups(self, record: "Record") -> "dict[str, Group]":
        """Each by its name."""
        from goldenseal.records.kinds.recorded import read_grid

        return dict(read_grid(record).groups)

    def summaries(self, facts: Facts) -> Mapping[str, Facts]:
        """As they stand."""
        found: Mapping[str, Facts] = facts.get("results", {})
        return found


def _refuse_two_places(facts: Facts, where: str) -> None:
    if "logs" in facts:
        raise UsageError(f"{where}: has both `logs` and `runs`: a run is listed in one place")
    if "plan" not in facts:
        raise UsageError(f"{where}: lists `runs`, but names no `plan` that says which there are")
    if "cells" in facts and "runs" in facts:
        raise UsageError(f"{where}: has both `runs` and `cells`: a run is listed in one place")

"""Where recordings and inspections are made: each once, ahead of time, on all cores.

The gates ask for what they compare; nothing is run twice for two gates.
"""

import contextlib
import itertools
import os
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import torch

from goldenseal.bundle.imports import entry_of, needs_of
from goldenseal.config import find_root, package_folders
from goldenseal.digest import short
from goldenseal.errors import CannotCheckError, GoldensealError, UsageError
from goldenseal.ladder.events import Recording
from goldenseal.ladder.executed import Extent
from goldenseal.ladder.inspection import Inspection, inspect_model
from goldenseal.ladder.loading import compiling_nothing
from goldenseal.ladder.numeric import settle
from goldenseal.ladder.probe import Probe, Scenario
from goldenseal.ladder.processes import Ended, in_processes
from goldenseal.ladder.recorder import record
from goldenseal.ladder.resume import interrupted_and_resumed
from goldenseal.ladder.script import ProbeError, Script, in_words, modules_below, own_folder

Side = Literal["baseline", "candidate"]


BATCH = 8  # short jobs that share a process
# A candidate's run may take so many times as long as the baseline's, and so many seconds more.
TIMES, PATIENCE = 10, 60.0


@dataclass(frozen=True)
class Job:
    """One thing to run: what, of which side, under which environment.

    `before` are environments that the same process runs first, so that whatever a feature leaves
    behind in the process is seen by the run that counts; it keeps them as `preceding`. `follow`
    notes the code that they execute. `frozen`: no optimizer step moves a parameter. `resume`: the
    run is interrupted and goes on.
    """

    what: Literal["inspect", "record", "resume"]
    side: Side
    scenario: str
    changes: tuple[tuple[str, str], ...] = ()
    trace: bool = False
    before: tuple[tuple[tuple[str, str], ...], ...] = ()
    follow: bool = False
    frozen: bool = False


class Recordings:
    """Runs jobs of one probe. Use as a context manager: it owns a folder with the probe's data.

    imported: global switches that changed as the probe, and so the candidate's package, was loaded.
    apart: each run in a process of its own; else in this one, as a GPU wants it, one by one.
    """

    def __init__(
        self,
        probe: Probe,
        workers: int | None = None,
        imported: Sequence[str] = (),
        apart: bool = True,
    ):
        self.probe, self.apart = probe, apart
        self.imported = list(imported)
        self.mask: Any = None  # of commands: what the baseline itself does not repeat
        self.echoes: Any = None  # what the candidate alone says, of options that it alone has
        self.told: Callable[[Job], None] = lambda job: None  # called as each recording is there
        self.workers = workers or min(4, os.cpu_count() or 1)
        self._results: dict[Job, Recording | Inspection] = {}
        self._spent: dict[str, float] = {}  # by scenario, seconds of the baseline's run
        # What followed runs executed, by side and file: a later run need not note it again.
        self.executed: dict[Side, dict[str, set[Extent]]] = {"baseline": {}, "candidate": {}}

    def __enter__(self) -> "Recordings":
        self._folder = TemporaryDirectory()
        folder = Path(self._folder.name)
        try:
            made = dict(self.probe.prepare(folder)) if self.probe.prepare else {}
            self._data = {name: str(value) for name, value in made.items()}
        except GoldensealError:
            raise
        except (Exception, SystemExit) as error:
            raise ProbeError(f"`prepare` of the probe fails: {in_words(error)}") from error
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._folder.cleanup()

    @property
    def sides(self) -> tuple[Script, Script]:
        """Both scripts."""
        return self.probe.baseline, self.probe.candidate

    @property
    def scenarios(self) -> Iterable[Scenario]:
        """The probe's scenarios, in order."""
        return self.probe.scenarios

    def run(self, jobs: Iterable[Job], progress: Callable[[], None] = lambda: None) -> None:
        """Do those jobs that are not done yet; `progress` is called after each of `jobs`.

        Raises what says that nothing can be checked: a script that cannot be imported, a wrong
        expression of the probe, or a process that ended in the middle of a plain run.
        """
        wanted = list(dict.fromkeys(jobs))
        missing = [job for job in wanted if job not in self._results]
        for _ in range(len(wanted) - len(missing)):
            progress()
        if not missing:
            return
        settle()  # before the fork: a child must not inherit a thread pool
        warm_up()
        for side in self.sides:
            read_imports(side)
        if self.probe.commands and any(mentions(side, b"compile") for side in self.sides):
            load_compiler()
        # The plain ones first, since a fault of theirs ends it all; then the longest, so that no
        # core waits for one of them at the end.
        order = sorted(
            missing,
            key=lambda j: (
                not self._is_plain(j), -len(j.before), not j.trace, j.what != "record"
            ),
        )  # fmt: skip
        self._run_batches(self._batches(order), progress)

    def _batches(self, jobs: Iterable[Job]) -> list[list[Job]]:
        """Which jobs share a process: the short ones of one side whose ends alone are compared.

        A fork costs as much as such a job: a spoiled input, or a look at a dormant environment.
        """
        batches: list[list[Job]] = []
        open_batches: dict[tuple[str, str], list[Job]] = {}
        for job in jobs:
            short = job.scenario in self.probe.spoiled or (job.what == "inspect" and job.changes)
            batch = open_batches.get((job.what, job.side), [])
            if not short or len(batch) in (0, BATCH):
                batch = []
                batches.append(batch)
            batch.append(job)
            if short:
                open_batches[job.what, job.side] = batch
        return batches

    def _run_batches(self, batches: list[list[Job]], progress: Callable[[], None]) -> None:
        if not self.apart:
            for job in itertools.chain.from_iterable(batches):
                self._keep(job, self._do(job))
                progress()
            return
        tasks = [partial(self._do_each, batch) for batch in batches]
        # Closed at once when a fault ends it all: what still runs must not outlive us.
        limits = partial(self._limit, batches)
        with contextlib.closing(in_processes(tasks, self.workers, limits)) as ends:
            for number, ended in ends:
                self._take(batches[number], ended, progress)

    def _limit(self, batches: list[list[Job]], number: int) -> float:
        """How many seconds a process may take, once it is known how long the baseline's takes."""
        job = batches[number][0]
        known = self.probe.commands and job.side == "candidate"
        spent = self._spent.get(job.scenario) if known else None
        return float("inf") if spent is None else PATIENCE + TIMES * spent

    def _take(
        self,
        batch: list[Job],
        ended: "Ended[list[Recording | Inspection]]",
        progress: Callable[[], None],
    ) -> None:
        """Keep what a process has made of its jobs."""
        if ended.error is not None:
            raise ended.error
        first = batch[0]
        if first.side == "baseline":
            self._spent[first.scenario] = max(ended.seconds, self._spent.get(first.scenario, 0.0))
        if ended.late:
            known = self._spent[first.scenario]
            words = f"it was not over after {ended.seconds:.0f} s; the baseline took {known:.0f} s"
            for job in batch:
                self._keep(job, Recording(error=words))
                progress()
            return
        if ended.value is None and len(batch) > 1:  # one of them took its process with it
            self._run_batches([[job] for job in batch], progress)
            return
        results = ended.value or [self._cut_short(batch[0], ended.exit_code)]
        for job, result in zip(batch, results, strict=True):
            if result.fault is not None and (self._is_plain(job) or self.probe.commands):
                raise result.fault
            self._keep(job, result)
            progress()

    def _keep(self, job: Job, result: Recording | Inspection) -> None:
        self._results[job] = result
        self.told(job)
        if isinstance(result, Inspection):
            self._absorb(job.side, [result])
        else:
            self._absorb(job.side, [*result.preceding, *result.ranks()])

    def _absorb(self, side: Side, runs: Iterable[Recording | Inspection]) -> None:
        for run in runs:
            for file, extents in run.executed.items():
                self.executed[side].setdefault(file, set()).update(extents)

    def _do_each(self, jobs: Sequence[Job]) -> list[Recording | Inspection]:
        results, self.told = [], lambda job: None  # this process is not the one that tells
        for job in jobs:
            results.append(self._do(job))
            self._keep(job, results[-1])
        return results

    def _is_plain(self, job: Job) -> bool:
        """Whether a fault in it is the probe's or the script's own, and not of what is tried."""
        return (
            job.scenario == self.probe.scenarios[0].name
            and not job.before
            and set(job.changes) <= set(self.probe.brief.items())
        )

    def _cut_short(self, job: Job, exit_code: int | None) -> Recording | Inspection:
        """What is left of a run that took its process with it."""
        words = f"the {job.side} ended its process, with exit code {exit_code}, before it was over"
        fault = CannotCheckError(f"{words}: nothing of the run could be kept")
        kind = Inspection if job.what == "inspect" else Recording
        return kind(error=words, fault=fault)

    def _do(self, job: Job) -> Recording | Inspection:
        script = self.probe.baseline if job.side == "baseline" else self.probe.candidate
        scenario = self.scenario(job.scenario)
        follow = self.executed[job.side] if job.follow else None
        run = partial(record, ranks=scenario.ranks, leftovers=scenario.leftovers, follow=follow)
        if job.what == "resume":
            how, settings = self.probe.resume, self.environment(scenario, job.changes)
            return interrupted_and_resumed(self.probe, script, settings, how)
        before = list[Recording]()
        for changes in job.before:
            variables = self.environment(scenario, changes)
            before.append(run(self.probe, script, variables, trace=False))
            self._absorb(job.side, before[-1].ranks())
        variables = self.environment(scenario, job.changes)
        if job.what == "inspect":
            return inspect_model(self.probe, script, variables, job.trace, follow)
        recording = run(self.probe, script, variables, job.trace, frozen=job.frozen)
        recording.preceding = before
        if job.side == "candidate":
            recording.flags[:0] = self.imported
        return recording

    def scenario(self, name: str) -> Scenario:
        """The scenario of that name; bad input is the first one, spoiled."""
        if name in self.probe.spoiled and self.probe.spoil is not None:
            folder = Path(tempfile.mkdtemp(dir=self._folder.name))
            first = self.probe.scenarios[0].environment
            return Scenario(name, {**first, **self.probe.spoil(name, folder, self._data)})
        return next(scenario for scenario in self.scenarios if scenario.name == name)

    def environment(
        self, scenario: Scenario, changes: Iterable[tuple[str, str]]
    ) -> Mapping[str, str]:
        """The data's variables, the scenario's, then the changes."""
        return {**self._data, **scenario.environment, **dict(changes)}

    def recording(self, job: Job) -> Recording:
        """The recording of `job`, made now if need be."""
        self.run([job])
        result = self._results[job]
        if not isinstance(result, Recording):
            raise TypeError(f"{job} makes no recording")
        if self.echoes is not None and job.side == "candidate":
            result = self.echoes.applied(result)
        return result if self.mask is None else self.mask.applied(result)

    def inspection(self, job: Job) -> Inspection:
        """The inspection of `job`, made now if need be."""
        self.run([job])
        result = self._results[job]
        return inspected(result) if isinstance(result, Recording) else result


def inspected(run: Recording) -> Inspection:
    """What the run of a command shows of its networks as they were constructed."""
    starts = [event for event in run.events if event.where.startswith("initial state")]
    state = {
        name.removeprefix("state "): text
        for event in starts
        for name, text in event.facts.items()
        if name.startswith("state ")
    }
    rng = {n: t for event in starts[:1] for n, t in event.facts.items() if n.startswith("rng ")}
    return Inspection(state, "", rng, run.replayed, {}, run.executed, run.error, run.fault)


def warm_up() -> None:
    """Load, before the fork, what every run would load in its own process by its first step."""
    modules_below(os.getcwd())  # looks every module's file up
    weight = torch.nn.Parameter(torch.zeros(2))
    weight.grad = torch.zeros(2)
    torch.optim.Adam([weight]).step()
    short(weight)


def read_imports(script: Script) -> None:
    """Read a system's own files once, before the fork: as it starts, it tells what it is made of.

    Of what is read, the parsed part is remembered by the text of each file: bundle/imports.py.
    """
    if script.own_process or script.location.endswith(".py"):
        return
    package = script.location.rpartition(".")[0] or script.location
    with contextlib.suppress(UsageError):
        root = find_root(Path(own_folder(script.location) or "."))
        folders = package_folders(root)
        needs_of(root, entry_of(root, package, folders), folders=folders)


def mentions(script: Script, word: bytes) -> bool:
    """Whether a word stands in any file of the folder that a command's script lies in."""
    files = Path(script.location).parent.rglob("*.py") if script.location.endswith(".py") else ()
    return any(word in file.read_bytes() for file in files)


def load_compiler() -> None:
    """What `torch.compile` imports though it compiles nothing: once, and not in each process."""
    with compiling_nothing():
        torch.compile(torch.nn.Identity())


def changes(variables: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """An environment in the hashable, ordered form that a Job holds."""
    return tuple(sorted(variables.items()))

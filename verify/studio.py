"""Where recordings and inspections are made: each once, ahead of time, on all cores.

The gates ask for what they compare; nothing is run twice for two gates.
"""

import multiprocessing
import os
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from verify.inspection import Inspection, inspect_model
from verify.probe import Probe, Scenario
from verify.recorder import Recording, record, settle

Side = Literal["baseline", "candidate"]


@dataclass(frozen=True)
class Job:
    """One thing to run: what, of which side, under which environment.

    `before` are environments that the same process runs first, so that whatever a feature leaves
    behind in the process is seen by the run that counts; it keeps them as `preceding`.
    """

    what: Literal["inspect", "record"]
    side: Side
    scenario: str
    changes: tuple[tuple[str, str], ...] = ()
    trace: bool = False
    before: tuple[tuple[tuple[str, str], ...], ...] = ()


class Studio:
    """Runs jobs of one probe. Use as a context manager: it owns a folder with the probe's data."""

    def __init__(self, probe: Probe, workers: int | None = None):
        self.probe = probe
        self.workers = workers or min(4, os.cpu_count() or 1)
        self._results: dict[Job, Recording | Inspection] = {}

    def __enter__(self) -> "Studio":
        self._folder = TemporaryDirectory()
        folder = Path(self._folder.name)
        self._data = dict(self.probe.prepare(folder)) if self.probe.prepare else {}
        return self

    def __getstate__(self) -> dict[str, object]:
        """What a worker is sent with its job: not the results, which grow meanwhile."""
        return {**vars(self), "_results": {}}

    def __exit__(self, *exc_info: object) -> None:
        self._folder.cleanup()

    @property
    def scenarios(self) -> Iterable[Scenario]:
        """The probe's scenarios, in order."""
        return self.probe.scenarios

    def run(self, jobs: Iterable[Job], progress: Callable[[], None] = lambda: None) -> None:
        """Do those jobs that are not done yet; `progress` is called after each of `jobs`."""
        wanted = list(dict.fromkeys(jobs))
        missing = [job for job in wanted if job not in self._results]
        for _ in range(len(wanted) - len(missing)):
            progress()
        if self.workers == 1 or len(missing) == 1:
            for job in missing:
                self._results[job] = self._do(job)
                progress()
            return
        settle()  # before the fork: a child must not inherit a thread pool
        sys.stdout.flush()
        context = multiprocessing.get_context("fork")
        with ProcessPoolExecutor(min(self.workers, len(missing) or 1), context) as pool:
            # The longest first, so that no core waits for one of them at the end.
            longest_first = sorted(
                missing, key=lambda j: (-len(j.before), not j.trace, j.what != "record")
            )
            futures = {pool.submit(self._do, job): job for job in longest_first}
            for future in as_completed(futures):
                self._results[futures[future]] = future.result()
                progress()

    def _do(self, job: Job) -> Recording | Inspection:
        script = self.probe.baseline if job.side == "baseline" else self.probe.candidate
        scenario = self.scenario(job.scenario)
        run = partial(record, ranks=scenario.ranks, leftovers=scenario.leftovers)
        before = [
            run(self.probe, script, self.environment(scenario, changes), trace=False)
            for changes in job.before
        ]
        variables = self.environment(scenario, job.changes)
        if job.what == "inspect":
            return inspect_model(self.probe, script, variables, job.trace)
        recording = run(self.probe, script, variables, job.trace)
        recording.preceding = before
        return recording

    def scenario(self, name: str) -> Scenario:
        """The scenario of that name; one of the probe's refusals is the first one, spoiled."""
        if name in self.probe.refusals and self.probe.spoil is not None:
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
        return result

    def inspection(self, job: Job) -> Inspection:
        """The inspection of `job`, made now if need be."""
        self.run([job])
        result = self._results[job]
        if not isinstance(result, Inspection):
            raise TypeError(f"{job} makes no inspection")
        return result


def changes(variables: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """An environment in the hashable, ordered form that a Job holds."""
    return tuple(sorted(variables.items()))

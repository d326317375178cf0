"""The command runs on both sides, trains something, and the baseline does the same twice.

What the baseline does not repeat is never held against the candidate. Where only printed lines or
files differ from run to run, these are left out of all that follows, and named; where more does,
nothing else is judged. A candidate that differs is run twice as well: one that does not repeat
itself, as the baseline does, has lost a seed.
"""

import re
from collections.abc import Iterator
from dataclasses import replace

from goldenseal.errors import CannotCheckError
from goldenseal.ladder.echoes import Echoes, new_options
from goldenseal.ladder.events import Event, Recording, is_line
from goldenseal.ladder.findings import ranked
from goldenseal.ladder.gates.common import SIDES, record_job, traced_scenario, without_operations
from goldenseal.ladder.probe import Probe
from goldenseal.ladder.recordings import Job, Recordings, mentions
from goldenseal.ladder.script import Script
from goldenseal.result import GateResult, Verdict

NAME = "command"
UNTRAINED = (
    "the baseline made no step: no optimizer of torch.optim stepped, and no weight moved after its "
    "gradients were taken: there is nothing to check"
)
STARTS = (b"multiprocessing", b"subprocess", b"mp.spawn")
SOUND = "the command runs on both sides, and the baseline repeats itself"


def jobs(probe: Probe) -> list[Job]:
    """Both sides in every scenario, and the baseline once more in the first."""
    sides = [record_job(probe, side, s.name) for s in probe.scenarios for side in SIDES]
    return [*sides, again_job(probe)]


def again_job(probe: Probe) -> Job:
    """The baseline's second run, which is followed rather than traced."""
    return Job("record", "baseline", traced_scenario(probe), follow=True)


def judge(recordings: Recordings) -> GateResult:
    """Raises CannotCheckError when the baseline cannot be run, or trains nothing."""
    probe = recordings.probe
    for scenario in probe.scenarios:
        baseline, candidate = (
            recordings.recording(record_job(probe, side, scenario.name)) for side in SIDES
        )
        if baseline.error:
            raise CannotCheckError(f"{scenario.name}: the baseline stopped: {baseline.error}")
        if candidate.error:
            finding = f"{scenario.name}: the candidate stopped: {candidate.error}"
            words = "the candidate does not run as the baseline does"
            return GateResult(NAME, Verdict.FAIL, words, (finding,))
        if not any(event.where.startswith("after ") for event in baseline.events):
            raise CannotCheckError(f"{scenario.name}: {UNTRAINED}{of_processes(probe.baseline)}")
    known = [recordings.recording(record_job(probe, "baseline", s.name)) for s in probe.scenarios]
    recordings.echoes = Echoes(new_names(recordings), known)
    first = recordings.recording(record_job(probe, "baseline", traced_scenario(probe)))
    second = recordings.recording(again_job(probe))
    if second.error:
        raise CannotCheckError(f"the baseline stopped when it was run again: {second.error}")
    unsteady = list(unrepeated(first, second))
    if unsteady:
        recordings.mask = Mask(first, second)
        left = list(unrepeated(*map(recordings.mask.applied, (first, second))))
        if left:
            words = (
                "the baseline does not repeat itself, so nothing can be held against the candidate"
            )
            return GateResult(NAME, Verdict.NOT_RUN, words, tuple(left))
    wild = wild_candidate(recordings, first)
    if wild:
        words = "the candidate does not repeat itself, as the baseline does"
        return GateResult(NAME, Verdict.FAIL, words, tuple(wild))
    if not unsteady:
        return GateResult(NAME, Verdict.PASS, SOUND + replaced(first))
    words = "the baseline does not repeat what it prints or writes: that is not compared"
    return GateResult(NAME, Verdict.NOT_RUN, words, tuple(map(hint, unsteady)))


def of_processes(side: Script) -> str:
    """That the work of a script's own processes is not seen, where it may start some."""
    if not any(mentions(side, word) for word in STARTS):
        return ""
    return (
        "; what processes do that a script starts itself is not seen: let the command train in its "
        "first process, or start ranks by torchrun"
    )


def new_names(recordings: Recordings) -> set[str]:
    """Options that the candidate alone has, in any scenario."""
    names: set[str] = set()
    for scenario in recordings.scenarios:
        a, b = (recordings.recording(record_job(recordings.probe, s, scenario.name)) for s in SIDES)
        names |= new_options(a.options, b.options)
    return names


def unrepeated(first: Recording, second: Recording) -> Iterator[str]:
    """What differs between two runs of one command."""
    events = (without_operations(run.without_files()) for run in (first, second))
    yield from (f"the baseline does not repeat itself: {text}" for text in ranked(*events))
    files = [
        {e.where: e.facts for e in run.events if e.where.startswith("file ")}
        for run in (first, second)
    ]
    for name in sorted({*files[0], *files[1]}):
        if files[0].get(name) != files[1].get(name):
            yield f"the baseline does not repeat itself: {name} differs"


def wild_candidate(recordings: Recordings, baseline: Recording) -> list[str]:
    """How the candidate differs from run to run; it is run again only where it is not as it should.

    A draw of a generator that nobody seeds is not seen otherwise, if it is none of torch's, numpy's
    and Python's own: what follows from it is another thing in each run, and no cause.
    """
    probe = recordings.probe
    job = record_job(probe, "candidate", traced_scenario(probe))
    first = recordings.recording(job)
    if not ranked(*(without_operations(run.without_files()) for run in (baseline, first))):
        return []
    second = recordings.recording(replace(job, trace=False, follow=True))
    if second.error:
        return [f"the candidate stopped when it was run again: {second.error}"]
    runs = (without_operations(run.without_files()) for run in (first, second))
    return [f"the candidate does not repeat itself: {text}" for text in ranked(*runs)]


def hint(finding: str) -> str:
    """With what to write into the description, if nothing better can be done."""
    file = re.search(r": file (\S+) differs$", finding)
    if file:
        return f'{finding}: if that is as it should be, ignored_files = ["{file[1]}"]'
    if "text is" in finding:
        return f"{finding}: if that is as it should be, name the words by ignored_lines"
    return finding


class Mask:
    """What two runs of the baseline print and write differently, taken out of a recording."""

    def __init__(self, first: Recording, second: Recording):
        runs = first, second
        lines = [[e.facts.get("text", "") for e in run.events if is_line(e)] for run in runs]
        self._shapes = {shape(line) for line in set(lines[0]) ^ set(lines[1])}
        files = [
            {e.where: e.facts for e in run.events if e.where.startswith("file ")} for run in runs
        ]
        self._files = {n for n in {*files[0], *files[1]} if files[0].get(n) != files[1].get(n)}
        # One that is called otherwise in each run is called otherwise in the candidate's, too.
        self._names = {name_shape(name) for name in set(files[0]) ^ set(files[1])}

    def applied(self, run: Recording) -> Recording:
        """The recording without them; the same object, changed once and for all."""
        kept = []
        for event in run.events:
            if event.where in self._files or name_shape(event.where) in self._names:
                continue
            if is_line(event) and shape(event.facts.get("text", "")) in self._shapes:
                event = Event(event.where, {}, event.operations, event.place, event.places)
            kept.append(event)
        run.events[:] = kept
        return run


def shape(line: str) -> str:
    """A line without the words that hold a digit."""
    return re.sub(r"\S*\d\S*", "#", line)


def name_shape(name: str) -> str:
    """A file's name without the words that hold a digit."""
    return re.sub(r"[\w-]*\d[\w-]*", "#", name)


def replaced(run: Recording) -> str:
    """What the CPU answered in place of CUDA."""
    if not run.replaced:
        return ""
    return "; the CPU answered for CUDA: " + ", ".join(sorted(run.replaced))

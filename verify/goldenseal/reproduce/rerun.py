"""Re-running a sealed record. The end is a verdict, never a bare fail.

bitwise          every output has the same bytes, every log line the same facts
within-envelope  they differ in the same numeric class, by no more than the record allows
other-class      they differ, and so does the numeric class: nothing is contradicted
diverged         they differ in the same numeric class; the first place is named
unrunnable       the run could not be repeated here; why
"""

import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from goldenseal.compare.difference import (
    differences,
    file_difference,
    furthest_result,
    log_difference,
    outside,
    parting_step,
)
from goldenseal.config import System, system
from goldenseal.errors import (
    EXIT_CANNOT_CHECK,
    EXIT_CONTRADICTED,
    EXIT_HOLDS,
    CannotCheckError,
    ContradictedError,
    GoldensealError,
    UsageError,
)
from goldenseal.launch.knobs import all_knobs
from goldenseal.launch.process import THREADS, data_digests, run_system
from goldenseal.records.check import check, resolve
from goldenseal.records.history import restore_source
from goldenseal.records.record import Record
from goldenseal.records.source import SourceTree, read_source
from goldenseal.reproduce.divergence import pinpoint
from goldenseal.reproduce.from_checkpoint import put_back
from goldenseal.runlog import read_run_log

EXIT_CODES = {
    "bitwise": EXIT_HOLDS,
    "within-envelope": EXIT_HOLDS,
    "other-class": EXIT_CANNOT_CHECK,
    "diverged": EXIT_CONTRADICTED,
    "unrunnable": EXIT_CANNOT_CHECK,
}
FETCH = "fetch the sealed one, or say by --set where it lies"
Lines = list[dict[str, Any]]


@dataclass
class Reproduction:
    """The verdict over one re-run, its reason, and what else is worth knowing."""

    record: str
    identity: str
    verdict: str = "unrunnable"
    reason: str = ""
    compared: str = ""
    step: int | None = None  # the first that differs
    notes: list[str] = field(default_factory=list)
    system: str = ""
    cell: str = ""
    steps: int | None = None  # None: all
    from_step: int = 0
    source: str | None = None  # digest of the tree that ran
    sealed_source: bool | None = None
    numeric_class: dict[str, Any] | None = None  # of the re-run
    same_class: bool | None = None

    @property
    def exit_code(self) -> int:
        """0 bitwise or within-envelope, 1 diverged, 3 otherwise."""
        return EXIT_CODES[self.verdict]

    def to_json(self) -> dict[str, Any]:
        """For --json."""
        return vars(self) | {"notes": list(self.notes)}


def reproduce(
    root: Path,
    prefix: str,
    show: Callable[[str], None],
    steps: int | None = None,
    local: Mapping[str, str] | None = None,
    present: bool = False,
    trace: bool = True,
    cell: str = "",
    from_checkpoint: bool = False,
) -> Reproduction:
    """Re-run the record whose identity begins with `prefix` and compare.

    Only this repository's code is run: the record names a system, never a command. When it has
    changed since the seal, the sealed source is taken from the git history, unless `present` asks
    for the code as it is. `steps` compares the first steps only; `local` says where the data lies
    here, by knob. With `trace`, a divergence is traced to its first tensor, by two more runs. Of a
    study, the run `cell`, configuration/seed, is repeated. With `from_checkpoint` the run goes on
    from a checkpoint that the record holds, and only what follows it is repeated.
    Raises UsageError for a prefix that names no record or bad options, ContradictedError for a
    broken seal.
    """
    if steps is not None and steps < 1:
        raise UsageError(f"--steps {steps}: at least one step is compared")
    record, identity = resolve(root, prefix)
    report = check(record.folder)
    if not report.holds:
        raise ContradictedError(f"{record.folder.name}: {report.reasons()[0]}")
    if local:
        refuse_sealed_knobs(system(root, record.get("system")), local)
    place = record.folder.relative_to(root).as_posix()
    outcome = Reproduction(place, identity, cell=cell, steps=steps)
    record = chosen_run(record, cell)
    try:
        if command := record.facts.get("command"):
            raise CannotCheckError(
                "the record of a command, and nothing that a record holds is executed: type "
                f"`goldenseal record -- {shlex.join(command)}` yourself, then compare the two by "
                "`goldenseal explain`"
            )
        entry = system(root, record.get("system"))
        outcome.system = entry.name
        knobs = {**resolved_knobs(entry, record), **(local or {})}
        sealed = sealed_log(record, entry, steps)
        outcome.notes += compare_data(data_digests(root, entry, knobs), record.get("data"))
        with TemporaryDirectory() as folder, TemporaryDirectory() as old:
            source, note = choose_source(root, record, Path(old), present)
            outcome.notes.insert(0, note)
            tree = read_source(root) if source == root else SourceTree(record.get("source"))
            outcome.source = tree.digest
            outcome.sealed_source = tree.files == record.get("source")
            variables = sealed_variables(sealed[0])
            if from_checkpoint:
                step = put_back(record, entry, knobs, Path(folder), steps)
                outcome.from_step = step
                outcome.notes.append(f"steps 1 to {step} are the sealed ones: not repeated")
            run_system(root, entry, knobs, Path(folder), show, steps, source, variables=variables)
            compare(outcome, record, entry, sealed, Path(folder), steps)
            if trace and outcome.verdict == "diverged" and outcome.step is not None:
                run = (root, entry, knobs, outcome.step)
                sources = (record.get("source"), source, Path(old))
                outcome.notes.append(pinpoint(*run, *sources, show, variables))
    except (CannotCheckError, UsageError) as error:
        outcome.verdict, outcome.reason = "unrunnable", str(error)
    return outcome


def chosen_run(record: Record, cell: str) -> Record:
    """The record as if of one run alone: of a study or a sweep, its cell.

    Raises UsageError when `cell` names none, or is given for a record of one run.
    """
    if not record.kind.many:
        if cell:
            raise UsageError(f"--cell {cell}: {record.folder.name} is the record of one run")
        return record
    run = record.kind.find(record, cell)
    facts = {**record.facts, "knobs": run.environment}
    return Record((record.folder / run.log).parent, facts)


def sealed_variables(header: Mapping[str, Any]) -> dict[str, str]:
    """What the sealed run's environment said of its number of threads, and that it hid the GPUs.

    Nothing else of a sealed environment is taken over: these two cannot run anything.
    """
    numeric_class = header.get("numeric_class")
    settings = numeric_class.get("settings") if isinstance(numeric_class, dict) else None
    if not isinstance(settings, dict):
        return {}
    found = {"CUDA_VISIBLE_DEVICES": ""} if settings.get("CUDA_VISIBLE_DEVICES") == "" else {}
    threads = settings.get("OMP_NUM_THREADS")
    if isinstance(threads, str) and re.fullmatch("[0-9]{1,4}", threads):
        found |= dict.fromkeys(THREADS, threads)
    return found


def refuse_sealed_knobs(entry: System, local: Mapping[str, str]) -> None:
    """Raise UsageError for a knob that says what the run is, not where the data lies."""
    for name in sorted(set(local) - set(entry.local_knobs)):
        legal = ", ".join(entry.local_knobs) or "none"
        raise UsageError(f"{name} is sealed; the knobs that may be set here are {legal}")


def resolved_knobs(entry: System, record: Record) -> dict[str, str]:
    """The sealed knobs.

    Raises CannotCheckError for a variable that the system does not declare: it could be one that
    Python or the loader obeys.
    """
    knobs: dict[str, str] = record.get("knobs")
    unknown = sorted(set(knobs) - {knob.name for knob in all_knobs(entry)})
    if unknown:
        raise CannotCheckError(f"the record sets {unknown[0]!r}, which is no knob of {entry.name}")
    return knobs


def sealed_log(record: Record, entry: System, steps: int | None) -> Lines:
    """The record's own run log. Raises CannotCheckError when it has none, or too few steps."""
    path = record.folder / entry.log
    if not path.is_file():
        raise CannotCheckError(f"the record holds no {entry.log} to compare with")
    lines = read_run_log(path)
    return lines if steps is None else first_steps(lines, steps)


def choose_source(root: Path, record: Record, folder: Path, present: bool) -> tuple[Path, str]:
    """(whose code is run, what to say of it): the sealed source wherever it can be had.

    It is written to `folder` when the working tree has moved on. Where the history does not hold it
    either, the present code is run, and the note says in what it differs.
    """
    sealed: dict[str, str] = record.get("source")
    differences = read_source(root).differences(sealed)
    if not differences:
        return root, "the source is the sealed one"
    if not present:
        missing = restore_source(root, sealed, folder)
        if not missing:
            return folder, "the sealed source was run, from this repository's history"
    more = f", and {len(differences) - 3} more" if len(differences) > 3 else ""
    return root, f"the source differs from the sealed one: {', '.join(differences[:3])}{more}"


def compare_data(here: Mapping[str, str], sealed: Mapping[str, str]) -> list[str]:
    """Notes on data files that were not sealed: a run may read them all the same.

    Raises CannotCheckError when a sealed one is missing or another one.
    """
    for name in sorted(sealed):
        if name not in here:
            raise CannotCheckError(f"data file {name!r} is missing here: {FETCH}")
        if here[name] != sealed[name]:
            raise CannotCheckError(
                f"data file {name!r} is another one: sealed {sealed[name][:16]}, found "
                f"{here[name][:16]}: {FETCH}"
            )
    new = sorted(set(here) - set(sealed))
    return [f"data that was not sealed lies beside it: {', '.join(new[:3])}"] if new else []


def compare(
    outcome: Reproduction,
    record: Record,
    entry: System,
    sealed: Lines,
    folder: Path,
    steps: int | None,
) -> None:
    """Fill in verdict and reason from the sealed files and the new ones."""
    try:
        new = read_run_log(folder / entry.log, complete=steps is None)
    except GoldensealError as error:
        raise CannotCheckError(f"the re-run left no whole log: {error}") from error
    if steps is not None:
        new = first_steps(new, steps)
    same_class = outcome.same_class = not class_differences(sealed[0], new[0])
    outcome.numeric_class = new[0].get("numeric_class")
    outcome.notes.append(class_note(sealed[0], new[0]))
    outputs = [] if steps is not None else sealed_outputs(outcome, record, entry)
    difference = log_difference(sealed, new)
    for name in outputs:
        if difference is None and (found := file_difference(record.folder / name, folder / name)):
            difference = f"{name}: {found}"
    count = sum(line["kind"] == "step" for line in sealed)
    outcome.compared = f"{count} steps, {len(sealed)} log lines, {len(outputs)} files"
    if difference is None:
        outcome.verdict, outcome.reason = "bitwise", "all equal"
        return
    outcome.verdict = "diverged" if same_class else "other-class"
    outcome.reason = difference
    outcome.step = parting_step(sealed, new)
    if steps is None and weigh_results(outcome, record, sealed[-1], new[-1]) and same_class:
        outcome.verdict = "within-envelope"


def class_note(sealed: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    """Whether two runs are of one numeric class, and if not, in what they differ."""
    parted = class_differences(sealed, new)
    return (
        f"another numeric class: {'; '.join(parted)}"
        if parted
        else "the numeric class is the sealed one"
    )


def class_differences(sealed: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """In what the numeric classes of two runs differ, as far as the sealed one says."""
    a, b = (header.get("numeric_class") for header in (sealed, new))
    return differences({"numeric class": a}, {"numeric class": known_to(a, b)})


def known_to(older: Any, newer: Any) -> Any:
    """`newer` without the entries of tables that an older record did not yet write down."""
    if not isinstance(older, dict) or not isinstance(newer, dict):
        return newer
    return {name: known_to(older[name], value) for name, value in newer.items() if name in older}


def sealed_outputs(outcome: Reproduction, record: Record, entry: System) -> list[str]:
    """The files that a re-run must repeat; a note names one that the record leaves out.

    Raises CannotCheckError when the record lists a file that it does not hold.
    """
    outputs: list[str] = record.get("outputs")
    for name in outputs:
        if not (record.folder / name).is_file():
            raise CannotCheckError(f"the record lists the output {name}, but does not hold it")
    for name in sorted(set(entry.outputs) - set(outputs)):
        outcome.notes.append(f"{name} is not among the record's outputs: not compared")
    return outputs


def weigh_results(
    outcome: Reproduction, record: Record, sealed: Mapping[str, Any], new: Mapping[str, Any]
) -> bool:
    """Note how far the final results are apart; True when they are inside a stated envelope."""
    furthest = furthest_result(sealed, new)
    if furthest:
        name, far = furthest
        outcome.notes.append(f"the final results differ by at most {far:.2g}, relative ({name!r})")
    envelope = record.facts.get("envelope")
    if not envelope:
        return False
    beyond = outside(envelope, sealed, new)
    outcome.notes += beyond or ["the final results are inside the record's envelope"]
    return not beyond


def first_steps(lines: Lines, steps: int) -> Lines:
    """The lines up to that of optimizer step `steps`."""
    for index, line in enumerate(lines):
        if line["kind"] == "step" and line.get("step") == steps:
            return lines[: index + 1]
    raise CannotCheckError(f"--steps {steps}: the log has fewer steps")

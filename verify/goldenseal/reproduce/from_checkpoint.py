"""What a re-run needs to go on from a sealed checkpoint, and what it then does not repeat.

A system that keeps checkpoints writes folders `step-<number>` below the folder that one of its
`place_knobs` names, and a run that finds one there, beside its own earlier logs, goes on from it.
So the record's logs and one of its checkpoints are put where the re-run begins.
"""

import re
import shutil
from collections.abc import Mapping
from pathlib import Path

from goldenseal.config import System
from goldenseal.disk import canonical
from goldenseal.disk.files import atomic_write
from goldenseal.errors import CannotCheckError
from goldenseal.records.record import Record
from goldenseal.runlog import run_log_lines

PREFIX = "step-"
STEP = re.compile(f"{PREFIX}[0-9]+")  # digits of other scripts are none to some Pythons


def put_back(
    record: Record, entry: System, knobs: Mapping[str, str], folder: Path, steps: int | None
) -> int:
    """Give the run in `folder` the record's newest checkpoint that leaves a step to repeat.

    With `steps`, that is one before step number `steps`. The run log is cut after the checkpoint's
    step. Returns that step. Raises CannotCheckError when the record holds no such checkpoint.
    """
    last = 0
    for line in run_log_lines(record.folder / entry.log):
        last = line["step"] if line["kind"] == "step" else last
    end = last if steps is None else min(steps, last)
    digests = {
        int(path.name.removeprefix(PREFIX)): path
        for place in places(record.folder, entry, knobs)
        for path in sorted(place.rglob(f"{PREFIX}*"))
        if path.is_dir() and STEP.fullmatch(path.name)
    }
    usable = [step for step in digests if step < end]
    if not usable:
        raise CannotCheckError(
            f"the record holds no checkpoint before step {end}: re-run it without --from-checkpoint"
        )
    step = max(usable)
    for path in before_the_end(record, entry, knobs):
        target = folder / path.relative_to(record.folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    shutil.copytree(digests[step], folder / digests[step].relative_to(record.folder))
    cut_log(record.folder / entry.log, folder / entry.log, step)
    return step


def places(folder: Path, entry: System, knobs: Mapping[str, str]) -> list[Path]:
    """The folders of the record that hold checkpoints.

    Raises CannotCheckError for one outside the record: its bytes are not sealed.
    """
    names = []
    for knob in entry.place_knobs:
        value = Path(knobs.get(knob, ""))
        if value.is_absolute() or ".." in value.parts:
            raise CannotCheckError(f"{knob}={value} lies outside the record: it is not sealed")
        if value.parts and (folder / value).is_dir():
            names.append(folder / value)
    return names


def before_the_end(record: Record, entry: System, knobs: Mapping[str, str]) -> list[Path]:
    """The files that a killed run would have left beside its checkpoints: its logs."""
    kept = places(record.folder, entry, knobs)
    made_last = {*entry.outputs, "SHA512SUMS", "check_seal.py", "record.json", "seal.json"}
    return [
        path
        for path in sorted(record.folder.rglob("*"))
        if path.is_file()
        and path.relative_to(record.folder).as_posix() not in made_last
        and not any(path.is_relative_to(place) for place in kept)
    ]


def cut_log(sealed: Path, path: Path, step: int) -> None:
    """Write the sealed log up to the line before that of the next step."""
    kept = []
    for raw in sealed.read_bytes().splitlines(keepends=True):
        line = canonical.loads(raw, sealed.name)
        if line["kind"] == "step" and line["step"] > step:
            break
        kept.append(raw)
    atomic_write(path, b"".join(kept))

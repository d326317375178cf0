"""`goldenseal record -- COMMAND`: run a command that has never heard of us, and seal what it left.

It runs where it was typed, as it would without us. Its outputs are the files below the repository
that are new or another afterwards; its source is what was imported; its data is what was read. The
record is built in a hidden folder and gets its name when it is sealed: there is a whole one, or
none.
"""

import contextlib
import os
import re
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from goldenseal.errors import CannotCheckError, UsageError
from goldenseal.launch.collect import Asked, collect
from goldenseal.launch.notes import CODE, read_notes, watch
from goldenseal.launch.tree import changed, elsewhere, snapshot, state_of
from goldenseal.records.seal import Sealed
from goldenseal.records.source import RECORDS
from goldenseal.records.sums import refuse_new_record
from goldenseal.records.write import name_of, today, write_sealed

PATIENCE = 5.0  # seconds, for what a process that outlives the command may still print
Show = Callable[[bytes], None]


def record_command(root: Path, folder: Path, asked: Asked, show: Show) -> Sealed:
    """Run the command in the present folder; leave a sealed record at `folder`.

    root: the repository, as far as outputs are looked for. Raises UsageError for a program that is
    not there or a folder that is, CannotCheckError when the command fails, or changes its own
    source; then nothing is left but what the command itself wrote.
    """
    refuse_new_record(folder)
    if files := [above for above in folder.parents if above.exists() and not above.is_dir()]:
        raise UsageError(f"{folder} cannot be made: {files[0]} is a file")
    program = shutil.which(asked.command[0])
    if program is None:
        raise UsageError(f"{asked.command[0]}: there is no such program")
    for path in asked.data:
        if not path.is_file() and not path.is_dir():
            raise UsageError(f"--data {path}: there is no such file or folder")

    def fill(made: Path) -> dict[str, Any]:
        without = {root / RECORDS, folder, made}
        before = _look(root, asked.outputs, without)
        with tempfile.TemporaryDirectory() as notes_folder:
            variables = watch(Path(notes_folder))
            _run(program, asked, {**variables, **_path(notes_folder)}, made, show)
            notes = read_notes(Path(notes_folder))
        new = changed(before, _look(root, asked.outputs, without))
        return collect(root, made, name_of(folder), asked, notes, before, new)

    try:
        return write_sealed(folder, fill, _placed)
    except OSError as error:
        words = f"{error.filename or folder.parent}: {error.strerror}"
        raise CannotCheckError(f"{words}: nothing was sealed") from None


def new_folder(root: Path, command: Sequence[str]) -> Path:
    """records/runs/<date>_<Name>, where there is none yet; the name is that of the script."""
    scripts = [Path(word).stem for word in command if word.endswith(CODE)]
    stem = re.sub(r"\W+", "_", (scripts or [Path(command[0]).name])[0]).strip("_") or "run"
    first = root / RECORDS / "runs" / f"{today()}_{stem}"
    number, folder = 2, first
    while folder.exists():
        folder, number = first.with_name(f"{first.name}_{number}"), number + 1
    return folder


def _placed(made: Path, folder: Path) -> Path:
    """Give the record its name; the next one, where another run took it meanwhile."""
    name, number = folder, 1
    while True:
        try:
            os.rename(made, name)
            return name
        except OSError:
            if not name.exists():
                raise
        number += 1
        name = folder.with_name(f"{folder.name}_{number}")


def _path(folder: str) -> dict[str, str]:
    return {"PYTHONPATH": os.pathsep.join(filter(None, (folder, os.environ.get("PYTHONPATH"))))}


def _look(root: Path, also: Iterable[Path], without: Iterable[Path]) -> dict[Path, Any]:
    states = snapshot(root, without)
    for path in map(elsewhere, also):
        states |= snapshot(path) if path.is_dir() else state_of(path)
    return states


def _run(program: str, asked: Asked, variables: Mapping[str, str], made: Path, show: Show) -> None:
    """Raises CannotCheckError unless the command ends with 0."""
    shown = " ".join(asked.command)
    with open(made / "stdout.txt", "wb") as out, open(made / "stderr.txt", "wb") as err:
        process = subprocess.Popen(
            asked.command,
            executable=program,
            env={**os.environ, **asked.settings, **variables},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        lost: list[OSError] = []
        readers = [
            threading.Thread(target=_tee, args=(pipe, file, show, lost), daemon=True)
            for pipe, file in ((process.stdout, out), (process.stderr, err))
            if pipe
        ]
        for reader in readers:
            reader.start()
        try:
            code = process.wait()
        except KeyboardInterrupt:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(PATIENCE)  # a terminal has told it, too
            raise CannotCheckError(f"{shown} was interrupted: nothing was sealed") from None
        finally:
            process.kill()
            for reader in readers:
                reader.join(PATIENCE)
        if lost:  # the disk is full: what was printed is not whole
            raise lost[0]
    if code != 0:
        ended = f"ended with {code}" if code > 0 else f"was ended by signal {-code}"
        raise CannotCheckError(f"{shown} {ended}: nothing was sealed")


def _tee(pipe: IO[bytes], file: IO[bytes], show: Show, lost: list[OSError]) -> None:
    with pipe:
        while data := os.read(pipe.fileno(), 1 << 16):
            if not file.closed and not lost:  # what outlives the command is only shown
                try:
                    file.write(data)
                    file.flush()
                except OSError as error:
                    lost.append(error)
            show(data)

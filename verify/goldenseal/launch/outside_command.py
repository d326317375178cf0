"""`goldenseal record -- COMMAND`: run a command that has never heard of us, and seal what it left.

It runs where it was typed, as it would without us. Its outputs are the files below the repository
that are new or another afterwards; its source is what was imported; its data is what was read. The
record is built in a hidden folder and gets its name when it is sealed: there is a whole one, or
none.
"""

import contextlib
import datetime
import os
import re
import shutil
import subprocess
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from goldenseal.disk import canonical
from goldenseal.disk.files import atomic_write, colliding, hash_file, problem_with_name
from goldenseal.errors import CannotCheckError, GoldensealError, UsageError
from goldenseal.launch.make_record import results
from goldenseal.launch.notes import CODE, Notes, read_notes, watch
from goldenseal.launch.tree import changed, named, snapshot
from goldenseal.records.record import SCHEMA
from goldenseal.records.seal import Sealed, seal
from goldenseal.records.source import RECORDS, SourceTree
from goldenseal.records.source import left_out as is_left_out
from goldenseal.runlog import run_log_lines

MANY_FILES = 200  # of one folder; more are one entry, with one digest over them all
PATIENCE = 5.0  # seconds, for what a process that outlives the command may still print
Show = Callable[[bytes], None]


@dataclass(frozen=True)
class Asked:
    """What to run, and what is said of it on the command line."""

    command: tuple[str, ...]
    settings: Mapping[str, str] = field(default_factory=dict)
    data: tuple[Path, ...] = ()  # that no Python opens, or that is to be named
    outputs: tuple[Path, ...] = ()  # files and folders outside the repository
    ignored: tuple[str, ...] = ()  # patterns of output files


def record_command(root: Path, folder: Path, asked: Asked, show: Show) -> Sealed:
    """Run the command in the present folder; leave a sealed record at `folder`.

    root: the repository, as far as outputs are looked for. Raises UsageError for a program that is
    not there or a folder that is, CannotCheckError when the command fails, or changes its own
    source; then nothing is left but what the command itself wrote.
    """
    if folder.exists():
        raise UsageError(f"{folder} exists: a record is made once, in a new folder")
    program = shutil.which(asked.command[0])
    if program is None:
        raise UsageError(f"{asked.command[0]}: there is no such program")
    for path in asked.data:
        if not path.exists():
            raise UsageError(f"--data {path}: there is no such file or folder")
    above = next(parent for parent in folder.parents if parent.is_dir())
    made = Path(tempfile.mkdtemp(dir=above, prefix=f".{folder.name}."))
    try:
        os.chmod(made, 0o755)
        without = {root / RECORDS, folder, made}
        before = _look(root, asked.outputs, without)
        with tempfile.TemporaryDirectory() as notes_folder:
            variables = watch(Path(notes_folder))
            _run(program, asked, {**variables, **_path(notes_folder)}, made, show)
            notes = read_notes(Path(notes_folder))
        new = changed(before, _look(root, asked.outputs, without))
        facts = _collect(root, made, asked, notes, before, new)
        facts["name"] = folder.name.partition("_")[2] or folder.name
        atomic_write(made / "record.json", canonical.dumps(facts))
        sealed = seal(made)
        folder.parent.mkdir(parents=True, exist_ok=True)
        os.rename(made, folder)
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return Sealed(folder, sealed.identity, already=False, files=sealed.files)


def new_folder(root: Path, command: Sequence[str]) -> Path:
    """records/runs/<date>_<Name>, where there is none yet; the name is that of the script."""
    scripts = [Path(word).stem for word in command if word.endswith(CODE)]
    stem = re.sub(r"\W+", "_", (scripts or [Path(command[0]).name])[0]).strip("_") or "run"
    date = datetime.datetime.now(datetime.UTC).date().isoformat()
    first = root / RECORDS / "runs" / f"{date}_{stem}"
    number, folder = 2, first
    while folder.exists():
        folder, number = first.with_name(f"{first.name}_{number}"), number + 1
    return folder


def _path(folder: str) -> dict[str, str]:
    return {"PYTHONPATH": os.pathsep.join(filter(None, (folder, os.environ.get("PYTHONPATH"))))}


def _look(root: Path, also: Iterable[Path], without: Iterable[Path]) -> dict[Path, Any]:
    states = snapshot(root, without)
    for path in also:
        folder = path if path.is_dir() else path.parent
        inside = snapshot(folder.absolute()) if folder.is_dir() else {}
        states |= inside if path.is_dir() else {p: s for p, s in inside.items() if p == path}
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
        readers = [
            threading.Thread(target=_tee, args=(pipe, file, show), daemon=True)
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
    if code != 0:
        ended = f"ended with {code}" if code > 0 else f"was ended by signal {-code}"
        raise CannotCheckError(f"{shown} {ended}: nothing was sealed")


def _tee(pipe: IO[bytes], file: IO[bytes], show: Show) -> None:
    with pipe:
        while data := os.read(pipe.fileno(), 1 << 16):
            if not file.closed:  # what outlives the command is shown, and no more part of it
                file.write(data)
                file.flush()
            show(data)


def _collect(
    root: Path, made: Path, asked: Asked, notes: Notes, before: Mapping[Path, Any], new: list[Path]
) -> dict[str, Any]:
    """Copy outputs and source into the record; what its record.json says."""
    words = {p for p in map(Path.absolute, map(Path, asked.command)) if _is_own(p, root)}
    code = {Path(p) for p in notes.code} | {p for p in words if _runs(p)}
    read = {Path(p) for p in notes.read} | words - code
    made_anew = set(new)
    if edited := sorted(made_anew & code & set(before)):
        raise CannotCheckError(
            f"{named(edited, root).popitem()[0]} is source and was edited while it ran: "
            "what ran is not known, and nothing was sealed"
        )
    given = [p for top in asked.data for p in _files(top.absolute())]
    sources = named((p for p in code - made_anew if _is_plain(p)), root)
    data = named((p for p in {*read, *given} - made_anew - code if _is_plain(p)), root)
    outputs, left_out = _fit(named(new, root), asked.ignored)
    kept = {*new, made / "stdout.txt", made / "stderr.txt"}
    for name, path in named(map(Path, notes.wrote), root).items():
        passing = path.is_relative_to(tempfile.gettempdir()) and not path.is_relative_to(root)
        if path not in kept and _is_plain(path) and not passing:
            left_out[name] = "outside the repository or hidden: --output names what else to keep"
    names = ["stdout.txt", "stderr.txt"]
    for top, files in (("outputs", outputs), ("source", sources)):
        for name, path in files.items():
            (made / top / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, made / top / name)
            names += [f"{top}/{name}"] if top == "outputs" else []
    logs = chained_logs(made, names)
    knobs = {name: text for name, text in notes.variables.items() if text is not None}
    numbers = {"numeric_class": notes.numeric_class} if notes.numeric_class else {}
    return {
        "schema": SCHEMA,
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "status": "measured",
        "seeds": sorted(map(int, logs)),
        "command": list(asked.command),
        "knobs": {**knobs, **asked.settings},
        "data": folded({name: hash_file(path.resolve()) for name, path in data.items()}),
        "source": {name: hash_file(path.resolve()) for name, path in sources.items()},
        "outputs": names,
        "environment": {
            **notes.environment,
            "python_processes": notes.processes,
            "unset_variables": sorted(n for n, text in notes.variables.items() if text is None),
            "left_out": left_out,
        },
        **({"logs": {seed: name for seed, (name, _) in logs.items()}} if logs else {}),
        **({"results": results(*(end for _, end in logs.values()))} if len(logs) == 1 else {}),
        **numbers,
    }


def chained_logs(folder: Path, names: Iterable[str]) -> dict[str, tuple[str, dict[str, Any]]]:
    """By seed, each run log of ours among the outputs, and its closing line.

    Two logs of one seed are outputs like any other: which is the run's is not ours to say.
    """
    found: dict[str, list[tuple[str, dict[str, Any]]]] = {}
    for name in names:
        if name.endswith(".jsonl"):
            try:
                lines = run_log_lines(folder / name)
                header, (end,) = next(lines), deque(lines, maxlen=1)
                found.setdefault(str(int(header["seed"])), []).append((name, end))
            except (GoldensealError, KeyError, TypeError, ValueError):
                continue  # a log of another kind, or one that was cut short
    return {seed: logs[0] for seed, logs in sorted(found.items()) if len(logs) == 1}


def _is_own(path: Path, root: Path) -> bool:
    """Whether a word of the command line is a file of the repository, and no installed program."""
    inside = path.is_file() and path.resolve().is_relative_to(root)
    above = path.parents[: len(path.parts) - len(root.parts) - 1]
    return inside and not any(map(is_left_out, above))


def _runs(path: Path) -> bool:
    return path.suffix in CODE or os.access(path, os.X_OK)


def _files(top: Path) -> list[Path]:
    return sorted(p for p in top.rglob("*") if p.is_file()) if top.is_dir() else [top]


def _is_plain(path: Path) -> bool:
    return path.is_file()


def _fit(
    files: Mapping[str, Path], ignored: Iterable[str]
) -> tuple[dict[str, Path], dict[str, str]]:
    """(the files that a record can hold, why it does not hold the others)."""
    patterns = tuple(ignored)
    kept = {n: p for n, p in files.items() if not any(Path(n).match(each) for each in patterns)}
    problems = {name: problem_with_name(name) for name in kept}
    left_out = {name: problem for name, problem in problems.items() if problem}
    left_out |= {b: f"a file system may not tell it from {a}" for a, b in colliding(sorted(kept))}
    return {name: path for name, path in kept.items() if name not in left_out}, left_out


def folded(digests: Mapping[str, str]) -> dict[str, str]:
    """The digests by name; those of a folder with very many files as one, over all of them."""
    folders: dict[str, dict[str, str]] = {}
    for name, digest in digests.items():
        folders.setdefault(name.rpartition("/")[0], {})[name] = digest
    found = {}
    for folder, files in sorted(folders.items()):
        if len(files) > MANY_FILES:
            found[f"{folder or '.'}/ ({len(files)} files)"] = SourceTree(files).digest
        else:
            found |= files
    return found

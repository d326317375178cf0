"""What a command read, ran and left, as files of a record and as what its record.json says."""

import os
import shutil
import tempfile
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from goldenseal.disk.files import colliding, hash_file, problem_with_name
from goldenseal.errors import CannotCheckError, GoldensealError
from goldenseal.launch.make_record import results
from goldenseal.launch.notes import CODE, Notes, withheld
from goldenseal.launch.tree import as_text, elsewhere, named
from goldenseal.records.source import SourceTree
from goldenseal.records.source import left_out as is_left_out
from goldenseal.records.write import facts_of
from goldenseal.runlog import run_log_lines

MANY_FILES = 200  # of one folder; more are one entry, with one digest over them all


@dataclass(frozen=True)
class Asked:
    """What to run, and what is said of it on the command line."""

    command: tuple[str, ...]
    settings: Mapping[str, str] = field(default_factory=dict)
    data: tuple[Path, ...] = ()  # that no Python opens, or that is to be named
    outputs: tuple[Path, ...] = ()  # files and folders outside the repository
    ignored: tuple[str, ...] = ()  # patterns of output files


def collect(
    root: Path,
    made: Path,
    called: str,
    asked: Asked,
    notes: Notes,
    before: Mapping[Path, Any],
    new: list[Path],
) -> dict[str, Any]:
    """Copy outputs and source into the record so called; what its record.json says."""
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
    sources, unfit = _fit(named((p for p in code - made_anew if _is_plain(p)), root), ())
    data = named((p for p in {*read, *given} - made_anew - code if _is_plain(p)), root)
    outputs, left_out = _fit(named(new, root), asked.ignored)
    left_out |= unfit
    for name in [n for n, path in outputs.items() if path.is_symlink() or not _is_plain(path)]:
        del outputs[name]
        left_out[name] = "a link, a pipe or the like: a record holds its files themselves"
    for wanted in map(elsewhere, asked.outputs):
        if not any(path.is_relative_to(wanted) for path in new):
            left_out |= dict.fromkeys(named([wanted], root), "--output names it: nothing new there")
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
    knobs = {name: as_text(text) for name, text in notes.variables.items() if text is not None}
    return facts_of(
        called,
        "measured",
        sorted(map(int, logs)),
        command=[as_text(word) for word in asked.command],
        knobs={**knobs, **{n: withheld(n, text) for n, text in asked.settings.items()}},
        data=folded({file: hash_file(path.resolve()) for file, path in data.items()}),
        source={file: hash_file(path.resolve()) for file, path in sources.items()},
        outputs=names,
        environment={
            **notes.environment,
            "python_processes": notes.processes,
            "unset_variables": sorted(n for n, text in notes.variables.items() if text is None),
            "left_out": left_out,
        },
        logs={seed: log for seed, (log, _) in logs.items()} or None,
        results=results(*(end for _, end in logs.values())) if len(logs) == 1 else None,
        numeric_class=notes.numeric_class or None,
    )


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

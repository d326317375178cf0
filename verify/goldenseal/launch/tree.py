"""Which files of a tree a command made or changed, and by what name a record calls a file."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from goldenseal.records.source import left_out

KEPT = (".hydra",)  # hidden folders that runs write their results into
State = tuple[int, int, int, int]


def snapshot(root: Path, without: Iterable[Path] = ()) -> dict[Path, State]:
    """Size, times and inode of each file below `root`, but for folders that hold no results.

    These are the folders `without`, hidden ones, caches and installed environments. Links, pipes
    and the like have a state too, and are neither followed nor opened.
    """
    return dict(_states(root, frozenset(without)))


def _states(folder: Path, without: frozenset[Path]) -> Iterator[tuple[Path, State]]:
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        return  # not ours to read
    for entry in entries:
        path = Path(entry.path)
        if entry.is_dir(follow_symlinks=False):
            if path not in without and (entry.name in KEPT or not left_out(path)):
                yield from _states(path, without)
        else:
            yield from state_of(path).items()


def state_of(path: Path) -> dict[Path, State]:
    """The state of one file; nothing when it is not there."""
    try:
        s = path.lstat()
    except OSError:
        return {}
    return {path: (s.st_size, s.st_mtime_ns, s.st_ctime_ns, s.st_ino)}


def elsewhere(path: Path) -> Path:
    """What `--output` names, as a whole path."""
    return Path(os.path.abspath(path))


def changed(before: dict[Path, State], after: dict[Path, State]) -> list[Path]:
    """The files that are new or another, sorted."""
    return sorted(path for path, state in after.items() if before.get(path) != state)


def named(paths: Iterable[Path], root: Path) -> dict[str, Path]:
    """Each file by its path below `root`; one that lies elsewhere by the end of its path.

    The end is as long as it takes for two files to have two names, and says nothing of where on a
    machine a person keeps things.
    """
    found: dict[str, Path] = {}
    outside = []
    for path in sorted(set(paths)):
        if path.is_relative_to(root):
            found[as_text(path.relative_to(root).as_posix())] = path
        else:
            outside.append(path)
    for path in outside:
        ends = (as_text("/".join(path.parts[-n:])) for n in range(1, len(path.parts)))
        found[next((end for end in ends if end not in found), as_text(path.as_posix()))] = path
    return found


def as_text(name: str) -> str:
    """A name that holds bytes of no text, with these spelled out: a record is UTF-8."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")

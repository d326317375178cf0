"""Where a side of a pair comes from, a revision or a folder, and the scratch folders it runs in.

A side is read once, into a folder that nobody else changes. Each run gets a copy of its own, so
that relative paths work, what it writes is seen, and no run meets the files of another.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import partial
from pathlib import Path

from goldenseal.errors import UsageError

SKIPPED = {".git", ".hg", "__pycache__", ".venv", "venv", "node_modules", ".mypy_cache", ".tox"}
# Where options have their names.
SOURCES = ("*.py", "*.yaml", "*.yml", "*.toml", "*.json", "*.ini", "*.cfg")
SMALL = 1 << 20  # bytes; a larger file is linked into a run's folder, not copied
MOST = 1 << 31  # bytes of one side


@dataclass(frozen=True)
class Tree:
    """A side's files below `root`; commands start in its folder `within`.

    origin: the user's folder that it was made from. links: (path from `within`, what lies there).
    pythonpath: folders of packages, from `within`.
    """

    root: str
    within: str
    origin: str
    links: tuple[tuple[str, str], ...] = ()
    pythonpath: tuple[str, ...] = ()

    def furnish(self, folder: Path) -> None:
        """Lay a copy of the side into an empty folder."""
        for above, folders, files in os.walk(self.root):
            there = folder / os.path.relpath(above, self.root)
            for name in list(folders):
                if os.path.islink(os.path.join(above, name)):
                    files.append(name)
                else:
                    (there / name).mkdir()
            for name in files:
                source = os.path.join(above, name)
                if os.path.islink(source):
                    os.symlink(os.readlink(source), there / name)
                elif os.path.getsize(source) > SMALL:
                    os.symlink(source, there / name)
                else:
                    shutil.copy(source, there / name)
        for path, target in self.links:
            _overlay(Path(target), folder / self.within / path)


def _overlay(source: Path, place: Path) -> None:
    """Link `source` at `place`; of a folder that the side has too, only what it lacks."""
    if place.is_dir() and source.is_dir() and not place.is_symlink():
        for each in sorted(source.iterdir()):
            if each.name not in SKIPPED:
                _overlay(each, place / each.name)
    elif not os.path.lexists(place):
        place.parent.mkdir(parents=True, exist_ok=True)
        os.symlink(source, place)


def tree_of(
    label: str, place: str, into: Path, links: Sequence[str] = (), pythonpath: Sequence[str] = ()
) -> Tree:
    """Read the side that `place`, a revision or a folder, names. Raises UsageError."""
    here = Path.cwd()
    top = git_top(here)
    into.mkdir()
    looks_like_a_folder = place.startswith((".", "/", "~")) or place.endswith("/")
    if top is not None and not looks_like_a_folder and _is_revision(here, place):
        within = os.path.relpath(here, top)
        _check_out(top, place, into)
        origin = str(top)
        if not (into / within).is_dir():
            raise UsageError(f"--{label} {place}: that revision has no folder {within}")
    else:
        folder = Path(place).expanduser()
        if folder.is_file():
            raise UsageError(
                f"--{label} {place} is a file: give its folder and the command after `--`, or a "
                "description by expressions, --probe (docs/foreign-scripts.md)"
            )
        if not folder.is_dir():
            what = (
                "no folder" if top is None else "neither a revision of this repository nor a folder"
            )
            raise UsageError(f"--{label} {place} is {what}")
        folder, within = folder.resolve(), "."
        if folder == here.resolve() and top is not None:
            folder, within = top, os.path.relpath(here.resolve(), top)
        _copy(folder, into, label, place)
        origin = str(folder)
    found = []
    for link in links:
        target = here / link
        if not target.exists():
            raise UsageError(f"[files] link: there is no {link} in {here}")
        found.append((os.path.normpath(link), str(target.resolve())))
    return Tree(
        str(into.resolve()), os.path.normpath(within), origin, tuple(found), tuple(pythonpath)
    )


def _git(folder: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[bytes]:
    environment = {**os.environ, **variables}
    return subprocess.run(
        ["git", "-C", str(folder), *words], capture_output=True, check=False, env=environment
    )


def git_top(folder: Path) -> Path | None:
    """The top of the repository that the folder lies in; None outside of any, or without git."""
    if shutil.which("git") is None:
        return None
    done = _git(folder, "rev-parse", "--show-toplevel")
    return Path(os.fsdecode(done.stdout.strip())).resolve() if done.returncode == 0 else None


def _is_revision(folder: Path, name: str) -> bool:
    done = _git(
        folder, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}"
    )
    return done.returncode == 0


def _check_out(top: Path, revision: str, into: Path) -> None:
    """The files of a revision, by an index of our own: the user's is not touched."""
    with tempfile.TemporaryDirectory() as folder:
        index = os.path.join(folder, "index")
        for words in (
            ("read-tree", f"{revision}^{{commit}}"),
            ("checkout-index", "--all", f"--prefix={into}/"),
        ):
            done = _git(top, *words, GIT_INDEX_FILE=index)
            if done.returncode:
                reason = done.stderr.decode(errors="replace").strip().splitlines()
                raise UsageError(f"{revision} cannot be checked out: {' '.join(reason[-1:])}")


def _copy(folder: Path, into: Path, label: str, place: str) -> None:
    total = 0
    for name in list(_files_of(folder)):  # all of them first: `into` may lie below
        source, target = folder / name, into / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_symlink():
            inside = source.resolve().is_relative_to(folder)
            text = os.readlink(source)
            os.symlink(text if inside and not os.path.isabs(text) else source.resolve(), target)
            continue
        total += source.stat().st_size
        if total > MOST:
            raise UsageError(
                f"--{label} {place} holds more than {MOST >> 30} GiB: let git ignore the data, and "
                "name what a run reads under [files] link"
            )
        shutil.copy(source, target)


def data_that_git_has_not(folder: Path) -> set[str]:
    """Files of its repository that are no part of any revision, by names relative to the folder.

    Ignored or not added yet; but a source that is not added is part of what is being written.
    """
    top = git_top(folder)
    if top is None:
        return set()
    others = "ls-files", "-z", "--others", "--exclude-standard"
    done = [_git(top, *others, *more).stdout.split(b"\0") for more in (("--ignored",), ())]
    ignored, new = ([os.fsdecode(name) for name in names if name] for names in done)
    ignored += [name for name in new if not any(map(partial(fnmatch, name), SOURCES))]
    return {os.path.relpath(top / name, folder.resolve()) for name in ignored}


def baseline_has(folder: Path) -> Callable[[str], bool] | None:
    """Whether HEAD has an option of that name, by its sources; None where there is no HEAD."""
    top = git_top(folder)
    if top is None or not _is_revision(folder, "HEAD"):
        return None

    def is_in(where: Path, words: Iterable[str], *revision: str) -> bool:
        patterns = [part for word in words for part in ("-e", word)]
        done = _git(where, "grep", "-qwF", *patterns, *revision, "--", *SOURCES)
        return done.returncode == 0

    def has(name: str) -> bool:
        bare = name.rpartition(".")[2].lstrip("-")
        field = [bare, bare.replace("-", "_")]
        # As it is typed, or else as a field of that name; here, before other scripts of the
        # repository, which may have the same option.
        typed = [[name]] if name.startswith("-") else []
        for words in (*typed, field):
            for where in (folder, top):
                if is_in(where, words):
                    return is_in(where, words, "HEAD")
        return is_in(top, field, "HEAD")

    return has


def _files_of(folder: Path) -> Iterator[str]:
    """Relative names: in a repository what git does not ignore, elsewhere everything."""
    done = None
    if shutil.which("git") is not None:
        done = _git(folder, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    if done is not None and done.returncode == 0 and done.stdout:
        for name in sorted({os.fsdecode(each) for each in done.stdout.split(b"\0") if each}):
            parts = set(Path(name).parts)
            if not parts & SKIPPED and (folder / name).is_file():
                yield name
        return
    for above, folders, files in os.walk(folder):
        folders[:] = sorted(
            each
            for each in folders
            if each not in SKIPPED and not os.path.exists(os.path.join(above, each, "pyvenv.cfg"))
        )
        for name in sorted(files):
            yield os.path.relpath(os.path.join(above, name), folder)

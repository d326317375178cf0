"""The digest of a source tree: which code did this, file by file."""

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from goldenseal.config import settings
from goldenseal.disk.files import hash_file
from goldenseal.errors import UsageError

CACHE = "__pycache__"
SKIPPED = {CACHE, "node_modules", "site-packages"}
RECORDS = "records"
PRODUCTS = {".pyc", ".vo", ".vok", ".vos", ".glob", ".aux", ".cache"}


@dataclass(frozen=True)
class SourceTree:
    """SHA-512 by relative path, and one digest over them all."""

    files: dict[str, str]

    @property
    def digest(self) -> str:
        """SHA-512 over the lines that `sha512sum` would print, sorted by path."""
        lines = "".join(f"{digest}  {name}\n" for name, digest in sorted(self.files.items()))
        return hashlib.sha512(lines.encode()).hexdigest()

    def differences(self, sealed: dict[str, str]) -> list[str]:
        """Paths at which this tree is not the sealed one, in words."""
        differences = []
        for name in sorted({*self.files, *sealed}):
            if name not in sealed:
                differences.append(f"{name} is new")
            elif name not in self.files:
                differences.append(f"{name} is gone")
            elif self.files[name] != sealed[name]:
                differences.append(f"{name} changed")
        return differences


def read_source(root: Path, also: tuple[str, ...] = ()) -> SourceTree:
    """Hash every file under `source` of [tool.goldenseal], and under `also` as far as it is there.

    Where the table has no `source`, it is pyproject.toml and every Python file but those of
    installed environments. Hidden files, caches and compiled files are not source. Raises
    UsageError when a path that is named leads nowhere.
    """
    named = settings(root).get("source")
    tops = python_files(root) if named is None else [root / top for top in _named(named)]
    files = {}
    for top in (*tops, *(root / name for name in also if (root / name).exists())):
        if not top.exists():
            where = top.relative_to(root)
            raise UsageError(f"pyproject.toml: [tool.goldenseal] names {where}, which is not there")
        for file in sorted(top.rglob("*")) if top.is_dir() else [top]:
            relative = file.relative_to(root)
            hidden = any(part.startswith(".") or part == CACHE for part in relative.parts)
            if file.is_file() and not hidden and file.suffix not in PRODUCTS:
                files[relative.as_posix()] = hash_file(file)
    return SourceTree(files)


def _named(value: Any) -> list[str]:
    below = isinstance(value, list) and all(
        isinstance(v, str) and "\0" not in v and not {"..", "/"} & set(Path(v).parts) for v in value
    )
    if not below or not value:
        raise UsageError(
            f"pyproject.toml: [tool.goldenseal] source = {value!r}: expected a list of paths below "
            'the file, such as ["src", "pyproject.toml"]'
        )
    return list(value)


def python_files(root: Path) -> Iterator[Path]:
    """pyproject.toml and the Python files of a tree, without records, hidden and installed ones."""
    if (root / "pyproject.toml").is_file():
        yield root / "pyproject.toml"
    for folder, folders, names in os.walk(root):
        here = Path(folder)
        folders[:] = sorted(f for f in folders if not left_out(here / f))
        if here == root and RECORDS in folders:
            folders.remove(RECORDS)
        for path in (here / name for name in sorted(names)):
            if path.suffix == ".py" and not path.name.startswith(".") and not path.is_symlink():
                yield path


def left_out(folder: Path) -> bool:
    """Whether a folder is hidden, a cache, or an environment into which packages were installed."""
    name = folder.name
    return (
        name.startswith(".")
        or name in SKIPPED
        or any((folder / mark).exists() for mark in ("pyvenv.cfg", "conda-meta"))
    )

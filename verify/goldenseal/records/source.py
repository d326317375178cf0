"""The digest of a source tree: which code did this, file by file."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from goldenseal.config import settings
from goldenseal.disk.files import hash_file
from goldenseal.errors import UsageError

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
    """Hash every file under `source` of [tool.goldenseal], and under `also`.

    Hidden files, caches and compiled files are not source. Raises UsageError when the table does
    not say what the source is, or a path in it leads nowhere.
    """
    named = settings(root).get("source", [])
    if not named:
        raise UsageError("pyproject.toml: [tool.goldenseal] lacks `source`, a list of paths")
    files = {}
    for top in (*named, *also):
        path = root / top
        if not path.exists():
            raise UsageError(f"pyproject.toml: [tool.goldenseal] names {top}, which is not there")
        files_below = sorted(path.rglob("*")) if path.is_dir() else [path]
        for file in files_below:
            relative = file.relative_to(root)
            hidden = any(part.startswith(".") or part == "__pycache__" for part in relative.parts)
            if file.is_file() and not hidden and file.suffix not in PRODUCTS:
                files[relative.as_posix()] = hash_file(file)
    return SourceTree(files)

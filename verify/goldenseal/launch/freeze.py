"""One snapshot of the source for a whole study, so that edits meanwhile do not matter."""

import os
import shutil
import tempfile
from pathlib import Path

from goldenseal.disk.files import hash_file
from goldenseal.errors import UsageError
from goldenseal.records.history import restore_source
from goldenseal.records.source import SourceTree, read_source
from goldenseal.records.verdict import keep_from_git

SNAPSHOTS = Path(".goldenseal") / "snapshots"


def freeze(root: Path) -> tuple[Path, SourceTree]:
    """(folder, source): a copy of the covered source as it is now, under its own digest.

    Raises UsageError when a file changes while it is copied.
    """
    source = read_source(root)
    return thaw(root, source.files, "it changed while it was copied: try again"), source


def thaw(root: Path, files: dict[str, str], otherwise: str) -> Path:
    """The folder that holds exactly this source (SHA-512 by path), made when it is not there.

    It comes from the working tree, else from the history. Raises UsageError, ending with
    `otherwise`, when a file cannot be had.
    """
    tree = SourceTree(files)
    folder = root / SNAPSHOTS / tree.digest[:32]
    if folder.is_dir():
        for name, digest in files.items():
            if not (folder / name).is_file() or hash_file(folder / name) != digest:
                raise UsageError(f"{folder}: {name} was edited: delete this folder")
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    keep_from_git(root / SNAPSHOTS.parts[0])
    copy = Path(tempfile.mkdtemp(dir=folder.parent))
    try:
        if missing := restore_source(root, files, copy):
            raise UsageError(f"{missing[0]}: {otherwise}")
        os.rename(copy, folder)
    finally:
        shutil.rmtree(copy, ignore_errors=True)
    return folder

"""Files of a folder that git leaves out of the repository: caches of linters, data, secrets.

Such a file, once sealed, is missing in every clone, and the record there is broken for ever.
"""

import os
from pathlib import Path

from goldenseal.errors import UsageError
from goldenseal.records.history import git

SHOWN = 5


def ignored_files(folder: Path) -> list[str]:
    """Relative names, sorted; none outside of a repository, or where git ignores the whole folder,
    since nobody then expects it in a clone.
    """
    if not folder.is_dir() or git(folder, "check-ignore", "--", "."):
        return []
    listed = git(folder, "ls-files", "-z", "--others", "--ignored", "--exclude-standard")
    return sorted(os.fsdecode(each) for each in listed.split(b"\0") if each)


def refuse_ignored(folder: Path) -> None:
    """Raise UsageError, which names them, when git ignores files of a folder."""
    if names := ignored_files(folder):
        more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
        raise UsageError(
            f"{folder}: git ignores {', '.join(map(ascii, names[:SHOWN]))}{more}, so a clone of "
            "the record would lack what is sealed: delete them, or keep them on purpose with "
            "--keep-ignored"
        )

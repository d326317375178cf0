"""The source of a run: every file of this project that a system may import, none by hand.

It is what a bundle of the system holds, found the same way: by reading
imports (verify/goldenseal/bundle/imports.py).
"""

import functools
from pathlib import Path

from goldenseal.bundle.imports import needs_of

ROOT = Path(__file__).parents[2]
OWN = ("train_gpt_style", "goldenseal")  # beside them may lie whatever is installed
FOLDERS = (".", "verify")  # where packages lie, as pyproject.toml has it


@functools.cache  # what a process imported is not read from the disk again either
def files_of(system):
    """The files, sorted by path, that `python -m SYSTEM`, a package, may load; or its bundle.

    Raises UsageError, with the chain of imports, for what no run may hold: see `needs_of`.
    """
    if hasattr(__spec__.loader, "bundle"):
        return [Path(__spec__.loader.bundle)]
    own = (system.partition(".")[0], *OWN)
    needs = needs_of(ROOT, f"{system}.__main__", own, FOLDERS)
    return [ROOT / path for path in sorted(needs.files)]

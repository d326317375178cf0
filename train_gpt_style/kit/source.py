"""The source of a run: every file of this project that a system may import, none by hand.

It is what a bundle of the system holds, found the same way: by reading
imports (verify/bundle/imports.py).
"""

import functools
from pathlib import Path

from verify.bundle.imports import needs_of

ROOT = Path(__file__).parents[2]
OWN = ("train_gpt_style", "verify")  # beside them may lie whatever is installed


@functools.cache  # what a process imported is not read from the disk again either
def files_of(system):
    """The files, sorted by path, that `python -m SYSTEM`, a package, may load; or its bundle.

    Raises UsageError, with the chain of imports, for what no run may hold: see `needs_of`.
    """
    if hasattr(__spec__.loader, "bundle"):
        return [Path(__spec__.loader.bundle)]
    own = (system.partition(".")[0], *OWN)
    needs = needs_of(ROOT, f"{system}.__main__", own)
    return [ROOT / path for path in sorted(needs.files)]

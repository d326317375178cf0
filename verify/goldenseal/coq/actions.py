"""What a person does on purpose: regenerate the constants, pin the statements, renew the index."""

from collections.abc import Callable
from pathlib import Path

from goldenseal.coq import bridges, build, generate, index, pins, project, settings, toolchain
from goldenseal.coq.rules import source_findings
from goldenseal.disk.files import atomic_write
from goldenseal.errors import ContradictedError

FOLDER = "theorems"


def regenerate_constants(root: Path) -> bool:
    """Write `theorems/Constants.v` from the running code; True when that changed it.

    Raises ContradictedError when a constant is not what it claims to be.
    """
    constants = settings.load_constants(root, settings.read(root).constants).constants
    faults = [fault for each in constants if (fault := each.fault)]
    if faults:
        raise ContradictedError("; ".join(faults))
    path = root / FOLDER / generate.FILE
    if not constants and not path.exists():
        return False  # theorems alone, about no number of the code
    prefix = project.load_prefix(root / FOLDER)
    return _write(path, generate.constants_file(constants, prefix))


def pin_statements(root: Path, progress: Callable[[str], None] = lambda text: None) -> bool:
    """Write `theorems/statements.json` from a sound build; True when that changed it.

    Look at the difference before committing it: a weaker statement is pinned as gladly as any.
    Raises ContradictedError when the sources hold something banned or do not compile,
    CannotCheckError without Coq.
    """
    loaded = project.load(root / FOLDER)
    if findings := source_findings(loaded):
        raise ContradictedError("; ".join(findings))
    result = build.build(loaded, toolchain.find(), build.store_of(root), progress)
    if result.findings:
        raise ContradictedError("; ".join(result.findings))
    return _write(root / FOLDER / pins.FILE, pins.pinned_text(result.statements))


def renew_index(root: Path) -> bool:
    """Write the index of theorems into `theorems/README.md`; True when that changed it.

    Raises ContradictedError when the README has no place for it.
    """
    path = root / FOLDER / index.FILE
    table = index.index(project.load(root / FOLDER).declarations())
    fresh = index.with_index(path.read_text("utf-8"), table)
    if fresh is None:
        raise ContradictedError(index.index_findings(path.parent, table)[0])
    return _write(path, fresh)


def renew_table(root: Path) -> bool:
    """Write the table of theorems, code and tests, where it is kept; True when that changed it.

    Raises ContradictedError for a theorem whose code or test is not there.
    """
    path = root / bridges.FILE
    if not path.is_file():
        return False
    found = bridges.bridges(project.load(root / FOLDER))
    if faults := bridges.faults(root, found):
        raise ContradictedError("; ".join(faults))
    return _write(path, bridges.table(found))


def _write(path: Path, text: str) -> bool:
    if path.is_file() and path.read_text("utf-8") == text:
        return False
    atomic_write(path, text.encode())
    return True

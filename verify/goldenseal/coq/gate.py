"""Every theorem is proved from allowed axioms, and every constant of the code has a theorem."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from goldenseal.coq import build, kernels, pins, project, reading, settings, toolchain
from goldenseal.coq.actions import FOLDER
from goldenseal.coq.constants import Constant
from goldenseal.coq.project import Project
from goldenseal.coq.reading import Reading, in_folder
from goldenseal.errors import CannotCheckError, UsageError
from goldenseal.result import GateResult, Verdict, conclude, not_run

NAME = "theorems"


def check_theorems(root: Path, *, progress: Callable[[str], None] | None = None) -> GateResult:
    """Check the repository's `theorems/` against its code, building from clean when needed.

    What can be read is judged first: nothing that is banned is ever given to Coq. Without a known
    Coq the gate fails on what it can read, and otherwise does not run.
    """
    root = root.resolve()
    if not (root / FOLDER / project.PROJECT_FILE).is_file():
        return not_run(NAME, f"{FOLDER}/{project.PROJECT_FILE} is not there: no theorems to check")
    try:
        loaded = project.load(root / FOLDER)
        known = settings.read(root)
        declared = settings.load_constants(root, known.constants)
        store = build.store_of(root)
        read = reading.read(root, loaded, known, declared, store)
    except UsageError as error:
        return conclude(NAME, "1 finding", [str(error)])
    evidence = _evidence(loaded, read, declared.constants)
    if read.findings:
        return _fail(list(read.findings), evidence)
    try:
        tools = toolchain.find()
        result = build.build(loaded, tools, store, progress or (lambda text: None))
    except CannotCheckError as error:
        return not_run(NAME, str(error))
    except UsageError as error:
        return _fail([str(error)], evidence)
    except OSError as error:
        return not_run(NAME, f"{FOLDER} cannot be built: {error}")
    evidence |= {
        "statements": result.statements,
        "trusted": kernels.trusted(tools.version, tools.flocq),
    }
    findings = in_folder(result.findings)
    if result.statements:  # else it did not compile, and the rest would only repeat that
        findings += build.stale(loaded, result, store)
        findings += in_folder(_pinned(loaded, result))
    if findings:
        return _fail(findings, evidence)
    return conclude(NAME, _summary(read, declared.constants), (), evidence)


def _pinned(loaded: Project, result: build.Build) -> list[str]:
    try:
        return pins.pin_findings(loaded.folder, result.statements)
    except UsageError as error:
        return [str(error)]


def _fail(findings: list[str], evidence: dict[str, Any]) -> GateResult:
    count = len(findings)
    summary = f"{count} finding{'s' if count > 1 else ''}"
    return GateResult(NAME, Verdict.FAIL, summary, tuple(findings), evidence)


def _summary(read: Reading, constants: list[Constant]) -> str:
    return (
        f"{read.theorems} theorems from allowed axioms, {read.facts} computed facts from "
        f"none, {len(constants)} constants of the code each proved nearest"
    )


def _evidence(loaded: Project, read: Reading, constants: list[Constant]) -> dict[str, Any]:
    return {
        "sources": {
            each.file: hashlib.sha512(each.text.encode()).hexdigest() for each in loaded.sources
        },
        "recursions": read.recursions,
        "constants": {
            each.name: each.value if isinstance(each.value, int) else each.value.hex()
            for each in constants
        },
    }

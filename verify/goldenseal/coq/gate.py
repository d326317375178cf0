"""Every theorem is proved from allowed axioms, and every constant of the code has a theorem."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from goldenseal.coq import (
    bridges,
    build,
    generate,
    index,
    kernels,
    pins,
    project,
    settings,
    toolchain,
)
from goldenseal.coq.actions import FOLDER
from goldenseal.coq.constants import Constant
from goldenseal.coq.literals import unproved_literals
from goldenseal.coq.project import FACT, Project
from goldenseal.coq.recursion import recursions
from goldenseal.coq.rules import source_findings
from goldenseal.coq.settings import Declared, Settings
from goldenseal.coq.usage import unused_constants
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
        constants = declared.constants
        findings = code_findings(root, known, declared)
        findings += _in_folder(readable_findings(loaded, constants))
        findings += bridges.bridge_findings(root, bridges.bridges(loaded))
    except UsageError as error:
        return conclude(NAME, "1 finding", [str(error)])
    evidence = _evidence(loaded, constants)
    if findings:
        return _fail(findings, evidence)
    try:
        tools = toolchain.find()
        store = build.store_of(root)
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
    findings = _in_folder(result.findings)
    if result.statements:  # else it did not compile, and the rest would only repeat that
        findings += build.stale(loaded, result, store)
        findings += _in_folder(_pinned(loaded, result))
    if findings:
        return _fail(findings, evidence)
    return conclude(NAME, _summary(loaded, constants), (), evidence)


def code_findings(root: Path, known: Settings, declared: Declared) -> list[str]:
    """Numbers of the training code that are inexact where they stand, and constants not in use."""
    return [
        *unproved_literals(root, known.scan, declared.homes),
        *unused_constants(root, known.scan, declared.homes),
    ]


def readable_findings(loaded: Project, constants: list[Constant]) -> list[str]:
    """What is wrong with the sources, before compiling."""
    findings = source_findings(loaded)
    findings += [fault for each in constants if (fault := each.fault)]
    findings += _constant_findings(loaded, constants)
    declarations = loaded.declarations()
    findings += index.missing_words(declarations)
    findings += index.index_findings(loaded.folder, index.index(declarations))
    return findings


def _constant_findings(loaded: Project, constants: list[Constant]) -> list[str]:
    """Constants without theorem, theorems without constant, and any other drift of the file."""
    source = next((each for each in loaded.sources if each.file == generate.FILE), None)
    if source is None:
        return [
            f"{generate.FILE}: is not listed, so {each.name} has no theorem" for each in constants
        ]
    fresh = generate.constants_file(constants, loaded.prefix)
    if source.text == fresh:
        return []
    ask = "run `goldenseal theorems refresh`"
    proved, used = generate.proved_names(source.sentences), {each.name for each in constants}
    findings = [f"{source.file}: {name} has no theorem; {ask}" for name in sorted(used - proved)]
    findings += [
        f"{source.file}: has a theorem for {name}, which the code has no more; {ask}"
        for name in sorted(proved - used)
    ]
    lines = zip(source.text.splitlines(), fresh.splitlines(), strict=False)
    line = next((n for n, (old, new) in enumerate(lines, 1) if old != new), None)
    place = f"{source.file}:{line}" if line else source.file
    return findings or [f"{place}: differs from what the code says; {ask}"]


def _pinned(loaded: Project, result: build.Build) -> list[str]:
    try:
        return pins.pin_findings(loaded.folder, result.statements)
    except UsageError as error:
        return [str(error)]


def _in_folder(findings: list[str] | tuple[str, ...]) -> list[str]:
    """Findings about files of the folder, named from the root; others as they are."""
    return [
        f"{FOLDER}/{each}" if each.split(":")[0].endswith((".v", ".md", ".json")) else each
        for each in findings
    ]


def _fail(findings: list[str], evidence: dict[str, Any]) -> GateResult:
    count = len(findings)
    summary = f"{count} finding{'s' if count > 1 else ''}"
    return GateResult(NAME, Verdict.FAIL, summary, tuple(findings), evidence)


def _summary(loaded: Project, constants: list[Constant]) -> str:
    declarations = loaded.declarations()
    facts = sum(each.kind == FACT for each in declarations)
    theorems = sum(each.is_theorem for each in declarations) - facts
    return (
        f"{theorems} theorems from allowed axioms, {facts} computed facts from none, "
        f"{len(constants)} constants of the code each proved nearest"
    )


def _evidence(loaded: Project, constants: list[Constant]) -> dict[str, Any]:
    return {
        "sources": {
            each.file: hashlib.sha512(each.text.encode()).hexdigest() for each in loaded.sources
        },
        "recursions": {
            f"{each.file}:{each.line} {each.name}": f"on {each.argument}"
            for each in recursions(loaded)[0]
        },
        "constants": {
            each.name: each.value if isinstance(each.value, int) else each.value.hex()
            for each in constants
        },
    }

"""The verdict: which source was verified, where, by which gates, with what result.

An in-toto Statement in the shape of a SLSA verification summary. Its subjects are the covered
files, so it is stale as soon as one of them changes.
"""

import datetime
import hashlib
import platform
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from goldenseal import __version__
from goldenseal.disk import canonical
from goldenseal.disk.files import atomic_write
from goldenseal.errors import CannotCheckError, UsageError
from goldenseal.records.source import SourceTree, read_source
from goldenseal.records.statement import (
    TEST_PREDICATE,
    VERDICT_PREDICATE,
    parse,
    read_statement,
    statement,
)
from goldenseal.result import GateResult, Verdict

ALSO_COVERED = ("CITATION.cff", "records", "theorems")  # besides what a run's source is, if there
PATH = Path(".goldenseal") / "verdict.json"
TEST_RESULT = Path(".goldenseal") / "test-result.json"  # the same, for those who ask for tests
LISTS = {"pass": "passedTests", "not run": "warnedTests", "fail": "failedTests"}


def verdict_document(
    root: Path,
    results: Sequence[GateResult],
    source: SourceTree | None = None,
    environment: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The Statement over everything that was covered.

    source: as it was when the gates began, so that the verdict is stale where a file has changed
    since. environment: the facts, where they are known.
    """
    source = source or read_source(root, ALSO_COVERED)
    passed = all(result.verdict is Verdict.PASS for result in results)
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    predicate = {
        "verifier": {"id": "urn:goldenseal", "version": {"goldenseal": __version__}},
        "timeVerified": now.replace("+00:00", "Z"),
        "resourceUri": f"urn:goldenseal:source:{source.digest}",
        "policy": {"uri": "urn:goldenseal:gates:1"},
        "verificationResult": "PASSED" if passed else "FAILED",
        "verifiedLevels": [],
        "gates": [gate_entry(result) for result in results],
        "environment": dict(environment or environment_facts()),
    }
    return statement(source.files, VERDICT_PREDICATE, predicate)


def gate_entry(result: GateResult) -> dict[str, Any]:
    """One gate in the predicate; its evidence by digest, what it trusted in full, and since when.

    `kept`: it was not run again, for all that it read stands; then it was run.
    """
    evidence = canonical.dumps(dict(result.evidence))
    return {
        "gate": result.gate,
        "verdict": result.verdict.value,
        "summary": result.summary,
        "findings": list(result.findings),
        "evidence": {"sha512": hashlib.sha512(evidence).hexdigest()},
        **{key: result.evidence[key] for key in ("trusted",) if key in result.evidence},
        **({"kept": result.kept} if result.kept else {}),
    }


def environment_facts() -> Mapping[str, Any]:
    """What of the machine may change a result; of torch nothing where it is not installed."""
    return {
        "python": platform.python_version(),
        "byteorder": sys.byteorder,
        "machine": platform.machine(),
        **_torch_facts(),
    }


def _torch_facts() -> Mapping[str, Any]:
    try:
        import torch  # the ladder has imported it already; checking a verdict does not need it
    except ModuleNotFoundError:
        return {}
    return {
        "torch": torch.__version__,
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
        "torch_build": hashlib.sha512(torch.__config__.show().encode()).hexdigest(),
    }


def as_test_result(document: Mapping[str, Any]) -> dict[str, Any]:
    """A verdict as in-toto's test result: https://in-toto.io/attestation/test-result/v0.1.

    A gate that could not run is a warning: no failure, and never a pass. Over the same subjects.
    """
    digests, predicate, _ = parse(document, VERDICT_PREDICATE, PATH.name)
    tests: dict[str, list[str]] = {name: [] for name in LISTS.values()}
    for gate in predicate["gates"]:
        tests[LISTS[gate["verdict"]]].append(gate["gate"])
    failed, warned = tests["failedTests"], tests["warnedTests"]
    configuration = [{"uri": predicate["policy"]["uri"]}] + [
        {"name": name, "digest": {"sha512": digests[name]}}
        for name in ("constraints.txt", "pyproject.toml")
        if name in digests
    ]
    result = "FAILED" if failed else "WARNED" if warned else "PASSED"
    return statement(
        digests, TEST_PREDICATE, {"result": result, "configuration": configuration, **tests}
    )


def write_verdict(root: Path, document: Mapping[str, Any]) -> None:
    """Write the verdict to .goldenseal/verdict.json, and as a test result beside it."""
    keep_from_git((root / PATH).parent)
    atomic_write(root / TEST_RESULT, canonical.dumps(as_test_result(document)))
    atomic_write(root / PATH, canonical.dumps(dict(document)))


def keep_from_git(folder: Path) -> None:
    """Let git ignore a folder of ours in somebody's repository, which is made if need be."""
    folder.mkdir(exist_ok=True)
    if not (ignore := folder / ".gitignore").exists():
        atomic_write(ignore, b"*\n")


class Judged(NamedTuple):
    """A gate in a verdict that was written: its verdict, and its first finding, if any."""

    gate: str
    verdict: str
    finding: str


@dataclass(frozen=True)
class Told:
    """What a verdict says: SHA-512 by covered file, its predicate, and each gate."""

    covered: dict[str, str]
    predicate: dict[str, Any]
    gates: list[Judged]

    @property
    def passed(self) -> bool:
        """Whether it says so."""
        return self.predicate.get("verificationResult") == "PASSED"

    def changed(self, root: Path) -> list[str]:
        """Covered paths that changed since: without one, the verdict is fresh."""
        return read_source(root, ALSO_COVERED).differences(self.covered)


def read_verdict(path: Path) -> Told:
    """The verdict in that file, for all that ask what it says.

    Raises CannotCheckError when there is none yet, UsageError for anything else.
    """
    if not path.is_file():
        raise CannotCheckError("there is no verdict yet: run `goldenseal verify`")
    covered, predicate = read_statement(path, VERDICT_PREDICATE)
    gates = predicate.get("gates")
    if not isinstance(gates, list):
        raise UsageError(f"{path.name}: `gates` must be a list")
    return Told(covered, predicate, [_judged(entry, path.name) for entry in gates])


def _judged(entry: Any, where: str) -> Judged:
    match entry:
        case {"gate": str(name), "verdict": str(verdict), "findings": [*findings]}:
            return Judged(name, verdict, str(findings[0]) if findings else "")
    raise UsageError(f"{where}: `gates` must name each gate, its verdict and its findings")

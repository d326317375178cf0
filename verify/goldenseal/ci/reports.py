"""A verdict for a forge: a table in Markdown for its summary page, and SARIF for its code view."""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from goldenseal import __version__
from goldenseal.disk.files import atomic_write
from goldenseal.errors import UsageError

SHOWN = 8  # findings of a gate in the table; SARIF has them all
PLACE = re.compile(r"([\w./-]+\.py):(\d+)")
MARKS = {"pass": "✅ pass", "fail": "❌ FAIL", "not run": "⚠️ not run"}
LEVELS = {"fail": "error", "not run": "warning"}
SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def write(
    outcome: Mapping[str, Any], summary: Path | None, findings: Path | None, candidate: str
) -> None:
    """Add the table to the file `summary`, write SARIF to the file `findings`, where one is named.

    Raises UsageError for a file that cannot be written.
    """
    try:
        if summary:
            with open(summary, "a", encoding="utf-8") as file:
                file.write(markdown(outcome))
        if findings:
            atomic_write(findings, json.dumps(sarif(outcome, candidate), indent=2).encode())
    except OSError as error:
        raise UsageError(f"{error.filename} cannot be written: {error.strerror}") from None


def shown_at(candidate: str, words: Sequence[str]) -> str:
    """The file at which a finding is shown that names no line: the candidate's, or its script."""
    if candidate.endswith(".py"):
        return candidate
    script = next((word for word in words if word.endswith(".py")), "")
    folder = candidate if candidate and Path(candidate).is_dir() else ""
    return Path(folder, script).as_posix() if script else "pyproject.toml"


def markdown(outcome: Mapping[str, Any]) -> str:
    """The table of the gates, with the reasons of each that did not pass; `outcome` as --json."""
    gates = outcome["gates"]
    passed = sum(gate["verdict"] == "pass" for gate in gates)
    lines = [f"### Goldenseal: {passed} of {len(gates)} gates pass", ""]
    lines += ["| verdict | gate | what was checked |", "|---|---|---|"]
    for gate in gates:
        findings = gate["findings"]
        told = [gate["summary"], *(f"· {each}" for each in findings[:SHOWN])]
        told += [f"… {len(findings) - SHOWN} more"] if len(findings) > SHOWN else []
        cells = (MARKS[gate["verdict"]], gate["gate"], "\n".join(told))
        lines.append(f"| {' | '.join(map(_cell, cells))} |")
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    """Text that a table of Markdown shows as it is, HTML and pipes included."""
    plain = text.replace("&", "&amp;").replace("<", "&lt;").replace("\\", "\\\\")
    return re.sub(r"([|`*_\[\]])", r"\\\1", plain).replace("\n", "<br>")


def sarif(outcome: Mapping[str, Any], file: str) -> dict[str, Any]:
    """SARIF 2.1.0: a rule for each gate, a result for each finding.

    file: where a finding is shown that names no line: the candidate, as the repository calls it.
    """
    gates: Sequence[Mapping[str, Any]] = outcome["gates"]
    results = [
        {
            "ruleId": gate["gate"],
            "level": LEVELS[gate["verdict"]],
            "message": {"text": f"{gate['gate']}: {finding}"},
            "locations": [{"physicalLocation": _location(finding, file)}],
        }
        for gate in gates
        if gate["verdict"] != "pass"
        for finding in gate["findings"] or [gate["summary"]]
    ]
    driver = {
        "name": "goldenseal",
        "version": __version__,
        "rules": [{"id": gate["gate"], "name": gate["gate"]} for gate in gates],
    }
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "results": results}],
    }


def _location(finding: str, file: str) -> dict[str, Any]:
    """The first line that a finding names, in the candidate's folder when it names no other."""
    place = PLACE.search(finding)
    if place is None:
        return {"artifactLocation": {"uri": quote(file)}, "region": {"startLine": 1}}
    folder = file.rpartition("/")[0]
    bare = "/" not in place[1] and folder
    uri = f"{folder}/{place[1]}" if bare else place[1]
    return {"artifactLocation": {"uri": quote(uri)}, "region": {"startLine": int(place[2])}}

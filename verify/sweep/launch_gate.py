"""The gate before a launch: a green verdict that covers what will run, or a recorded waiver.

Each thing that does not hold has a name: a gate's, or `verdict`, `source`, `theorems`, `records`,
`environment`, `plan`. A waiver names one of them and gives a reason; it is kept in sweep.json and
sealed with the sweep. A waiver of what holds anyway is refused: it would be a reason for nothing.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from verify.errors import ContradictedError, UsageError
from verify.source import read_source
from verify.statement import VERDICT_PREDICATE, read_statement
from verify.verdict import ALSO_COVERED, PATH, environment_facts

SHOWN = 3  # of the changed files; the rest is a number


@dataclass
class Gate:
    """What was found: why each named thing does not hold, and what the verdict covers."""

    open: dict[str, list[str]] = field(default_factory=dict)
    covered: dict[str, str] = field(default_factory=dict)
    digest: str | None = None

    def add(self, name: str, reason: str) -> None:
        """One more reason against `name`."""
        self.open.setdefault(name, []).append(reason)

    def facts(self, waived: Mapping[str, str]) -> dict[str, Any]:
        """For sweep.json: the verdict's digest, and what it covers unless that is waived."""
        loose = {"verdict", "source"} & set(waived)
        return {"covered": {} if loose else self.covered, "digest": self.digest}


def read_waivers(texts: Sequence[str]) -> dict[str, str]:
    """`GATE=REASON` by gate. Raises UsageError for one without a reason, or a gate given twice."""
    found: dict[str, str] = {}
    for text in texts:
        name, equals, reason = text.partition("=")
        if not equals or not name.strip() or not reason.strip():
            raise UsageError(f"--waive {text!r}: expected GATE=REASON")
        if name.strip() in found:
            raise UsageError(f"--waive names {name.strip()!r} twice")
        found[name.strip()] = reason.strip()
    return found


def look(root: Path, system: str, expected: Sequence[str]) -> Gate:
    """Hold the last verdict against this tree and machine; `expected` are the gates of a system.

    Raises UsageError when verdict.json is no verdict.
    """
    gate = Gate()
    path = root / PATH
    if not path.is_file():
        gate.add("verdict", "there is none: run `make verify`")
        return gate
    gate.covered, predicate = read_statement(path, VERDICT_PREDICATE)
    gate.digest = hashlib.sha512(path.read_bytes()).hexdigest()
    for change in read_source(root, ALSO_COVERED).differences(gate.covered):
        top = change.split("/")[0]
        gate.add(top if top in ("theorems", "records") else "source", change)
    _look_at_environment(gate, predicate)
    _look_at_gates(gate, predicate, system, expected)
    return gate


def _look_at_environment(gate: Gate, predicate: Mapping[str, Any]) -> None:
    sealed, now = predicate.get("environment"), environment_facts()
    sealed = sealed if isinstance(sealed, dict) else {}
    for name in sorted({*sealed, *now}):
        if sealed.get(name) != now.get(name):
            gate.add("environment", f"{name} was {sealed.get(name)}, is {now.get(name)}")


def _look_at_gates(
    gate: Gate, predicate: Mapping[str, Any], system: str, expected: Sequence[str]
) -> None:
    seen = set()
    for entry in predicate.get("gates", ()):
        name = str(entry["gate"])
        seen.add(name)
        if entry["verdict"] != "pass":
            gate.add(name, f"{entry['verdict']}: {'; '.join(entry['findings'][:1])}")
    if missing := [name for name in expected if name not in seen]:
        gate.add(
            "plan",
            f"its system {system} is not covered: {len(missing)} gates are not in the verdict, "
            f"such as {missing[0]!r}",
        )
    if predicate.get("verificationResult") != "PASSED" and not gate.open:
        gate.add("verdict", "it says FAILED, though each gate in it passed")


def gates_of(system: str) -> list[str]:
    """The names of the gates that a verdict on this system has."""
    from verify import suite

    return [*(f"{system}: {name}" for name in suite.LADDER), *suite.REPOSITORY]


def refuse_unverified(gate: Gate, waivers: Mapping[str, str]) -> None:
    """Raise ContradictedError, naming what does not hold, unless each of it is waived.

    Raises UsageError for a waiver of something that holds.
    """
    for name in sorted(set(waivers) - set(gate.open)):
        names = ", ".join(sorted(gate.open)) or "nothing"
        raise UsageError(f"--waive {name!r}: it holds, or is no gate; what does not hold: {names}")
    left = {name: why for name, why in gate.open.items() if name not in waivers}
    if left:
        parts = []
        for name, why in sorted(left.items()):
            more = f" and {len(why) - SHOWN} more" if len(why) > SHOWN else ""
            parts.append(f"{name} ({', '.join(why[:SHOWN])}{more})")
        raise ContradictedError(
            f"nothing was launched: no fresh green verdict covers {'; '.join(parts)}. Run `make "
            "verify`, or give --waive NAME=REASON, which is sealed with the sweep"
        )

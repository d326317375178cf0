"""The gate before a launch: a green verdict that covers what will run, or a recorded waiver.

Every launch comes through here: a sweep, a study, an energy study and its pilot, a single record.
Each thing that does not hold has a name: a gate's, or `verdict`, `source`, `theorems`, `records`,
`environment`, `plan`. A waiver names one of them and gives a reason; it is kept with the launch and
sealed with its record. A waiver of what holds anyway is refused: it would be a reason for nothing.

A grid that was begun goes on with the source, the verdict and the waivers that it was begun with,
in the environment that it was begun in.
"""

import datetime
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from goldenseal import __version__
from goldenseal.bundle.imports import entry_of, is_own, needs_of
from goldenseal.config import System, package_folders
from goldenseal.errors import CannotCheckError, ContradictedError, UsageError
from goldenseal.records.source import read_source
from goldenseal.records.verdict import (
    ALSO_COVERED,
    PATH,
    Judged,
    environment_facts,
    read_verdict,
)

SHOWN = 3  # of the changed files; the rest is a number
HOW = "Run `goldenseal verify`, or give --waive NAME=REASON, which is sealed with what is launched"
GO_ON = "Begin a new one, or give --waive environment=REASON, which is sealed with it"
FUTURE = datetime.timedelta(minutes=1)  # two clocks may differ by so much
LAUNCH_KEYS = {"environment", "verdict", "waivers"}  # of a grid's state


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
        """The verdict's digest, and what it covers unless that is waived."""
        loose = {"verdict", "source"} & set(waived)
        return {"covered": {} if loose else self.covered, "digest": self.digest}


@dataclass(frozen=True)
class Launch:
    """What lets runs start. Without `covered`, a waiver stands for the source."""

    covered: Mapping[str, str] = field(default_factory=dict)
    verdict: str | None = None
    waivers: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, Any] = field(default_factory=dict)

    def check(self, source: Mapping[str, str], what: str) -> None:
        """Raise CannotCheckError unless `source`, which will run, is still what was covered."""
        if stale := unlike(source, self.covered):
            raise CannotCheckError(f"{stale} changed while {what} was launched: try again")

    def state(self) -> dict[str, Any]:
        """LAUNCH_KEYS, for the state of a grid."""
        return {
            "environment": dict(self.environment),
            "verdict": self.verdict,
            "waivers": dict(self.waivers),
        }


UNCHECKED = Launch()  # of callers that have no verdict to show; the commands have


def provenance(state: Mapping[str, Any]) -> dict[str, Any]:
    """For record.json: the verdict and the waivers under which the runs were launched, if any."""
    return {key: state[key] for key in ("verdict", "waivers") if state.get(key)}


def clear(
    root: Path,
    entry: System,
    texts: Sequence[str],
    state: Mapping[str, Any] | None = None,
    where: Path | str = "",
) -> Launch:
    """Let runs of a system start under the waivers `texts`; `state` is that of a grid in `where`.

    Raises ContradictedError, naming what does not hold, UsageError for a waiver that makes no
    sense.
    """
    waivers = read_waivers(texts)
    if state is not None and was_cleared(state):
        return _go_on(state, waivers, where)
    gate = look(root, entry.name, gates_of(root, entry.name))
    _look_at_imports(gate, root, entry)
    refuse_unverified(gate, waivers)
    facts = gate.facts(waivers)
    return Launch(facts["covered"], facts["digest"], waivers, environment_facts())


def was_cleared(state: Mapping[str, Any]) -> bool:
    """Whether a grid was begun through this gate. Before there was one, studies were not."""
    return bool(state.get("verdict") or state.get("waivers"))


def launched(state: Mapping[str, Any], launch: Launch, what: str) -> dict[str, Any]:
    """The state of a grid that was begun, with what lets it go on.

    Raises CannotCheckError when it was not cleared before, and its source is not covered now.
    """
    if was_cleared(state):
        return {**state, **({"waivers": dict(launch.waivers)} if launch.waivers else {})}
    launch.check(state["source"], what)
    return {**state, **launch.state()}


def unlike(source: Mapping[str, str], covered: Mapping[str, str]) -> str:
    """The first file that is not as the verdict covers it; nothing where a waiver stands for it."""
    if not covered:
        return ""
    there = {name for name in covered if name.split("/")[0] not in ALSO_COVERED}
    return next((n for n in sorted(there | set(source)) if covered.get(n) != source.get(n)), "")


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
    """Hold the last verdict against this tree and machine; `expected` are the gates of a system."""
    gate = Gate()
    path = root / PATH
    try:
        told = read_verdict(path)
    except CannotCheckError:
        gate.add("verdict", "there is none: run `goldenseal verify`")
        return gate
    except UsageError as error:
        gate.add("verdict", f"it is none: {error}")
        return gate
    gate.covered, predicate = told.covered, told.predicate
    gate.digest = hashlib.sha512(path.read_bytes()).hexdigest()
    _look_at_time(gate, predicate.get("timeVerified"))
    for change in told.changed(root):
        top = change.split("/")[0]
        gate.add(top if top in ("theorems", "records") else "source", change)
    _look_at_environment(gate, predicate.get("environment"))
    _look_at_version(gate, predicate.get("verifier"))
    _look_at_gates(gate, told.gates, system, expected)
    if not told.passed and all(each.verdict == "pass" for each in told.gates):
        gate.add("verdict", "it says FAILED, though each gate in it passed")
    return gate


def _look_at_time(gate: Gate, text: Any) -> None:
    try:
        when = datetime.datetime.fromisoformat(text)
    except (TypeError, ValueError):
        when = None
    if when is None or when.tzinfo is None:
        gate.add("verdict", "it does not say when it was made")
    elif when > datetime.datetime.now(datetime.UTC) + FUTURE:
        gate.add("verdict", f"it was made in the future, {text}: one of the clocks was wrong")


def _look_at_environment(gate: Gate, sealed: Any) -> None:
    then, now = sealed if isinstance(sealed, dict) else {}, environment_facts()
    for name in sorted({*then, *now}):
        if then.get(name) != now.get(name):
            gate.add("environment", f"{name} was {then.get(name)}, is {now.get(name)}")


def _look_at_version(gate: Gate, verifier: Any) -> None:
    """Another project's source does not hold the gates, so their version has to be compared."""
    match verifier:
        case {"version": {"goldenseal": str(version)}} if version == __version__:
            return
        case {"version": {"goldenseal": str(version)}}:
            gate.add("environment", f"goldenseal was {version}, is {__version__}")
        case _:
            gate.add("verdict", "it does not say which goldenseal made it")


def _look_at_gates(
    gate: Gate, judged: Sequence[Judged], system: str, expected: Sequence[str]
) -> None:
    for each in judged:
        if each.verdict != "pass":
            gate.add(each.gate, f"{each.verdict}: {each.finding}")
    seen = {each.gate for each in judged}
    if missing := [name for name in expected if name not in seen]:
        gate.add(
            "plan",
            f"its system {system} is not covered: {len(missing)} gates are not in the verdict, "
            f"such as {missing[0]!r}",
        )


def _look_at_imports(gate: Gate, root: Path, entry: System) -> None:
    """What the system imports must be among the files that a record seals as its source."""
    folders = package_folders(root)
    if not is_own(root, entry.module, folders):
        return  # installed elsewhere
    try:
        needed = needs_of(root, entry_of(root, entry.module, folders), folders=folders).files
    except UsageError as error:
        gate.add("source", f"not known: {error}")
        return
    for name in sorted(set(needed) - set(read_source(root).files)):
        gate.add("source", f"{name} is imported, and no part of `source` in pyproject.toml")


def gates_of(root: Path, system: str) -> list[str]:
    """The names of the gates that a verdict on this system must have.

    Published figures are none of them: a verdict on a system that has some judges them, too.
    """
    from goldenseal.ladder import suite

    there, _ = suite.repository_gates(root)
    rungs = (name for name in suite.LADDER if name != suite.FIGURES)
    return [*(f"{system}: {name}" for name in rungs), *there]


def refuse_unverified(gate: Gate, waivers: Mapping[str, str], how: str = HOW) -> None:
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
            f"nothing was launched: no fresh green verdict covers {'; '.join(parts)}. {how}"
        )


def _go_on(state: Mapping[str, Any], waivers: Mapping[str, str], where: Path | str) -> Launch:
    gate = Gate()
    if state.get("environment") and "environment" not in state["waivers"]:
        _look_at_environment(gate, state["environment"])
    if set(waivers) - set(gate.open):
        raise UsageError(f"{where} was begun: its waivers are those that it was begun with")
    refuse_unverified(gate, waivers, GO_ON)
    kept = {**state["waivers"], **waivers}
    return Launch({}, state["verdict"], kept, state.get("environment", {}))

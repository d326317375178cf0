"""goldenseal.toml: how a pair of commands is run. What it may say: docs/foreign-scripts.md."""

import os
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from goldenseal.errors import UsageError
from goldenseal.knobs import Feature, Knob
from goldenseal.ladder.launch import Command, command_of
from goldenseal.ladder.probe import Probe, Resume, Scenario
from goldenseal.ladder.program import ADDED, Program, program_of, split
from goldenseal.ladder.sides import tree_of
from goldenseal.ladder.written import (
    read_as,
    refuse_patterns,
    refuse_twins,
    sub_knob,
    text_of,
    texts_of,
    values_of,
)
from goldenseal.schema import CLOSED

FILE = "goldenseal.toml"


@dataclass(frozen=True)
class _Side:
    """[baseline] or [candidate]."""

    __pydantic_config__ = CLOSED
    revision: str | None = None
    folder: str | None = None
    command: Any = None


@dataclass(frozen=True)
class _Files:
    """[files]: what a run sees besides the side's own files."""

    __pydantic_config__ = CLOSED
    link: tuple[str, ...] = ()
    pythonpath: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Scenario:
    """[[scenario]]."""

    __pydantic_config__ = CLOSED
    name: str | None = None
    args: tuple[Any, ...] = ()
    environment: dict[str, Any] = field(default_factory=dict)
    ranks: int = 1


@dataclass(frozen=True)
class _Feature:
    """[[feature]]; env, args and overrides are what turns it on, or a table of `off` and `on`."""

    __pydantic_config__ = CLOSED
    name: str
    env: Any = None
    args: Any = None
    overrides: Any = None
    knobs: dict[str, Any] = field(default_factory=dict)
    kind: Literal["acts", "observes"] = "acts"
    eval: Literal["", "unchanged"] = ""


@dataclass(frozen=True)
class _Resume:
    """[resume]: where the first run ends, and how the second goes on."""

    __pydantic_config__ = CLOSED
    args: tuple[Any, ...] = ()
    environment: dict[str, Any] = field(default_factory=dict)
    stop: tuple[Any, ...] = ()
    stop_after: int = 0


@dataclass(frozen=True)
class Description:
    """A goldenseal.toml as it is written."""

    __pydantic_config__ = CLOSED
    command: Any = None
    device: Literal["", "cpu"] = ""
    ignored_lines: tuple[str, ...] = ()
    ignored_files: tuple[str, ...] = ()
    averages: tuple[str, ...] = ()
    steps: int = 0
    batches: int = 0
    baseline: _Side = _Side()
    candidate: _Side = _Side()
    files: _Files = _Files()
    environment: dict[str, Any] = field(default_factory=dict)
    scenario: tuple[_Scenario, ...] = ()
    feature: tuple[_Feature, ...] = ()
    resume: _Resume | None = None
    unreached: dict[str, str] = field(default_factory=dict)


def read(path: Path | None) -> tuple[Description, str]:
    """The description, and what it is called in messages. Raises UsageError."""
    if path is None:
        path = Path(FILE)
        if not path.is_file():
            return Description(), FILE
    return read_as(Description, path), str(path)


def probe_of(
    written: Description,
    file: str,
    into: Path,
    baseline: str = "",
    candidate: str = "",
    words: Sequence[str] = (),
) -> Probe:
    """The probe of a description; what is given besides stands before it.

    into: an empty folder, where both sides are laid. Raises UsageError.
    """
    for key in ("steps", "batches"):
        if getattr(written, key) < 0:
            raise UsageError(f"{file}: {key} must be a whole number from 1")
    refuse_patterns(file, (*written.ignored_lines, *written.unreached))
    places = {
        "baseline": baseline or _place(written.baseline, "baseline", file),
        "candidate": candidate or _place(written.candidate, "candidate", file) or ".",
    }
    if not places["baseline"]:
        raise UsageError(
            f"there is no baseline: give --baseline REVISION or FOLDER, or [baseline] in {file}"
        )
    sides, ranks, variables = list[Command](), 0, dict[str, str]()
    for label in ("baseline", "candidate"):
        program = _program(written, label, file, words)
        tree = tree_of(
            label, places[label], into / label, written.files.link, written.files.pythonpath
        )
        sides.append(command_of(label, tree, program, written.device))
        ranks = max(ranks, program.ranks)
        variables |= dict(program.variables)
    common = {**variables, **texts_of(written.environment, f"{file}: [environment]")}
    if ranks:
        common = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "29500", **common}
    scenarios = _scenarios(file, written.scenario, common, max(ranks, 1), bool(ranks))
    features, off = list[Feature](), dict[str, dict[str, str]]()
    for entry in written.feature:
        feature, off[entry.name] = _feature(f"{file}: [[feature]] {entry.name}", entry)
        features.append(feature)
    refuse_twins(file, features)
    return Probe(
        name=Path(sides[0].program.name or sides[0].program.target).stem,
        baseline=replace(sides[0], beside=sides[1].tree.origin),
        candidate=replace(sides[1], beside=sides[0].tree.origin),
        scenarios=scenarios,
        features=tuple(features),
        off=off,
        averages=written.averages,
        unreached=written.unreached,
        volatile=written.ignored_lines,
        ignored_files=written.ignored_files,
        resume=_resume(written.resume, file),
        steps=written.steps,
        batches_each=written.batches,
    )


def _place(side: _Side, label: str, file: str) -> str:
    if side.revision is not None and side.folder is not None:
        raise UsageError(f"{file}: [{label}] has a revision and a folder: give one of them")
    if side.folder is not None:
        return os.path.join(".", side.folder) if not os.path.isabs(side.folder) else side.folder
    return side.revision or ""


def _program(written: Description, label: str, file: str, words: Sequence[str]) -> Program:
    own = getattr(written, label).command
    command = own if own is not None else (list(words) or written.command)
    if command is None:
        raise UsageError(
            f"there is no command: give it after `--`, or as `command` in {file}: "
            "goldenseal init -- python train.py"
        )
    if isinstance(command, str):
        command = split(command, file)
    if not isinstance(command, list) or not all(isinstance(each, str) for each in command):
        raise UsageError(f"{file}: command must be a text or a list of words")
    return program_of(command)


def _scenarios(
    file: str, entries: Sequence[_Scenario], common: Mapping[str, str], ranks: int, launched: bool
) -> tuple[Scenario, ...]:
    scenarios: dict[str, Scenario] = {}
    for number, entry in enumerate(entries or (_Scenario("as given"),), start=1):
        name = entry.name or f"scenario {number}"
        where = f"{file}: [[scenario]] {name}"
        if name in scenarios:
            raise UsageError(f"{file}: two [[scenario]] are called {name}")
        if entry.ranks < 1:
            raise UsageError(f"{where}: ranks must be a whole number from 1")
        settings = {**common, **texts_of(entry.environment, where)}
        if entry.args:
            settings[f"{ADDED}the scenario"] = shlex.join(_words(entry.args, where))
        count = entry.ranks if entry.ranks > 1 else ranks
        if launched and count == 1:
            settings |= {"RANK": "0", "LOCAL_RANK": "0", "WORLD_SIZE": "1"}
        scenarios[name] = Scenario(name, settings, count)
    return tuple(scenarios.values())


def _words(value: Any, where: str) -> list[str]:
    if not isinstance(value, list | tuple):
        raise UsageError(f'{where}: args must be a list of words, such as ["--steps", "5"]')
    return [text_of(each, where) for each in value]


def _switched(value: Any) -> tuple[Any, Any]:
    """(off, on) of what turns a feature on; off is None when only `on` is given."""
    if isinstance(value, Mapping) and value and set(value) <= {"off", "on"}:
        return value.get("off"), value.get("on")
    return None, value


def _feature(where: str, entry: _Feature) -> tuple[Feature, dict[str, str]]:
    on, off, known = dict[str, str](), dict[str, str](), False
    for key in ("env", "args", "overrides"):
        value = getattr(entry, key)
        if value is None:
            continue
        no, yes = _switched(value)
        for state, given in ((off, no), (on, yes)):
            if given is None:
                continue
            if key == "env":
                state |= texts_of(given, f"{where}: env")
            else:
                state[f"{ADDED}{entry.name}"] = shlex.join(
                    [*shlex.split(state.get(f"{ADDED}{entry.name}", "")), *_words(given, where)]
                )
        known = known or no is not None
    if not on:
        raise UsageError(f"{where} is turned on by nothing: give env, args or overrides")
    first = next(iter(on))
    if off.get(first) == on[first]:
        raise UsageError(f"{where}: off and on are the same")
    master = Knob(first, str, off.get(first, ""), "master", on=on[first])
    knobs = tuple(sub_knob(name, values_of(name, v, where)) for name, v in entry.knobs.items())
    feature = Feature(entry.name, entry.name, master, knobs, on, entry.kind, evaluation=entry.eval)
    return feature, {k: v for k, v in off.items() if v} if known else {}


def _resume(written: _Resume | None, file: str) -> Resume | None:
    if written is None:
        return None
    where = f"{file}: [resume]"
    if bool(written.stop) == bool(written.stop_after):
        raise UsageError(
            f"{where} needs `stop_after`, a number of steps, or `stop`, added arguments"
        )
    if written.stop_after < 0:
        raise UsageError(f"{where}: stop_after must be a whole number from 1")
    return Resume(
        tuple(_words(written.stop, where)),
        written.stop_after,
        tuple(_words(written.args, where)),
        texts_of(written.environment, where),
    )

"""The probe of a stranger's pair of scripts, from a TOML file: docs/foreign-scripts.md."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from goldenseal.disk.toml import read_toml
from goldenseal.errors import UsageError
from goldenseal.knobs import Feature, Knob
from goldenseal.ladder.probe import Probe, Scenario, load_object
from goldenseal.ladder.script import Script
from goldenseal.schema import CLOSED, parse


@dataclass(frozen=True)
class _Expressions:
    """[script], without what only the common table may say: see Script."""

    __pydantic_config__ = CLOSED
    build: str
    entry: str
    loss: str = "model(x, y)"
    model_class: str = "GPT"
    averages: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Override:
    """[baseline] or [candidate]: where this side differs from [script]."""

    __pydantic_config__ = CLOSED
    build: str | None = None
    entry: str | None = None
    loss: str | None = None
    model_class: str | None = None


@dataclass(frozen=True)
class _Data:
    """[data]: functions by `module:name`."""

    __pydantic_config__ = CLOSED
    prepare: str | None = None
    draw: str | None = None
    vocab_size: int = 64


@dataclass(frozen=True)
class _Output:
    """[output]: what is not compared."""

    __pydantic_config__ = CLOSED
    volatile: tuple[str, ...] = ()
    ignored_files: tuple[str, ...] = ()


@dataclass(frozen=True)
class _FeatureTable:
    """[[feature]]: name, master, off, example = {...}, knobs = {SUB_KNOB = "value"}."""

    __pydantic_config__ = CLOSED
    name: str
    master: str
    off: Any
    example: dict[str, Any]
    knobs: dict[str, Any] = field(default_factory=dict)
    kind: Literal["acts", "observes"] = "acts"


@dataclass(frozen=True)
class _Description:
    """A probe.toml as it is written."""

    __pydantic_config__ = CLOSED
    script: _Expressions
    baseline: _Override = _Override()
    candidate: _Override = _Override()
    unreached: dict[str, str] = field(default_factory=dict)
    data: _Data = _Data()
    output: _Output = _Output()
    environment: dict[str, Any] = field(default_factory=dict)
    scenario: tuple[dict[str, Any], ...] = ()
    feature: tuple[_FeatureTable, ...] = ()


def probe_from_toml(path: Path, baseline: str, candidate: str) -> Probe:
    """Read a probe description.

    Raises UsageError with the file and the key for a missing, unknown or ill-typed entry.
    """
    try:
        table = read_toml(path.read_bytes(), str(path))
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error
    written = parse(_Description, table, str(path))
    for pattern in (*written.output.volatile, *written.unreached):
        try:
            re.compile(pattern)
        except re.error as error:
            raise UsageError(f"{path}: {pattern!r} is no regular expression: {error}") from None
    common = _texts(written.environment)
    scenarios = _scenarios(path, written.scenario, common)
    features = tuple(_feature(path, entry) for entry in written.feature)
    here = {"baseline": str(Path(baseline).resolve()), "candidate": str(Path(candidate).resolve())}
    for side, location in here.items():
        if not location.endswith(".py") or not Path(location).is_file():
            raise UsageError(f"--{side}: {location} is no .py file that is there")
    data, common_script = written.data, vars(written.script).copy()
    averages = common_script.pop("averages")
    scripts = []
    for side, other in (("baseline", "candidate"), ("candidate", "baseline")):
        own = {k: v for k, v in vars(getattr(written, side)).items() if v is not None}
        scripts.append(Script(side, here[side], **common_script | own, other=here[other]))
    return Probe(
        name=path.stem,
        baseline=scripts[0],
        candidate=scripts[1],
        scenarios=scenarios or (Scenario("small", common),),
        vocab_size=data.vocab_size,
        features=features,
        prepare=load_object(data.prepare) if data.prepare is not None else None,
        draw=load_object(data.draw) if data.draw is not None else None,
        averages=averages,
        unreached=written.unreached,
        volatile=written.output.volatile,
        ignored_files=written.output.ignored_files,
    )


def _scenarios(
    path: Path, entries: Iterable[dict[str, Any]], common: Mapping[str, str]
) -> tuple[Scenario, ...]:
    """The [[scenario]] tables; what is run goes by its name, so each has one of its own."""
    scenarios: dict[str, Scenario] = {}
    for number, entry in enumerate(entries, start=1):
        name, ranks = str(entry.pop("name", f"scenario {number}")), entry.pop("ranks", 1)
        if name in scenarios:
            raise UsageError(f"{path}: two [[scenario]] are called {name}")
        if type(ranks) is not int or ranks < 1:
            raise UsageError(f"{path}: [[scenario]] {name}: ranks must be a whole number from 1")
        scenarios[name] = Scenario(name, {**common, **_texts(entry)}, ranks)
    return tuple(scenarios.values())


def _texts(table: Mapping[str, Any]) -> dict[str, str]:
    """Environment values as text; TOML users write numbers and booleans as such."""
    return {name: _text(value) for name, value in table.items()}


def _text(value: Any) -> str:
    return str(int(value)) if isinstance(value, bool) else str(value)


def _feature(path: Path, entry: _FeatureTable) -> Feature:
    example, off = _texts(entry.example), _text(entry.off)
    if entry.master not in example:
        raise UsageError(
            f"{path}: the example of [[feature]] {entry.name} does not set {entry.master}"
        )
    values = {
        knob: tuple(map(_text, each if isinstance(each, list) else [each]))
        for knob, each in sorted(entry.knobs.items())
    }
    others = values.pop(entry.master, ())
    choices = tuple(dict.fromkeys((off, example[entry.master], *others))) if others else ()
    master = Knob(entry.master, str, off, "master", on=example[entry.master], choices=choices)
    knobs = tuple(
        Knob(knob, str, "", "sub-knob", on=each[0], choices=each if len(each) > 1 else ())
        for knob, each in values.items()
        if each
    )
    return Feature(entry.name, entry.name, master, knobs, example, entry.kind)

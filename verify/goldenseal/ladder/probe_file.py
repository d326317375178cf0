"""The probe of a stranger's pair of scripts, from a TOML file: docs/foreign-scripts.md."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from goldenseal.errors import UsageError
from goldenseal.knobs import Feature, Knob
from goldenseal.ladder.probe import Probe, Scenario, load_object
from goldenseal.ladder.script import Script
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
    written = read_as(_Description, path)
    refuse_patterns(str(path), (*written.output.volatile, *written.unreached))
    common = texts_of(written.environment, f"{path}: [environment]")
    scenarios = _scenarios(path, written.scenario, common)
    features = tuple(_feature(path, entry) for entry in written.feature)
    refuse_twins(str(path), features)
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
        where = f"{path}: [[scenario]] {name}"
        if name in scenarios:
            raise UsageError(f"{path}: two [[scenario]] are called {name}")
        if type(ranks) is not int or ranks < 1:
            raise UsageError(f"{where}: ranks must be a whole number from 1")
        scenarios[name] = Scenario(name, {**common, **texts_of(entry, where)}, ranks)
    return tuple(scenarios.values())


def _feature(path: Path, entry: _FeatureTable) -> Feature:
    where = f"{path}: [[feature]] {entry.name}"
    example, off = texts_of(entry.example, f"{where}: example"), text_of(entry.off, where)
    if entry.master not in example:
        raise UsageError(f"{where}: its example does not set {entry.master}")
    values = {knob: values_of(knob, each, where) for knob, each in sorted(entry.knobs.items())}
    others = values.pop(entry.master, ())
    choices = tuple(dict.fromkeys((off, example[entry.master], *others))) if others else ()
    master = Knob(entry.master, str, off, "master", on=example[entry.master], choices=choices)
    knobs = tuple(sub_knob(knob, each) for knob, each in values.items())
    return Feature(entry.name, entry.name, master, knobs, example, entry.kind)

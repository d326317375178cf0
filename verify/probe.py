"""Probes: how the gates drive a training script on CPU, in seconds, through its own entry points.

A probe names two scripts (the frozen baseline and the candidate), the expressions that build a
model and start the real run, and the small environments to do it in. The systems of this
repository make their probe in Python; a stranger's pair of files is described by a TOML file,
see docs/foreign-scripts.md.
"""

import importlib
import os
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

from verify.errors import GoldensealError, UsageError
from verify.knobs import Feature, Knob
from verify.script import Script, in_words

__all__ = ["Probe", "Scenario", "Script", "environment", "load_object", "probe_from_toml"]

# What a script may see of the caller's environment; everything else is the probe's.
INHERITED = (
    *("PATH", "HOME", "TMPDIR", "LANG", "LD_LIBRARY_PATH"),
    *("CUDA_VISIBLE_DEVICES", "CUBLAS_WORKSPACE_CONFIG"),  # without it CUDA is not deterministic
)


@dataclass(frozen=True)
class Scenario:
    """A named small environment; several, so that each path of the script is taken once.

    ranks: how many processes train together; each is recorded.
    leftovers: text by path of files that an earlier run left in the folder.
    """

    name: str
    environment: Mapping[str, str]
    ranks: int = 1
    leftovers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Probe:
    """All that the gates know of a system.

    prepare: writes small real data into a folder and returns the environment that points to it.
    volatile: regular expressions; what they match in printed lines is not compared.
    ignored_files: glob patterns of output files that are not compared.
    logs: glob patterns of logs that begin with the source, each with the line that ends it; the
        source must be the script's, what follows is compared, sizes relative to the source's.
    refusals: kinds of bad input, each with words that the candidate's error must hold.
    spoil: makes one: given its name, an empty folder and the good data's variables, it returns the
        variables that lead to the bad.
    brief: variables that shorten a run of the first scenario, for the rung that needs many.
    batches: shapes of the batches that the gates draw.
    draw: makes a batch of such a shape from a generator, under a scenario's environment: tensors in
        any structure of lists, tuples and dicts; None: a pair of token ids (B, T).
    averages: glob patterns of parameters that no optimizer owns and that the script moves itself,
        such as an average of weights; any other frozen parameter must stay as it is.
    unreached: what of the candidate's changed code no run here can execute: a regular expression on
        the line's text, and the reason.
    vocab_size: exclusive upper bound of those token ids.
    kit_knobs: knobs that neither the baseline nor a feature has, such as the numeric lane.
    """

    name: str
    baseline: Script
    candidate: Script
    scenarios: tuple[Scenario, ...]
    vocab_size: int = 64
    features: tuple[Feature, ...] = ()
    baseline_knobs: tuple[Knob, ...] | None = None
    kit_knobs: tuple[Knob, ...] = ()
    prepare: Callable[[Path], Mapping[str, str]] | None = None
    smoke: Callable[[], list[tuple[str, str, str]]] | None = None
    refusals: Mapping[str, str] = field(default_factory=dict)
    spoil: Callable[[str, Path, Mapping[str, str]], Mapping[str, str]] | None = None
    volatile: tuple[str, ...] = ()
    ignored_files: tuple[str, ...] = ()
    logs: Mapping[str, str] = field(default_factory=dict)
    brief: Mapping[str, str] = field(default_factory=dict)
    batches: tuple[tuple[int, ...], ...] = ((2, 16), (1, 7), (3, 31))
    draw: Callable[[tuple[int, ...], Any], Any] | None = None
    averages: tuple[str, ...] = ()
    unreached: Mapping[str, str] = field(default_factory=dict)


@contextmanager
def environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Run under exactly these variables, besides the few harmless ones in INHERITED."""
    kept = {name: os.environ[name] for name in INHERITED if name in os.environ}
    with mock.patch.dict(os.environ, {**kept, **variables}, clear=True):
        yield


def load_object(reference: str) -> Any:
    """The object behind `package.module:name`. Raises UsageError when it cannot be found."""
    module_name, _, attribute = reference.partition(":")
    try:
        return getattr(importlib.import_module(module_name), attribute)
    except GoldensealError:
        raise
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != module_name.partition(".")[0]:
            raise  # a package that is not installed: who called knows which extra brings it
        raise UsageError(f"cannot load {reference!r} (expected module:object): {error}") from error
    except (Exception, SystemExit) as error:
        words = in_words(error)
        raise UsageError(f"cannot load {reference!r} (expected module:object): {words}") from error


# ----------------------------------------------------------------------------------------------
# A probe for a stranger's pair of scripts
# ----------------------------------------------------------------------------------------------


def probe_from_toml(path: Path, baseline: str, candidate: str) -> Probe:
    """Read a probe description.

    Raises UsageError with the file and the key for a missing, unknown or ill-typed entry.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"{path}: {error}") from error
    reader = _Reader(path, table)
    texts = {"build": str, "entry": str, "loss": str, "model_class": str}
    script = reader.table("script", {**texts, "averages": list})
    for key in ("build", "entry"):
        if key not in script:
            raise UsageError(f"{path}: [script] needs `{key}`, an expression in the script's names")
    overrides = {side: reader.table(side, texts) for side in ("baseline", "candidate")}
    unreached = reader.table("unreached", {}, any_key=str)
    averages = script.pop("averages", [])
    data = reader.table("data", {"prepare": str, "draw": str, "vocab_size": int})
    output = reader.table("output", {"volatile": list, "ignored_files": list})
    for pattern in (*output.get("volatile", ()), *unreached):
        try:
            re.compile(pattern)
        except (re.error, TypeError) as error:
            raise UsageError(f"{path}: {pattern!r} is no regular expression: {error}") from None
    common = reader.environment("environment")
    scenarios = _scenarios(path, reader.tables("scenario"), common)
    features = tuple(_feature(path, entry) for entry in reader.tables("feature"))
    reader.refuse_leftovers()
    here = {"baseline": str(Path(baseline).resolve()), "candidate": str(Path(candidate).resolve())}
    for side, location in here.items():
        if not location.endswith(".py") or not Path(location).is_file():
            raise UsageError(f"--{side}: {location} is no .py file that is there")
    scripts = {
        side: Script(side, location, **script | overrides[side], other=here[other])
        for (side, location), other in zip(here.items(), reversed(here), strict=True)
    }
    return Probe(
        name=path.stem,
        baseline=scripts["baseline"],
        candidate=scripts["candidate"],
        scenarios=scenarios or (Scenario("small", common),),
        vocab_size=int(data.get("vocab_size", 64)),
        features=features,
        prepare=load_object(data["prepare"]) if "prepare" in data else None,
        draw=load_object(data["draw"]) if "draw" in data else None,
        averages=tuple(averages),
        unreached=unreached,
        volatile=tuple(output.get("volatile", ())),
        ignored_files=tuple(output.get("ignored_files", ())),
    )


def _scenarios(
    path: Path, entries: list[dict[str, Any]], common: Mapping[str, str]
) -> tuple[Scenario, ...]:
    """The [[scenario]] tables; what is run goes by its name, so each has one of its own."""
    found: dict[str, Scenario] = {}
    for number, entry in enumerate(entries, start=1):
        name, ranks = str(entry.pop("name", f"scenario {number}")), entry.pop("ranks", 1)
        if name in found:
            raise UsageError(f"{path}: two [[scenario]] are called {name}")
        if type(ranks) is not int or ranks < 1:
            raise UsageError(f"{path}: [[scenario]] {name}: ranks must be a whole number from 1")
        found[name] = Scenario(name, {**common, **_texts(entry)}, ranks)
    return tuple(found.values())


def _texts(table: Mapping[str, Any]) -> dict[str, str]:
    """Environment values as text; TOML users write numbers and booleans as such."""
    return {name: _text(value) for name, value in table.items()}


def _text(value: Any) -> str:
    return str(int(value)) if isinstance(value, bool) else str(value)


def _feature(path: Path, entry: dict[str, Any]) -> Feature:
    """A [[feature]] table: name, master, off, example = {...}, knobs = {SUB_KNOB = "value"}."""
    missing = {"name", "master", "off", "example"} - set(entry)
    unknown = set(entry) - {"name", "master", "off", "example", "knobs", "kind"}
    if missing or unknown:
        what = f"lacks {sorted(missing)}" if missing else f"has unknown {sorted(unknown)}"
        raise UsageError(f"{path}: a [[feature]] {what}")
    for key in ("example", "knobs"):
        if not isinstance(entry.get(key, {}), dict):
            raise UsageError(f"{path}: [[feature]] {entry['name']}: {key} must be a table")
    if entry.get("kind", "acts") not in ("acts", "observes"):
        raise UsageError(f"{path}: [[feature]] {entry['name']}: kind must be acts or observes")
    example = _texts(entry["example"])
    name, off = str(entry["master"]), _text(entry["off"])
    if name not in example:
        raise UsageError(f"{path}: the example of [[feature]] {entry['name']} does not set {name}")
    values = {
        knob: tuple(map(_text, each if isinstance(each, list) else [each]))
        for knob, each in sorted(entry.get("knobs", {}).items())
    }
    others = values.pop(name, ())
    choices = tuple(dict.fromkeys((off, example[name], *others))) if others else ()
    master = Knob(name, str, off, "master", on=example[name], choices=choices)
    knobs = tuple(
        Knob(knob, str, "", "sub-knob", on=each[0], choices=each if len(each) > 1 else ())
        for knob, each in values.items()
        if each
    )
    return Feature(entry["name"], entry["name"], master, knobs, example, entry.get("kind", "acts"))


class _Reader:
    """Typed access to a TOML table that remembers what nobody asked for."""

    def __init__(self, path: Path, table: dict[str, Any]):
        self.path, self.left = path, dict(table)

    def table(
        self, name: str, types: Mapping[str, type], any_key: type | None = None
    ) -> dict[str, Any]:
        entries = self.left.pop(name, {})
        if not isinstance(entries, dict):
            raise UsageError(f"{self.path}: {name} must be a table, [{name}]")
        for key, value in entries.items():
            kind = types.get(key, any_key)
            if kind is None:
                legal = sorted(types)
                raise UsageError(f"{self.path}: [{name}] has no key `{key}`; it has {legal}")
            if not isinstance(value, kind):
                raise UsageError(f"{self.path}: [{name}] {key} must be a {kind.__name__}")
        return dict(entries)

    def tables(self, name: str) -> list[dict[str, Any]]:
        entries = self.left.pop(name, [])
        if not isinstance(entries, list) or not all(isinstance(each, dict) for each in entries):
            raise UsageError(f"{self.path}: {name} must be a list of tables, [[{name}]]")
        return [dict(entry) for entry in entries]

    def environment(self, name: str) -> dict[str, str]:
        return _texts(self.table(name, {}, any_key=object))

    def refuse_leftovers(self) -> None:
        if self.left:
            raise UsageError(f"{self.path}: unknown table [{sorted(self.left)[0]}]")

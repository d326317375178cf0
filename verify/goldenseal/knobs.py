"""Knobs: the environment variables of a system, declared once, read once, checked before anything.

A knob belongs to the baseline or to one feature. A feature has exactly one *master*, and the
master at its default means off. `on` values are the means by which a dead knob is found: each must
change the run.
"""

import difflib
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from goldenseal.errors import UsageError

KnobValue = bool | int | float | str


@dataclass(frozen=True)
class Knob:
    """One environment variable.

    `low` and `high` bound a number, both inclusive. `on`, for a knob of a feature, is a legal text
    that must change the run while the feature's `example` environment is set; `under`, where the
    feature's master has choices, is the one under which alone the knob acts.
    """

    name: str
    type: type[bool] | type[int] | type[float] | type[str]
    default: KnobValue
    effect: str
    low: float | None = None
    high: float | None = None
    unit: str = ""
    on: str | None = None
    choices: tuple[str, ...] = ()
    under: str = ""

    def parse(self, text: str) -> KnobValue:
        """The value that `text` stands for; an empty text is the default.

        Raises UsageError, one line, with what would be legal.
        """
        if text == "":
            return self.default
        value: KnobValue
        try:
            value = {"0": False, "1": True}[text] if self.type is bool else self.type(text)
        except (ValueError, KeyError):
            raise UsageError(f"{self.name}={text} is not {self.describe_range()}") from None
        if not self.allows(value):
            legal = self.describe_range()
            raise UsageError(f"{self.name}={text} is out of range: it must be {legal}")
        return value

    def allows(self, value: KnobValue) -> bool:
        """Whether a value of the right type is inside the range (NaN and infinities never are)."""
        if isinstance(value, str):
            return not self.choices or value in self.choices
        if isinstance(value, float) and not math.isfinite(value):
            return False
        above = self.low is None or value >= self.low
        return above and (self.high is None or value <= self.high)

    def describe_range(self) -> str:
        """The legal values in words, such as `an integer, at least 1`."""
        if self.choices:
            return "one of " + ", ".join(self.choices)
        nouns = {bool: "0 or 1", int: "an integer", float: "a finite number", str: "a text"}
        bounds = [] if self.low is None else [f"at least {self.low:g}"]
        bounds += [] if self.high is None else [f"at most {self.high:g}"]
        return ", ".join([nouns[self.type], *bounds])

    def text(self, value: KnobValue) -> str:
        """The environment text that parses back to `value`."""
        return str(int(value)) if self.type is bool else str(value)


@dataclass(frozen=True)
class Feature:
    """An optional behaviour behind one master knob.

    kind: `acts` changes training when on; `observes` must leave every byte of training alone
        also when on, and only adds output files; `guards` must leave all of it alone, and stops a
        run that goes wrong.
    example: the environment that turns the feature on at the probe's shapes.
    trips: of a guard, the environment of a run that goes wrong, and that it must stop.
    evaluation: "unchanged" when evaluation must be the baseline's also while the feature is on.
    """

    name: str
    summary: str
    master: Knob
    knobs: tuple[Knob, ...] = ()
    example: Mapping[str, str] = field(default_factory=dict)
    kind: Literal["acts", "observes", "guards"] = "acts"
    trips: Mapping[str, str] = field(default_factory=dict)
    evaluation: Literal["", "unchanged"] = ""

    @property
    def all_knobs(self) -> tuple[Knob, ...]:
        """The master, then the sub-knobs, which are dormant while the master is off."""
        return (self.master, *self.knobs)


class Settings(Mapping[str, KnobValue]):
    """Resolved knobs. `settings["MODEL_DIM"]` and `settings.model_dim` are the same value."""

    def __init__(self, values: Mapping[str, KnobValue], knobs: Iterable[Knob]):
        self._values = dict(values)
        self._knobs = {knob.name: knob for knob in knobs}

    def __getitem__(self, name: str) -> KnobValue:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__dict__["_values"][name.upper()]
        except KeyError:
            raise AttributeError(f"no knob is called {name.upper()}") from None

    def is_on(self, feature: Feature) -> bool:
        """Whether the feature's master differs from its default."""
        return self[feature.master.name] != feature.master.default

    def as_environment(self) -> dict[str, str]:
        """Every knob spelled out, so that a run can be repeated whatever the defaults become."""
        return {name: self._knobs[name].text(value) for name, value in self._values.items()}


def read_settings(environ: Mapping[str, str], knobs: Iterable[Knob]) -> Settings:
    """Read each knob once from `environ`.

    Raises UsageError for an illegal value, and for a set variable that is almost a knob's name:
    a misspelt `PHINTA_ENABEL` would otherwise silently leave the feature off.
    """
    declared = tuple(knobs)
    refuse_misspelt(environ, [knob.name for knob in declared])
    values = {knob.name: knob.parse(environ.get(knob.name, "")) for knob in declared}
    return Settings(values, declared)


def refuse_misspelt(environ: Mapping[str, str], names: list[str]) -> None:
    """Raise UsageError when a set variable is nearly, but not exactly, one of `names`."""
    for variable in sorted(set(environ) - set(names)):
        folded = variable.upper()
        # Short names have many innocent neighbours (SPEED is not SEED): ask more of them.
        cutoff = 0.85 if len(variable) >= 8 else 0.9
        close = difflib.get_close_matches(folded, names, n=1, cutoff=cutoff)
        if close:
            raise UsageError(f"{variable} is not a knob; did you mean {close[0]}?")


def check_declarations(knobs: Iterable[Knob], features: Iterable[Feature]) -> None:
    """Raise UsageError when the declarations contradict themselves (a duplicate name, a default
    out of its own range, a feature whose example leaves it off)."""
    seen: set[str] = set()
    features = tuple(features)
    for knob in (*knobs, *(k for f in features for k in f.all_knobs)):
        if knob.name in seen:
            raise UsageError(f"{knob.name} is declared twice")
        seen.add(knob.name)
        if not knob.allows(knob.default):
            raise UsageError(f"{knob.name}: its default {knob.default} is out of its own range")
    for feature in features:
        for knob in feature.all_knobs:
            if knob.on is None:
                raise UsageError(f"{knob.name} of feature {feature.name} has no `on` example")
            knob.parse(knob.on)
        master = feature.master
        for knob in feature.knobs:
            if knob.under and knob.under not in master.choices:
                raise UsageError(f"{knob.name}: {knob.under} is no choice of {master.name}")
        if master.parse(feature.example.get(master.name, "")) == master.default:
            raise UsageError(f"the example of feature {feature.name} does not set {master.name}")
        if (feature.kind == "guards") != bool(feature.trips):
            raise UsageError(f"feature {feature.name}: a guard, and nothing else, has `trips`")

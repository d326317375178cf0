"""The tables of a plan's file, as pydantic's models; what each key means is told in plan.py."""

import math
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from goldenseal.disk import canonical
from goldenseal.records.kinds.schema import (
    Digits,
    Knobs,
    Names,
    Schema,
    Seeds,
    Share,
    Table,
    Text,
    Word,
    must,
    refuse_odd_names,
)

SUCH = "expected such as -0.003"


def _configurations(value: dict[str, Any]) -> dict[str, Any]:
    refuse_odd_names(value, "a folder")
    if len(value) < 2:
        raise ValueError("nothing is held against the baseline: give a configuration")
    return value


def _is_range(value: Any) -> bool:
    shaped = isinstance(value, list) and [type(end) for end in value] == [float, float]
    return shaped and bool(value[0] < value[1])


def _count(least: int) -> BeforeValidator:
    words = f"expected an integer, at least {least}"
    return must(lambda v: type(v) is int and v >= least, words)


def _between(low: float, high: float, words: str) -> BeforeValidator:
    return must(lambda v: type(v) is float and low <= v < high, words)


Margin = Annotated[float, _between(0, math.inf, "expected a number such as 0.002")]
Range = Annotated[list[float] | None, must(_is_range, "expected such as [0.0, 8.0]")]
Effect = Annotated[float, must(lambda v: type(v) is float and 0 < abs(v) < math.inf, SUCH)]
Deviation = Annotated[float, _between(math.ulp(0), math.inf, "expected one above 0, such as 0.05")]


class Analysis(Table):
    """[analysis]."""

    primary: Text
    better: Literal["lower", "higher"]
    test: Literal["paired-t", "sign-flip"]
    correction: Literal["holm"]
    alpha: Share
    secondary: Names
    counts: Text
    margin: Margin = 0.0
    range: Range = None
    tested: Names = Field(default_factory=list)

    @model_validator(mode="after")
    def _agrees(self) -> "Analysis":
        if len({self.primary, *self.secondary}) != len(self.secondary) + 1:
            raise ValueError("a result is named twice")
        if stray := [name for name in self.tested if name not in self.secondary]:
            raise ValueError(f"`tested` names {stray[0]!r}, which is not in `secondary`")
        if len(set(self.tested)) != len(self.tested):
            raise ValueError("`tested` names a result twice")
        if self.range and self.margin >= self.range[1] - self.range[0]:
            raise ValueError(
                f"a `margin` of {self.margin} is as wide as the result's range {self.range}: no "
                "difference could ever count"
            )
        return self


class Stopping(Table):
    """[stopping]."""

    rule: Text


class Resources(Table):
    """[resources]."""

    gpus: Annotated[int, _count(0)]
    nodes: Annotated[int, _count(1)]
    cpus: Annotated[int, _count(1)]
    minutes: Annotated[int, _count(1)]
    memory_gb: Annotated[int | None, _count(1)] = None
    gpu_hour_cost: Digits | None = None
    currency: Word | None = None
    partition: Word | None = None
    account: Word | None = None
    constraint: Word | None = None


class Power(Table):
    """[power]."""

    effect: Effect
    deviation: Deviation


class OneGrid(Table):
    """A plan.toml, and a group of a sweep with what it has of the sweep."""

    schema_: Schema = Field(alias="schema")
    name: Text
    question: Text
    system: Text
    seeds: Seeds
    baseline: Text
    common: Knobs
    configurations: Annotated[dict[str, Knobs], AfterValidator(_configurations)]
    analysis: Analysis
    stopping: Stopping

    @model_validator(mode="after")
    def _agrees(self) -> "OneGrid":
        if self.baseline not in self.configurations:
            raise ValueError(f"the baseline {self.baseline!r} is no configuration")
        seen: dict[bytes, str] = {}
        for name, knobs in self.configurations.items():
            same = seen.setdefault(canonical.dumps({**self.common, **knobs}), name)
            if same != name:
                raise ValueError(f"{name} sets exactly what {same} sets: one run, two names")
        return self


class OneGroup(OneGrid):
    """A group of a sweep."""

    resources: Resources
    power: Power


class SweepFile(OneGroup):
    """A sweep.toml."""

    groups: dict[str, dict[str, Any]] = Field(default_factory=dict)
    cost: dict[str, Any] = Field(default_factory=dict)


class OwnPart(Table):
    """What a [groups.NAME] may have, and what it must."""

    seeds: Any
    baseline: Any
    configurations: Any
    question: Text = ""
    common: dict[str, Any] = Field(default_factory=dict)
    analysis: dict[str, Any] = Field(default_factory=dict)
    resources: dict[str, Any] = Field(default_factory=dict)
    power: dict[str, Any] = Field(default_factory=dict)

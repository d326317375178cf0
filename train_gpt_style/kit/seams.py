"""Where features attach in every system; a system adds seams of its own in its `seams.py`.

A feature is one file in `features/` with one object of a class derived from `GatedFeature`. Model,
optimizers and loop ask only the features that are switched on, so what is off costs nothing: no
parameter, no buffer, no operation, no random draw. Every seam is the identity until it is
overridden.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from goldenseal.knobs import Feature, Settings


class GatedFeature:
    """The base of every feature: declare it, then override only the seams that it needs."""

    declaration: Feature
    writes_joules = False  # whether it writes what ENERGY measures
    any_world = False  # whether a run may go on, with it, on another number of ranks

    def check(self, settings: Settings) -> None:
        """Raise UsageError when the feature's knobs do not fit the others. Asked when on."""

    def prepare(self, ctx, settings: Settings) -> None:
        """Set how this process computes (`context.Context`). Called first of all in a run."""

    def start(self, settings: Settings, ctx) -> Any | None:
        """Where the run goes on from: a `resuming.Resumed`; None: it begins. On every rank.

        Nothing is built or written yet.
        """

    def before_update(self, settings: Settings, model, ctx, step: int, train_loss) -> None:
        """The gradients of step number `step`, from 0, are complete, and no weight has moved.

        Raise to stop the run: on every rank, or on none.
        """

    def observer(self, run: "Run") -> "Observer | None":
        """Called after each event of the run. Each rank asks; who writes does so on rank 0."""


class Observer:
    """Called after each event of a run. Must leave the run alone."""

    def position(self) -> Any:
        """How far it has come, as JSON: kept in a checkpoint, found in `Run.start.observers`."""

    def after_step(self, step: "StepReport") -> None:
        """One optimizer step is done."""

    def after_validation(
        self, step: int, facts: Mapping[str, Any], train_ms: float | None = None
    ) -> None:
        """The model was validated after `step` steps; `facts` by the name that a log uses."""

    def after_training(self, steps: int) -> None:
        """The last step is done, and the model holds its weights."""

    def at_end(self, results: Mapping[str, float | int | str]) -> None:
        """The run is over."""


@dataclass(frozen=True)
class Run:
    """What an observer may look at, and must not change, but for `results`.

    results: numbers by name that observers add to the run's own, in the closing line of its log.
    header: what a log says of the run in its first line, besides system, knobs and numeric class.
    start: the checkpoint that the run goes on from. meter: measures energy; None: nothing does.
    """

    settings: Any  # a system.SystemSettings
    ctx: Any
    model: Any
    optimizers: Mapping[str, Any]  # by group name
    log: Any = None
    start: Any = None
    meter: Any = None
    header: Mapping[str, Any] = field(default_factory=dict)
    observers: dict[str, Observer] = field(default_factory=dict)  # by feature name
    results: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class StepReport:
    """One optimizer step. Tensors among its values may wait for the device when they are read.

    step: from 1. facts: what a log says of it besides the loss, such as learning rates; None is
    left out. train_ms: on the training clock. position: where the loader stands after it, as
    integers. capped: whether a wall-clock cap ends training here.
    """

    step: int
    loss: Any
    facts: Mapping[str, Any] = field(default_factory=dict)
    train_ms: float = 0.0
    position: tuple[int, ...] = ()
    capped: bool = False

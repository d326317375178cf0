"""Where features attach. Every seam is the identity until a feature overrides it."""

from dataclasses import dataclass
from typing import Any, Protocol

from verify.knobs import Feature, Settings


class GatedFeature:
    """The base of every feature: declare it, then override only the seams that it needs."""

    declaration: Feature

    def check(self, settings: Settings) -> None:
        """Raise UsageError when the feature's knobs do not fit the others. Asked when on."""

    def optimizer(self, settings: Settings, parameters, adam: dict[str, Any]) -> Any | None:
        """What takes the place of `torch.optim.Adam(parameters, **adam)`; None: nothing does."""

    def observer(self, run: "Run") -> "Observer | None":
        """Somebody who is told what happens."""


class Observer:
    """Told of each event of a run. Must leave the run alone."""

    def after_step(self, step: "StepReport") -> None:
        """One optimizer step is done."""

    def after_validation(self, step: int, loss: float, accuracy: float) -> None:
        """The model was validated after `step` steps: nats, a fraction."""

    def at_end(self, results: dict[str, float | int | str]) -> None:
        """The run is over."""


class Meter(Protocol):
    """Joules over a window. A run has one or none; unmeasured is null, never guessed.

    stop() returns at least `joules` (a number or None), `seconds` and `source`.
    temperature() is in degrees Celsius; None where nobody can tell.
    """

    def start(self) -> None:
        """A window begins: the device has just been waited for."""

    def stop(self) -> dict[str, Any]:
        """The window ends: the device has just been waited for."""

    def temperature(self) -> float | None:
        """Now."""


@dataclass(frozen=True)
class Run:
    """What an observer may look at, and must not change."""

    settings: Settings
    ctx: Any
    model: Any
    optimizer: Any
    loader: Any
    val_images: int
    classes: int
    meter: Meter | None = None


@dataclass(frozen=True)
class StepReport:
    """One optimizer step. loss and correct are tensors: reading them may wait for the device.

    step: from 1. indices: of the batch's images in the training split. seconds: since the start.
    """

    step: int
    loss: Any
    correct: Any
    indices: Any
    seconds: float

"""Where features attach in this system, besides the seams of every system (`kit/seams.py`)."""

from dataclasses import dataclass
from typing import Any, Protocol

from goldenseal.knobs import Settings
from train_gpt_style.kit import seams


class GatedFeature(seams.GatedFeature):
    """The base of every feature: declare it, then override only the seams that it needs."""

    def optimizer(self, settings: Settings, parameters, adam: dict[str, Any]) -> Any | None:
        """What takes the place of `torch.optim.Adam(parameters, **adam)`; None: nothing does."""


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


@dataclass(frozen=True, kw_only=True)
class Run(seams.Run):
    """What an observer may look at, and must not change. Its `meter` is a `Meter`."""

    loader: Any
    val_images: int
    classes: int

    @property
    def optimizer(self) -> Any:
        """The only one."""
        return self.optimizers["adam"]


@dataclass(frozen=True, kw_only=True)
class StepReport(seams.StepReport):
    """One optimizer step. indices: of the batch's images in the training split. seconds: since the
    start of training, validations included.
    """

    indices: Any
    seconds: float

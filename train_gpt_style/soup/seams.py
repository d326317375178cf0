"""Where features attach in this system, besides the seams of every system (`kit/seams.py`)."""

from dataclasses import dataclass
from typing import Any

from goldenseal.knobs import Settings
from train_gpt_style.kit import seams


class GatedFeature(seams.GatedFeature):
    """The base of every feature: declare it, then override only the seams that it needs."""

    def install(self, model, settings: Settings, data, log) -> None:
        """Once, on a fresh model: initial values, functions in its seams. `data`: `data.Data`."""

    def before_step(self, model, settings: Settings, step: int, epoch: int) -> None:
        """Step number `step`, from 1, of epoch `epoch`, from 1, begins."""


@dataclass(frozen=True, kw_only=True)
class Run(seams.Run):
    """What an observer may look at, and must not change."""

    data: Any  # `data.Data`
    per_epoch: int  # steps

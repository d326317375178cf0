"""Where features attach in this system, besides the seams of every system (`kit/seams.py`)."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from goldenseal.knobs import Settings
from train_gpt_style.kit import seams


class GatedFeature(seams.GatedFeature):
    """The base of every feature: declare it, then override only the seams that it needs."""

    def install(self, model: Any, settings: Settings) -> None:
        """Put modules into `model.extras`, or one in the place of a part: `model.built` makes them.

        Every baseline draw has been made, and none of torch's own generator may be.
        """

    def contrasted(self, model: Any, seen: Any, rows: Any) -> Any:
        """The rows (2 B, O) that InfoNCE compares, given those so far; None: it is not computed."""
        return rows

    def terms(self, model: Any, seen: Any) -> Iterable[tuple[str, float, Any]]:
        """(name, weight, value) of each term that it adds to the loss of `losses.Seen`."""
        return ()

    def after_update(self, model: Any, ctx: Any, seen: Any) -> None:
        """The weights have moved: update what the feature keeps, in buffers of its module."""

    def after_epoch(self, model: Any, ctx: Any, log: Any, epoch: int, val_accuracy: float) -> None:
        """An epoch, from 1, was validated: update what the feature keeps."""


@dataclass(frozen=True, kw_only=True)
class Run(seams.Run):
    """What an observer may look at, and must not change."""

    loader: Any
    val_split: Any
    steps: int


@dataclass(frozen=True, kw_only=True)
class StepReport(seams.StepReport):
    """One optimizer step. terms: each loss term's value by name, tensors of one number."""

    terms: Any

"""Where features attach in this system, besides the seams of every system (`kit/seams.py`)."""

from dataclasses import dataclass
from typing import Any

from goldenseal.knobs import Settings
from train_gpt_style.kit import seams


class GatedFeature(seams.GatedFeature):
    """The base of every feature: declare it, then override only the seams that it needs."""

    def install(self, model, settings: Settings, data, ctx) -> None:
        """Once, on a fresh model: functions in its seams. `data`: `data.Data`."""

    def header(self, data) -> dict[str, str]:
        """What a log says of the run in its first line: digests of what the feature reads."""
        return {}

    def judge(self, data, embedding) -> dict[str, float]:
        """More facts of a validation, from the embedding (M, O) of the validation images."""
        return {}


@dataclass(frozen=True, kw_only=True)
class Run(seams.Run):
    """What an observer may look at, and must not change."""

    data: Any  # `data.Data`
    per_epoch: int  # steps

"""Where features attach in this system, besides the seams of every system (`kit/seams.py`)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from goldenseal.knobs import Settings
from train_gpt_style.kit import seams


class GatedFeature(seams.GatedFeature):
    """The base of every feature: declare it, then override only the seams that it needs."""

    def network(self, settings: Settings, shape: tuple[int, ...], classes: int) -> Any | None:
        """A `model.Chain` for inputs of that shape in place of the baseline's; None: that one."""

    def data(self, settings: Settings, train, test) -> None:
        """Change the labels of the training split, or raise UsageError where a split is unfit."""

    def install(self, model, settings: Settings) -> None:
        """Add tensors to a fresh model, by name, and freeze parameters; they then move to its
        device. Draw no number from the global generators: runs with and without must stay
        seed-matched.
        """

    def optimizers(self, model, settings: Settings) -> dict[str, Any]:
        """Optimizers of parameters that this feature added, by name: the others are the model's."""
        return {}

    def gradients(self, settings: Settings) -> Callable[..., Any] | None:
        """What takes the place of `run.end_to_end`, with its arguments; None: nothing does.

        Of several features that are on, the last installed that has one. Where it has an attribute
        `facts`, a log is told of them.
        """

    def measure(self, settings: Settings, model, ctx, split, step: int) -> dict[str, float]:
        """Numbers by name that a test after `step` steps tells besides loss and accuracy.

        Leave model and generators as they are.
        """
        return {}


@dataclass(frozen=True, kw_only=True)
class Run(seams.Run):
    """What an observer may look at, and must not change, but for `results`."""

    per_epoch: int  # steps

"""Where features attach in this system, besides the seams of every system (`kit/seams.py`)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from goldenseal.knobs import Settings
from train_gpt_style.kit import seams


class GatedFeature(seams.GatedFeature):
    """The base of every feature: declare it, then override only the seams that it needs."""

    def install(self, model, settings: Settings) -> None:
        """Fill seams of a freshly built model. What is added then moves to the model's device.

        `model.around_block[name]`: module(apply, index, x_BTD) -> x_BTD, where apply(x) runs
        block `index` (or an earlier feature's wrapper around it).
        `model.before_head[name]`: module(x_BTD) -> x_BTD, between the final norm and the head.
        `model.auxiliary_losses[name]`: module(h_BTD) -> scalar, added to the training loss; h is
        the output of block number `module.layer`.
        Draw no number from the global generators: runs with and without must stay seed-matched.
        """

    def claim(self, parameter_name: str) -> str | None:
        """The optimizer group (see `optim.py`) of a parameter that this feature added."""

    def lr_factor(self, group: str, settings: Settings) -> float:
        """What multiplies the learning rate of an optimizer group."""
        return 1.0

    def tune_muon(self, muon) -> None:
        """Set how a freshly built `muon.Muon` computes; which parameters it moves stays."""

    def before_micro_batch(self, model, settings: Settings, moment: "Moment") -> None:
        """Set what the next forward pass depends on: a schedule, a draw of the feature's own."""

    def before_adapter_step(self, settings: Settings, optimizer, chunk_loss) -> bool:
        """At test time, after a chunk was scored and before the adapters' step on it.

        `chunk_loss()` computes that chunk's loss at the adapters as they are, ready for backward.
        Returns whether it moved them: that step is then taken from where they are.
        """
        return False

    def batch_scorer(self) -> Callable[..., Any] | None:
        """What takes the place of `ttt.score_batch`, with its arguments; None: nothing does.

        Of several features that are on, the first installed that has one.
        """

    def division(self) -> Any | None:
        """What takes the place of `division.Division`, with its functions; None: nothing does.

        Of several features that are on, the first installed that has one.
        """


@dataclass(frozen=True)
class Moment:
    """A micro-batch of the run: its step, from 0; its number among the step's, over all ranks; and
    the part of training that lies behind, from 0 to 1.
    """

    step: int
    shard: int
    progress: float

"""Where features attach. Every seam is the identity until a feature overrides it.

A feature is one file in `features/` with one object of a class derived from `GatedFeature`. The
model, the optimizers and the loop ask only the features that are switched on, so what is off costs
nothing: no parameter, no buffer, no operation, no random draw.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from verify.knobs import Feature, Settings


class GatedFeature:
    """The base of every feature: declare it, then override only the seams that it needs."""

    declaration: Feature

    def check(self, settings: Settings) -> None:
        """Raise UsageError when the feature's knobs do not fit the others. Asked when on."""

    def prepare(self, ctx, settings: Settings) -> None:
        """Set how this process computes (`context.Context`). Called first of all in a run."""

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
        """The optimizer group (`optim.GROUPS`) of a parameter that this feature added."""

    def lr_factor(self, group: str, settings: Settings) -> float:
        """What multiplies the learning rate of an optimizer group."""
        return 1.0

    def before_micro_batch(self, model, settings: Settings, moment: "Moment") -> None:
        """Set what the next forward pass depends on: a schedule, a draw of the feature's own."""

    def before_update(self, settings: Settings, model, ctx, step: int, train_loss) -> None:
        """The gradients of step number `step`, from 0, are complete, and no weight has moved.

        Raise to stop the run: on every rank, or on none.
        """

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

    def start(self, settings: Settings, ctx, source: str) -> Any | None:
        """Where the run goes on from: a `resuming.Resumed`; None: it begins. On every rank.

        `source` is the text of the program. Nothing is built or written yet.
        """

    def observer(self, run: "Run") -> "Observer | None":
        """Somebody who is told what happens. Each rank asks; who writes does so on rank 0."""


class Observer:
    """Told of each event of a run, after it happened. Must leave the run alone."""

    def position(self) -> Any:
        """How far it has come, as JSON: kept in a checkpoint, found in `Run.start.observers`."""

    def after_step(self, step: "StepReport") -> None:
        """One optimizer step is done."""

    def after_validation(self, step: int, loss: float, bpb: float, train_ms: float) -> None:
        """The model was validated after `step` steps: nats a token, bits a byte."""

    def after_training(self, steps: int) -> None:
        """The last step is done; the weights are not yet replaced by those of the artifact."""

    def at_end(self, results: Mapping[str, float | int]) -> None:
        """The run is over: steps taken, sizes in bytes, losses of the shipped artifact."""


@dataclass(frozen=True)
class Moment:
    """A micro-batch of the run: its step, from 0; its number among the step's, over all ranks; and
    the part of training that lies behind, from 0 to 1.
    """

    step: int
    shard: int
    progress: float


@dataclass(frozen=True)
class Run:
    """What an observer may look at, and must not change."""

    settings: Settings
    ctx: Any
    model: Any
    optimizers: Mapping[str, Any]  # by group name
    log: Any = None
    source: str = ""
    start: Any = None  # the checkpoint that the run goes on from
    observers: Mapping[str, Observer] = field(default_factory=dict)  # by feature name


@dataclass(frozen=True)
class StepReport:
    """One optimizer step. `train_loss` is a tensor: reading it may wait for the device.

    lrs: learning rate of each optimizer group by name. grad_norm: before clipping; None when
    clipping is off, since nobody computes it then. tokens: seen so far, over all ranks. train_ms:
    time on the training clock. position: of the next token in the stream. capped: whether the
    wall-clock cap ends training here.
    """

    step: int
    train_loss: Any
    lrs: Mapping[str, float]
    grad_norm: Any
    tokens: int
    train_ms: float
    position: tuple[int, int] = (0, 0)
    capped: bool = False

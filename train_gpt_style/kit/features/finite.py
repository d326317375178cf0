"""STOP_NONFINITE: stop before the first update that would carry a NaN or an infinity.

Idea: once the loss or a gradient is not finite, the update makes weights so, and each later step is
lost. The loss and every gradient are looked at when all ranks have them, before any weight moves;
the ranks agree on the first bad one, and all stop with one line: the step, the tensor, and the last
good checkpoint. On a run that stays finite it changes nothing. It waits for the device once a step.
Off (0): nothing is looked at.
"""

import math
from dataclasses import replace

import torch
import torch.distributed as dist

from goldenseal.errors import ContradictedError, UsageError
from goldenseal.knobs import Feature, Knob
from train_gpt_style.kit.checkpoints import folder_of, newest_good
from train_gpt_style.kit.seams import GatedFeature


def last_good(settings):
    """Words for the newest whole checkpoint of this run."""
    if settings.checkpoint_every == 0:
        return "none, CHECKPOINT_EVERY=0"
    try:
        found = newest_good(folder_of(settings), lambda problem: None)
    except UsageError:
        return "none that is whole"
    return str(found[0]) if found else "none yet"


class Finite(GatedFeature):
    """Fills one seam: before the update."""

    declaration = Feature(
        name="finite",
        summary="stop when the loss or a gradient is not finite",
        master=Knob("STOP_NONFINITE", bool, False, "look before each update", on="1"),
        example={"STOP_NONFINITE": "1"},
        kind="guards",
    )

    def __init__(self, trips):
        """`trips`: an environment whose run this must stop."""
        self.declaration = replace(self.declaration, trips=trips)

    def before_update(self, settings, model, ctx, step, train_loss):
        """Raise ContradictedError, on all ranks, when something is not finite."""
        named = [(name, p.grad) for name, p in model.named_parameters() if p.grad is not None]
        watched = [("train loss", train_loss), *((f"gradient of {n}", g) for n, g in named)]
        # Zero times a tensor sums to zero, or to NaN: one number each, and one wait for them all.
        sums = torch.stack([(t * 0).sum().float() for _, t in watched]).tolist()
        first = next((i for i, total in enumerate(sums) if math.isnan(total)), len(sums))
        if ctx.world_size > 1:
            agreed = torch.tensor(first, device=ctx.device)
            dist.all_reduce(agreed, op=dist.ReduceOp.MIN)
            first = int(agreed)
        if first < len(watched):
            raise ContradictedError(
                f"step {step + 1}: {watched[first][0]} is not finite; no weight was moved; "
                f"last good checkpoint: {last_good(settings)}"
            )

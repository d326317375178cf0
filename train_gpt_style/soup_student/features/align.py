"""ALIGN_WEIGHT: pull the embedding to its target up to a rotation that other rows decide.

Idea: ALIGN_WEIGHT * (1 - mean cos(e R, t)). identity: R = I. queue: R is fitted, without gradient,
by Procrustes of the last ALIGN_ROWS embeddings to their targets, every ALIGN_EVERY steps; the term
is left out until there are so many. R is fitted to rows as the term takes them, not centred. With
ALIGN_WHITEN it is the whole affine way instead, as the fit has it: centred, whitened, turned,
mapped back; a rotation between whitened clouds turns no others.
R must not come from its own batch: a fit of no more than D + 1 rows in D dimensions takes any cloud
to any other, and its loss says nothing. So fewer than 8 D rows are refused, and each validation
says the cosine on rows outside the fit, beside that on its own, that of a fit to permuted targets,
n and D.
The queue is part of the weights' file, so a checkpoint holds it.
Off (0): the term is not computed.
"""

import torch
from torch import nn

from goldenseal.errors import UsageError
from goldenseal.knobs import Feature, Knob
from train_gpt_style.geometry.anchors import unit
from train_gpt_style.geometry.procrustes import (
    HeldOut,
    mean_cosine,
    orthogonal_procrustes,
    whitened_procrustes,
)
from train_gpt_style.soup_student.seams import GatedFeature

ROWS_A_COLUMN = 8


class Queue(nn.Module):
    """The last embeddings and targets (ROWS, O), oldest first, and what was fitted to them.

    A row e of embeddings is turned to e @ turn + shift. steps: how many batches went in. filled:
    how many rows are real. fitted: whether turn and shift are.
    """

    def __init__(self, rows, sphere, every, whiten, seed=0):
        super().__init__()
        self.every, self.whiten, self.seed = every, whiten, seed
        for name in ("embeddings", "targets"):
            self.register_buffer(name, torch.zeros(rows, sphere))
        self.register_buffer("turn", torch.zeros(sphere, sphere))
        self.register_buffer("shift", torch.zeros(sphere))
        for name in ("steps", "filled", "fitted"):
            self.register_buffer(name, torch.zeros((), dtype=torch.int64))

    @torch.no_grad()
    def push(self, embedding, target):
        """Take a batch (B, O) in, let the oldest rows go, and fit when it is time."""
        count = min(len(embedding), len(self.targets))
        for kept, new in ((self.embeddings, embedding), (self.targets, target)):
            kept.copy_(torch.cat((kept[count:], new[-count:].to(kept.dtype))))
        self.filled.add_(count).clamp_(max=len(self.targets))
        self.steps.add_(1)
        if int(self.filled) == len(self.targets) and not int(self.steps) % self.every:
            turn, shift = self.fit(self.targets)
            self.turn.copy_(turn)
            self.shift.copy_(shift)
            self.fitted.fill_(1)

    def fit(self, targets):
        """(turn (O, O), shift (O,)) of the embeddings that are there to targets."""
        if not self.whiten:
            turn = orthogonal_procrustes(self.embeddings, targets)
            return turn, turn.new_zeros(len(turn))
        found = whitened_procrustes(self.embeddings, targets)
        shift = found.apply(torch.zeros_like(self.embeddings[:1]))[0]
        return found.source_root @ found.rotation @ torch.linalg.pinv(found.target_root), shift

    @torch.no_grad()
    def judged(self, embedding, targets):
        """Cosines (`HeldOut`) of rows (M, O) to their targets, none of which is in the queue.

        The fit is made anew, of the rows that are there now; the last may be of earlier ones.
        """
        order = torch.randperm(
            len(self.targets), generator=torch.Generator().manual_seed(self.seed)
        )
        shuffled = self.targets[order.to(self.targets.device)]
        (turn, shift), (other, moved) = self.fit(self.targets), self.fit(shuffled)
        rows = embedding.double()
        return HeldOut(
            mean_cosine(self.embeddings.double() @ turn + shift, self.targets),
            mean_cosine(rows @ turn + shift, targets),
            mean_cosine(rows @ other + moved, targets),
            *self.targets.shape,
        )


class Align(GatedFeature):
    """Fills two seams: a loss term, a validation's facts."""

    declaration = Feature(
        name="align",
        summary="cosine to the target, up to a rotation",
        master=Knob("ALIGN_WEIGHT", float, 0.0, "weight of the alignment", 0.0, on="0.5"),
        knobs=(
            Knob(
                *("ALIGN_MODE", str, "identity", "no rotation, or one fitted to a queue"),
                choices=("identity", "queue"),
                on="queue",
            ),
            Knob("ALIGN_ROWS", int, 1024, "rows of the queue, at least 8 OUTPUT_DIM", 1, on="40"),
            Knob("ALIGN_EVERY", int, 25, "fit at this cadence", 1, unit="steps", on="4"),
            Knob("ALIGN_WHITEN", bool, True, "whiten both clouds first", on="0"),
        ),
        example={
            "ALIGN_WEIGHT": "0.5",
            "ALIGN_MODE": "queue",
            "ALIGN_ROWS": "32",
            "ALIGN_EVERY": "1",
        },
    )

    def check(self, settings):
        """Enough rows for a fit that says something."""
        s = settings
        if s.align_mode == "identity":
            return
        least = ROWS_A_COLUMN * s.output_dim
        if s.align_rows < least:
            raise UsageError(
                f"ALIGN_ROWS={s.align_rows} must be at least {least}, 8 OUTPUT_DIM: fewer rows fit "
                "whatever they are"
            )
        if s.numerics == "portable":
            raise UsageError("ALIGN_MODE=queue needs NUMERICS=native: its fits are LAPACK's")

    def install(self, model, settings, data, ctx):
        """The term, and the queue."""
        s, queue = settings, None
        if s.align_mode == "queue":
            queue = Queue(s.align_rows, s.output_dim, s.align_every, s.align_whiten, s.seed)
            model.alignment = data.alignment = queue = queue.to(ctx.device)

        def term(embedding, targets, rows):
            turned = embedding
            if queue is not None:
                ready = bool(queue.fitted)
                if ready:
                    turned = unit(embedding @ queue.turn.clone() + queue.shift.clone())
                queue.push(embedding.detach(), targets)
                if not ready:
                    return torch.zeros((), device=embedding.device)
            return s.align_weight * (1 - (turned * targets).sum(dim=1).mean())

        model.auxiliary["align"] = term

    def judge(self, data, embedding):
        """The cosine after the rotation, on rows that no fit has seen."""
        queue = data.alignment
        if queue is None or not bool(queue.fitted):
            return {}
        told = queue.judged(embedding, data.val_targets.to(embedding.device))
        return {
            "val_cos_turned": told.held_out,
            "val_cos_turned_fit": told.fitted,
            "val_cos_turned_permuted": told.permuted,
            "val_cos_turned_n": told.rows,
            "val_cos_turned_D": told.columns,
        }


ALIGN = Align()

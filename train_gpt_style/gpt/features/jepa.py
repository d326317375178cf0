"""JEPA_LAMBDA: an auxiliary loss that wants the stream of a sequence to advance along one line.

    patch   = h[b] - h[a-1]                                   what the span [a, b] adds to the state
    context = (h[a-1] - h[0]) + (h[T-1] - h[b])               what the rest of the sequence adds
    loss   += JEPA_LAMBDA * mean over the batch of (1 - cos(context, patch))

Idea: the linear-representation form of a joint-embedding predictive loss, of the golden-sunflowers
proposal: context and patch add up to h[T-1] - h[0], and agree in direction when h is linear in
time. The loss lies in [0, 2], by Cauchy-Schwarz (a theorem), and is 1 where one of the two is zero.
JEPA_LAMBDA and JEPA_MAX_SPAN_FRAC are chosen by hand.

Span: one for a whole micro-batch. Its length s is uniform in 1..M with M = max(1, floor(T f)), then
its start a is uniform in 1..T-s-1, and b = a + s, so that neither end of the sequence is inside.
Drawn on the CPU from a generator seeded by SEED, the step and the micro-batch, and handed over as a
tensor: the draw leaves the global generators alone, is the same for any number of ranks, needs no
state in a checkpoint, and does not break compilation.

Tap: the output of block JEPA_LAYER, loops and adapters included; -1 is the last block, that is the
state before the final norm. From JEPA_START_FRAC of training on; before, the weight is zero.
The logged train loss includes the term; validation and test-time training never do.
Off (0): no module, no draw, no operation.
"""

import hashlib
import math

import torch
import torch.nn.functional as F
from torch import nn

from goldenseal.errors import UsageError
from goldenseal.knobs import Feature, Knob
from train_gpt_style.gpt.seams import GatedFeature


def longest_span(seq_len, frac):
    """M, the largest length of a span."""
    return max(1, math.floor(seq_len * frac))


def draw_span(seq_len, max_span, generator=None):
    """(a, b): s uniform in 1..max_span, a uniform in 1..T-s-1, b = a + s."""
    s = int(torch.randint(1, max_span + 1, (1,), generator=generator))
    a = int(torch.randint(1, seq_len - s, (1,), generator=generator))
    return a, a + s


def span_generator(seed, step, shard):
    """A CPU generator that depends on nothing but the run's seed and the micro-batch."""
    digest = hashlib.sha256(f"jepa {seed} {step} {shard}".encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "big") >> 1)


class SpanLoss(nn.Module):
    """weight * mean(1 - cos(context, patch)), in fp32. Span and weight are set from outside."""

    def __init__(self, layer):
        super().__init__()
        self.layer = layer
        # Tensors, not numbers: a compiled model then needs no new code for a new span.
        self.register_buffer("ends", torch.tensor((0, 1)), persistent=False)  # a - 1, b
        self.register_buffer("weight", torch.ones(()), persistent=False)

    def cosines(self, h_BTD):
        """cos(context, patch) of each sequence, (B,). T is at least 4."""
        first, last = h_BTD[:, 0].float(), h_BTD[:, -1].float()
        ends = h_BTD.index_select(1, self.ends).float()
        patch = ends[:, 1] - ends[:, 0]
        context = (ends[:, 0] - first) + (last - ends[:, 1])
        return F.cosine_similarity(context, patch)

    def forward(self, h_BTD):
        """The weighted loss, a scalar."""
        return self.weight * (1 - self.cosines(h_BTD)).mean()


class Jepa(GatedFeature):
    """Fills two seams: an auxiliary loss, and what is set before each micro-batch."""

    declaration = Feature(
        name="jepa",
        summary="add a loss on the direction in which the stream advances",
        master=Knob("JEPA_LAMBDA", float, 0.0, "weight of the auxiliary loss", 0.0, on="0.5"),
        knobs=(
            Knob("JEPA_MAX_SPAN_FRAC", float, 0.5, "longest span / T", 0.0, 1.0, on="0.25"),
            Knob("JEPA_START_FRAC", float, 0.0, "part of training without it", 0.0, 1.0, on="0.5"),
            Knob("JEPA_LAYER", int, -1, "block whose output is tapped; -1: the last", -1, on="1"),
        ),
        example={"JEPA_LAMBDA": "0.5"},
    )

    def check(self, settings):
        """The span must fit, the block exist, and the loss begin before training ends."""
        T, frac, layer = settings.train_seq_len, settings.jepa_max_span_frac, settings.jepa_layer
        if T < 4 or longest_span(T, frac) > T - 2:
            raise UsageError(
                f"JEPA_MAX_SPAN_FRAC={frac} allows spans of {longest_span(T, frac)} in a sequence "
                f"of TRAIN_SEQ_LEN={T}; they may have at most {T - 2}, and T must be at least 4"
            )
        if layer >= settings.num_layers:
            raise UsageError(
                f"JEPA_LAYER={layer} is no block: NUM_LAYERS={settings.num_layers}, "
                "counted from 0; -1 is the last"
            )
        if settings.jepa_start_frac == 1.0:
            raise UsageError("JEPA_START_FRAC=1.0 would never start the loss: use less than 1")

    def install(self, model, settings):
        """One auxiliary loss, at the output of a block."""
        layer = settings.jepa_layer if settings.jepa_layer >= 0 else settings.num_layers - 1
        model.auxiliary_losses["jepa"] = SpanLoss(layer)

    def before_micro_batch(self, model, settings, moment):
        """Draw this micro-batch's span, and weigh it."""
        loss = model.auxiliary_losses["jepa"]
        T = settings.train_seq_len
        generator = span_generator(settings.seed, moment.step, moment.shard)
        a, b = draw_span(T, longest_span(T, settings.jepa_max_span_frac), generator)
        active = moment.progress >= settings.jepa_start_frac
        loss.ends.copy_(torch.tensor((a - 1, b)))
        loss.weight.fill_(settings.jepa_lambda if active else 0.0)


JEPA = Jepa()

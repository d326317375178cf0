"""TTT_PACKED: test-time training whose batches hold no padding and no document that has ended.

Idea: documents of a batch are independent of each other, so what is computed together is free. The
baseline's batch keeps its shape to the end: a document without a chunk i is a row of padding; a
document's last window is padded to a full one and computed with gradients though it trains nothing;
and every position of a window passes through head, softcap and cross-entropy, though only those of
the chunk are asked for. Here, at chunk i of a batch,

- the documents that end with it are scored without gradients, those of about one width together,
  as wide as the widest of them;
- the documents that go on have full chunks, hence windows of one width: not one token of padding.
  They are scored, and then their adapters take the baseline's step;
- between the final norm and the head only the positions from the first scored one on are kept.

Every window, every scored token and every adapter step of the baseline is there, and the adapters
are drawn from the same generator in the same order. Matrix products over another number of rows may
round otherwise, so results agree to rounding, within 1e-6 bits a byte, and not to the last bit.
It pays where a batch mixes documents of different lengths. No theorem.
Off (0): nothing is installed, and the baseline's loop runs.
"""

import math
from functools import partial
from itertools import groupby

import torch
from torch import nn

from goldenseal.knobs import Feature, Knob
from train_gpt_style.gpt.seams import GatedFeature
from train_gpt_style.gpt.windows import chunk_window


class Tail(nn.Module):
    """Lets the positions from `first` on pass. Holds no tensor; idle, it is the identity."""

    def __init__(self):
        super().__init__()
        self.first = 0

    def forward(self, x_BTD):
        """(B, T, D) to (B, T - first, D)."""
        return x_BTD[:, self.first :] if self.first else x_BTD


class SomeRows:
    """The adapters of some documents of a batch, in the place of a `ttt.DocumentLoRA`."""

    def __init__(self, lora, rows):
        if isinstance(rows, range):  # then no copy is needed
            rows = slice(rows.start, rows.stop)
        self.head = partial(adapt, lora.head, rows)
        self.q = [partial(adapt, q, rows) for q in lora.q]
        self.v = [partial(adapt, v, rows) for v in lora.v]


def adapt(lora, rows, x_BTi):
    """What a `ttt.BatchedLoRA` does, for the documents `rows` alone."""
    return (x_BTi @ lora.A[rows].transpose(1, 2)) @ lora.B[rows].transpose(1, 2)


def pack(i, documents, tokens, chunk_size, seq_len):
    """The windows of chunk i of `documents` (start, length), each of which has one.

    x (B, T), padded right to the widest; y and scored (B, S), from the first scored position on:
    the targets, and which of them are the chunks'.
    """
    windows = [chunk_window(i, length - 1, chunk_size, seq_len) for _, length in documents]
    width = max(size for _, size, _, _ in windows)
    first = min(offset for _, _, offset, _ in windows)
    x = torch.zeros(len(windows), width, dtype=torch.int64)
    y, scored = torch.zeros_like(x), torch.zeros_like(x, dtype=torch.bool)
    for b, (begin, size, offset, _) in enumerate(windows):
        start = documents[b][0] + begin
        window = tokens[start : start + size + 1].to(torch.int64)
        x[b, :size], y[b, :size] = window[:-1], window[1:]
        scored[b, offset:size] = True
    return x, y[:, first:], scored[:, first:]


def alike(batch, rows, chunk_size):
    """Split rows whose documents have equally many chunks: last chunks of about one length each."""
    grain = math.ceil(chunk_size / 4)  # four lengths: chosen by hand

    def length(row):
        return (batch[row][1] - 2) % chunk_size // grain

    return [list(group) for _, group in groupby(sorted(rows, key=length), key=length)]


def score_packed(settings, model, ctx, tokens, byte_counter, batch, lora, optimizer, features):
    """Sums of loss, tokens and bytes over the batch's documents, as `ttt.score_batch`."""
    tail = model.before_head["ttt_packed"]
    sums = torch.zeros(3, dtype=torch.float64, device=ctx.device)

    def forward(x, y, rows):
        """The losses (B, S) of the last S positions."""
        tail.first = x.size(1) - y.size(1)
        with ctx.autocast():
            losses = model(x, y, lora=SomeRows(lora, rows))
        tail.first = 0
        return losses

    def score(i, rows):
        """Add chunk i of the documents `rows` to the sums; the losses, and how to get them anew."""
        sizes = settings.ttt_chunk_size, settings.ttt_eval_seq_len
        packed = pack(i, [batch[row] for row in rows], tokens, *sizes)
        x, y, scored = (t.to(ctx.device) for t in packed)
        losses = forward(x, y, rows)
        with torch.no_grad():
            sums[0] += losses.double()[scored].sum()
            sums[1] += scored.sum()
            sums[2] += byte_counter(x[:, -y.size(1) :], y)[scored].sum()
        return losses, partial(forward, x, y, rows)

    chunks = [math.ceil((length - 1) / settings.ttt_chunk_size) for _, length in batch]  # rising
    for i in range(chunks[-1]):
        ended, going = sum(c <= i for c in chunks), sum(c <= i + 1 for c in chunks)
        for rows in alike(batch, range(ended, going), settings.ttt_chunk_size):
            with torch.no_grad():
                score(i, rows)
        rest = range(going, len(batch))
        if rest:
            losses, again = score(i, rest)
            adapt_to(settings, optimizer, losses, again, features)
    return sums


def adapt_to(settings, optimizer, losses, again, features):
    """One step on the sum of the documents' mean losses, all positions of which are scored."""

    def total(losses):
        return losses.mean(dim=1).sum()

    moved = [f.before_adapter_step(settings, optimizer, lambda: total(again())) for f in features]
    loss = total(again() if any(moved) else losses)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


class TttPacked(GatedFeature):
    """Fills two seams: before the head, and how a batch of documents is scored."""

    declaration = Feature(
        name="ttt_packed",
        summary="test-time training without padding: faster, equal to rounding",
        master=Knob("TTT_PACKED", bool, False, "pack the windows", on="1"),
        example={"TTT_PACKED": "1"},
    )

    def install(self, model, settings):
        """One module before the head, idle but while documents are scored."""
        model.before_head["ttt_packed"] = Tail()

    def batch_scorer(self):
        """The packed loop."""
        return score_packed


TTT_PACKED = TttPacked()

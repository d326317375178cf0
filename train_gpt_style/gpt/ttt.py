"""Test-time training: each document gets adapters, trained on what was already scored.

Shape letters: B documents in a batch, T time, R adapter rank.
"""

import math
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial

import torch
import torch.distributed as dist
from torch import nn

from train_gpt_style.gpt.constants import TTT_ADAM_EPS
from train_gpt_style.gpt.validate import bits_per_byte
from train_gpt_style.gpt.windows import chunk_window, find_documents


class BatchedLoRA(nn.Module):
    """A low-rank map for each batch element: (x A^T) B^T, zero at the start because B is zero."""

    def __init__(self, batch, in_features, out_features, rank):
        super().__init__()
        self.bound = 1.0 / math.sqrt(in_features)
        self.A = nn.Parameter(torch.empty(batch, rank, in_features))  # (B, R, in)
        self.B = nn.Parameter(torch.empty(batch, out_features, rank))  # (B, out, R)
        self.reset()

    def reset(self):
        """Forget everything: A is drawn again, B is zero."""
        with torch.no_grad():
            # Drawn on the CPU, so that the draw is the same on every device.
            self.A.copy_(torch.empty(self.A.shape).uniform_(-self.bound, self.bound))
            self.B.zero_()

    def forward(self, x_BTi):
        """(B, T, in) to (B, T, out)."""
        return (x_BTi @ self.A.transpose(1, 2)) @ self.B.transpose(1, 2)


class DocumentLoRA(nn.Module):
    """Adapters of one batch of documents: the head, then query and value of every block."""

    def __init__(self, batch, model, rank):
        super().__init__()
        vocab_size, dim = model.tok_emb.weight.shape
        self.head = BatchedLoRA(batch, dim, vocab_size, rank)
        self.q, self.v = nn.ModuleList(), nn.ModuleList()
        for block in model.blocks:
            self.q.append(BatchedLoRA(batch, dim, block.attn.c_q.out_features, rank))
            self.v.append(BatchedLoRA(batch, dim, block.attn.c_v.out_features, rank))

    def reset(self):
        """Forget the documents, in the order in which the adapters were made."""
        self.head.reset()
        for layer in zip(self.q, self.v):
            for adapter in layer:
                adapter.reset()


def evaluate_ttt(settings, model, ctx, tokens, byte_counter):
    """Score each chunk of each document, then adapt to it: never the other way round."""
    documents = find_documents(tokens)
    n = len(documents)
    mine = documents[n * ctx.rank // ctx.world_size : n * (ctx.rank + 1) // ctx.world_size]
    sums = torch.zeros(3, dtype=torch.float64, device=ctx.device)  # loss, tokens, bytes
    features = settings.features
    score = batch_scorer(features)
    with frozen(model):
        for adapted in adapted_batches(settings, model, ctx, mine):
            sums += score(settings, model, ctx, tokens, byte_counter, *adapted, features)
    if ctx.world_size > 1:
        dist.all_reduce(sums)  # a sum
    return bits_per_byte(*sums.tolist())


def batch_scorer(features):
    """What scores a batch of documents: the first feature's that has one, or the baseline's."""
    return next(filter(None, (f.batch_scorer() for f in features)), score_batch)


@contextmanager
def frozen(model):
    """Inside, the model is in eval mode and its parameters are not trained."""
    model.eval()
    for p in model.parameters():
        p.requires_grad_(False)
    yield
    for p in model.parameters():
        p.requires_grad_(True)
    model.train()


def adapted_batches(settings, model, ctx, documents):
    """(batch, adapters, their optimizer) for batches of `documents`, sorted by chunk count."""
    chunk_size = settings.ttt_chunk_size
    mine = sorted(documents, key=lambda document: (document[1] - 2) // chunk_size)  # stable
    adapters = None  # full batches share one object; a smaller last batch gets its own
    for first in range(0, len(mine), settings.ttt_batch_size):
        batch = mine[first : first + settings.ttt_batch_size]
        if adapters is None or len(batch) != settings.ttt_batch_size:
            lora, optimizer = new_adapters(settings, model, ctx, len(batch))
            if len(batch) == settings.ttt_batch_size:
                adapters = lora, optimizer
        else:
            lora, optimizer = adapters
            lora.reset()
            for state in optimizer.state.values():
                for value in state.values():
                    value.zero_()
        yield batch, lora, optimizer


def new_adapters(settings, model, ctx, batch):
    """Fresh adapters for `batch` documents, and their optimizer."""
    lora = DocumentLoRA(batch, model, settings.ttt_lora_rank).to(ctx.device)
    optimizer = torch.optim.Adam(
        lora.parameters(),
        lr=settings.ttt_lora_lr,
        betas=(settings.beta1, settings.beta2),
        eps=TTT_ADAM_EPS,
        fused=True,
    )
    return lora, optimizer


@dataclass(frozen=True)
class Chunk:
    """Chunk number i of each document of a batch, as tensors.

    x, y (B, T): the windows and their targets; scored (B, T): which targets are the chunk's;
    trains (B,): which documents go on after it; adapts: whether any does.
    """

    x: torch.Tensor
    y: torch.Tensor
    scored: torch.Tensor
    trains: torch.Tensor
    adapts: bool


def make_chunk(i, batch, tokens, chunk_size, seq_len, device):
    """Chunk i of the documents (start, length) in `batch`; those that have none score nothing."""
    width = min((i + 1) * chunk_size, seq_len)  # of a document that has a full chunk i
    x = torch.zeros(len(batch), width, dtype=torch.int64)  # shorter documents: padded right,
    y = torch.zeros(len(batch), width, dtype=torch.int64)  # where a causal model does not look
    scored = torch.zeros(len(batch), width, dtype=torch.bool)
    trains = []
    for b, (start, length) in enumerate(batch):
        chunks = math.ceil((length - 1) / chunk_size)
        trains.append(i + 1 < chunks)
        if i >= chunks:
            continue
        begin, size, offset, count = chunk_window(i, length - 1, chunk_size, seq_len)
        window = tokens[start + begin : start + begin + size + 1].to(torch.int64)
        x[b, :size], y[b, :size] = window[:-1], window[1:]
        scored[b, offset : offset + count] = True
    inputs = (t.to(device) for t in (x, y, scored, torch.tensor(trains)))
    return Chunk(*inputs, any(trains))


def chunk_means(losses, chunk):
    """Each document's mean loss on its chunk: (B, T) to (B,)."""
    return (losses * chunk.scored).sum(dim=1) / chunk.scored.sum(dim=1).clamp_min(1)


def adaptation_loss(means, chunk):
    """What the adapters learn from: the sum over the documents that go on."""
    return (means * chunk.trains).sum()


def score_batch(settings, model, ctx, tokens, byte_counter, batch, lora, optimizer, features):
    """Sums of loss, tokens and bytes over the batch's documents, chunk by chunk."""
    chunk_size, seq_len = settings.ttt_chunk_size, settings.ttt_eval_seq_len
    sums = torch.zeros(3, dtype=torch.float64, device=ctx.device)
    for i in range(max(math.ceil((length - 1) / chunk_size) for _, length in batch)):
        chunk = make_chunk(i, batch, tokens, chunk_size, seq_len, ctx.device)
        with nullcontext() if chunk.adapts else torch.no_grad():
            losses = forward(model, ctx, chunk, lora)
        with torch.no_grad():
            sums[0] += losses.double()[chunk.scored].sum()
            sums[1] += chunk.scored.sum()
            sums[2] += byte_counter(chunk.x, chunk.y)[chunk.scored].sum()
        if chunk.adapts:
            again = partial(chunk_loss, model, ctx, chunk, lora)
            moved = [f.before_adapter_step(settings, optimizer, again) for f in features]
            means = chunk_means(forward(model, ctx, chunk, lora) if any(moved) else losses, chunk)
            optimizer.zero_grad()
            adaptation_loss(means, chunk).backward()
            optimizer.step()
    return sums


def forward(model, ctx, chunk, lora):
    """The loss of each target of the windows, (B, T)."""
    with ctx.autocast():
        return model(chunk.x, chunk.y, lora=lora)


def chunk_loss(model, ctx, chunk, lora):
    """The adaptation loss at the adapters as they are now."""
    return adaptation_loss(chunk_means(forward(model, ctx, chunk, lora), chunk), chunk)

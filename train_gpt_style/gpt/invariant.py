"""A global batch summed in one fixed order: the same bytes from 1, 2, 4 or 8 ranks.

A global batch is eight shards, j = micro_step * world_size + rank; the loader deals shard j the
same tokens in any world. Their gradients, and their losses, are combined in one binary tree: j with
j + 4, then j with j + 2, then j with j + 1. So a rank combines its own shards first, and ranks then
exchange sums with the rank whose number differs in one bit. Each sum has two operands, and IEEE
addition does not care which comes first, so both partners hold the same bytes.

What is evaluated is cut into the same batches in any world, the batches are dealt out in turn, and
their sums are added in the order of the batches.
"""

import torch
import torch.distributed as dist

from goldenseal.errors import CannotCheckError
from train_gpt_style.gpt.knobs import MICRO_BATCHES
from train_gpt_style.gpt.schedule import progress
from train_gpt_style.gpt.seams import Moment
from train_gpt_style.gpt.ttt import adapted_batches, batch_scorer, frozen
from train_gpt_style.gpt.validate import add_sequences, bits_per_byte
from train_gpt_style.gpt.windows import find_documents


class InvariantDivision:
    """In place of `division.Division`."""

    @staticmethod
    def wrap(model, ctx):
        """Nothing: the gradients are exchanged here."""
        return model

    @staticmethod
    def accumulate_gradients(settings, base_model, model, ctx, loader, step, elapsed_ms):
        """Backward over one global batch. Returns its mean loss, the same on every rank."""
        features = settings.features
        named = [(name, p) for name, p in base_model.named_parameters() if p.requires_grad]
        held, owners = {}, None
        for micro_step in range(ctx.grad_accum_steps):
            x, y = loader.next_batch(
                settings.train_batch_tokens, settings.train_seq_len, ctx.grad_accum_steps
            )
            shard = micro_step * ctx.world_size + ctx.rank
            moment = Moment(step, shard, progress(settings, step, elapsed_ms))
            for feature in features:
                feature.before_micro_batch(base_model, settings, moment)
            with ctx.autocast():
                loss = model(x, y)
            # An eighth is a power of two: no rounding, here or before the sum.
            (loss / MICRO_BATCHES).backward()
            found = [(name, p) for name, p in named if p.grad is not None]
            refuse_other_parameters(owners, found)
            owners = found
            sums = [loss.detach() / MICRO_BATCHES, *(p.grad for _, p in owners)]
            for _, p in owners:
                p.grad = None
            climb(held, micro_step, sums, ctx.grad_accum_steps)
        total = held.pop(0)
        if ctx.world_size > 1:
            combine_ranks(total, ctx.rank, ctx.world_size)
        for (_, p), gradient in zip(owners, total[1:], strict=True):
            p.grad = gradient
        return total[0]

    @staticmethod
    def validate(settings, model, ctx, val_tokens, byte_counter):
        """Loss over whole sequences of the validation split."""
        seq_len = settings.train_seq_len
        batch_seqs = settings.val_batch_size // (MICRO_BATCHES * seq_len)
        num_seqs = (val_tokens.numel() - 1) // seq_len
        starts = range(0, num_seqs, batch_seqs)
        rows = torch.zeros(len(starts), 3, dtype=torch.float64, device=ctx.device)
        model.eval()
        with torch.no_grad():
            for k in range(ctx.rank, len(starts), ctx.world_size):
                span = starts[k], min(starts[k] + batch_seqs, num_seqs)
                add_sequences(rows[k], model, ctx, val_tokens, byte_counter, *span, seq_len)
        model.train()
        return bits_per_byte(*in_order(rows, ctx).tolist())

    @staticmethod
    def evaluate_ttt(settings, model, ctx, tokens, byte_counter):
        """Test-time training over all documents; every rank draws the adapters of every batch."""
        features = settings.features
        score = batch_scorer(features)
        rows = []
        with frozen(model):
            batches = adapted_batches(settings, model, ctx, find_documents(tokens))
            for k, (batch, lora, optimizer) in enumerate(batches):
                row = torch.zeros(3, dtype=torch.float64, device=ctx.device)
                if k % ctx.world_size == ctx.rank:
                    row = score(
                        settings, model, ctx, tokens, byte_counter, batch, lora, optimizer, features
                    )
                rows.append(row)
        return bits_per_byte(*in_order(torch.stack(rows), ctx).tolist())


def refuse_other_parameters(owners, found):
    """Raise CannotCheckError, with names, when two shards give gradients to other parameters."""
    before, now = ({name for name, _ in pairs} for pairs in (owners or found, found))
    if before != now:
        names = ", ".join(sorted(before ^ now))
        raise CannotCheckError(
            f"WORLD_INVARIANT: {names}: some shards of a batch give a gradient and others none, "
            "so there is no fixed order to add them in"
        )


def climb(held, index, tensors, count):
    """Add the `index`-th of `count` shards to the sums so far, as far up the tree as it goes.

    `held` maps a place in the tree to what waits there, and holds the whole sum at 0 after the
    last. At most half of the shards wait at a time.
    """
    while count > 1:
        count //= 2
        if index < count:
            break
        index -= count
        for mine, waiting in zip(tensors, held.pop(index), strict=True):
            mine += waiting
    held[index] = tensors


def combine_ranks(tensors, rank, world_size):
    """Add the ranks' sums, in place: with the rank half a world away first, the neighbour last."""
    flats = {}
    for dtype in sorted({t.dtype for t in tensors}, key=str):
        flats[dtype] = torch.cat([t.reshape(-1) for t in tensors if t.dtype == dtype])
    received = {dtype: torch.empty_like(flat) for dtype, flat in flats.items()}
    distance = world_size // 2
    while distance:
        partner, requests = rank ^ distance, []
        for dtype, flat in flats.items():
            requests.append(dist.P2POp(dist.isend, flat, partner))
            requests.append(dist.P2POp(dist.irecv, received[dtype], partner))
        for work in dist.batch_isend_irecv(requests):
            work.wait()
        for dtype, flat in flats.items():
            flat += received[dtype]
        distance //= 2
    for dtype, flat in flats.items():
        mine = [t for t in tensors if t.dtype == dtype]
        # Copied back: a view into the flat sum lies elsewhere in memory than in a world of one,
        # and libraries may choose their code by alignment.
        for t, part in zip(mine, flat.split([t.numel() for t in mine]), strict=True):
            t.copy_(part.view_as(t))


def in_order(rows, ctx):
    """The sum of all ranks' rows, each of which is zero on all ranks but one, first to last."""
    if ctx.world_size > 1:
        dist.all_reduce(rows, op=dist.ReduceOp.SUM)  # exact: all other operands are zero
    sums = rows.new_zeros(3)
    for row in rows:
        sums += row
    return sums

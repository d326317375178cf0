"""Validation: mean loss in nats a token, and bits a byte of the original text."""

import math

import torch
import torch.distributed as dist


def bits_per_byte(loss_sum, token_count, byte_count):
    """(mean loss in nats a token, bits a byte)."""
    return loss_sum / token_count, loss_sum / math.log(2.0) / byte_count


def validate(settings, model, ctx, val_tokens, byte_counter):
    """Loss over whole sequences of the validation split, each rank taking its share of them."""
    seq_len = settings.train_seq_len
    batch_seqs = settings.val_batch_size // (ctx.world_size * ctx.grad_accum_steps * seq_len)
    num_seqs = (val_tokens.numel() - 1) // seq_len
    first, last = (num_seqs * r // ctx.world_size for r in (ctx.rank, ctx.rank + 1))
    sums = torch.zeros(3, dtype=torch.float64, device=ctx.device)  # loss, tokens, bytes
    model.eval()
    with torch.no_grad():  # not inference_mode: training reuses the rotary tables made here
        for start in range(first, last, batch_seqs):
            stop = min(start + batch_seqs, last)
            add_sequences(sums, model, ctx, val_tokens, byte_counter, start, stop, seq_len)
    model.train()
    if ctx.world_size > 1:
        dist.all_reduce(sums)  # a sum
    return bits_per_byte(*sums.tolist())


def add_sequences(sums, model, ctx, val_tokens, byte_counter, start, stop, seq_len):
    """Add loss, tokens and bytes of the sequences from number `start` to `stop` to `sums`."""
    local = val_tokens[start * seq_len : stop * seq_len + 1].to(ctx.device, torch.int64)
    x, y = local[:-1].reshape(-1, seq_len), local[1:].reshape(-1, seq_len)
    with ctx.autocast():
        loss = model(x, y)
    sums[0] += loss.double() * y.numel()
    sums[1] += y.numel()
    sums[2] += byte_counter(x, y).sum()

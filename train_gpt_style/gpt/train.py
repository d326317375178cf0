"""The training loop, and the untimed warm-up before it."""

import time

import torch
import torch.distributed as dist
from torch import nn

from train_gpt_style.gpt.knobs import MICRO_BATCHES
from train_gpt_style.gpt.schedule import lr_scale, muon_momentum, progress
from train_gpt_style.gpt.seams import Moment
from train_gpt_style.kit.seams import StepReport


def accumulate_gradients(settings, base_model, model, ctx, loader, step, elapsed_ms):
    """Backward over one global batch. Returns the mean loss of this rank's micro-batches."""
    features = settings.features
    total = torch.zeros((), device=ctx.device)
    for micro_step in range(ctx.grad_accum_steps):
        if ctx.world_size > 1:  # ranks exchange gradients once, with the last micro-batch
            model.require_backward_grad_sync = micro_step == ctx.grad_accum_steps - 1
        x, y = loader.next_batch(
            settings.train_batch_tokens, settings.train_seq_len, ctx.grad_accum_steps
        )
        for feature in features:
            shard = micro_step * ctx.world_size + ctx.rank
            moment = Moment(step, shard, progress(settings, step, elapsed_ms))
            feature.before_micro_batch(base_model, settings, moment)
        with ctx.autocast():
            loss = model(x, y)
        total += loss.detach()  # on the device: reading it here would wait for every micro-batch
        (loss / ctx.grad_accum_steps).backward()
    return total / ctx.grad_accum_steps


def zero_grad(optimizers):
    """Forget all gradients."""
    for optimizer in optimizers.values():
        optimizer.zero_grad()


def warm_up(settings, base_model, model, optimizers, ctx, new_loader, accumulate):
    """Run real steps to warm kernels and compilers, then put everything back as it was."""
    weights = {name: t.detach().clone() for name, t in base_model.state_dict().items()}
    states = [optimizer.state_dict() for optimizer in optimizers.values()]  # still empty
    loader = new_loader()
    for step in range(settings.warmup_steps):
        zero_grad(optimizers)
        accumulate(settings, base_model, model, ctx, loader, step, elapsed_ms=0.0)
        for optimizer in optimizers.values():
            optimizer.step()
    base_model.load_state_dict(weights)
    for optimizer, state in zip(optimizers.values(), states):
        optimizer.load_state_dict(state)
    zero_grad(optimizers)


def update(settings, base_model, optimizers, step, scale):
    """Set this step's momentum and learning rates, clip, and let every optimizer step.

    Returns the gradients' norm before clipping; None when clipping is off.
    """
    # Both follow the step, so that a run that goes on needs no state of a scheduler.
    for group in optimizers["matrices"].param_groups:
        group["momentum"] = muon_momentum(settings, step)
    for optimizer in optimizers.values():
        for group in optimizer.param_groups:
            group["lr"] = group["base_lr"] * scale
    norm = None
    if settings.grad_clip_norm > 0:
        norm = nn.utils.clip_grad_norm_(base_model.parameters(), settings.grad_clip_norm)
    for optimizer in optimizers.values():
        optimizer.step()
    return norm


def train(
    settings,
    base_model,
    model,
    optimizers,
    ctx,
    new_loader,
    accumulate,
    run_validation,
    log,
    observers=(),
    start=None,
):
    """The loop: validate at its cadence, one optimizer step a global batch, stop at the cap.

    `start`: the checkpoint to go on from. Returns the number of steps taken.
    """
    features, loader = settings.features, new_loader()
    cap_ms = 1000.0 * settings.max_wallclock_seconds if settings.max_wallclock_seconds > 0 else None
    train_ms, step, capped = 0.0, 0, False
    if start is not None:
        train_ms, step, capped = start.train_ms, start.step, start.capped
        loader.stream.restore(start.loader)
    ctx.synchronize()
    clock = time.perf_counter()
    while True:
        last = step == settings.iterations or capped
        if last or (settings.val_loss_every > 0 and step % settings.val_loss_every == 0):
            ctx.synchronize()
            train_ms += 1000.0 * (time.perf_counter() - clock)
            val_loss, val_bpb = run_validation()
            log(
                f"step:{step}/{settings.iterations} val_loss:{val_loss:.4f} val_bpb:{val_bpb:.4f} "
                f"train_time:{train_ms:.0f}ms step_avg:{train_ms / max(step, 1):.2f}ms"
            )
            for observer in observers:
                observer.after_validation(
                    step, {"val_loss": val_loss, "val_bpb": val_bpb}, train_ms
                )
            ctx.synchronize()
            clock = time.perf_counter()  # validation is not on the training clock
        if last:
            return step
        elapsed_ms = train_ms + 1000.0 * (time.perf_counter() - clock)
        scale = lr_scale(settings, step, elapsed_ms)
        zero_grad(optimizers)
        train_loss = accumulate(settings, base_model, model, ctx, loader, step, elapsed_ms)
        for feature in features:
            feature.before_update(settings, base_model, ctx, step, train_loss)
        grad_norm = update(settings, base_model, optimizers, step, scale)
        zero_grad(optimizers)
        step += 1
        elapsed_ms = train_ms + 1000.0 * (time.perf_counter() - clock)
        if settings.train_log_every > 0 and (step <= 10 or step % settings.train_log_every == 0):
            log(
                f"step:{step}/{settings.iterations} train_loss:{train_loss.item():.4f} "
                f"train_time:{elapsed_ms:.0f}ms step_avg:{elapsed_ms / step:.2f}ms"
            )
        if cap_ms is not None:
            over = torch.tensor(int(elapsed_ms >= cap_ms), device=ctx.device)
            if ctx.world_size > 1:
                dist.all_reduce(over)  # a sum: all ranks stop at the same step
            capped = bool(over)
            if capped:
                log(
                    f"stopping_early: wallclock_cap train_time:{elapsed_ms:.0f}ms "
                    f"step:{step}/{settings.iterations}"
                )
        for observer in observers:
            facts = {
                "lr": {name: o.param_groups[0]["lr"] for name, o in optimizers.items()},
                "tokens": step * (settings.train_batch_tokens // MICRO_BATCHES) * MICRO_BATCHES,
                "grad_norm": grad_norm,  # before clipping; None when clipping is off
            }
            where = loader.stream.position, capped
            observer.after_step(StepReport(step, train_loss, facts, elapsed_ms, *where))

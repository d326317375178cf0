"""The whole run, top to bottom: data, model, optimizer, the loop, validation, the weights."""

import math
import time

import torch

from train_gpt_style.dual_stream import SYSTEM
from train_gpt_style.dual_stream.data import load_data, scaled, two_views
from train_gpt_style.dual_stream.losses import bce, loss_and_facts
from train_gpt_style.dual_stream.model import DualStream, build_model
from train_gpt_style.dual_stream.seams import Run, StepReport
from train_gpt_style.kit.context import Context
from train_gpt_style.kit.energy import meter_for
from train_gpt_style.kit.images import Loader
from train_gpt_style.kit.start import (
    Log,
    log_settings,
    main_of,
    observers_of,
    resume,
    seed_generators,
    start_of,
    write_weights,
)

__all__ = ["SYSTEM", "Context", "DualStream", "build_model", "loss_and_facts", "main", "run"]
NOT_TOLD = ("correct", "hits", "seen", "seen_gal")


def build_optimizer(settings, model):
    """AdamW; anchors do not decay."""
    anchors = [model.constellation.anchors]
    others = [p for p in model.parameters() if p is not anchors[0]]
    groups = [{"params": others}, {"params": anchors, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=settings.lr, weight_decay=settings.weight_decay, fused=True)


def lr_factor(step, steps, warmup):
    """Of step number `step`, from 1: a line up to `warmup`, then half a cosine, 0 past the end."""
    if step <= warmup:
        return step / warmup
    return 0.5 * (1 + math.cos(math.pi * (step - warmup) / (steps - warmup + 1)))


def evaluate(settings, model, ctx, split):
    """(BCE, accuracy) over the whole split, without views."""
    model.eval()
    # In double, and read once at the end: the host waits for the device one time.
    sums = torch.zeros(2, dtype=torch.float64, device=ctx.device)
    with torch.no_grad():
        for indices in torch.arange(len(split)).split(settings.batch):
            x, y = scaled(split.images(indices)).to(ctx.device), split.labels[indices]
            y = y.to(ctx.device)
            with ctx.autocast():
                _, logits = model(x)
                loss = bce(logits, y, 0.0)
            sums[0] += loss.double() * len(y)  # the last batch may be smaller
            sums[1] += (logits.argmax(dim=1) == y).sum()
            for look in model.lookers:
                look(y)
    model.train()
    loss, accuracy = ctx.read(sums / len(split))
    return loss, accuracy


def train(settings, model, optimizer, loader, ctx, log, validate, observers, lengths, start=None):
    """The loop: a step a batch, a validation an epoch. lengths: (steps, of an epoch, of warm-up).

    `start`: the checkpoint to go on from. The model is in training mode.
    """
    steps, per_epoch, warmup = lengths
    first, before = (start.step, start.train_ms / 1000.0) if start is not None else (0, 0.0)
    began = ctx.now()
    for step in range(first + 1, steps + 1):
        # Here, not after the step: a run that goes on from step N has yet to validate it.
        if step > 1 and not (step - 1) % per_epoch:
            validate(step - 1)
        images, y = loader.next_batch()
        views, y = two_views(images, settings.seed, step).to(ctx.device), y.to(ctx.device)
        for group in optimizer.param_groups:
            group["lr"] = settings.lr * lr_factor(step, steps, warmup)
        optimizer.zero_grad()
        with ctx.autocast():
            loss, facts = loss_and_facts(model, views, y, step)
        loss.backward()
        for feature in settings.features:
            feature.before_update(settings, model, ctx, step - 1, loss)
        if settings.grad_clip:
            torch.nn.utils.clip_grad_norm_(model.parameters(), settings.grad_clip)
        optimizer.step()
        for feature in settings.features:
            feature.after_update(model, ctx, facts["seen"])
        told = {name: value for name, value in facts.items() if name not in NOT_TOLD}
        # Reading a loss waits for the device, so only the steps that are printed are read.
        if settings.log_every and 0 in (step - 1, step % settings.log_every):
            ms = 1000.0 * (before + ctx.now() - began)
            values = " ".join(f"{name}:{ctx.read(value):.6f}" for name, value in told.items())
            log(
                f"step:{step}/{steps} loss:{ctx.read(loss):.6f} {values} "
                f"{log.acc}:{ctx.read(facts['correct']) / (2 * settings.batch):.4f} time:{ms:.0f}ms"
            )
        if observers:
            ms = 1000.0 * (before + time.perf_counter() - began)
            said = {
                "lr": optimizer.param_groups[0]["lr"],
                "correct": facts["correct"],
                "data": loader.split.kind,
                **told,
            }
            if "hits" in facts:  # what mastery waits for
                said["nce_acc"] = facts["hits"].float() / settings.batch
            report = StepReport(step, loss, said, ms, loader.position, terms=facts["seen"].terms)
            for observer in observers:
                observer.after_step(report)


def run(settings, ctx):
    """One run in the current folder; writes final_model.safetensors."""
    meter = meter_for(settings, ctx.device)
    seed_generators(settings)
    for feature in settings.features:
        feature.prepare(ctx, settings)
    start = start_of(settings, ctx)
    train_split, val_split = load_data(settings)
    kind = train_split.kind
    # On noise every line is marked, and accuracy is called what it is: chance.
    log = Log(ctx, mark="[synthetic] " if kind == "synthetic" else "")
    log.acc = "chance" if kind == "synthetic" else "acc"
    log_settings(settings, log)
    log(f"data:{kind} train_images:{len(train_split)} val_images:{len(val_split)}")
    model = build_model(settings, ctx)
    parameters = sum(p.numel() for p in model.parameters())
    log(f"model_params:{parameters}")
    optimizer = build_optimizer(settings, model)
    optimizers = {"adamw": optimizer}
    loader = Loader(train_split, settings.batch, settings.seed, "cpu")  # views are made there
    per_epoch = len(train_split) // settings.batch
    lengths = settings.epochs * per_epoch, per_epoch, settings.warmup * per_epoch
    steps = lengths[0]

    seen = Run(
        *(settings, ctx, model, optimizers, log, start, meter, {"data": kind}),
        loader=loader,
        val_split=val_split,
        steps=steps,
    )
    observers = observers_of(seen)
    resume(seen, loader)

    def validate(step):
        loss, accuracy = evaluate(settings, model, ctx, val_split)
        epoch = step // per_epoch
        log(
            f"step:{step}/{steps} epoch:{epoch}/{settings.epochs} "
            f"val_loss:{loss:.8f} val_{log.acc}:{accuracy:.6f}"
        )
        facts = {"data": kind, "epoch": epoch, "val_loss": loss, "val_acc": accuracy}
        for observer in observers:
            observer.after_validation(step, facts)
        for feature in settings.features:
            feature.after_epoch(model, ctx, log, epoch, accuracy)
        return loss, accuracy

    # The last step is validated here, not in the loop: a run of no step is validated too.
    train(settings, model, optimizer, loader, ctx, log, validate, observers, lengths, start)
    val_loss, val_acc = validate(steps)
    for observer in observers:
        observer.after_training(steps)
    write_weights(model, {"data": kind})  # weights from noise say so wherever they go
    for observer in observers:
        observer.at_end(
            {
                "data": kind,
                "parameters": parameters,
                "steps": steps,
                "val_acc": val_acc,
                "val_loss": val_loss,
                **seen.results,
            }
        )


main = main_of(SYSTEM, run)

"""The whole run, top to bottom: data, model, optimizer, the loop, validation, the weights."""

import math
import time

import torch

from goldenseal.errors import UsageError
from train_gpt_style.kit.context import Context
from train_gpt_style.kit.energy import meter_for
from train_gpt_style.kit.images import Loader, SyntheticSplit, load_splits
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
from train_gpt_style.vit_rft import SYSTEM
from train_gpt_style.vit_rft.model import ViT, build_model, loss_and_correct
from train_gpt_style.vit_rft.seams import Run, StepReport

__all__ = ["SYSTEM", "Context", "ViT", "build_model", "loss_and_correct", "main", "run"]


def load_data(settings):
    """The training and the validation split. Raises UsageError when they do not fit the knobs."""
    s = settings
    if s.data_dir:
        train, val = load_splits(s.data_dir, s.image_size)
    else:
        seeds = (s.seed, s.seed + 1)
        counts = (s.synthetic_images, math.ceil(s.synthetic_images / 4))
        train, val = (
            SyntheticSplit(count, s.classes or 1000, s.image_size, seed)
            for count, seed in zip(counts, seeds, strict=True)
        )
    if s.classes and s.classes < len(train.names):
        raise UsageError(f"CLASSES={s.classes}, but the data has {len(train.names)}")
    if s.batch > len(train):
        raise UsageError(f"BATCH={s.batch} exceeds the {len(train)} training images")
    return train, val


def build_optimizer(settings, model):
    """Adam on every parameter, or what a feature has in its place, by the named implementation."""
    s = settings
    adam = {
        "lr": s.lr,
        "betas": (s.beta1, s.beta2),
        "eps": s.adam_eps,
        "foreach": s.adam_path == "foreach",
        "fused": s.adam_path == "fused",
    }
    for feature in settings.features:
        optimizer = feature.optimizer(settings, model.parameters(), adam)
        if optimizer is not None:
            return optimizer
    return torch.optim.Adam(model.parameters(), **adam)


def evaluate(settings, model, ctx, split):
    """(loss in nats, accuracy) over the whole split."""
    model.eval()
    # In double, and read once at the end: the sum of many batches keeps the digits that are
    # published, and the host waits for the device one time.
    sums = torch.zeros(2, dtype=torch.float64, device=ctx.device)
    with torch.no_grad():
        for indices in torch.arange(len(split)).split(settings.batch):
            x, y = split.images(indices).to(ctx.device), split.labels[indices].to(ctx.device)
            with ctx.autocast():
                loss, correct = loss_and_correct(model, x, y)
            sums[0] += loss.double() * len(y)  # the last batch may be smaller
            sums[1] += correct
    model.train()
    loss, accuracy = ctx.read(sums / len(split))
    return loss, accuracy


def train(settings, model, optimizer, loader, ctx, log, validate, observers, start=None):
    """The loop: a step a batch, a validation at its cadence.

    `start`: the checkpoint to go on from. The model is in training mode.
    """
    first, before = (start.step, start.train_ms / 1000.0) if start is not None else (0, 0.0)
    began = ctx.now()
    for step in range(first + 1, settings.steps + 1):
        # Here, not after the step: a run that goes on from step N has yet to validate it.
        if step > 1 and settings.eval_every and not (step - 1) % settings.eval_every:
            validate(step - 1)
        x, y = loader.next_batch()
        optimizer.zero_grad()
        with ctx.autocast():
            loss, correct = loss_and_correct(model, x, y)
        loss.backward()
        for feature in settings.features:
            feature.before_update(settings, model, ctx, step - 1, loss)
        optimizer.step()
        # Reading a loss waits for the device, so only the steps that are printed are read.
        if settings.log_every and 0 in (step - 1, step % settings.log_every):
            ms = 1000.0 * (before + ctx.now() - began)
            log(
                f"step:{step}/{settings.steps} loss:{ctx.read(loss):.6f} "
                f"{log.acc}:{ctx.read(correct) / settings.batch:.4f} time:{ms:.0f}ms"
            )
        if observers:
            seconds = before + time.perf_counter() - began
            facts = {
                "lr": optimizer.param_groups[0]["lr"],
                "correct": correct,
                "data": loader.split.kind,
            }
            here = {"indices": loader.indices, "seconds": seconds}
            report = StepReport(step, loss, facts, 1000.0 * seconds, loader.position, **here)
            for observer in observers:
                observer.after_step(report)


def run(settings, ctx):
    """One run in the current folder."""
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
    model = build_model(settings, ctx, len(train_split.names))
    parameters = sum(p.numel() for p in model.parameters())
    log(f"model_params:{parameters}")
    optimizer = build_optimizer(settings, model)
    optimizers = {"adam": optimizer}
    loader = Loader(train_split, settings.batch, settings.seed, ctx.device)

    seen = Run(
        *(settings, ctx, model, optimizers, log, start, meter, {"data": kind}),
        loader=loader,
        val_images=len(val_split),
        classes=model.head.out_features,
    )
    observers = observers_of(seen)
    resume(seen, loader)

    def validate(step):
        loss, accuracy = evaluate(settings, model, ctx, val_split)
        log(f"step:{step}/{settings.steps} val_loss:{loss:.8f} val_{log.acc}:{accuracy:.6f}")
        for observer in observers:
            observer.after_validation(step, {"data": kind, "val_loss": loss, "val_acc": accuracy})
        return loss, accuracy

    # The last step is validated here, not in the loop: a run of no step is validated too.
    train(settings, model, optimizer, loader, ctx, log, validate, observers, start)
    val_loss, val_acc = validate(settings.steps)
    for observer in observers:
        observer.after_training(settings.steps)
    write_weights(model, {"data": kind})  # weights from noise say so wherever they go
    for observer in observers:
        observer.at_end(
            {
                "data": kind,
                "parameters": parameters,
                "steps": settings.steps,
                "val_acc": val_acc,
                "val_loss": val_loss,
            }
        )


main = main_of(SYSTEM, run)

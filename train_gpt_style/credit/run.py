"""The whole run, top to bottom: data, model, optimizer, the loop, the test, the weights."""

import math
import time

import torch
import torch.nn.functional as F

from train_gpt_style.credit import SYSTEM
from train_gpt_style.credit.data import Loader, load_data
from train_gpt_style.credit.model import ResMLP, build_resmlp
from train_gpt_style.credit.seams import Run
from train_gpt_style.kit.context import Context
from train_gpt_style.kit.energy import meter_for
from train_gpt_style.kit.seams import StepReport
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

__all__ = ["SYSTEM", "Context", "ResMLP", "build_model", "loss_and_correct", "main", "run"]


def build_model(settings, ctx, shape=(3, 32, 32), classes=10):
    """A fresh model on its device, for inputs of that shape, with what features add to it."""
    built = (feature.network(settings, shape, classes) for feature in settings.features)
    model = next((found for found in built if found is not None), None)
    model = model or build_resmlp(settings, shape, classes)
    for feature in settings.features:
        feature.install(model, settings)
    return model.to(ctx.device)


def build_optimizers(settings, model):
    """AdamW on every trained parameter of the model itself, and the optimizers of features."""
    others = {}
    for feature in settings.features:
        others |= feature.optimizers(model, settings)
    theirs = {id(p) for each in others.values() for g in each.param_groups for p in g["params"]}
    own = [p for p in model.parameters() if p.requires_grad and id(p) not in theirs]
    s = settings
    adamw = torch.optim.AdamW(own, lr=s.lr, weight_decay=s.weight_decay, fused=True)
    return {"adamw": adamw, **others}


def loss_and_correct(model, x, y):
    """Mean cross-entropy in nats, and how many of inputs `x` are classified as `y`."""
    logits = model(x)
    return F.cross_entropy(logits.float(), y), (logits.argmax(dim=1) == y).sum()


def end_to_end(model, x, y, ctx, done):
    """Every gradient by backpropagation, after `done` steps; (loss, correct)."""
    with ctx.autocast():
        loss, correct = loss_and_correct(model, x, y)
    loss.backward()
    return loss, correct


def gradients_of(settings):
    """Who fills the gradients of a step: backpropagation, unless a feature does."""
    found = (feature.gradients(settings) for feature in reversed(settings.features))
    return next((each for each in found if each is not None), end_to_end)


def rate(settings, step):
    """The learning rate of step number `step`, from 0: a cosine to 0, or constant."""
    if settings.schedule == "constant":
        return settings.lr
    return 0.5 * settings.lr * (1.0 + math.cos(math.pi * step / settings.steps))


def evaluate(settings, model, ctx, split):
    """(loss in nats, accuracy) over the whole split."""
    model.eval()
    # In double, and read once at the end: the sum of many batches keeps the digits that are
    # published, and the host waits for the device one time.
    sums = torch.zeros(2, dtype=torch.float64, device=ctx.device)
    with torch.no_grad():
        for indices in torch.arange(len(split)).split(settings.batch):
            x, y = split.inputs(indices).to(ctx.device), split.labels[indices].to(ctx.device)
            with ctx.autocast():
                loss, correct = loss_and_correct(model, x, y)
            sums[0] += loss.double() * len(y)  # the last batch may be smaller
            sums[1] += correct
    model.train()
    loss, accuracy = ctx.read(sums / len(split))
    return loss, accuracy


def train(settings, model, optimizers, loader, ctx, log, validate, observers, start=None):
    """The loop: a step a batch, a test at its cadence.

    `start`: the checkpoint to go on from. The model is in training mode.
    """
    gradients = gradients_of(settings)
    first, before = (start.step, start.train_ms / 1000.0) if start is not None else (0, 0.0)
    began = ctx.now()
    for done in range(first, settings.steps):
        # Here, not after the step: a run that goes on from step N has yet to test it.
        if done and settings.eval_every and not done % settings.eval_every:
            validate(done)
        x, y = loader.next_batch()
        for group in optimizers["adamw"].param_groups:
            group["lr"] = rate(settings, done)
        for optimizer in optimizers.values():
            optimizer.zero_grad()
        loss, correct = gradients(model, x, y, ctx, done)
        for feature in settings.features:
            feature.before_update(settings, model, ctx, done, loss)
        for optimizer in optimizers.values():
            optimizer.step()
        step = done + 1
        # Reading a loss waits for the device, so only the steps that are printed are read.
        if settings.log_every and 0 in (done, step % settings.log_every):
            ms = 1000.0 * (before + ctx.now() - began)
            log(
                f"step:{step}/{settings.steps} loss:{ctx.read(loss):.6f} "
                f"acc:{ctx.read(correct) / settings.batch:.4f} time:{ms:.0f}ms"
            )
        if observers:
            ms = 1000.0 * (before + time.perf_counter() - began)
            facts = {"lr": optimizers["adamw"].param_groups[0]["lr"], "correct": correct}
            facts |= getattr(gradients, "facts", {})
            report = StepReport(step, loss, facts, ms, loader.position)
            for observer in observers:
                observer.after_step(report)


def run(settings, ctx):
    """One run in the current folder."""
    seed_generators(settings)
    for feature in settings.features:
        feature.prepare(ctx, settings)
    start = start_of(settings, ctx)
    train_split, test_split = load_data(settings)
    for feature in settings.features:
        feature.data(settings, train_split, test_split)
    log = Log(ctx)
    log_settings(settings, log)
    log(f"classes:{train_split.classes} train:{len(train_split)} test:{len(test_split)}")
    model = build_model(settings, ctx, train_split.shape, train_split.classes)
    parameters = sum(p.numel() for p in model.parameters())
    log(f"model_params:{parameters}")
    optimizers = build_optimizers(settings, model)
    loader = Loader(train_split, settings.batch, settings.seed, ctx.device, settings.augment)

    meter = meter_for(settings, ctx.device)
    per_epoch = len(train_split) // settings.batch
    seen = Run(settings, ctx, model, optimizers, log, start=start, meter=meter, per_epoch=per_epoch)
    observers = observers_of(seen)
    resume(seen, loader)

    def validate(step):
        loss, accuracy = evaluate(settings, model, ctx, test_split)
        log(f"step:{step}/{settings.steps} val_loss:{loss:.8f} val_acc:{accuracy:.6f}")
        facts = {"val_loss": loss, "val_acc": accuracy}
        for feature in settings.features:
            facts |= feature.measure(settings, model, ctx, test_split, step)
        for observer in observers:
            observer.after_validation(step, facts)
        return facts

    # The last step is tested here, not in the loop: a run of no step is tested too.
    train(settings, model, optimizers, loader, ctx, log, validate, observers, start)
    facts = validate(settings.steps)
    for observer in observers:
        observer.after_training(settings.steps)
    write_weights(model)
    for observer in observers:
        observer.at_end(
            {"parameters": parameters, "steps": settings.steps, **facts, **seen.results}
        )


main = main_of(SYSTEM, run)

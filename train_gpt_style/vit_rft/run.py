"""The whole run, top to bottom: data, model, optimizer, the loop, validation, the weights."""

import math
import os
import random
import time
from pathlib import Path

import numpy as np
import safetensors.torch
import torch

from train_gpt_style.kit.energy import meter_for
from train_gpt_style.kit.images import Loader, SyntheticSplit, load_splits
from train_gpt_style.kit.numerics import enter_lane
from train_gpt_style.vit_rft import settings as settings_module
from train_gpt_style.vit_rft.context import Context
from train_gpt_style.vit_rft.features import switched_on
from train_gpt_style.vit_rft.model import ViT, build_model, loss_and_correct
from train_gpt_style.vit_rft.seams import Run, StepReport
from train_gpt_style.vit_rft.settings import BASELINE_KNOBS
from verify.errors import UsageError

__all__ = ["Context", "ViT", "build_model", "loss_and_correct", "main", "run"]


def main(environ=os.environ, meter=None):
    """Train as `environ` says; `meter` (seams.Meter) measures energy, by default ENERGY's.

    Raises UsageError, before anything is loaded, when the settings make no sense.
    """
    settings = settings_module.read(environ)
    enter_lane(environ)  # by now a check: torch is imported, in this lane or in another
    ctx = Context(environ)
    run(settings, ctx, meter_for(settings, ctx.device) if meter is None else meter)


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
    for feature in switched_on(settings):
        optimizer = feature.optimizer(settings, model.parameters(), adam)
        if optimizer is not None:
            return optimizer
    return torch.optim.Adam(model.parameters(), **adam)


def seed_everything(settings):
    """Every global generator."""
    random.seed(settings.seed)
    np.random.seed(settings.seed % 2**32)
    torch.manual_seed(settings.seed)


def evaluate(settings, model, ctx, split):
    """(loss in nats, accuracy) over the whole split."""
    model.eval()
    sums = torch.zeros(2, dtype=torch.float64, device=ctx.device)
    with torch.no_grad():
        for indices in torch.arange(len(split)).split(settings.batch):
            x, y = split.images(indices).to(ctx.device), split.labels[indices].to(ctx.device)
            with ctx.autocast():
                loss, correct = loss_and_correct(model, x, y)
            sums[0] += loss.double() * len(y)
            sums[1] += correct
    model.train()
    loss, accuracy = ctx.read(sums / len(split))
    return loss, accuracy


class Log:
    """Prints lines; on noise every one is marked, and accuracy is called what it is: chance."""

    def __init__(self, kind):
        self.mark = "[synthetic] " if kind == "synthetic" else ""
        self.acc = "chance" if kind == "synthetic" else "acc"

    def __call__(self, message):
        print(f"{self.mark}{message}", flush=True)


def log_settings(settings, log):
    """The baseline's knobs, then each feature that is on, on one line."""
    for knob in BASELINE_KNOBS:
        log(f"{knob.name.lower()}:{settings[knob.name]}")
    for feature in switched_on(settings):
        knobs = feature.declaration.all_knobs
        values = " ".join(f"{knob.name.lower()}:{settings[knob.name]}" for knob in knobs)
        log(f"feature {feature.declaration.name} {values}")


def train(settings, model, optimizer, loader, ctx, log, validate, observers):
    """The loop: a batch, a step, a line at its cadence, validation at its own.

    The model is in training mode.
    """
    start = ctx.now()
    for step, remaining in enumerate(reversed(range(settings.steps)), 1):
        x, y = loader.next_batch()
        optimizer.zero_grad()
        with ctx.autocast():
            loss, correct = loss_and_correct(model, x, y)
        loss.backward()
        optimizer.step()
        if settings.log_every and 0 in (step - 1, step % settings.log_every):
            ms = 1000.0 * (ctx.now() - start)
            log(
                f"step:{step}/{settings.steps} loss:{ctx.read(loss):.6f} "
                f"{log.acc}:{ctx.read(correct) / settings.batch:.4f} time:{ms:.0f}ms"
            )
        if observers:
            seconds = time.perf_counter() - start
            report = StepReport(step, loss, correct, loader.indices, seconds)
            for observer in observers:
                observer.after_step(report)
        if remaining and settings.eval_every and not step % settings.eval_every:
            validate(step)


def run(settings, ctx, meter=None):
    """One run in the current folder."""
    seed_everything(settings)
    train_split, val_split = load_data(settings)
    log = Log(train_split.kind)
    log_settings(settings, log)
    log(f"data:{train_split.kind} train_images:{len(train_split)} val_images:{len(val_split)}")
    model = build_model(settings, ctx, len(train_split.names))
    parameters = sum(p.numel() for p in model.parameters())
    log(f"model_params:{parameters}")
    optimizer = build_optimizer(settings, model)
    loader = Loader(train_split, settings.batch, settings.seed, ctx.device)

    def observer_of(feature):
        classes = model.head.out_features
        seen = Run(settings, ctx, model, optimizer, loader, len(val_split), classes, meter)
        return feature.observer(seen)

    told = map(observer_of, switched_on(settings))
    observers = [observer for observer in told if observer is not None]

    def validate(step):
        loss, accuracy = evaluate(settings, model, ctx, val_split)
        log(f"step:{step}/{settings.steps} val_loss:{loss:.8f} val_{log.acc}:{accuracy:.6f}")
        for observer in observers:
            observer.after_validation(step, loss, accuracy)
        return loss, accuracy

    train(settings, model, optimizer, loader, ctx, log, validate, observers)
    val_loss, val_acc = validate(settings.steps)
    state = {name: t.detach().cpu().contiguous() for name, t in model.state_dict().items()}
    metadata = {"data": train_split.kind}
    Path("final_model.safetensors").write_bytes(safetensors.torch.save(state, metadata=metadata))
    for observer in observers:
        results = {
            "data": train_split.kind,
            "parameters": parameters,
            "steps": settings.steps,
            "val_acc": val_acc,
            "val_loss": val_loss,
        }
        observer.at_end(results)

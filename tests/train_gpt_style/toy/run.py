"""The whole run, top to bottom."""

import torch
from torch.nn import Linear

from tests.train_gpt_style.toy import SYSTEM
from train_gpt_style.kit import start as kit
from train_gpt_style.kit.context import Context
from train_gpt_style.kit.energy import meter_for
from train_gpt_style.kit.seams import Run, StepReport


def build_model(settings, ctx: Context):
    return Linear(3, 1).to(ctx.device)


def run(settings, ctx):
    kit.seed_generators(settings)
    for feature in settings.features:
        feature.prepare(ctx, settings)
    start, log = kit.start_of(settings, ctx), kit.Log(ctx)
    kit.log_settings(settings, log)
    model = build_model(settings, ctx)
    adam = torch.optim.Adam(model.parameters(), lr=settings.lr, fused=True)
    seen = Run(settings, ctx, model, {"adam": adam}, log, start, meter_for(settings, ctx.device))
    observers = kit.observers_of(seen)
    kit.resume(seen, None)
    for step in range(1 + (start.step if start else 0), settings.steps + 1):
        x, y = torch.empty(8, 4).normal_().split([3, 1], dim=1)
        adam.zero_grad()
        with ctx.autocast():
            loss = (model(x) - y).square().mean()
        loss.backward()
        for feature in settings.features:
            feature.before_update(settings, model, ctx, step - 1, loss)
        adam.step()
        log(f"step:{step}/{settings.steps} loss:{loss.item():.6f}")
        for observer in observers:
            observer.after_step(StepReport(step, loss, {"lr": settings.lr}))
    with torch.no_grad():
        val_loss = (model.eval()(torch.ones(1, 3)) - 1).square().mean().item()
    log(f"val_loss:{val_loss:.6f}")
    kit.write_weights(model)
    for observer in observers:
        observer.after_training(settings.steps)
        observer.at_end({"steps": settings.steps, "val_loss": val_loss})


main = kit.main_of(SYSTEM, run)

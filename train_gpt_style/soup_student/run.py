"""The whole run, top to bottom: images, targets, model, optimizer, loop, validation, weights."""

import json
import math

import torch

from train_gpt_style.kit.batches import Loader
from train_gpt_style.kit.context import Context
from train_gpt_style.kit.energy import meter_for
from train_gpt_style.kit.metrics import rank_one
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
from train_gpt_style.soup_student import SYSTEM
from train_gpt_style.soup_student.data import load_data
from train_gpt_style.soup_student.model import Student, build_model, loss_of, seen
from train_gpt_style.soup_student.seams import Run

__all__ = ["SYSTEM", "Context", "Student", "build_model", "loss_of", "main", "run"]


def evaluate(settings, model, ctx, data):
    """val_loss, the mean squared error; val_cos, to the target; val_r1; and what features add."""
    model.eval()
    found = []
    with torch.no_grad():
        for rows in torch.arange(len(data.val)).split(settings.batch):
            images = data.val.images(rows).to(ctx.device)
            with ctx.autocast():
                found.append(seen(model, images))
    model.train()
    embedding, targets = torch.cat(found), data.val_targets.to(ctx.device)
    data.seen = embedding
    mse = (embedding - targets).square().mean()
    cosine = (embedding * targets).sum(dim=1).mean()
    mse, cosine = ctx.read(torch.stack((mse, cosine)))
    first = rank_one((embedding @ targets.T).cpu().numpy())
    facts = {"val_loss": mse, "val_cos": cosine, "val_r1": first}
    for feature in settings.features:
        facts |= feature.judge(data, embedding)
    return facts


def spelled(value):
    """A fact as the log has it: a count as it is, all else to six places."""
    return str(value) if isinstance(value, int) else f"{value:.6f}"


def run(settings, ctx):
    """One run in the current folder."""
    s = settings
    seed_generators(s)
    for feature in s.features:
        feature.prepare(ctx, s)
    start = start_of(s, ctx)
    data = load_data(s)
    # On noise every line is marked.
    log = Log(ctx, mark="[synthetic] " if data.kind == "synthetic" else "")
    log_settings(s, log)
    log(f"data:{data.kind} train_images:{len(data.train)} val_images:{len(data.val)}")
    model = build_model(s, ctx)
    # Whose the targets are: without SOUP nothing else tells.
    told = {
        f"targets_{name}": data.about[name] for name in ("soup", "experts") if name in data.about
    }
    header = {"data": data.kind, **told}
    for feature in s.features:
        feature.install(model, s, data, ctx)
        header |= feature.header(data)
    parameters = sum(p.numel() for p in model.parameters())
    log(f"model_params:{parameters}")
    optimizer = torch.optim.Adam(model.parameters(), lr=s.lr, fused=True)
    optimizers = {"adam": optimizer}
    if data.soup is not None and data.soup.read:
        data.soup.check_outside(optimizers)
    loader = Loader(len(data.train), s.batch, s.seed, whole=math.ceil)
    per_epoch = math.ceil(len(data.train) / s.batch)
    steps = s.epochs * per_epoch

    meter = meter_for(s, ctx.device)
    seen_by = Run(
        *(s, ctx, model, optimizers, log, start, meter, header),
        data=data,
        per_epoch=per_epoch,
    )
    observers = observers_of(seen_by)
    resume(seen_by, loader)

    def validate(step):
        facts = evaluate(s, model, ctx, data)
        more = "".join(f" {name}:{spelled(value)}" for name, value in list(facts.items())[1:])
        log(f"step:{step}/{steps} val_loss:{facts['val_loss']:.8f}{more}")
        for observer in observers:
            observer.after_validation(step, {"data": data.kind, **facts})
        return facts

    first, before = (start.step, start.train_ms / 1000.0) if start is not None else (0, 0.0)
    began = ctx.now()
    for step in range(first + 1, steps + 1):
        # Here, not after the step: a run that goes on from step N has yet to validate it.
        if step > 1 and s.eval_every and not (step - 1) % (s.eval_every * per_epoch):
            validate(step - 1)
        rows = loader.next_rows()
        images, targets = data.train.images(rows), data.train_targets[rows]
        images, targets = images.to(ctx.device), targets.to(ctx.device)
        optimizer.zero_grad()
        with ctx.autocast():
            loss = loss_of(model, images, targets, rows)
        loss.backward()
        for feature in s.features:
            feature.before_update(s, model, ctx, step - 1, loss)
        optimizer.step()
        # Reading a loss waits for the device, so only the steps that are printed are read.
        if s.log_every and 0 in (step - 1, step % s.log_every):
            ms = 1000.0 * (before + ctx.now() - began)
            log(f"step:{step}/{steps} loss:{ctx.read(loss):.6f} time:{ms:.0f}ms")
        if observers:
            ms = 1000.0 * (before + ctx.now() - began)
            facts = {"lr": optimizer.param_groups[0]["lr"], "data": data.kind}
            report = StepReport(step, loss, facts, ms, loader.position)
            for observer in observers:
                observer.after_step(report)
    # The last step is validated here, not in the loop: a run of no step is validated too.
    facts = validate(steps)
    for observer in observers:
        observer.after_training(steps)
    # Weights from noise say so wherever they go; no shape tells how many heads there are. One text,
    # since safetensors keeps several in no order.
    about = json.dumps({"data": data.kind, "heads": s.heads})
    write_weights(model, {"about": about})
    for observer in observers:
        results = {"parameters": parameters, "steps": steps, **facts, **seen_by.results}
        observer.at_end({"data": data.kind, **results})


main = main_of(SYSTEM, run)

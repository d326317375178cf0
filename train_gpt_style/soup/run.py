"""The whole run, top to bottom: tables, model, optimizer, the loop, validation, the weights."""

import math

import numpy as np
import torch
import torch.nn.functional as F

from train_gpt_style.kit.batches import Loader
from train_gpt_style.kit.context import Context
from train_gpt_style.kit.energy import meter_for
from train_gpt_style.kit.metrics import (
    macro_f1,
    mean_average_precision,
    micro_f1,
    top_rate,
    with_positives,
)
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
from train_gpt_style.soup import SYSTEM
from train_gpt_style.soup.data import load_data
from train_gpt_style.soup.model import Soup, build_model, loss_of
from train_gpt_style.soup.seams import Run

__all__ = ["SYSTEM", "Context", "Soup", "build_model", "loss_of", "main", "run"]


def evaluate(settings, model, ctx, split):
    """val_loss in nats, val_map, val_f1 (macro), val_top, and how many anchors are in use; and the
    scores (N, C) that they come from.
    """
    model.eval()
    # In double, and read once at the end, as in every system.
    total = torch.zeros((), dtype=torch.float64, device=ctx.device)
    scores, nearest = [], []
    with torch.no_grad():
        for rows in torch.arange(len(split)).split(settings.soup_batch):
            features, labels = split.batch(rows, ctx.device)
            with ctx.autocast():
                embedding, logits = model(features)
                loss = F.binary_cross_entropy_with_logits(logits.float(), labels)
            total += loss.double() * len(labels)  # the last batch may be smaller
            scores.append(logits.float().cpu())
            nearest.append(model.readout.constellation(embedding.float()).cpu())
    model.train()
    scores, labels = torch.cat(scores).numpy(), split.labels.numpy()
    active = len(np.unique(torch.cat(nearest).numpy().argmin(axis=1)))
    return {
        "val_loss": ctx.read(total / len(split)),
        "val_map": mean_average_precision(scores, labels),
        "val_f1": macro_f1(scores, labels),
        "val_top": top_rate(scores, labels),
        "anchors": active,
    }, scores


def details(scores, labels):
    """What no line prints: over how many classes val_map is, and the micro F1."""
    return {
        "val_map_classes": with_positives(labels),
        "val_f1_micro": micro_f1(scores, labels),
    }


def run(settings, ctx):
    """One run in the current folder."""
    s = settings
    seed_generators(s)
    for feature in s.features:
        feature.prepare(ctx, s)
    start = start_of(s, ctx)
    data = load_data(s)
    # On synthetic features every line is marked.
    log = Log(ctx, mark="[synthetic] " if data.kind == "synthetic" else "")
    log_settings(s, log)
    rows = f"train_rows:{len(data.train)} val_rows:{len(data.val)}"
    log(f"data:{data.kind} {rows} widths:{data.widths}")
    model = build_model(s, ctx, data.widths, data.classes)
    for feature in s.features:
        feature.install(model, s, data, log)
    parameters = sum(p.numel() for p in model.parameters())
    log(f"model_params:{parameters}")
    optimizer = torch.optim.Adam(model.parameters(), lr=s.soup_lr, fused=True)
    optimizers = {"adam": optimizer}
    loader = Loader(len(data.train), s.soup_batch, s.seed, whole=math.ceil)
    per_epoch = math.ceil(len(data.train) / s.soup_batch)
    steps = s.soup_epochs * per_epoch

    meter = meter_for(s, ctx.device)
    header = {"data": data.kind}
    seen = Run(s, ctx, model, optimizers, log, start, meter, header, data=data, per_epoch=per_epoch)
    observers = observers_of(seen)
    resume(seen, loader)

    def validate(step):
        facts, scores = evaluate(s, model, ctx, data.val)
        log(
            f"step:{step}/{steps} val_loss:{facts['val_loss']:.8f} val_map:{facts['val_map']:.6f} "
            f"val_f1:{facts['val_f1']:.6f} val_top:{facts['val_top']:.6f} "
            f"anchors:{facts['anchors']}/{s.n_anchors}"
        )
        if observers:
            facts |= details(scores, data.val.labels.numpy())
        for observer in observers:
            observer.after_validation(step, {"data": data.kind, **facts})
        return facts

    first, before = (start.step, start.train_ms / 1000.0) if start is not None else (0, 0.0)
    began = ctx.now()
    for step in range(first + 1, steps + 1):
        # Here, not after the step: a run that goes on from step N has yet to validate it.
        if step > 1 and s.eval_every and not (step - 1) % (s.eval_every * per_epoch):
            validate(step - 1)
        for feature in s.features:
            feature.before_step(model, s, step, 1 + (step - 1) // per_epoch)
        places = loader.next_rows()
        features, labels = data.train.batch(places, ctx.device)
        optimizer.zero_grad()
        with ctx.autocast():
            loss = loss_of(model, features, labels, places)
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
    write_weights(model, {"data": data.kind})  # weights from synthetic data say so
    for observer in observers:
        observer.at_end(
            {"data": data.kind, "parameters": parameters, "steps": steps, **facts, **seen.results}
        )


main = main_of(SYSTEM, run)

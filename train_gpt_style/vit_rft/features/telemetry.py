"""TELEMETRY: the published log of eleven keys a step, the raw cosine, and what the run was.

Idea: the same observer in both arms. It computes drift, flux, coherence and E_ret as reconstructed
in train_gpt_style/vit_rft/coupler.py, from inner products of gradients and Adam's first moments.
Drift and coherence are no evidence about training: the coupler bounds them for any gradients.

    stage4_vit_tiny.jsonl   mode step drift flux E_ret coh loss acc J_step tempC t
    stage4_alignment.jsonl  step alignment nonfinite: the raw cosine, null where it was not finite
    stage4_manifest.json    what two runs that are compared must share, and what they may not

On random labels each line says `"data":"synthetic"` besides, and `acc` is chance. J_step is a
window's joules over its steps, in the line of the last of them; null elsewhere, and wherever
nothing was measured. t is seconds since the start, on a clock that never goes back.

A run that goes on from a checkpoint goes on with both logs and all sums; a window of the meter that
was open when the run was killed begins again, with the steps that are left of it.

It observes only. Each step costs two reads from the device, in either mode.
Off: nothing is observed, nothing is written.
"""

import hashlib
import json
import math
from dataclasses import asdict
from pathlib import Path

import torch

from goldenseal.digest import tensor_digest
from goldenseal.disk import canonical
from goldenseal.disk.files import atomic_write
from goldenseal.knobs import Feature, Knob
from train_gpt_style.kit.batches import Loader
from train_gpt_style.kit.features.runlog import exact
from train_gpt_style.kit.numerics import numeric_class
from train_gpt_style.kit.seams import Observer
from train_gpt_style.kit.start import Log
from train_gpt_style.vit_rft.coupler import Observed, coherence
from train_gpt_style.vit_rft.dclr import DCLR, Watch
from train_gpt_style.vit_rft.features.dclr import coupling
from train_gpt_style.vit_rft.parity import SCHEMA
from train_gpt_style.vit_rft.reads import host_reads
from train_gpt_style.vit_rft.seams import GatedFeature

LOG, ALIGNMENT = "stage4_vit_tiny.jsonl", "stage4_alignment.jsonl"
MANIFEST = "stage4_manifest.json"
NOTHING = {"files": (None, None), "initial": None, "observed": {}, "reads": 0, "windows": ()}
KEYS = ("mode", "step", "drift", "flux", "E_ret", "coh", "loss", "acc", "J_step", "tempC", "t")


def watch_of(optimizer):
    """The watch that DCLR keeps anyway, or a new one."""
    if isinstance(optimizer, DCLR) and optimizer.watch is not None:
        return optimizer.watch
    return Watch(optimizer)


class Windows:
    """Asks the meter at the edges of windows of `length` steps; the device is waited for first."""

    def __init__(self, meter, ctx, length, steps, done=0, measured=()):
        self.meter, self.ctx, self.length, self.steps = meter, ctx, length or steps, steps
        self.measured, self.first = list(measured), done + 1
        self.begin()

    def begin(self):
        """A window starts."""
        if self.meter is not None:
            self.ctx.synchronize()
            self.meter.start()

    def after_step(self, step):
        """Joules a step, when a window ends here and was measured; else None."""
        if self.meter is None or (step % self.length and step != self.steps):
            return None
        self.ctx.synchronize()
        window = {**self.meter.stop(), "steps": [self.first, step]}
        self.measured.append(window)
        count, self.first = step - self.first + 1, step + 1
        if step != self.steps:
            self.begin()
        return None if window["joules"] is None else window["joules"] / count

    def temperature(self):
        """Degrees Celsius, or None."""
        return None if self.meter is None else self.meter.temperature()


class Telemetry(Observer):
    """Writes the three files into the current folder."""

    def __init__(self, run):
        self.run, self.folder = run, Path.cwd()
        s = run.settings
        kept = run.start.observers["telemetry"] if run.start is not None else NOTHING
        self.mode = "RFT" if s.dclr_gain else "BASE"
        self.initial = kept["initial"] or tensor_digest(run.model.state_dict())
        self.coupling, self.beta1 = coupling(s), s.beta1
        self.watch, self.observed = watch_of(run.optimizer), Observed(**back(kept["observed"]))
        self.kind = run.loader.split.kind
        self.label = {"data": "synthetic"} if self.kind == "synthetic" else {}
        self.order = hashlib.sha512()
        again = Loader(len(run.loader.split), s.batch, s.seed)
        for _ in range(self.observed.step):
            self.order.update(order_bytes(again.next_rows()))
        self.reads, self.host = kept["reads"], host_reads(run.ctx)
        self.read_before = kept["reads"] - self.host.count - self.watch.reads
        self.files = [
            Log(run.ctx, self.folder / name, size)
            for name, size in zip((LOG, ALIGNMENT), kept["files"], strict=True)
        ]
        for file in self.files:
            if file.kept is not None:
                file.go_on()
        window, measured = s.telemetry_window, kept["windows"]
        self.windows = Windows(run.meter, run.ctx, window, s.steps, self.observed.step, measured)

    def position(self):
        """All that the next line, and the manifest, are made of."""
        return {
            "files": [file.position() for file in self.files],
            "initial": self.initial,
            "observed": exact(asdict(self.observed)),
            "reads": self.reads,
            "windows": self.windows.measured,
        }

    def after_step(self, step):
        """One line in each log."""
        self.observed = seen = self.observed.after(self.watch.dots, self.coupling, self.beta1)
        # Counts of a batch are exact in float32, and both are read at once.
        numbers = torch.stack((step.loss.detach(), step.facts["correct"].float()))
        loss, correct = self.run.ctx.read(numbers)
        self.order.update(order_bytes(step.indices))
        values = {
            "mode": self.mode,
            "step": step.step,
            "drift": seen.drift,
            "flux": seen.flux,
            "E_ret": seen.retained,
            "coh": coherence(seen.drift),
            "loss": loss,
            "acc": correct / len(step.indices),
            "J_step": self.windows.after_step(step.step),
            "tempC": self.windows.temperature(),
            "t": step.seconds,
        }
        raw = {"step": step.step, "alignment": seen.alignment, "nonfinite": seen.nonfinite}
        for file, line in zip(self.files, (values, raw), strict=True):
            file(line_of({**line, **self.label}), console=False)
        self.reads = self.read_before + self.host.count + self.watch.reads

    def at_end(self, results):
        """The manifest."""
        found = canonical.dumps(manifest(self, results)) + b"\n"
        atomic_write(self.folder / MANIFEST, found)


def line_of(values):
    """Compact JSON in the given order; a number that is not finite is null."""
    clean = {
        key: None if isinstance(v, float) and not math.isfinite(v) else v
        for key, v in values.items()
    }
    return json.dumps(clean, separators=(",", ":"), allow_nan=False)


def order_bytes(indices):
    """Places in the split as the manifest's digest of their order takes them."""
    return indices.numpy().astype("<i8").tobytes()


def back(facts):
    """The inverse of `exact` for a table of numbers."""
    return {k: float.fromhex(v) if isinstance(v, str) else v for k, v in facts.items()}


def manifest(telemetry, results):
    """What the run was: `shared` must be equal in two runs that are compared."""
    run, s = telemetry.run, telemetry.run.settings
    group = run.optimizer.param_groups[0]
    knobs = s.as_environment()
    differing = ("DCLR_", "COUPLER_", "DATA_DIR", "CHECKPOINT_DIR")
    return {
        "schema": SCHEMA,
        "mode": telemetry.mode,
        "optimizer": {n: knobs[n] for n in sorted(knobs) if n.startswith(("DCLR_", "COUPLER_"))},
        "energy": {
            "source": telemetry.windows.measured[0]["source"]
            if telemetry.windows.measured
            else "none",
            "windows": telemetry.windows.measured,
        },
        "results": {n: v.hex() if isinstance(v, float) else v for n, v in results.items()},
        "shared": {
            "data": {
                "kind": telemetry.kind,
                "train_images": len(run.loader.split),
                "val_images": run.val_images,
                "classes": run.classes,
                "order": telemetry.order.hexdigest(),
                "labels": tensor_digest({"labels": run.loader.split.labels}),
            },
            "batch": s.batch,
            "steps": s.steps,
            "lr": float(group["lr"]).hex(),
            "flags": {
                "betas": [float(b).hex() for b in group["betas"]],
                "eps": float(group["eps"]).hex(),
                "weight_decay": float(group["weight_decay"]).hex(),
                "path": s.adam_path,
                "foreach": group["foreach"],
                "fused": group["fused"],
                "autocast": "none" if run.ctx.autocast_type is None else "bfloat16",
                "compile": False,
            },
            "host_reads": telemetry.reads,
            "initial_weights": telemetry.initial,
            "metered": run.meter is not None,
            "knobs": {n: knobs[n] for n in sorted(knobs) if not n.startswith(differing)},
            "numeric_class": numeric_class(),
        },
    }


class TelemetryFeature(GatedFeature):
    """Fills one seam: an observer of the loop."""

    declaration = Feature(
        name="telemetry",
        summary="write the published log of eleven keys, the cosine and a manifest",
        master=Knob("TELEMETRY", bool, False, "write stage4_vit_tiny.jsonl", on="1"),
        knobs=(
            Knob(
                *("TELEMETRY_WINDOW", int, 0, "steps a window of the meter; 0: all", 0),
                unit="steps",
                on="2",
            ),
        ),
        example={"TELEMETRY": "1"},
        kind="observes",
    )
    writes_joules = True

    def observer(self, run):
        """The telemetry of this run."""
        return Telemetry(run)


TELEMETRY = TelemetryFeature()

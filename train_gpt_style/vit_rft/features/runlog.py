"""RUN_LOG: a chained, machine-readable log of the run, and its results as canonical JSON.

`train.jsonl` holds a header, a line a step and a validation, and the end, each chained to the line
before; every RUN_LOG_STATE_EVERY steps, and at the end, also digests of parameters and optimizer
state. `metrics.json` holds the results. Floats that matter are hex strings.

With a meter, the clock of the line that ends training, and of the last one, holds the joules since
training began, or null, with source, scope and flags.

It observes only.
Off: nobody observes, nothing is written.
"""

import math
from pathlib import Path

import torch

from train_gpt_style.kit.numerics import numeric_class
from train_gpt_style.vit_rft.seams import GatedFeature, Observer
from verify import canonical
from verify.digest import tensor_digest
from verify.files import atomic_write
from verify.knobs import Feature, Knob
from verify.runlog import RunLog

UNLOGGED_KNOBS = ("DATA_DIR",)  # where the data lies is not what a run is


class RunLogger(Observer):
    """Writes train.jsonl and metrics.json into the current folder."""

    def __init__(self, run):
        self.run, self.folder = run, Path.cwd()
        knobs = run.settings.as_environment()
        self.header = {
            "system": "vit_rft",
            "seed": knobs["SEED"],  # a text: JSON numbers end at 2^53
            "data": run.loader.split.kind,
            "knobs": {name: knobs[name] for name in knobs if name not in UNLOGGED_KNOBS},
            "numeric_class": numeric_class(),
        }
        self.log = RunLog(self.folder / "train.jsonl", self.header)
        self.label = {"data": self.header["data"]}
        opens = getattr(run.meter, "window", None)  # a caller's meter may know but one window
        self.energy = opens() if opens else None

    def clock(self):
        """The joules since training began, where a meter can tell."""
        if self.energy is None:
            return None
        self.run.ctx.synchronize()
        return {"energy": self.energy.close()}

    def after_step(self, step):
        """One line, with digests when they are due."""
        facts = {
            **self.label,
            "step": step.step,
            "loss": step.loss.item().hex(),
            "lr": float(self.run.optimizer.param_groups[0]["lr"]).hex(),
            "correct": step.correct.item(),
        }
        every = self.run.settings.run_log_state_every
        if every > 0 and step.step % every == 0:
            facts["state"] = state_digests(self.run)
        self.log.write("step", facts, clock={"train_ms": 1000.0 * step.seconds})

    def after_validation(self, step, loss, accuracy):
        """One line."""
        facts = {"step": step, "val_loss": loss.hex(), "val_acc": accuracy.hex()}
        self.log.write("validation", {**self.label, **facts})

    def at_end(self, results):
        """The closing line, and metrics.json."""
        exact = {name: value.hex() for name, value in results.items() if isinstance(value, float)}
        facts = {name: value for name, value in results.items() if name not in exact}
        state = state_digests(self.run)
        clock = self.clock()
        self.log.write("trained", {"step": results["steps"], "state": state}, clock=clock)
        self.log.end({**facts, **exact}, clock=clock)
        readable = {n: results[n] if math.isfinite(results[n]) else None for n in exact}
        metrics = {**facts, **readable, "hex": exact, "seed": self.header["seed"]}
        atomic_write(self.folder / "metrics.json", canonical.dumps(metrics) + b"\n")


def state_digests(run):
    """SHA-512 of the parameters, of the optimizer's tensors, and of torch's CPU generator."""
    optimizer_state = {
        f"{i}.{key}": value
        for i, state in run.optimizer.state_dict()["state"].items()
        for key, value in state.items()
        if torch.is_tensor(value)
    }
    return {
        "model": tensor_digest(run.model.state_dict()),
        "optimizer": tensor_digest(optimizer_state),
        "rng": tensor_digest({"torch": torch.get_rng_state()}),
    }


class RunLogFeature(GatedFeature):
    """Fills one seam: an observer of the loop."""

    declaration = Feature(
        name="runlog",
        summary="write a chained log of the run and its results",
        master=Knob("RUN_LOG", bool, False, "write train.jsonl and metrics.json", on="1"),
        knobs=(
            Knob(
                "RUN_LOG_STATE_EVERY",
                int,
                50,
                "digest of all state at this cadence; 0: only at the end",
                0,
                unit="steps",
                on="2",
            ),
        ),
        example={"RUN_LOG": "1"},
        kind="observes",
    )

    def observer(self, run):
        """The logger of this run."""
        return RunLogger(run)


RUN_LOG = RunLogFeature()

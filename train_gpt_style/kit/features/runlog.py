"""RUN_LOG: a chained, machine-readable log of the run, and its results as canonical JSON.

Idea: a re-run is compared with the sealed run line by line, and the first line that differs says
where they parted. `train.jsonl` holds a header, then one line an optimizer step, a validation, and
the end; each carries a hash chained to the line before. Every RUN_LOG_STATE_EVERY steps, and at the
end of training, a step's line also holds digests of the parameters and of the optimizer state, so
that a divergence is pinned to a few steps even if no logged loss shows it. `metrics.json` holds the
results. Floats that matter are hex strings, since decimals are rounded; readable ones are beside.

With ENERGY, the clock of the line that ends training, and of the last one, holds the joules since
training began, or null, with source, scope and flags: of rank 0's own device.

It observes only: it reads tensors, and never draws, changes or times anything of the run. Reading a
loss waits for the device, and a digest copies the state to the CPU. Rank 0 writes; state that an
optimizer shares out is then that rank's share.
Off: nothing is observed, nothing is written.
"""

import math
from pathlib import Path

import torch

from goldenseal.digest import tensor_digest
from goldenseal.disk import canonical
from goldenseal.disk.files import atomic_write
from goldenseal.knobs import Feature, Knob
from goldenseal.runlog import RunLog
from train_gpt_style.kit.numerics import numeric_class
from train_gpt_style.kit.seams import GatedFeature, Observer

SIZES = ("artifact_bytes", "code_bytes")  # two systems with equal weights may differ in them


class RunLogger(Observer):
    """Writes train.jsonl and metrics.json into the current folder."""

    def __init__(self, run):
        self.run, self.folder = run, Path.cwd()
        knobs = run.settings.as_environment()
        # Where things lie is not what a run is: an equal run may keep them elsewhere.
        places = (*run.settings.system.paths, "CHECKPOINT_DIR")
        self.header = {
            "system": run.settings.system.name,
            "seed": knobs["SEED"],  # a text: JSON numbers end at 2^53
            "knobs": {name: knobs[name] for name in knobs if name not in places},
            "numeric_class": numeric_class(),
            **run.header,
        }
        path, kept = self.folder / "train.jsonl", run.start and run.start.observers.get("runlog")
        self.log = RunLog.resume(path, kept) if kept else RunLog(path, self.header)
        opens = getattr(run.meter, "window", None)  # a caller's meter may know but one window
        self.energy = opens() if opens else None

    def clock(self):
        """The joules since training began, where a meter can tell."""
        if self.energy is None:
            return {}
        self.run.ctx.synchronize()
        return {"energy": self.energy.close()}

    def position(self):
        """The bytes written so far."""
        return self.log.sync()

    def after_step(self, step):
        """One line, with digests when they are due."""
        facts = {"step": step.step, "loss": exact(step.loss), **exact(step.facts)}
        every = self.run.settings.run_log_state_every
        if every and not step.step % every:
            facts["state"] = state_digests(self.run)
        self.log.write("step", facts, clock={"train_ms": step.train_ms})

    def after_validation(self, step, facts, train_ms=None):
        """One line."""
        clock = None if train_ms is None else {"train_ms": train_ms}
        self.log.write("validation", {"step": step, **exact(facts)}, clock=clock)

    def after_training(self, steps):
        """The state that all steps led to."""
        facts = {"step": steps, "state": state_digests(self.run)}
        self.log.write("trained", facts, clock=self.clock() or None)

    def at_end(self, results):
        """The closing line, and metrics.json."""
        told = {name: exact(value) for name, value in results.items()}
        # Sizes hang on the source's wording and the compressor's version: an equal run may differ.
        sizes = {name: value for name, value in results.items() if name in SIZES}
        facts = {name: value for name, value in told.items() if name not in sizes}
        self.log.end(facts, clock={**sizes, **self.clock()} or None)
        floats = {name: v for name, v in results.items() if isinstance(v, float)}
        readable = {name: v if math.isfinite(v) else None for name, v in floats.items()}
        hexes = {name: told[name] for name in floats}
        metrics = {**results, **readable, "hex": hexes, "seed": self.header["seed"]}
        atomic_write(self.folder / "metrics.json", canonical.dumps(metrics) + b"\n")


def exact(value):
    """What JSON holds without loss: floats as hex, tensors of one number as that; no None."""
    if isinstance(value, torch.Tensor):
        value = value.item()
    if isinstance(value, float):
        return value.hex()
    if isinstance(value, dict):
        return {name: exact(v) for name, v in value.items() if v is not None}
    return value


def state_digests(run):
    """SHA-512 of the parameters, of the optimizers' tensors, and of torch's CPU generator."""
    optimizer_state = {
        f"{group}.{i}.{key}": value
        for group, optimizer in run.optimizers.items()
        for i, state in optimizer.state_dict()["state"].items()
        for key, value in state.items()
        if torch.is_tensor(value)
    }
    return {
        "model": tensor_digest(run.model.state_dict()),
        "optimizers": tensor_digest(optimizer_state),
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
    writes_joules = True

    def observer(self, run):
        """The logger of this run, on rank 0."""
        return RunLogger(run) if run.ctx.rank == 0 else None

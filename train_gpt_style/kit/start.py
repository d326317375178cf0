"""How a run starts, and what it leaves: its seeds, source, log, checkpoint, weights."""

import functools
import hashlib
import os
import random
from pathlib import Path

import numpy as np
import safetensors.torch
import torch

from goldenseal.errors import ContradictedError
from train_gpt_style.kit.context import Context
from train_gpt_style.kit.numerics import enter_lane
from train_gpt_style.kit.source import files_of


def main_of(system, run, parts=None):
    """`main(environ)` of a system: its settings, then `run(settings, ctx)` in this process.

    parts: into how many parts a global batch may be divided among ranks; None: one process.
    """

    def main(environ=os.environ):
        """Train as `environ` says.

        Raises UsageError, before anything is loaded, when the settings make no sense.
        """
        settings = system.read(environ)
        enter_lane(environ)  # by now a check: torch is imported, in this lane or in another
        with Context(environ, parts) as ctx:
            run(settings, ctx)

    return main


def seed_generators(settings):
    """Every global generator."""
    random.seed(settings.seed)
    np.random.seed(settings.seed % 2**32)
    torch.manual_seed(settings.seed)


@functools.cache  # what a process imported is not read from the disk again
def source_of(system):
    """The text of what runs: each file that the system may import, by path; or their bundle."""
    return "".join(path.read_text(encoding="utf-8") for path in files_of(system.package))


class Log:
    """Prints lines on rank 0, each after `mark`; with a path, keeps them there too."""

    def __init__(self, ctx, path=None, kept=None, mark=""):
        """`kept`: the `position` of an earlier run, whose log `go_on` goes on with.

        Raises ContradictedError when the file is not that log. Until `go_on`, lines are only shown.
        """
        self.path, self.rank, self.mark = path, ctx.rank, mark
        self.kept = kept if path is not None else None
        if self.rank or path is None:
            return
        if kept is not None:
            data = path.read_bytes()[: kept["bytes"]] if path.is_file() else b""
            if hashlib.sha512(data).hexdigest() != kept["sha512"]:
                raise ContradictedError(
                    f"{path}: its first {kept['bytes']} bytes are not of the checkpoint's run: "
                    "put them back, or start afresh with another CHECKPOINT_DIR"
                )
            return
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"")

    def __call__(self, message, console=True):
        """Print and keep a line, or only keep it."""
        if self.rank:
            return
        if console:
            print(f"{self.mark}{message}", flush=True)
        if self.path is None or self.kept is not None:
            return
        with open(self.path, "a", encoding="utf-8") as file:
            print(message, file=file)

    def go_on(self):
        """From here on lines are kept, after those that the checkpoint's run had written."""
        if self.rank == 0 and self.path is not None:
            os.truncate(self.path, self.kept["bytes"])
        self.kept = None

    def position(self):
        """What `kept` takes: the bytes so far, through to the disk, and their digest."""
        if self.path is None:
            return {}
        with open(self.path, "rb") as file:
            os.fsync(file.fileno())
            data = file.read()
        return {"bytes": len(data), "sha512": hashlib.sha512(data).hexdigest()}


def log_settings(settings, log):
    """The baseline's knobs, then each feature that is on, on one line."""
    for knob in settings.system.baseline_knobs:
        log(f"{knob.name.lower()}:{settings[knob.name]}")
    for feature in settings.features:
        knobs = feature.declaration.all_knobs
        values = " ".join(f"{knob.name.lower()}:{settings[knob.name]}" for knob in knobs)
        log(f"feature {feature.declaration.name} {values}")


def start_of(settings, ctx):
    """The checkpoint that the run goes on from; None: it begins."""
    for feature in settings.features:
        start = feature.start(settings, ctx)
        if start is not None:
            return start


def observers_of(run):
    """Who is called after each event of `run`, on this rank.

    A checkpoint that does not fit ends the run first: an observer opens its log, and cuts it.
    """
    if run.start is not None:
        run.start.check(run.model, run.optimizers)
    for feature in run.settings.features:
        observer = feature.observer(run)
        if observer is not None:
            run.observers[feature.declaration.name] = observer
    return list(run.observers.values())


def resume(run, loader):
    """Of a run that goes on: put back what its checkpoint holds, then go on with its log.

    loader: None when its place is not put back here.
    """
    if run.start is not None:
        run.start.restore(run.model, run.optimizers, run.ctx)
        if loader is not None:
            loader.restore(run.start.loader)
        run.log(f"resumed from {run.start.path}")  # shown, not kept: the log is that of one run
        run.log.go_on()


def write_weights(model, metadata=None):
    """final_model.safetensors: the trained weights as they are."""
    state = {name: t.detach().cpu().contiguous() for name, t in model.state_dict().items()}
    Path("final_model.safetensors").write_bytes(safetensors.torch.save(state, metadata=metadata))

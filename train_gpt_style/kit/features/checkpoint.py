"""CHECKPOINT_EVERY: checkpoints at a cadence, from which a killed run goes on to the same bytes.

Idea: all that decides the rest of a run is written down: weights, optimizer state of all ranks,
generators, the place in the data and in the logs, the training clock: `kit/checkpoints.py` says in
which files, `kit/resuming.py` how they come back. A run that finds checkpoints under
CHECKPOINT_DIR (in its folder RUN_ID, where a system has that knob) goes on from the newest whole
one, if it is of the same run, and refuses in one line if it is not. What a disk does not take is
said on the standard error; training goes on, and the earlier checkpoints stay.
It observes only. Writing is on the training clock: a run with a wall-clock cap has less time to
train. Rank 0 writes; the others give it their share of what an optimizer shares out.
Off (0): nothing is written, and no checkpoint is looked for.
"""

import sys

import torch
import torch.distributed as dist

from goldenseal.errors import GoldensealError, UsageError
from goldenseal.knobs import Feature, Knob
from train_gpt_style.kit import checkpoints
from train_gpt_style.kit.resuming import Resumed, identity, optimizer_tensors, snapshot
from train_gpt_style.kit.seams import GatedFeature, Observer
from train_gpt_style.kit.start import source_of


def say(message):
    """One line on the standard error: what is written to a log must not depend on luck."""
    print(f"checkpoint: {message}", file=sys.stderr)


class Keeper(Observer):
    """Writes a checkpoint every so many steps; on every rank, since state may be shared out."""

    def __init__(self, run):
        self.run = run

    def after_step(self, report):
        """Write, when it is time."""
        run, settings = self.run, self.run.settings
        if report.step % settings.checkpoint_every:
            return
        named = run.model.state_dict()
        optimizers = optimizer_tensors(run.optimizers, run.ctx.rank, run.ctx.world_size)
        if run.ctx.rank:
            return
        bad = checkpoints.first_not_finite(
            {f"model {name}": t for name, t in named.items()}
            | {f"optimizer {name}": t for name, t in optimizers.items()}
        )
        if bad is not None:
            say(f"step {report.step} is not kept: {bad} is not finite")
            return
        folder = checkpoints.folder_of(settings)
        try:
            files = snapshot(run, report, named, optimizers)
            checkpoints.write(folder, report.step, files, settings.checkpoint_keep)
        except OSError as error:
            say(f"step {report.step} is not kept: {folder}: {error.strerror}; earlier ones stay")


class Checkpoint(GatedFeature):
    """Fills two seams: where the run starts, and an observer of the loop, on every rank."""

    declaration = Feature(
        name="checkpoint",
        summary="write checkpoints, and go on from them",
        master=Knob(
            "CHECKPOINT_EVERY",
            int,
            0,
            "write one at this cadence; 0: never",
            0,
            unit="steps",
            on="2",
        ),
        knobs=(
            Knob(
                "CHECKPOINT_DIR",
                str,
                "checkpoints",
                "holds them, in a folder RUN_ID if that is a knob",
                on="kept",
            ),
            Knob("CHECKPOINT_KEEP", int, 2, "how many are kept, the newest", 1, on="1"),
            Knob(
                "RESUME",
                str,
                "auto",
                "go on from the newest, or refuse to when there is one",
                choices=("auto", "never"),
                on="never",
            ),
        ),
        example={"CHECKPOINT_EVERY": "2"},
        kind="observes",
    )

    def start(self, settings, ctx):
        """The checkpoint to go on from. Rank 0 chooses, and all ranks take the same."""
        source = source_of(settings.system)  # now: the files may be edited while the run trains
        chosen, problem = None, None
        if not ctx.rank:
            try:
                chosen = self.choose(settings, ctx, source)
            except GoldensealError as error:
                problem = error
        if ctx.world_size > 1:
            # No checkpoint is of step 0, or below.
            step = -1 if problem else 0 if chosen is None else chosen.step
            agreed = torch.tensor(step, device=ctx.device)
            dist.broadcast(agreed, src=0)
            step = int(agreed)
            if ctx.rank and step < 0:
                raise UsageError("rank 0 cannot go on from the checkpoints")
            if ctx.rank and step:
                path = checkpoints.folder_of(settings) / checkpoints.name_of(step)
                chosen = Resumed(path, checkpoints.read(path), identity(settings, ctx, source))
        if problem is not None:
            raise problem
        return chosen

    def choose(self, settings, ctx, source):
        """The newest whole checkpoint of this run; None when there is none."""
        folder = checkpoints.folder_of(settings)
        if settings.resume == "never" and checkpoints.listed(folder):
            raise UsageError(
                f"RESUME=never, but {folder} holds checkpoints: "
                "move them away, or give another CHECKPOINT_DIR"
            )
        found = checkpoints.newest_good(folder, say)
        if found is None:
            return None
        path, files = found
        return Resumed(path, files, identity(settings, ctx, source))

    def observer(self, run):
        """The writer."""
        return Keeper(run)

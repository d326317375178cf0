"""One window: an arm trained from its seed for the plan's steps, metered in chunks.

An arm is knobs of the system, and at most one of the study's own:

    THROUGH_DCLR=1   Adam built as DCLR with gain 0: must be Adam, bit for bit
    OBSERVE=1        Adam, and the inner products that DCLR needs are computed and not used
    EXTRA_EVERY=50   before each 50th step its forward and backward pass once more, thrown away

Every arm reads the device once a step: the inner products where there are any, else the loss.
"""

import gc
import time
from dataclasses import dataclass

import torch

from goldenseal.digest import tensor_digest
from goldenseal.errors import UsageError
from train_gpt_style.kit.images import Loader
from train_gpt_style.kit.start import seed_generators
from train_gpt_style.vit_rft import SYSTEM, run
from train_gpt_style.vit_rft.dclr import DCLR, Rule, Watch
from train_gpt_style.vit_rft.reads import host_reads

OWN = ("THROUGH_DCLR", "OBSERVE", "EXTRA_EVERY")
WARM_UP = 3  # steps before each window, of a model that is thrown away
OPTIMIZER_SCALES = 4096  # scales of DCLR that are kept for the log, at most


@dataclass(frozen=True)
class Arm:
    """What an arm sets, resolved."""

    name: str
    settings: object
    own: dict

    @classmethod
    def of(cls, name, knobs):
        """From texts. Raises UsageError for a knob that does not exist or is out of range."""
        own = {key: knobs[key] for key in OWN if key in knobs}
        if len(own) > 1:
            raise UsageError(f"arm {name}: {' and '.join(own)} exclude each other")
        if not all(text.isdecimal() and int(text) > 0 for text in own.values()):
            raise UsageError(f"arm {name}: {own} must be positive whole numbers")
        settings = SYSTEM.read({key: text for key, text in knobs.items() if key not in OWN})
        if own and settings.dclr_gain > 0:
            raise UsageError(f"arm {name}: {next(iter(own))} is of Adam, but DCLR_GAIN is set")
        return cls(name, settings, own)

    def optimizer(self, model):
        """(optimizer, the watch that reads the device at each step, or None)."""
        if "THROUGH_DCLR" in self.own:
            adam = run.build_optimizer(self.settings, model).defaults
            names = ("lr", "betas", "eps", "foreach", "fused")
            return DCLR(model.parameters(), Rule(), **{n: adam[n] for n in names}), None
        optimizer = run.build_optimizer(self.settings, model)
        if "OBSERVE" in self.own:
            return optimizer, Watch(optimizer)
        return optimizer, getattr(optimizer, "watch", None)


class Held:
    """The first images of a split, decoded once, on the device: no window pays for decoding."""

    def __init__(self, split, count, device):
        if count > len(split):
            raise UsageError(f"{count} images are asked for, the split has {len(split)}")
        self.kind, self.names = split.kind, split.names
        self.pixels = split.images(torch.arange(count)).to(device)
        self.labels = split.labels[:count].to(device)

    def __len__(self):
        return len(self.labels)

    def images(self, indices):
        """(B, 3, S, S) uint8."""
        return self.pixels[indices.to(self.pixels.device)]

    def digest(self):
        """SHA-512 of images and labels."""
        return tensor_digest({"images": self.pixels, "labels": self.labels})


class Trainer:
    """One arm from its seed: model, optimizer, loader, and the loop of `run.train`."""

    def __init__(self, arm, seed, train, ctx):
        values = dict(arm.settings.as_environment()) | {"SEED": str(seed)}
        self.arm, self.ctx, self.settings = arm, ctx, SYSTEM.read(values)
        self.host = host_reads(ctx)
        seed_generators(self.settings)
        self.model = run.build_model(self.settings, ctx, len(train.names))
        self.optimizer, self.watch = arm.optimizer(self.model)
        self.loader = Loader(train, self.settings.batch, self.settings.seed, ctx.device)
        self.extra = int(arm.own.get("EXTRA_EVERY", 0))
        self.order, self.scales, self.done = [], [], 0
        self.model.train()

    def gradients(self, x, y):
        """Forward and backward; the loss."""
        self.optimizer.zero_grad(set_to_none=True)
        with self.ctx.autocast():
            loss, _ = run.loss_and_correct(self.model, x, y)
        loss.backward()
        return loss.detach()

    def steps(self, count):
        """Train on."""
        for _ in range(count):
            x, y = self.loader.next_batch()
            self.done += 1
            if self.extra and self.done % self.extra == 0:
                self.gradients(x, y)
            loss = self.gradients(x, y)
            self.optimizer.step()
            if self.watch is None:
                self.ctx.read(loss)
            self.order.append(self.loader.indices)
            memory = getattr(self.optimizer, "memory", None)
            if memory is not None and len(self.scales) < OPTIMIZER_SCALES:
                self.scales.append(memory.scale)

    def reads(self):
        """Of the host, validation aside."""
        return self.host.count + (self.watch.reads if self.watch is not None else 0)


def measure_window(arm, seed, shape, train, val, meter, ctx):
    """(facts that an equal run repeats, the clock) of one window of `shape`, the plan's [window].

    The meter runs in training alone: validation lies between two of its windows.
    """
    Trainer(arm, seed, train, ctx).steps(WARM_UP)
    trainer = Trainer(arm, seed, train, ctx)
    initial, before = tensor_digest(trainer.model.state_dict()), trainer.host.count
    length = shape["steps"] // shape["chunks"]
    losses, chunks, validation_reads = [], [], 0

    def validate():
        at = trainer.host.count
        loss, _ = run.evaluate(trainer.settings, trainer.model, ctx, val)
        losses.append([trainer.done, loss.hex()])
        return trainer.host.count - at

    validation_reads += validate()
    state = {"before": meter.state()}
    gc.collect()
    gc.disable()
    try:
        for _ in range(shape["chunks"]):
            ctx.synchronize()
            busy = time.process_time()
            meter.start()
            trainer.steps(length)
            ctx.synchronize()
            reading = meter.stop()
            busy = time.process_time() - busy
            kept = ("joules", "seconds", "flags", "check_joules")
            chunks.append({k: reading[k] for k in kept if k in reading} | {"processor_s": busy})
            validation_reads += validate()
    finally:
        gc.enable()
    state["after"] = meter.state()
    scales = trainer.scales
    facts = {
        "arm": arm.name,
        "steps": trainer.done,
        "initial": initial,
        "final": tensor_digest(trainer.model.state_dict()),
        "data_order": tensor_digest({"order": torch.cat(trainer.order)}),
        "reads": trainer.reads() - before - validation_reads,
        "lr": float(trainer.settings.lr).hex(),
        "losses": losses,
        "mean_scale": (sum(scales) / len(scales)).hex() if scales else None,
    }
    return facts, {"chunks": chunks, "state": state}

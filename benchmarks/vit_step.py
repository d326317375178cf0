"""One training step of ViT-Tiny: ours with Adam, ours with DCLR, and a public implementation.

    python -m benchmarks.vit_step                              # 32 images of 224 pixels, fp32, CPU
    python -m benchmarks.vit_step --batch 64 --rounds 20 --threads 2 --image-size 64 --json

In one process, in turn, in an order that changes each round: forward, backward, optimizer, with the
same flags (fused Adam). `public` is `transformers`' ViT with torch.optim.Adam; `rft` is DCLR with
gain and feedback; `base+telemetry` and `rft+telemetry` pay for the observer too, as both arms of a
comparison do. Reported: the median of the ratios of neighbouring steps, and their quartiles, in
seconds of the wall clock and of the processor; then dispatched operations and host reads a step.
"""

import argparse
import collections
import json
import os
import statistics
import tempfile
import time
from contextlib import chdir

import torch
import torch.nn.functional as F
from torch.utils._python_dispatch import TorchDispatchMode

from train_gpt_style.kit.images import Loader, SyntheticSplit
from train_gpt_style.vit_rft import SYSTEM, run
from train_gpt_style.vit_rft.seams import Run, StepReport

ARMS = {
    "base": {},
    "rft": {"DCLR_GAIN": "0.25", "DCLR_FEEDBACK": "1"},
    "base+telemetry": {"TELEMETRY": "1"},
    "rft+telemetry": {"DCLR_GAIN": "0.25", "DCLR_FEEDBACK": "1", "TELEMETRY": "1"},
}
RATIOS = (
    ("base", "public"),
    ("rft", "base"),
    ("base+telemetry", "base"),
    ("rft+telemetry", "base+telemetry"),
)
READS = ("_local_scalar_dense", "item")


class Count(TorchDispatchMode):
    """Counts dispatched operations, and how many numbers are read by the host."""

    def __init__(self):
        super().__init__()
        self.operations = self.reads = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.operations += 1
        self.reads += any(name in func.__name__ for name in READS)
        return func(*args, **(kwargs or {}))


class Arm:
    """Ours, by knobs."""

    def __init__(self, environ, options):
        environ = {**environ, "IMAGE_SIZE": str(options.image_size), "BATCH": str(options.batch)}
        values = SYSTEM.read({**environ, "STEPS": str(10**9)})
        self.context = run.Context({})
        run.seed_generators(values)
        self.model = run.build_model(values, self.context, 1000)
        self.optimizer = run.build_optimizer(values, self.model)
        split = SyntheticSplit(options.batch, 1000, options.image_size, 0)
        self.loader = Loader(split, options.batch, 0, self.context.device)
        parts = self.context, self.model, {"adam": self.optimizer}
        seen = Run(values, *parts, loader=self.loader, val_images=1, classes=1000)
        self.observers = run.observers_of(seen)
        self.steps = 0
        self.x, self.y = self.loader.next_batch()

    def step(self):
        """One step, as the loop does it."""
        self.optimizer.zero_grad(set_to_none=True)
        with self.context.autocast():
            loss, correct = run.loss_and_correct(self.model, self.x, self.y)
        loss.backward()
        self.optimizer.step()
        self.steps += 1
        for observer in self.observers:
            facts, seconds = {"correct": correct}, float(self.steps)
            where = {"indices": self.loader.indices, "seconds": seconds}
            observer.after_step(StepReport(self.steps, loss, facts, **where))

    def reads(self):
        """Host reads that the code itself counts; the telemetry's share of them included."""
        watch = getattr(self.optimizer, "watch", None)
        if watch is None and self.observers:
            watch = self.observers[0].watch
        return self.context.reads + (watch.reads if watch else 0)


class Public:
    """A public ViT of the same sizes, with the same optimizer and the same inputs."""

    def __init__(self, options):
        from transformers import ViTConfig, ViTForImageClassification

        config = ViTConfig(
            image_size=options.image_size,
            patch_size=16,
            hidden_size=192,
            num_hidden_layers=12,
            num_attention_heads=3,
            intermediate_size=768,
            layer_norm_eps=1e-6,
            num_labels=1000,
            hidden_dropout_prob=0.0,
            attention_probs_dropout_prob=0.0,
        )
        self.device = run.Context({}).device
        self.model = ViTForImageClassification(config).to(self.device).train()
        flags = {"lr": 5e-4, "betas": (0.9, 0.999), "eps": 1e-8, "fused": True}
        self.optimizer = torch.optim.Adam(self.model.parameters(), **flags)
        split = SyntheticSplit(options.batch, 1000, options.image_size, 0)
        self.context = run.Context({})
        self.x, self.y = Loader(split, options.batch, 0, self.device).next_batch()

    def step(self):
        """One step, with the same loss and the same count of right answers."""
        self.optimizer.zero_grad(set_to_none=True)
        with self.context.autocast():
            logits = self.model(self.x.float() / 127.5 - 1.0).logits
            loss = F.cross_entropy(logits.float(), self.y)
            (logits.argmax(dim=1) == self.y).sum()
        loss.backward()
        self.optimizer.step()

    def reads(self):
        """None."""
        return 0


def measure(arms, options):
    """Seconds of each step: {arm: [(wall, processor), …]}."""
    times, names = collections.defaultdict(list), list(arms)
    for number in range(options.warmup + options.rounds):
        turn = number % len(names)
        order = names[turn:] + names[:turn]
        for name in order if number % 2 else order[::-1]:
            arm = arms[name]
            arm.context.synchronize()
            start, busy = time.perf_counter(), time.process_time()
            arm.step()
            arm.context.synchronize()
            taken = time.perf_counter() - start, time.process_time() - busy
            if number >= options.warmup:
                times[name].append(taken)
    return times


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--image-size", type=int, default=224)
    parser.add_argument("--rounds", type=int, default=10, help="measured steps of each arm")
    parser.add_argument("--warmup", type=int, default=2, help="steps before them")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    with tempfile.TemporaryDirectory() as folder, chdir(folder):
        arms = {"public": Public(options)}
        for i, (name, environ) in enumerate(ARMS.items()):
            os.mkdir(str(i))
            with chdir(str(i)):
                arms[name] = Arm(environ, options)
        times = measure(arms, options)
        counts = {}
        for name, arm in arms.items():
            before = arm.reads()
            with Count() as count:
                arm.step()
            counts[name] = {
                "operations": count.operations,
                "scalars read": count.reads,
                "host reads": arm.reads() - before,
            }
    medians = {n: [statistics.median(t) for t in zip(*times[n], strict=True)] for n in times}
    ratios = {}
    for a, b in RATIOS:
        for clock, index in (("wall", 0), ("processor", 1)):
            values = [p[index] / q[index] for p, q in zip(times[a], times[b], strict=True)]
            ratios[f"{a} / {b}, {clock}"] = statistics.quantiles(values, n=4)
    found = {"seconds": medians, "ratios": ratios, "counts": counts, "options": vars(options)}
    if options.json:
        print(json.dumps(found, sort_keys=True))
        return
    for name, (wall, busy) in medians.items():
        print(f"{name:16} {wall:.4f} s a step, {busy:.4f} s of the processor, {counts[name]}")
    for name, (low, middle, high) in ratios.items():
        print(f"{name:40} {middle:.4f}  quartiles {low:.4f} {high:.4f}")


if __name__ == "__main__":
    main()

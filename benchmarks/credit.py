"""A step of feedback alignment against one of backpropagation, and what the audit costs.

    python -m benchmarks.credit                    # d=256, L=12, batch 128, inputs of CIFAR, CPU
    python -m benchmarks.credit --rounds 60 --json

In one process and thread, in turn, in an order that changes each round: gradients and AdamW of the
same network by backpropagation, by DFA and FA as they run, and by the straightforward local step.
Time: the median of the ratios of neighbouring steps, with quartiles, in processor time. Memory: the
peak of bytes in live activations within one step, a storage of tensors whose leading size is the
batch, inputs left out; counted as they are made and freed. Then the four diagnostics of that
network on 1,024 examples, and null calibration of DFA and of FA by 20 draws over one measurement
of cosines.
"""

import argparse
import json
import statistics
import sys
import time
import weakref

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from train_gpt_style.credit import SYSTEM, metrics
from train_gpt_style.credit.calibrate import fresh_cosines
from train_gpt_style.credit.features.method import method_of
from train_gpt_style.credit.protocol import diagnostics
from train_gpt_style.credit.run import Context, build_model, build_optimizers, gradients_of

BATCH = 128
ARMS = {
    "bp": {},
    "dfa": {"CREDIT_METHOD": "dfa"},
    "fa": {"CREDIT_METHOD": "fa"},
    "dfa, straightforward": {"CREDIT_METHOD": "dfa", "CREDIT_FAST": "0"},
    "fa, straightforward": {"CREDIT_METHOD": "fa", "CREDIT_FAST": "0"},
}


class Arm:
    """A network, its optimizer, and a batch."""

    def __init__(self, environ, options):
        sizes = {"DIM": str(options.dim), "DEPTH": str(options.depth)}
        self.settings, self.context = SYSTEM.read({**sizes, **environ}), Context({})
        torch.manual_seed(1)
        self.model = build_model(self.settings, self.context)
        self.optimizer = build_optimizers(self.settings, self.model)["adamw"]
        self.gradients = gradients_of(self.settings)
        self.x, self.y = torch.randn(BATCH, 3, 32, 32), torch.randint(10, (BATCH,))

    def fill(self):
        """Gradients alone."""
        self.optimizer.zero_grad()
        self.gradients(self.model, self.x, self.y, self.context, 0)

    def step(self):
        """Gradients and update."""
        self.fill()
        self.optimizer.step()


class Live(TorchDispatchMode):
    """Peak of bytes in storages whose first tensor has the batch for its leading size."""

    def __init__(self, ignored):
        super().__init__()
        self.seen = {t.untyped_storage()._cdata for t in ignored}
        self.now = self.peak = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        for t in tree_leaves(out):
            if not isinstance(t, torch.Tensor) or t.ndim < 2 or t.size(0) != BATCH:
                continue
            storage = t.untyped_storage()
            if storage._cdata in self.seen:
                continue
            self.seen.add(storage._cdata)
            self.now += storage.nbytes()
            self.peak = max(self.peak, self.now)
            weakref.finalize(storage, self.freed, storage._cdata, storage.nbytes())
        return out

    def freed(self, key, size):
        """A storage is gone; its address may be another's next."""
        self.seen.discard(key)
        self.now -= size


def peak_of(arm):
    """Bytes, of one step after the first."""
    arm.step()
    with Live([arm.x, arm.y, *arm.model.state_dict().values()]) as live:
        arm.fill()
    return live.peak


def seconds(work):
    """Processor time."""
    start = time.process_time()
    work()
    return time.process_time() - start


def quartiles(values):
    """Median and the two quartiles."""
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return {"median": middle, "quartiles": [low, high]}


def steps(options):
    """Times and ratios over backpropagation, by arm."""
    arms = {name: Arm(environ, options) for name, environ in ARMS.items()}
    for arm in arms.values():
        arm.step()
    taken = {name: [] for name in arms}
    names = list(arms)
    for number in range(options.rounds):
        turn = number % len(names)
        for name in names[turn:] + names[:turn]:
            taken[name].append(seconds(arms[name].step))
    peaks = {name: peak_of(arm) for name, arm in arms.items()}
    return {
        name: {
            "ms": 1000 * statistics.median(taken[name]),
            "time": quartiles([a / b for a, b in zip(taken[name], taken["bp"], strict=True)]),
            "activation_bytes": peaks[name],
            "activations": peaks[name] / peaks["bp"],
        }
        for name in arms
    }


def diagnosed(arm, x, y):
    """What (a), (b), (c) ask of a network; (d) is a difference of two accuracies."""
    seen = metrics.measured(arm.model, x, y)
    t = diagnostics.Thresholds()
    diagnostics.growth([metrics.hidden_norm(h) for h in seen.hidden], t)
    diagnostics.floor(metrics.gradient_norm(seen.gradients[-1]), t)
    middle = seen.gradients[(len(seen.hidden) - 1) // 2]
    diagnostics.stability(metrics.stability(middle, 8, 128), 8, 128, t)
    same = diagnostics.Setting(0, 0, "", 0, ())
    accuracy = float(seen.correct.double().mean())
    diagnostics.depth(accuracy, accuracy, same, same, t)


def measured(arm, x, y):
    """One measurement of cosines."""
    seen = metrics.with_credits(metrics.measured(arm.model, x, y), method_of(arm.settings))
    for a, g in zip(seen.credits, seen.gradients, strict=True):
        metrics.cosine(a, g)
    return seen


def null_ratios(name, options, x, y, rounds):
    """Of one method: null calibration by 20 draws over one measurement of cosines, each round."""
    arm = Arm(ARMS[name], options)
    seen, method = measured(arm, x, y), method_of(arm.settings)

    def ratio():
        once = seconds(lambda: measured(arm, x, y))
        return seconds(lambda: fresh_cosines(seen, method, 20)) / once

    return quartiles([ratio() for _ in range(rounds)])


def audit(options):
    """Seconds of the diagnostics; by method, null calibration over one measurement of cosines."""
    x, y = torch.randn(1024, 3, 32, 32), torch.randint(10, (1024,))
    rounds, arm = max(5, options.rounds // 8), Arm(ARMS["dfa"], options)
    four = [seconds(lambda: diagnosed(arm, x, y)) for _ in range(rounds)]
    null = {name: null_ratios(name, options, x, y, rounds) for name in ("dfa", "fa")}
    return {"diagnostics_s": quartiles(four), "null_over_cosines": null}


def main(arguments=None):
    """Print the table, or JSON."""
    parser = argparse.ArgumentParser(prog="benchmarks/credit.py")
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--dim", type=int, default=256)
    parser.add_argument("--depth", type=int, default=12)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    found = {"steps": steps(options), "audit": audit(options)}
    if options.json:
        print(json.dumps(found, indent=2))
        return 0
    for name, each in found["steps"].items():
        low, high = each["time"]["quartiles"]
        print(
            f"{name:<22} {each['ms']:7.1f} ms, {each['time']['median']:.3f} of bp "
            f"({low:.3f} to {high:.3f}); activations {each['activation_bytes'] / 2**20:.2f} MiB, "
            f"{each['activations']:.3f} of bp"
        )
    print(f"four diagnostics, 1,024 examples: {found['audit']['diagnostics_s']['median']:.2f} s")
    for name, null in found["audit"]["null_over_cosines"].items():
        ratio = null["median"]
        print(f"null calibration, 20 draws, {name}: {ratio:.2f} of one measurement of cosines")
    return 0


if __name__ == "__main__":
    sys.exit(main())

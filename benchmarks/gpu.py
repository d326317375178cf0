"""On a CUDA device: the ladder, step time in bf16 with and without torch.compile, peak memory.

    make data
    python -m benchmarks.gpu records/track_cuda/2026-11-23_GpuSteps

Writes a new folder that is ready to be sealed as a measured record:

    record.json, train.jsonl, …   a real run of --steps steps, made by `goldenseal record`; its
                                  numeric class names the device
    gpu.json                      the ladder's verdicts and every measured figure
    README.md                     the same in words, and what it does not show

The ladder's rungs that compare candidate and baseline run in this process, under deterministic
algorithms. They run uncompiled: a recorder that looks into a forward pass breaks the one graph that
the scripts ask for. Steps have the default shapes, 8 micro-batches of 65,536 random tokens. First
both sides do two of them under deterministic algorithms, uncompiled, and must lose the same, bit
for bit; the timed ones, in turns, are as a run does them: free to choose algorithms.

Each part says on standard error when it is done; compiled code is kept on disk, so that the second
time a side is compiled takes seconds. Without a CUDA device it says so, writes nothing, and exits
with 3.
"""

import argparse
import gc
import os
import statistics
import sys
import time
from dataclasses import replace
from pathlib import Path

os.environ["CUBLAS_WORKSPACE_CONFIG"] = ":4096:8"  # asked for before CUDA starts, or not at all

import torch

from goldenseal.config import find_root, system
from goldenseal.disk import canonical
from goldenseal.disk.files import atomic_write
from goldenseal.errors import GoldensealError
from goldenseal.ladder.suite import run_ladder
from goldenseal.launch.gate import UNCHECKED, clear
from goldenseal.launch.make_record import make_record
from train_gpt_style.gpt import SYSTEM, run
from train_gpt_style.gpt.knobs import MICRO_BATCHES
from train_gpt_style.gpt.probe import PROBE

COULD_NOT_CHECK = 3
RUNGS = (
    "initial state",
    "random numbers",
    "operations",
    "loss and gradients",
    "training",
    "evaluation and export",
)
SIDES = ("baseline", "candidate")


def climb():
    """The ladder's comparisons on the device in use: verdict, summary and findings by rung."""
    with torch.compiler.set_stance("force_eager"):
        # One device: a scenario of several ranks would want one each.
        alone = tuple(scenario for scenario in PROBE.scenarios if scenario.ranks == 1)
        probe = replace(PROBE, scenarios=alone)
        results = run_ladder(probe, RUNGS, lambda done, total: None, apart=False)
    return {
        r.gate: {"verdict": r.verdict.value, "summary": r.summary, "findings": list(r.findings)}
        for r in results
    }


class Trainer:
    """One side's model and optimizers, at the shapes of `environ`, on the device in use."""

    def __init__(self, side, compiled, environ):
        run.seed_everything(SYSTEM.read(environ), run.Context({}, MICRO_BATCHES))
        if side == "baseline":
            script = PROBE.baseline.load()
            self.values, self.ctx = script.Hyperparameters.from_env(environ), script.Context({})
            model = script.build_model(self.values, self.ctx)
            self.optimizers = script.build_optimizers(self.values, model)
            if compiled:  # each as its own run does it
                script.newton_schulz = torch.compile(script.newton_schulz)
        else:
            self.values, self.ctx = SYSTEM.read(environ), run.Context({}, MICRO_BATCHES)
            model = run.build_model(self.values, self.ctx)
            named = run.build_optimizers(self.values, model)
            self.optimizers = list(named.values())
            if compiled:
                named["matrices"].orthogonalize = torch.compile(named["matrices"].orthogonalize)
        self.model = torch.compile(model, dynamic=False, fullgraph=True) if compiled else model
        self.generator = torch.Generator().manual_seed(0)

    def step(self):
        """One global batch of random tokens, one update. Returns (seconds, mean loss)."""
        length = self.values.train_seq_len
        shape = (2, self.values.train_batch_tokens // MICRO_BATCHES // length, length)
        total = torch.zeros((), device=self.ctx.device)
        self.ctx.synchronize()
        start = time.perf_counter()
        for _ in range(MICRO_BATCHES):
            tokens = torch.randint(self.values.vocab_size, shape, generator=self.generator)
            x, y = tokens.to(self.ctx.device)
            with self.ctx.autocast():
                loss = self.model(x, y)
            total += loss.detach()
            (loss / MICRO_BATCHES).backward()
        for optimizer in self.optimizers:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        self.ctx.synchronize()
        return time.perf_counter() - start, total.item() / MICRO_BATCHES


def fresh_start():
    """Let go of earlier models and of their compiled code."""
    torch.compiler.reset()
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()


def same_losses(environ, steps=2):
    """Whether both sides lose the same under deterministic algorithms, bit for bit."""
    torch.use_deterministic_algorithms(True)
    losses = []
    for side in SIDES:
        fresh_start()
        trainer = Trainer(side, False, environ)
        losses.append([trainer.step()[1].hex() for _ in range(steps)])
    torch.use_deterministic_algorithms(False)
    return losses[0] == losses[1]


def measure(compiled, environ, warmup, rounds):
    """Seconds a step of both sides in turn, and their ratio."""
    fresh_start()
    sides = {side: Trainer(side, compiled, environ) for side in SIDES}
    seconds = {side: [] for side in SIDES}
    for i in range(warmup + rounds):
        for side in sorted(SIDES, reverse=bool(i % 2)):
            seconds[side].append(sides[side].step()[0])
    timed = {side: values[warmup:] for side, values in seconds.items()}
    ratios = [c / b for b, c in zip(timed["baseline"], timed["candidate"], strict=True)]
    low, middle, high = statistics.quantiles(ratios, n=4)
    return {
        "first_step_seconds": {side: values[0] for side, values in seconds.items()},
        "ratio": {"low": low, "median": middle, "high": high},
        "step_seconds": {side: statistics.median(values) for side, values in timed.items()},
    }


def peak_memory(side, compiled, environ):
    """Most bytes of tensors on the device during two steps; None on a CPU, which keeps no count."""
    fresh_start()
    trainer = Trainer(side, compiled, environ)
    if not trainer.ctx.cuda:
        return None
    trainer.step()
    trainer.step()
    return torch.cuda.max_memory_allocated()


def collect(environ, warmup, rounds):
    """Everything that gpu.json holds."""
    ways = {"eager": False, "compiled": True}
    began, figures = time.perf_counter(), {"torch": torch.__version__}
    figures["device"] = torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu"
    parts = {
        "ladder": climb,
        "losses_equal": lambda: same_losses(environ),
        "peak_bytes": lambda: {
            way: {side: peak_memory(side, compiled, environ) for side in SIDES}
            for way, compiled in ways.items()
        },
        "steps": lambda: {
            way: measure(compiled, environ, warmup, rounds) for way, compiled in ways.items()
        },
    }
    for name, part in parts.items():
        figures[name] = part()
        print(f"{name}: done, {time.perf_counter() - began:.0f} s", file=sys.stderr, flush=True)
    return figures


def readme(name, figures):
    """The figures in words."""
    lines = [
        f"# {name}",
        "",
        f"Measured on {figures['device']} with torch {figures['torch']}, by `benchmarks/gpu.py`: a",
        "step is 8 micro-batches of random tokens at the default shapes, in bf16.",
        "",
        "| way | baseline, s | candidate, s | candidate / baseline (quartiles) |",
        "|---|---|---|---|",
    ]
    for way, figure in figures["steps"].items():
        baseline, candidate = (figure["step_seconds"][side] for side in SIDES)
        low, middle, high = (figure["ratio"][key] for key in ("low", "median", "high"))
        lines.append(
            f"| {way} | {baseline:.4f} | {candidate:.4f} | {middle:.4f} ({low:.4f} to {high:.4f}) |"
        )
    lines += ["", "| peak memory | baseline, bytes | candidate, bytes |", "|---|---|---|"]
    for way, peak in figures["peak_bytes"].items():
        lines.append(f"| {way} | {peak['baseline']} | {peak['candidate']} |")
    lines += ["", "| rung, uncompiled | verdict | what was compared |", "|---|---|---|"]
    for gate, result in figures["ladder"].items():
        lines.append(f"| {gate} | {result['verdict']} | {result['summary']} |")
    same = "lose the same, bit for bit" if figures["losses_equal"] else "do NOT lose the same"
    lines += [
        "",
        f"At the default shapes, uncompiled and deterministic, both sides {same}.",
        "",
        "`train.jsonl` is a short run that shows device and settings; its losses say nothing of a",
        "trained model. One device, one run: other devices, drivers and versions may differ.",
        "",
    ]
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path, help="records/<track>/<date>_<Name>, a new folder")
    parser.add_argument("--steps", type=int, default=20, help="length of the recorded run")
    parser.add_argument("--warmup", type=int, default=3, help="steps that are not timed")
    parser.add_argument("--rounds", type=int, default=10, help="timed steps of each side")
    parser.add_argument(
        "--waive", action="append", default=[], metavar="GATE=REASON", help="as `goldenseal record`"
    )
    options = parser.parse_args()
    if not torch.cuda.is_available():
        print("not run: no CUDA device")
        sys.exit(COULD_NOT_CHECK)
    root = find_root()
    try:
        launch = clear(root, system(root, "gpt"), options.waive)
    except GoldensealError as error:
        sys.exit(f"error: {error}")
    figures = collect({}, options.warmup, options.rounds)
    steps = {"ITERATIONS": str(options.steps), "MAX_WALLCLOCK_SECONDS": "0", "WARMDOWN_ITERS": "0"}
    try:
        write(options.folder, figures, steps, launch)
    except GoldensealError as error:
        sys.exit(f"error: {error}")
    failed = any(result["verdict"] != "pass" for result in figures["ladder"].values())
    sys.exit(failed or not figures["losses_equal"])


def write(folder, figures, knobs, launch=UNCHECKED):
    """A record of a run under `knobs`, and the figures beside it."""
    root = find_root()
    make_record(root, system(root, "gpt"), folder, knobs, print, launch)
    atomic_write(folder / "gpu.json", canonical.dumps(figures))
    atomic_write(folder / "README.md", readme(folder.name, figures).encode())
    print(f"{folder} is ready: read it, then `make seal R={folder}`")


if __name__ == "__main__":
    main()

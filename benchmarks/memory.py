"""Peak memory of a training step: the candidate with its features off, against the baseline.

    python -m benchmarks.memory                  # default size, 2 sequences of 1024, CPU
    python -m benchmarks.memory --rounds 9 --sequences 4 --json

Each measurement is a process of its own, which does two steps (the second has optimizer states
from the start) and reads the high-water mark of its resident memory, VmHWM in /proc/self/status.
Sides alternate. The mark moves by itself from run to run, with the allocator and the pages that
libraries touch: the spread of each side is the noise, a difference of medians within it is none.
To tell more than noise, the peak of what tensors alone take in a third step is counted too, from
torch's own record of each allocation; that figure repeats exactly.
"""

import argparse
import json
import statistics
import subprocess
import sys

MEBIBYTE = 2**20


def high_water_mark():
    """VmHWM of this process, in bytes."""
    with open("/proc/self/status", encoding="ascii") as file:
        (line,) = (line for line in file if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024


def tensor_peak(work):
    """The most bytes that tensors held at once while `work` ran, beyond those held before it."""
    from torch.profiler import ProfilerActivity, profile

    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as record:
        work()
    held = peak = 0
    for event in sorted(record.profiler.kineto_results.events(), key=lambda e: e.start_ns()):
        if event.name() == "[memory]":
            held += event.nbytes()
            peak = max(peak, held)
    return peak


def side_step(side, sequences, length):
    """One training step of a side, as a function of no arguments."""
    import torch

    from train_gpt_style.gpt import SYSTEM, run
    from train_gpt_style.gpt.probe import PROBE

    torch.manual_seed(1337)
    if side == "baseline":
        script = PROBE.baseline.load()
        args, context = script.Hyperparameters.from_env({}), script.Context({})
        model = script.build_model(args, context)
        optimizers = script.build_optimizers(args, model)
    else:
        values, context = SYSTEM.read({}), run.Context({}, 8)
        model = run.build_model(values, context)
        optimizers = run.build_optimizers(values, model).values()
    generator = torch.Generator().manual_seed(0)
    x, y = torch.randint(1024, (2, sequences, length), generator=generator)

    def step():
        with context.autocast():
            loss = model(x, y)
        loss.backward()
        for optimizer in optimizers:
            optimizer.step()
        for optimizer in optimizers:
            optimizer.zero_grad(set_to_none=True)

    return step


def measure(side, sequences, length):
    """In a process of its own: {"resident": bytes, "tensors": bytes}."""
    import torch

    torch.set_num_threads(1)
    step = side_step(side, sequences, length)
    step()
    step()
    resident = high_water_mark()
    return {"resident": resident, "tensors": tensor_peak(step)}


def child(*arguments):
    """`measure` in a fresh process."""
    command = [sys.executable, __file__, "--child", *map(str, arguments)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--sequences", type=int, default=2)
    parser.add_argument("--length", type=int, default=1024)
    parser.add_argument("--child", metavar="SIDE", help=argparse.SUPPRESS)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    sizes = options.sequences, options.length
    if options.child:
        print(json.dumps(measure(options.child, *sizes)))
        return
    found = {"baseline": [], "candidate": []}
    for i in range(options.rounds):
        for side in sorted(found, reverse=bool(i % 2)):
            size = ("--sequences", sizes[0], "--length", sizes[1])
            found[side].append(child(side, *size))
    figures = {side: summary(rounds) for side, rounds in found.items()}
    figures["ratio"] = {
        kind: figures["candidate"][kind]["median"] / figures["baseline"][kind]["median"]
        for kind in ("resident", "tensors")
    }
    if options.json:
        print(json.dumps(figures))
        return
    for kind in ("resident", "tensors"):
        parts = [f"{side} {words(figures[side][kind])}" for side in found]
        print(f"{kind:9} {', '.join(parts)}, ratio {figures['ratio'][kind]:.4f}")


def summary(rounds):
    """Median, smallest and largest of each kind, in bytes."""
    return {
        kind: {
            "median": statistics.median(r[kind] for r in rounds),
            "range": [min(r[kind] for r in rounds), max(r[kind] for r in rounds)],
        }
        for kind in ("resident", "tensors")
    }


def words(figure):
    """A peak in mebibytes, with its range."""
    low, high = (value / MEBIBYTE for value in figure["range"])
    return f"{figure['median'] / MEBIBYTE:.1f} MiB ({low:.1f} to {high:.1f})"


if __name__ == "__main__":
    main()

"""A training step with Muon's products in fp32, and with its matrices in stacks.

    python -m benchmarks.muon                 # default size, 2 sequences of 512, fp32, one thread
    python -m benchmarks.muon --layers 1 --rounds 3   # the same widths, a ninth of the matrices

Each way is the default step with MUON_PRODUCTS=fp32, with MUON_STACKED=1, or with both. It is
measured in two processes of their own: one as the machine is, and one in which oneDNN is held to
AVX2 (ONEDNN_MAX_CPU_ISA), as on a CPU without bfloat16 instructions: there the default takes more
than a minute a step. In a process the ways take turns, and the order alternates. Reported: seconds
of processor time of the passes and of Muon, medians over rounds; how many times faster than the
default the whole step is, the median of neighbouring rounds; and, of one Newton-Schulz iteration
from the same random matrices, how far the way and the loop in bfloat16 are from one in float64 and
from each other, relative to the norm. Then the roofline: at which rate the products alone run.
"""

import argparse
import json
import multiprocessing
import os
import statistics
import time

WAYS = {
    "default": {},
    "products": {"MUON_PRODUCTS": "fp32"},
    "stacked": {"MUON_STACKED": "1"},
    "both": {"MUON_PRODUCTS": "fp32", "MUON_STACKED": "1"},
}
ISAS = {"as it is": None, "held to AVX2": "AVX2"}
SEQUENCES, LENGTH = 2, 512
SHAPES = (512, 512), (256, 512), (1024, 512)  # of the default model's matrices
SIDE = 512


class Way:
    """A model and its optimizers, as the knobs say."""

    def __init__(self, environ, layers):
        import torch

        from train_gpt_style.gpt import SYSTEM, run

        settings = SYSTEM.read({"NUM_LAYERS": str(layers), **environ})
        torch.manual_seed(settings.seed)
        self.model = run.build_model(settings, run.Context({}, 8))
        self.optimizers = run.build_optimizers(settings, self.model)
        self.passes, self.updates = [], []

    def step(self, x, y):
        """One step; seconds of the passes and of the update are kept."""
        start = time.process_time()
        self.model(x, y).backward()
        between = time.process_time()
        for optimizer in self.optimizers.values():
            optimizer.step()
        end = time.process_time()
        for optimizer in self.optimizers.values():
            optimizer.zero_grad(set_to_none=True)
        self.passes.append(between - start)
        self.updates.append(end - between)


def worker(rounds, layers, names, pipe):
    """Everything that is measured under one instruction set, sent as one object."""
    import torch

    torch.set_num_threads(1)
    ways = {name: Way(WAYS[name], layers) for name in ("default", *names)}
    x, y = torch.randint(1024, (2, SEQUENCES, LENGTH), generator=torch.Generator().manual_seed(0))
    for i in range(0 if rounds > 1 else 1, rounds + 1):  # a single round has no warm-up
        for way in list(ways.values())[:: 1 if i % 2 else -1]:
            way.step(x, y)
    pipe.send({"steps": figures(ways, rounds), "apart": distances(ways), "rates": rates()})


def figures(ways, rounds):
    """Seconds of each way, and its ratio to the default."""
    found, plain = {}, totals(ways["default"], rounds)
    for name, way in ways.items():
        ratios = [p / t for p, t in zip(plain, totals(way, rounds), strict=True)]
        found[name] = {
            "pass_seconds": statistics.median(way.passes[-rounds:]),
            "update_seconds": statistics.median(way.updates[-rounds:]),
            "times_as_fast": statistics.median(ratios),
            "least_and_most": [min(ratios), max(ratios)],
        }
    return found


def totals(way, rounds):
    """Seconds of its last steps."""
    pairs = zip(way.passes[-rounds:], way.updates[-rounds:], strict=True)
    return [p + u for p, u in pairs]


def distances(ways):
    """By way: how far it is from float64 and from the loop, the mean over matrices; the loop's."""
    import torch

    from train_gpt_style.gpt.muon import newton_schulz

    generator, sums = torch.Generator().manual_seed(0), {name: [0.0, 0.0] for name in ways}
    for shape in SHAPES:
        G = torch.randn(shape, generator=generator)
        exact, loop = in_float64(G), newton_schulz(G, 5)
        for name, way in ways.items():
            found = way.optimizers["matrices"].orthogonalized([G], 5)[0]
            for i, other in enumerate((exact, loop)):
                off = (found.double() - other.double()).norm() / other.double().norm()
                sums[name][i] += off.item() / len(SHAPES)
    return {name: {"float64": a, "loop": b} for name, (a, b) in sums.items()}


def in_float64(G, steps=5):
    """The iteration of the matrix G, in float64."""
    from train_gpt_style.gpt.constants import MUON_EPS, NS_A, NS_B, NS_C

    X = G.double() / (G.double().norm() + MUON_EPS)
    X = X.T if G.size(0) > G.size(1) else X
    for _ in range(steps):
        A = X @ X.T
        X = NS_A * X + (NS_B * A + NS_C * A @ A) @ X
    return X.T if G.size(0) > G.size(1) else X


def rates():
    """Billions of operations a second of products of 512 by 512, alone and three stacked."""
    import torch

    found = {}
    for kind in (torch.float32, torch.bfloat16):
        for stack in (0, 3):
            a = torch.randn(*((stack,) if stack else ()), SIDE, SIDE).to(kind)
            (a @ a).sum()
            start = time.process_time()
            for _ in range(3):
                a @ a
            seconds = (time.process_time() - start) / 3
            name = f"{str(kind).removeprefix('torch.')}{' stacked' if stack else ''}"
            found[name] = 2e-9 * SIDE**3 * max(stack, 1) / seconds
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=5, help="measured steps of each way")
    parser.add_argument("--rounds-without", type=int, default=1, help="the same held to AVX2")
    parser.add_argument("--layers", type=int, default=9, help="NUM_LAYERS")
    rest = [name for name in WAYS if name != "default"]
    parser.add_argument("--ways", nargs="+", choices=rest, default=rest, help="beside the default")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    spawn, found = multiprocessing.get_context("spawn"), {}
    for (name, isa), rounds in zip(
        ISAS.items(), (options.rounds, options.rounds_without), strict=True
    ):
        if isa is not None:
            os.environ["ONEDNN_MAX_CPU_ISA"] = isa  # a child reads it as torch is loaded
        here, there = spawn.Pipe()
        process = spawn.Process(target=worker, args=(rounds, options.layers, options.ways, there))
        process.start()
        there.close()
        try:
            found[name] = here.recv()
        except EOFError:
            raise SystemExit(f"{name}: the process ended without an answer") from None
        process.join()
    print(json.dumps(found) if options.json else "\n".join(sentences(found)))


def sentences(found):
    """The figures in words."""
    for isa, figure in found.items():
        yield f"{isa}:"
        for name, step in figure["steps"].items():
            low, high = step["least_and_most"]
            off = figure["apart"][name]
            yield (
                f"  {name:9} passes {step['pass_seconds']:.2f} s, "
                f"update {step['update_seconds']:.2f} s: {step['times_as_fast']:.2f} times as "
                f"fast ({low:.2f} to {high:.2f}); an update is {off['float64']:.4f} from float64, "
                f"{off['loop']:.4f} from the loop"
            )
        rates = ", ".join(f"{name} {rate:.1f}" for name, rate in figure["rates"].items())
        yield f"  products of {SIDE} by {SIDE}, GFLOP/s: {rates}"


if __name__ == "__main__":
    main()

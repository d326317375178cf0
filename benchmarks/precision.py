"""Training in fp32 and in bf16 on this CPU, with and without torch.compile.

    python -m benchmarks.precision                 # default size, 2 sequences of 1024, not compiled
    python -m benchmarks.precision --compile       # the same and compiled; minutes of compilation
    python -m benchmarks.precision --length 512 --threads 2 --json

In one process and in turn, order alternating, each way does forward and backward of a micro-batch;
then its optimizers step. Three ratios to fp32, on the processor's clock, medians of neighbouring
rounds with their quartiles: of the micro-batch alone, which is what a step of the default 65,536
tokens a micro-batch comes to; of a step of one micro-batch; and of a step of eight, which is what a
global batch has. The last two are computed from the parts. Muon multiplies in bf16 in each way, so
the update takes the same time everywhere.

`equal` says whether loss and gradients of the first pass are those of the same precision, not
compiled, bit for bit; else by how much a gradient is off, relative to its own largest element.
"""

import argparse
import json
import os
import statistics
import tempfile
import time
from dataclasses import dataclass, field

import torch

from train_gpt_style.gpt import SYSTEM, run
from train_gpt_style.gpt.knobs import MICRO_BATCHES

SPREAD = 0.02  # of what is added to each weight: a fresh model's blocks pass no gradient


@dataclass
class Way:
    """One way to compute a step, and what it took: seconds of each part, by round."""

    name: str
    compiled: bool
    environ: dict
    passes: list = field(default_factory=list)
    updates: list = field(default_factory=list)

    def build(self):
        """Model and optimizers as a run has them, and what its first pass gives."""
        values, self.ctx = SYSTEM.read(self.environ), run.Context({}, MICRO_BATCHES)
        for feature in values.features:
            feature.prepare(self.ctx, values)
        torch.manual_seed(values.seed)
        self.model = run.build_model(values, self.ctx)
        generator = torch.Generator().manual_seed(0)
        with torch.no_grad():
            for _, p in sorted(self.model.named_parameters()):
                p.add_(torch.randn(p.shape, generator=generator) * SPREAD)
        self.forward = self.model
        if self.compiled:
            self.forward = torch.compile(self.model, dynamic=False, fullgraph=True)
        self.optimizers = run.build_optimizers(values, self.model).values()

    def step(self, x, y):
        """One micro-batch, then one update; both timed. Returns the loss."""
        start = time.process_time()
        with self.ctx.autocast():
            loss = self.forward(x, y)
        loss.backward()
        between = time.process_time()
        for optimizer in self.optimizers:
            optimizer.step()
        self.passes.append(between - start)
        self.updates.append(time.process_time() - between)
        return loss.item()

    def gradients(self):
        return {name: p.grad.clone() for name, p in self.model.named_parameters()}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--sequences", type=int, default=2)
    parser.add_argument("--length", type=int, default=1024)
    parser.add_argument("--compile", action="store_true", help="measure the compiled ways too")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    with tempfile.TemporaryDirectory() as cache:  # or a second run would find compiled code
        os.environ["TORCHINDUCTOR_CACHE_DIR"] = cache
        figures = measure(options)
    print(json.dumps(figures) if options.json else "\n".join(map(sentence, figures)))


def measure(options):
    """Every way's figures, plain fp32 first."""
    ways = [
        Way(name + (" compiled" if compiled else ""), compiled, environ)
        for compiled in ((False, True) if options.compile else (False,))
        for name, environ in (("fp32", {}), ("bf16", {"AUTOCAST": "bf16"}))
    ]
    generator = torch.Generator().manual_seed(0)
    x, y = torch.randint(1024, (2, options.sequences, options.length), generator=generator)
    first = {}
    for way in ways:
        way.build()
        first[way.name] = {"loss": way.step(x, y), **way.gradients()}
    for i in range(options.rounds + 1):
        for way in ways if i % 2 else ways[::-1]:
            for optimizer in way.optimizers:
                optimizer.zero_grad(set_to_none=True)
            way.step(x, y)
    return [describe(way, ways[0], first) for way in ways]


def describe(way, plain, first):
    """Times of one way, its ratios to plain fp32, and how it differs from itself uncompiled."""
    figure = {"name": way.name, "first_pass_seconds": way.passes[0]}
    figure["pass_seconds"] = statistics.median(way.passes[2:])
    figure["update_seconds"] = statistics.median(way.updates[2:])
    for name, passes, updates in (
        ("micro_batch", 1, 0),
        ("step_of_1", 1, 1),
        (f"step_of_{MICRO_BATCHES}", MICRO_BATCHES, 1),
    ):
        mine, theirs = (
            [passes * p + updates * u for p, u in zip(w.passes[2:], w.updates[2:], strict=True)]
            for w in (way, plain)
        )
        ratios = [b / a for a, b in zip(mine, theirs, strict=True)]
        low, middle, high = statistics.quantiles(ratios, n=4)
        figure[name] = {"ratio": middle, "quartiles": [low, high]}
    if way.compiled:
        figure |= difference(first[way.name], first[way.name.removesuffix(" compiled")])
    return figure


def difference(found, expected):
    """How a compiled first pass differs from the uncompiled one."""
    gradients = [name for name in expected if name != "loss"]
    equal = [name for name in gradients if torch.equal(found[name], expected[name])]
    apart = max(
        ((found[name] - expected[name]).abs().max() / expected[name].abs().max()).item()
        for name in gradients
    )
    return {
        "equal": found["loss"] == expected["loss"] and len(equal) == len(gradients),
        "equal_gradients": f"{len(equal)} of {len(gradients)}",
        "largest_relative_difference": apart,
    }


def sentence(figure):
    """One way's figures in words."""
    ratios = ", ".join(
        f"{name.replace('_', ' ')} {figure[name]['ratio']:.3f} "
        f"({figure[name]['quartiles'][0]:.3f} to {figure[name]['quartiles'][1]:.3f})"
        for name in figure
        if isinstance(figure[name], dict)
    )
    words = (
        f"{figure['name']:13} pass {1000 * figure['pass_seconds']:.0f} ms, "
        f"update {1000 * figure['update_seconds']:.0f} ms; times as fast as fp32: {ratios}"
    )
    if "equal" in figure:
        words += (
            f"; first pass {figure['first_pass_seconds']:.0f} s; equal to uncompiled: "
            f"{'yes' if figure['equal'] else 'no'}, {figure['equal_gradients']} gradients, "
            f"apart by at most {figure['largest_relative_difference']:.1e}"
        )
    return words


if __name__ == "__main__":
    main()

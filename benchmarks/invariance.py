"""WORLD_INVARIANT: the time of a step with the fixed order of sums, against the default order.

    python -m benchmarks.invariance                         # default size, 8 x 512 tokens, one rank
    MODEL_DIM=128 python -m benchmarks.invariance --rounds 20 --json

One process does one global batch of each kind in turn, on the same model; the order alternates.
Reported: the median ratio of neighbouring steps (gradients, clipping aside, and every optimizer),
its quartiles, and how many gradients each way holds at most, counted in bytes of the tree.
"""

import argparse
import json
import os
import statistics
import time

import torch

from train_gpt_style.gpt import SYSTEM, invariant, run
from train_gpt_style.gpt.division import Division
from train_gpt_style.gpt.train import zero_grad


class Tokens:
    """In place of a loader: the same random micro-batches for both."""

    def __init__(self, vocab_size, length):
        generator = torch.Generator().manual_seed(0)
        self.pairs = torch.randint(vocab_size, (8, 2, 1, length), generator=generator)
        self.next = 0

    def next_batch(self, *_):
        self.next += 1
        return self.pairs[self.next % 8].unbind(0)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=10, help="measured pairs of steps")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--length", type=int, default=512, help="tokens of a micro-batch")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)

    values, context = SYSTEM.read(os.environ), run.Context({}, 8)
    torch.manual_seed(values.seed)
    model = run.build_model(values, context)
    optimizers = run.build_optimizers(values, model)
    tokens = Tokens(values.vocab_size, options.length)
    sides = {"default": Division(), "fixed": invariant.InvariantDivision()}
    gradient_bytes = sum(p.numel() * p.element_size() for p in model.parameters())
    most = 0

    climb = invariant.climb

    def watched(held, index, tensors, count):
        nonlocal most
        live = [*tensors, *(t for waiting in held.values() for t in waiting)]
        most = max(most, sum(t.numel() * t.element_size() for t in live))
        climb(held, index, tensors, count)

    invariant.climb = watched
    seconds = {side: [] for side in sides}
    for i in range(options.rounds + 1):
        for side in sorted(sides, reverse=bool(i % 2)):
            start = time.perf_counter()
            sides[side].accumulate_gradients(values, model, model, context, tokens, i, 0.0)
            for optimizer in optimizers.values():
                optimizer.step()
            zero_grad(optimizers)
            seconds[side].append(time.perf_counter() - start)
    pairs = list(zip(seconds["default"][1:], seconds["fixed"][1:], strict=True))
    low, middle, high = statistics.quantiles([fixed / default for default, fixed in pairs], n=4)
    figures = {
        "ratio": middle,
        "quartiles": [low, high],
        "seconds": {side: statistics.median(values[1:]) for side, values in seconds.items()},
        "gradients_held": {"default": 1, "fixed": round(most / gradient_bytes, 2)},
    }
    if options.json:
        print(json.dumps(figures))
        return
    print(
        f"default {1000 * figures['seconds']['default']:.0f} ms a step, "
        f"fixed order {1000 * figures['seconds']['fixed']:.0f} ms, "
        f"ratio {middle:.4f}, quartiles {low:.4f} to {high:.4f}; "
        f"gradients held at most: 1 and {figures['gradients_held']['fixed']}"
    )


if __name__ == "__main__":
    main()

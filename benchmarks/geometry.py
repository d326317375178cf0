"""Volumes of simplices: the reference against ours, paired in one run, on one thread.

    OMP_NUM_THREADS=1 .venv/bin/python -m benchmarks.geometry          # both tables, a minute
    OMP_NUM_THREADS=1 .venv/bin/python -m benchmarks.geometry --json

Two things are timed, each for several N, reference and ours in turn, so that a busy machine hurts
both; shown are medians and the median of the paired ratios.

- The CV loss with backward from a pool of 512 x 128: the reference gathers the corners of every
  simplex (N x 5 x D numbers), makes distances of them and takes N determinants of 6 x 6; ours takes
  one Gram matrix of the pool and the closed-form gradient, eager and with fused loops. Corners are
  drawn once, for all.
- The kernel forward, from squared distances: the reference is the determinant; ours the expansion,
  eager and as the one loop that torch.compile makes of it. What building that loop costs is told.
"""

import argparse
import json
import statistics
import time

import torch

from train_gpt_style.geometry.pool import draw_simplices, loops, pool_volume2
from train_gpt_style.geometry.simplex import volume2_by_cayley_menger
from train_gpt_style.geometry.spread import LEAST_IN_LOSS, cv_of_volume2
from train_gpt_style.geometry.volumes import LEFT, RIGHT, expanded, fused

ROWS, DIM, TARGET = 512, 128, 0.22
SIZES = (4096, 16384, 65536)


def timed(functions, rounds, calls):
    """Processor seconds a call of each function by name, in turn, `calls` at a time.

    The first round is not counted; nor is the first call of a turn, which finds the caches as
    another function left them.

    Of the processor, since other programs may want it too: on one thread, a quiet clock's.
    """
    found = {name: [] for name in functions}
    for round_ in range(rounds + 1):
        for name, function in functions.items():
            function()
            began = time.process_time()
            for _ in range(calls):
                function()
            if round_:
                found[name].append((time.process_time() - began) / calls)
    return found


def row(n, times, reference="reference"):
    """Milliseconds, and ratios against the reference: medians."""
    result = {"n": n}
    for name, seconds in times.items():
        result[f"{name} ms"] = 1000 * statistics.median(seconds)
        if name != reference:
            pairs = zip(times[reference], seconds, strict=True)
            result[f"{name} ratio"] = statistics.median(a / b for a, b in pairs)
    return result


def gathered(points, corners):
    """Squared volumes by the corners themselves."""
    each = points[corners]
    gram = each @ each.transpose(1, 2)
    own = gram.diagonal(dim1=1, dim2=2)
    distances = own.unsqueeze(2) + own.unsqueeze(1) - 2 * gram
    return volume2_by_cayley_menger(distances.clamp_min(0))


def loss_step(points, corners, volume2):
    """A CV loss and its gradient."""

    def step():
        points.grad = None
        cv, _, _ = cv_of_volume2(volume2(points, corners), LEAST_IN_LOSS)
        (cv - TARGET).square().backward()

    return step


def losses(n, rounds):
    """The CV loss with backward for N simplices."""
    generator = torch.Generator().manual_seed(1)
    points = torch.nn.functional.normalize(torch.randn(ROWS, DIM, generator=generator), dim=1)
    points.requires_grad_(True)
    corners = draw_simplices(ROWS, n, generator)
    functions = {
        "reference": loss_step(points, corners, gathered),
        "eager": loss_step(points, corners, pool_volume2),
        "fused": loss_step(points, corners, lambda x, c: pool_volume2(x, c, fuse=True)),
    }
    return row(n, timed(functions, rounds, 2))


def kernels(n, rounds):
    """The kernel forward for N simplices."""
    generator = torch.Generator().manual_seed(2)
    each = torch.randn(n, 5, 8, generator=generator)
    distances = (each.unsqueeze(1) - each.unsqueeze(2)).square().sum(dim=3)
    rows = torch.stack([distances[:, i, j] for i, j in zip(LEFT, RIGHT, strict=True)])
    loop = fused(expanded, (10, 64))
    with torch.no_grad():
        functions = {
            "reference": lambda: volume2_by_cayley_menger(distances),
            "eager": lambda: expanded(rows),
            "fused": lambda: loop(rows),
        }
        return row(n, timed(functions, rounds, 10))


def main():
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    began = time.perf_counter()
    fused(expanded, (10, 64))
    loops(True)
    found = {
        "build_seconds": time.perf_counter() - began,
        "loss": [losses(n, options.rounds) for n in SIZES],
        "kernel": [kernels(n, options.rounds) for n in SIZES],
    }
    if options.json:
        print(json.dumps(found, indent=1))
        return
    print(f"building the fused loops: {found['build_seconds']:.1f} s, once a process")
    for title in ("loss", "kernel"):
        print(f"\n{title}")
        for each in found[title]:
            print("  ".join(f"{k} {v:.4g}" for k, v in each.items()))


if __name__ == "__main__":
    main()

"""Hashing speed of `goldenseal seal` against raw hashlib.sha512, over several large files.

    .venv/bin/python benchmarks/seal.py [--files 6] [--mebibytes 128] [--rounds 5]

Both read the same files in the same order; rounds alternate which goes first. The goal is 95 % of
raw or better, in constant memory. Two threads gained nothing on a two-core machine, so one is used.
"""

import argparse
import hashlib
import os
import resource
import statistics
import tempfile
import time
from pathlib import Path

from verify.files import CHUNK, hash_file


def raw(path: Path) -> str:
    """The plainest loop over hashlib, with the same chunk size."""
    h = hashlib.sha512()
    with path.open("rb", buffering=0) as file:
        while chunk := file.read(CHUNK):
            h.update(chunk)
    return h.hexdigest()


def seconds(hash_one, paths: list[Path]) -> float:
    start = time.perf_counter()
    for path in paths:
        hash_one(path)
    return time.perf_counter() - start


def peak_mebibytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=6)
    parser.add_argument("--mebibytes", type=int, default=128, help="size of each file")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / f"{i}.bin" for i in range(options.files)]
        block = os.urandom(1 << 20)
        for path in paths:
            with path.open("wb") as file:
                for _ in range(options.mebibytes):
                    file.write(block)
        if raw(paths[0]) != hash_file(paths[0]):
            raise SystemExit("the two ways of hashing do not agree")
        before = peak_mebibytes()
        ratios = []
        for number in range(options.rounds):
            order = (raw, hash_file) if number % 2 else (hash_file, raw)
            times = {way: seconds(way, paths) for way in order}
            ratios.append(times[raw] / times[hash_file])
            rate = options.files * options.mebibytes / times[hash_file]
            print(f"round {number + 1}: {rate:.0f} MiB/s, {ratios[-1]:.3f} of raw speed")
        print(
            f"median {statistics.median(ratios):.3f} of raw hashlib.sha512 "
            f"(from {min(ratios):.3f} to {max(ratios):.3f}; goal: at least 0.95); "
            f"peak memory grew by {peak_mebibytes() - before:.1f} MiB over "
            f"{options.files * options.mebibytes} MiB of files"
        )


if __name__ == "__main__":
    main()

"""Speed of `goldenseal seal` against raw hashlib.sha512, over a record of several large files.

    .venv/bin/python benchmarks/seal.py [--files 4] [--mebibytes 256] [--rounds 7]

Timed is the whole call: walking, hashing, writing seal.json and SHA512SUMS with their fsyncs. Raw
is the plainest loop over the same files, already in the page cache; rounds alternate which goes
first. The goal is 95 % of raw or better, in constant memory. Two threads gained nothing on a
two-core machine, so one is used.
"""

import argparse
import hashlib
import os
import resource
import statistics
import tempfile
import time
from pathlib import Path

from verify import canonical
from verify.files import CHUNK
from verify.seal import seal

RECORD = {"schema": 1, "name": "Bench", "date": "2026-01-01", "status": "baseline", "seeds": []}


def raw(folder: Path) -> None:
    for path in sorted(folder.iterdir()):
        h = hashlib.sha512()
        with path.open("rb", buffering=0) as file:
            while chunk := file.read(CHUNK):
                h.update(chunk)
        h.hexdigest()


def unseal(folder: Path) -> None:
    for name in ("seal.json", "SHA512SUMS"):
        (folder / name).unlink(missing_ok=True)


def seconds(work, folder: Path) -> float:
    unseal(folder)
    start = time.perf_counter()
    work(folder)
    return time.perf_counter() - start


def peak_mebibytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=4)
    parser.add_argument("--mebibytes", type=int, default=256, help="size of each file")
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "record.json").write_bytes(canonical.dumps(RECORD))
        for number in range(options.files):
            with (folder / f"{number}.bin").open("wb") as file:
                for _ in range(options.mebibytes):
                    file.write(os.urandom(1 << 20))
        raw(folder)  # fills the page cache
        before = peak_mebibytes()
        ratios = []
        for number in range(options.rounds):
            order = (raw, seal) if number % 2 else (seal, raw)
            times = {work: seconds(work, folder) for work in order}
            ratios.append(times[raw] / times[seal])
            rate = options.files * options.mebibytes / times[seal]
            print(f"round {number + 1}: {rate:.0f} MiB/s, {ratios[-1]:.3f} of raw speed")
        print(
            f"median {statistics.median(ratios):.3f} of raw hashlib.sha512 "
            f"(from {min(ratios):.3f} to {max(ratios):.3f}; goal: at least 0.95); "
            f"peak memory grew by {peak_mebibytes() - before:.1f} MiB over "
            f"{options.files * options.mebibytes} MiB of files"
        )


if __name__ == "__main__":
    main()

"""Speed of `goldenseal seal` against raw hashlib.sha512, and of sealing again with its cache.

    .venv/bin/python -m benchmarks.seal [--files 4] [--mebibytes 256] [--rounds 7] [--many 10000]

Timed is the whole call: walking, hashing, writing seal.json and SHA512SUMS with their fsyncs. Raw
is the plainest loop over the same files, already in the page cache; rounds alternate which goes
first. Raw knows SHA-512 alone. So does the seal of format 0.2, which is timed beside today's, with
both digests: the goal is at most 1.35 of its time, in constant memory.

Then a record of many small files is sealed, sealed again unchanged (goal: 10,000 files in under one
second), and sealed anew after an edit of 1 KB. `check`, which trusts no cache, is timed beside it.
"""

import argparse
import hashlib
import os
import resource
import statistics
import tempfile
import time
from pathlib import Path
from unittest import mock

from goldenseal.disk import canonical
from goldenseal.disk.files import CHUNK, Digests, hash_file
from goldenseal.records.check import check
from goldenseal.records.seal import seal
from goldenseal.records.seal_cache import REST_NS, SealCache

RECORD = {"schema": 1, "name": "Bench", "date": "2026-01-01", "status": "baseline", "seeds": []}


def raw(folder: Path) -> None:
    for path in sorted(folder.iterdir()):
        h = hashlib.sha512()
        with path.open("rb", buffering=0) as file:
            while chunk := file.read(CHUNK):
                h.update(chunk)
        h.hexdigest()


def format_0_2(folder: Path) -> None:
    """Today's seal but for the second digest."""

    def one(path: Path, advance) -> Digests:
        return Digests(hash_file(path, advance), "0" * 64)

    with mock.patch("goldenseal.records.seal.hash_both", one):
        seal(folder)


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


def many_small_files(count: int, rounds: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder, cache = Path(name) / "record", Path(name) / "cache.json"
        folder.mkdir()
        (folder / "record.json").write_bytes(canonical.dumps(RECORD))
        for number in range(count):
            path = folder / f"part{number // 100:03d}" / f"file{number:05d}.bin"
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(os.urandom(1024))
        time.sleep(REST_NS / 1e9 + 0.1)  # younger files are not remembered

        def timed(work) -> tuple[float, int]:
            remembered = SealCache(cache, folder)
            start = time.perf_counter()
            work(remembered)
            return time.perf_counter() - start, remembered.hashed

        cold, read = timed(lambda remembered: seal(folder, cache=remembered))
        print(f"{count} files of 1 KiB: sealed in {cold:.2f} s, {read} bytes hashed")
        time.sleep(REST_NS / 1e9 + 0.1)  # the seal's own files too
        timed(lambda remembered: seal(folder, cache=remembered))
        again = [timed(lambda r: seal(folder, cache=r)) for _ in range(rounds)]
        times = [taken for taken, _ in again]
        print(
            f"sealed again, unchanged: median {statistics.median(times):.2f} s (from "
            f"{min(times):.2f} to {max(times):.2f}; goal: under 1), {again[-1][1]} bytes hashed"
        )
        whole, _ = timed(lambda remembered: check(folder))
        unseal(folder)
        (folder / "part000" / "file00000.bin").write_bytes(os.urandom(1024))
        edited, read = timed(lambda remembered: seal(folder, cache=remembered))
        print(f"sealed anew after an edit of 1 KiB: {edited:.2f} s, {read} bytes hashed")
        print(f"check, without a cache: {whole:.2f} s; intact: {check(folder).holds}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=4)
    parser.add_argument("--mebibytes", type=int, default=256, help="size of each file")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--many", type=int, default=10_000, help="number of small files")
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
        speeds, costs = [], []
        for number in range(options.rounds):
            order = (raw, seal, format_0_2) if number % 2 else (format_0_2, seal, raw)
            times = {work: seconds(work, folder) for work in order}
            speeds.append(times[raw] / times[seal])
            costs.append(times[seal] / times[format_0_2])
            rate = options.files * options.mebibytes / times[seal]
            print(
                f"round {number + 1}: {rate:.0f} MiB/s, {speeds[-1]:.3f} of raw speed, "
                f"{costs[-1]:.3f} of the time of format 0.2"
            )
        print(
            f"median {statistics.median(costs):.3f} of the time of format 0.2 (from "
            f"{min(costs):.3f} to {max(costs):.3f}; goal: at most 1.35), "
            f"{statistics.median(speeds):.3f} of the speed of raw hashlib.sha512; "
            f"peak memory grew by {peak_mebibytes() - before:.1f} MiB over "
            f"{options.files * options.mebibytes} MiB of files"
        )
    many_small_files(options.many, options.rounds)  # last: it would raise the peak of memory


if __name__ == "__main__":
    main()

"""Cost of the theorem gate: from clean, with the libraries' check kept, and unchanged.

    python -m benchmarks.theorems
    python -m benchmarks.theorems --against 684351e --rounds 3   # from clean, in turn

Builds in a temporary folder, so the repository's own cache neither helps nor is touched. The limits
are 50 s from clean (compile, Print Assumptions, coqchk over the project and the libraries) and 1 s
unchanged, on a machine that does nothing else.
"""

import argparse
import shutil
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.beside import checkout, package, processor
from goldenseal.coq import build, project, toolchain
from goldenseal.coq.gate import check_theorems
from goldenseal.errors import CannotCheckError

ROOT = Path(__file__).parents[1]
CLEAN_LIMIT, UNCHANGED_LIMIT = 50.0, 1.0  # seconds


def timed(loaded, tools, store):
    start = time.perf_counter()
    result = build.build(loaded, tools, store)
    if result.findings:
        sys.exit(f"the theorems do not hold: {result.findings[0]}")
    return time.perf_counter() - start


FROM_CLEAN = """
import importlib, sys, tempfile
from pathlib import Path
name, root = sys.argv[1], Path(sys.argv[2])
build, project, tools = (importlib.import_module(f"{name}.coq.{part}")
                         for part in ("build", "project", "toolchain"))
with tempfile.TemporaryDirectory() as store:
    result = build.build(project.load(root / "theorems"), tools.find(), Path(store))
sys.exit(result.findings[0] if result.findings else 0)
"""


def against(revision, rounds):
    """Both builds from clean, in turn: processor time, and the wall clock, which is everybody's."""
    with tempfile.TemporaryDirectory() as folder:
        trees = {"now": ROOT, revision: checkout(revision, Path(folder))}
        times = {name: [] for name in trees}
        walls = {name: [] for name in trees}
        for _ in range(rounds):
            for name, tree in trees.items():
                code = ["-c", FROM_CLEAN, package(tree)[0], str(tree)]
                start = time.perf_counter()
                times[name].append(processor(tree, code, tree))
                walls[name].append(time.perf_counter() - start)
                files = len(project.load(tree / "theorems").sources)
                used = f"{times[name][-1]:.1f} s of processor time, {walls[name][-1]:.1f} s"
                print(f"{name}: {files} files, {used}", flush=True)
    for what, taken in (("processor time", times), ("wall clock", walls)):
        ratios = [a / b for a, b in zip(taken["now"], taken[revision], strict=True)]
        print(f"now / {revision}, {what}: " + ", ".join(f"{ratio:.2f}" for ratio in ratios))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--against", metavar="REVISION")
    parser.add_argument("--rounds", type=int, default=1)
    options = parser.parse_args()
    if options.against:
        against(options.against, options.rounds)
        return
    try:
        tools = toolchain.find()
    except CannotCheckError as error:
        sys.exit(str(error))
    loaded = project.load(ROOT / "theorems")
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder)
        clean = timed(loaded, tools, store)
        shutil.rmtree(store / build.key_of(loaded, tools)[:32])
        edited = timed(loaded, tools, store)
        kept = min(timed(loaded, tools, store) for _ in range(5))
    check_theorems(ROOT)  # fills the repository's own cache
    start = time.perf_counter()
    check_theorems(ROOT)
    gate = time.perf_counter() - start
    print(f"Coq {tools.version}, Flocq {tools.flocq}, {len(loaded.sources)} files")
    print(f"from clean                         {clean:8.2f} s   (limit {CLEAN_LIMIT:.0f})")
    print(f"one source edited, libraries kept  {edited:8.2f} s")
    print(f"unchanged, build alone             {kept:8.3f} s")
    print(f"unchanged, whole gate              {gate:8.3f} s   (limit {UNCHANGED_LIMIT:.0f})")
    if clean > CLEAN_LIMIT or gate > UNCHANGED_LIMIT:
        sys.exit("slower than the limit")


if __name__ == "__main__":
    main()

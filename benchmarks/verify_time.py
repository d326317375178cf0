"""How long `goldenseal verify` takes, beside another revision of it, in turn on one machine.

    .venv/bin/python -m benchmarks.verify_time [--of REVISION] [--against REVISION] [--rounds N]
        [SYSTEM ...]

The ladder of the systems named (gpt and vit_rft when none is) is run by this tree, or with --of by
a checkout of that revision, and, with --against, by a checkout of another one, all by this
environment, in turn. Then the first alone, if it keeps what passed: nothing changed; one file of
one system edited, in a copy of the repository. Processor seconds are those of the process and all
of its children; memory is the largest sum of theirs at one time, each shared page counted once
(PSS). Ratios of processor time mean something on a busy machine, ratios of wall time do not.
"""

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[1]
PAUSE = 0.25  # seconds between two looks at the memory
LEFT = ("__pycache__", ".venv", ".git", ".hypothesis", ".mypy_cache", ".ruff_cache")
START = """
import importlib, sys
package, *sys.path[:0] = sys.argv.pop(1).split(":")
importlib.import_module(f"{package}.cli").main()
"""
COMMENT = "\n# An edit that changes nothing but the bytes.\n"


def keeps(tree: Path) -> bool:
    """Whether a tree keeps the gates that passed; before there was that, each run was fresh."""
    return (tree / "verify" / "goldenseal" / "kept").is_dir()


def left_out(folder: str, names: list[str]) -> set[str]:
    """What a copy of the repository need not have."""
    return set(names).intersection((*LEFT, "data") if folder == str(ROOT) else LEFT)


@dataclass
class Cost:
    """Of one command: seconds of processor and wall, MiB."""

    processor: float
    wall: float
    memory: float
    kept: int


def children(process: int) -> list[int]:
    """A process and all below it."""
    found, pending = [], [process]
    while pending:
        found.append(number := pending.pop())
        for task in Path(f"/proc/{number}/task").glob("*/children"):
            try:
                pending += map(int, task.read_text().split())
            except OSError:  # it has ended meanwhile
                continue
    return found


def shared_memory(process: int) -> float:
    """MiB of a process and all below it, each page divided among those that share it."""
    total = 0
    for number in children(process):
        try:
            lines = Path(f"/proc/{number}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total / 1024


def cost(tree: Path, *words: str) -> Cost:
    """Run `goldenseal verify` of a tree, in it."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    # The package was called after its folder once.
    package = "goldenseal" if (tree / "verify" / "goldenseal").is_dir() else "verify"
    variables = {k: v for k, v in os.environ.items() if k not in ("CI", "PYTHONPATH")}
    process = subprocess.Popen(
        [sys.executable, "-c", START, f"{package}:{tree / 'verify'}:{tree}", "verify", *words],
        cwd=tree,
        env={**variables, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    peak, over = [0.0], threading.Event()

    def look() -> None:
        while not over.wait(PAUSE):
            peak[0] = max(peak[0], shared_memory(process.pid))

    watcher = threading.Thread(target=look)
    watcher.start()
    text, _ = process.communicate()
    over.set()
    watcher.join()
    if process.returncode:
        raise SystemExit(f"{tree}: exit {process.returncode}\n{text}")
    after, wall = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter() - start
    processor = sum(getattr(after, n) - getattr(before, n) for n in ("ru_utime", "ru_stime"))
    return Cost(processor, wall, peak[0], text.count("(kept)"))


def together(costs: list[Cost]) -> Cost:
    """One command after the other."""
    return Cost(
        sum(c.processor for c in costs),
        sum(c.wall for c in costs),
        max(c.memory for c in costs),
        sum(c.kept for c in costs),
    )


def ladders(tree: Path, systems: list[str], *words: str) -> Cost:
    """The ladder of each system."""
    return together([cost(tree, "--system", name, *words) for name in systems])


def show(what: str, now: Cost, than: Cost | None = None) -> None:
    ratio = ""
    if than is not None:
        parts = (now.processor / than.processor, now.wall / than.wall, now.memory / than.memory)
        ratio = "; ratio {:.2f}, {:.2f}, {:.2f}".format(*parts)
    print(
        f"{what}: {now.processor:.1f} s of processor time, {now.wall:.1f} s by the clock, "
        f"{now.memory:.0f} MiB, {now.kept} gates kept{ratio}",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("systems", nargs="*")
    parser.add_argument("--of", default="", help="a revision in place of this tree")
    parser.add_argument("--against", default="", help="a revision of this repository")
    parser.add_argument("--rounds", type=int, default=1)
    given = parser.parse_args()
    systems = given.systems or ["gpt", "vit_rft"]
    print(f"load before: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    with tempfile.TemporaryDirectory() as folder:
        copy, other = Path(folder) / "copy", Path(folder) / "other"
        git = ["git", "-C", str(ROOT), "worktree"]
        made = [(p, r) for p, r in ((copy, given.of), (other, given.against)) if r]
        if not given.of:
            shutil.copytree(ROOT, copy, ignore=left_out)
        try:
            for path, revision in made:
                command = [*git, "add", "--detach", str(path), revision]
                subprocess.run(command, check=True, capture_output=True)
            compare(copy, other if given.against else None, systems, given.rounds)
        finally:
            for path, _ in made:
                subprocess.run([*git, "remove", "--force", str(path)], check=False)


def compare(copy: Path, other: Path | None, systems: list[str], rounds: int) -> None:
    fresh, theirs = list[Cost](), list[Cost]()
    for number in range(rounds):
        if other is not None:
            theirs.append(ladders(other, systems))
            show(f"round {number + 1}, the other revision", theirs[-1])
        fresh.append(ladders(copy, systems, *(("--fresh",) if keeps(copy) else ())))
        show(f"round {number + 1}, fresh", fresh[-1], theirs[-1] if theirs else None)
    if not keeps(copy):
        return
    whole = max(fresh, key=lambda c: c.processor == median(f.processor for f in fresh))
    show("nothing changed", ladders(copy, systems), whole)
    for name in systems:
        file = copy / "train_gpt_style" / name / "run.py"
        file.write_text(file.read_text() + COMMENT)
        show(f"one file of {name} edited", ladders(copy, systems), whole)


if __name__ == "__main__":
    main()

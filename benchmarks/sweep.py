"""Sweeps of many cells: plan and dry run, collecting sealed cells, and memory as they grow.

    .venv/bin/python -m benchmarks.sweep [--cells 10000]

In a folder of its own, with the system `gpt` of this repository and logs of a few lines: plan and
dry run through the command line, whole processes; then collecting, in a process each, of a tenth of
the cells and of all of them, with the peak of resident memory. The gate before a launch is not
asked: it reads the verdict of this tree, whatever the number of cells. Then, with the executor, the
time that a local cell takes beyond that of its command run by hand.
"""

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from goldenseal.config import python_path

ROOT = Path(__file__).resolve().parents[1]
SEEDS = 100
HEAD = """
schema = 1
name = "Many cells"
question = "How long does it take?"
system = "gpt"
seeds = {seeds}
baseline = "c0"
[common]
[analysis]
primary = "roundtrip_val_bpb"
better = "lower"
test = "paired-t"
correction = "holm"
alpha = 0.05
secondary = []
counts = "Nothing."
[stopping]
rule = "At once."
[resources]
gpus = 0
nodes = 1
cpus = 1
minutes = 1
[power]
effect = 0.1
deviation = 0.1
"""


def write_sweep(path: Path, cells: int) -> None:
    text = HEAD.format(seeds=list(range(1, SEEDS + 1)))
    for number in range(cells // SEEDS):
        text += f'[configurations.c{number}]\nITERATIONS = "{number + 1}"\n'
    path.write_text(text)


def plan_and_dry_run(cells: int) -> None:
    from unittest.mock import patch

    from goldenseal.grids import sweep_command as command
    from goldenseal.launch import gate as launch_gate

    with tempfile.TemporaryDirectory() as name:
        file = Path(name) / "many.toml"
        write_sweep(file, cells)
        started = time.perf_counter()
        command.plan(file, Path(name) / "sweep", as_json=True)
        planned = time.perf_counter() - started
        with patch.object(launch_gate, "look", lambda *_: launch_gate.Gate()):
            command.run(file, Path(name) / "sweep", "local", 1, [], dry_run=True, as_json=True)
        both = time.perf_counter() - started
    report = {"cells": cells, "plan": round(planned, 2), "plan and dry run": round(both, 2)}
    print(json.dumps(report), file=sys.stderr)


def generate(folder: Path, cells: int) -> None:
    """A sweep as it is after its last cell: prepared without a launch, every cell sealed."""
    from unittest.mock import patch

    from goldenseal.disk.files import hash_file
    from goldenseal.grids import prepare, state
    from goldenseal.launch.gate import Launch
    from goldenseal.records.seal import sums_text
    from goldenseal.runlog import RunLog
    from tests.verify.grids.sweep.toy_sweep import weights

    file = folder / "many.toml"
    write_sweep(file, cells)
    plan = prepare.planned(ROOT, file)
    quick = patch.object(state, "atomic_write", lambda path, data: path.write_bytes(data))
    with quick, patch.object(state, "freeze", lambda root: (folder, prepare_source())):
        folders = prepare.prepare(ROOT, plan, folder / "sweep", Launch())
    for number, cell in enumerate(folders):
        facts = json.loads((cell / "cell.json").read_text())
        out = cell / "out"
        out.mkdir()
        knobs = {k: v for k, v in facts["environment"].items() if k not in plan.system.path_knobs}
        header = {"seed": str(facts["seed"]), "knobs": knobs, "numeric_class": {"cpu": "x"}}
        log = RunLog(out / "train.jsonl", header)
        state = weights(out / "final_model.safetensors", 1.0 + number)
        log.write("trained", {"step": 1, "state": {"model": state}})
        log.end({"roundtrip_val_bpb": (1.0 + random.Random(number).random()).hex()})
        (cell / "attempts.jsonl").write_bytes(b'{"n":1,"outcome":"finished"}\n')
        (cell / "seal.json").write_bytes(b"{}")
        names = sorted(p.relative_to(cell).as_posix() for p in cell.rglob("*") if p.is_file())
        sums = sums_text({name: hash_file(cell / name) for name in names})
        (cell / "SHA512SUMS").write_bytes(sums)


def prepare_source():
    from goldenseal.records.source import SourceTree

    return SourceTree({})


def collect(folder: Path) -> None:
    from goldenseal.grids.collect import collect as gather

    started = time.perf_counter()
    done = gather(ROOT, folder / "sweep", folder / "2026-01-02_Many")
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    report = {
        "cells": done.states.total(),
        "collect": round(seconds, 2),
        "complete": done.complete,
        "peak MiB": round(peak),
        "processor": round(time.process_time(), 2),
    }
    print(json.dumps(report), file=sys.stderr)


WRITER = """
from pathlib import Path
from tests.verify.grids.sweep.toy_sweep import weights
from goldenseal.runlog import RunLog
log = RunLog("train.jsonl", {"seed": "1", "knobs": {"SEED": "1"}, "numeric_class": {}})
log.write("trained", {"step": 1, "state": {"model": weights(Path("w.safetensors"))}})
log.end({"loss": 1})
"""


def used() -> float:
    """Processor seconds of ended child processes."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def overhead(rounds: int) -> None:
    """Seconds of one cell as a local worker runs it, against its command run by hand."""
    import statistics

    from goldenseal.disk import canonical
    from goldenseal.disk.files import hash_file
    from goldenseal.grids.cell import invocation, read_cell

    text = sorted((ROOT / "data" / "shakespeare").glob("*.bin"))
    facts = {
        "schema": 1,
        "checkpoints": None,
        "command": [sys.executable, "-P", "-c", WRITER],
        "configuration": "c",
        "cwd": str(ROOT),
        "data": {str(path): hash_file(path) for path in text},
        "environment": {"SEED": "1"},
        "log": "train.jsonl",
        "outputs": ["w.safetensors"],
        "resources": {"gpus": 0, "nodes": 1, "cpus": 1, "minutes": 1},
        "seed": 1,
    }
    by_hand, as_cells, processor = [], [], []
    with tempfile.TemporaryDirectory() as name:
        for number in range(rounds):
            for kind in ("hand", "cell"):
                folder = Path(name) / kind / str(number)
                (folder / "out").mkdir(parents=True)
                (folder / "cell.json").write_bytes(canonical.dumps(facts))
            first = used()
            started = time.perf_counter()
            hand = Path(name) / "hand" / str(number)
            subprocess.run(**invocation(read_cell(hand), hand), check=True)
            by_hand.append(time.perf_counter() - started)
            before = used()
            started = time.perf_counter()
            command = [sys.executable, "-P", "-m", "goldenseal.grids.cell", str(folder)]
            done = subprocess.run(
                command, check=True, env={**os.environ, "PYTHONPATH": python_path(ROOT)}
            )
            as_cells.append(time.perf_counter() - started)
            processor.append((used() - before) - (before - first))
            if done.returncode or not (folder / "SHA512SUMS").exists():
                raise SystemExit("the cell was not sealed")
    beyond = [cell - hand for cell, hand in zip(as_cells, by_hand, strict=True)]
    report = {
        "by hand": round(statistics.median(by_hand), 3),
        "cell": round(statistics.median(as_cells), 3),
        "beyond": [round(seconds, 3) for seconds in sorted(beyond)],
        "median beyond": round(statistics.median(beyond), 3),
        "median beyond, processor": round(statistics.median(processor), 3),
    }
    print(json.dumps(report), file=sys.stderr)


def alone(*arguments: str) -> None:
    """One of the measurements in a process of its own, its JSON on standard error."""
    started = time.perf_counter()
    subprocess.run([sys.executable, __file__, *arguments], stdout=subprocess.DEVNULL, check=True)
    print(f"  {' '.join(arguments[:1])}: {time.perf_counter() - started:.2f} s, whole process")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cells", type=int, default=10_000)
    parser.add_argument("--plan", type=int)
    parser.add_argument("--collect", type=Path)
    parser.add_argument("--overhead", type=int, help="rounds")
    chosen = parser.parse_args()
    os.chdir(ROOT)
    if chosen.plan:
        plan_and_dry_run(chosen.plan)
    elif chosen.collect:
        collect(chosen.collect)
    elif chosen.overhead:
        overhead(chosen.overhead)
    else:
        alone("--overhead", "9")
        alone("--plan", str(chosen.cells))
        for cells in (max(2 * SEEDS, chosen.cells // 10), chosen.cells):
            with tempfile.TemporaryDirectory() as name:
                generate(Path(name), cells)
                alone("--collect", name)


if __name__ == "__main__":
    main()

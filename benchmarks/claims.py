"""Time of `goldenseal claims`: 1,000 claims over 200 sealed records. The goal is under 5 s.

    .venv/bin/python -m benchmarks.claims [--records 200] [--steps 300] [--rounds 5]

Each made-up record has two seeds, a log of 300 steps for each, and five claims: a value from
record.json, one from a log line, a mean, a deviation, and a paired difference to the next record
(the last to the first). Timed is the whole command, from start to exit, in a process of its own;
the records are in the page cache.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from goldenseal.disk import canonical
from goldenseal.records.seal import seal
from goldenseal.runlog import RunLog

SEEDS = (1597, 2584)
CLAIMS_A_RECORD = 5


def make_record(folder: Path, number: int, steps: int) -> tuple[str, dict[int, float]]:
    """A sealed record; its identity and final values by seed."""
    folder.mkdir(parents=True)
    finals = {}
    for seed in SEEDS:
        log = RunLog(folder / f"{seed}.jsonl", {"seed": str(seed)})
        for step in range(1, steps + 1):
            loss = 7.0 - step / steps + number / 1024 + seed / 4096
            rates = {"embedding": (0.05).hex(), "matrices": (0.04).hex(), "scalars": (0.04).hex()}
            facts = {"step": step, "loss": loss.hex(), "lr": rates, "tokens": 2048 * step}
            log.write("step", facts, clock={"train_ms": step * 1.5})
        finals[seed] = loss
        log.end({"steps": steps, "val_loss": loss.hex()})
    facts = {
        "schema": 1,
        "name": f"Run{number}",
        "date": "2026-01-01",
        "status": "measured",
        "seeds": list(SEEDS),
        "knobs": {"NUMBER": str(number), "STEPS": str(steps)},
        "logs": {str(seed): f"{seed}.jsonl" for seed in SEEDS},
        "results": {"val_loss": sum(finals.values()) / len(finals)},
    }
    (folder / "record.json").write_bytes(canonical.dumps(facts))
    return seal(folder).identity, finals


def document(records: list[tuple[str, dict[int, float]]]) -> str:
    """Five claims a record, a row each, printed from floats: the checker is not asked."""
    rows, definitions = [], []
    for number, (identity, finals) in enumerate(records):
        other_identity, other = records[(number + 1) % len(records)]
        values, others = list(finals.values()), list(other.values())
        mean = statistics.fmean(values)
        record, seeds = f'record = "{identity[:16]}"', f"seeds = {list(SEEDS)}"
        last, name = f'{record}, pointer = "/val_loss"', f"r{number}"
        cells = {
            "a": (f"{mean:.3f}", f'{record}, file = "record.json", pointer = "/results/val_loss"'),
            "b": (f"{values[0]:.3f}", f"{last}, seeds = [{SEEDS[0]}]"),
            "c": (f"{mean:.3f}", f'{last}, {seeds}, stat = "mean"'),
            "d": (f"{statistics.stdev(values):.3f}", f'{last}, {seeds}, stat = "sd", ddof = 1'),
            "e": (
                f"{mean - statistics.fmean(others):.4f}",
                f'{last}, {seeds}, stat = "paired difference", varied = ["NUMBER"], '
                f'against = {{ record = "{other_identity[:16]}" }}',
            ),
        }
        rows.append(" | ".join(["", *(f"{v}<!--={name}{k}-->" for k, (v, _) in cells.items()), ""]))
        definitions += [f"{name}{k} = {{ {text} }}" for k, (_, text) in cells.items()]
    head = "| from record | from log | mean | sd | difference |\n|---|---|---|---|---|"
    table = "\n".join([head, *(row.strip() for row in rows)])
    return f"# Results\n\n{table}\n\n<!-- claims\n" + "\n".join(definitions) + "\n-->\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--records", type=int, default=200)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        (root / "pyproject.toml").write_text('[tool.goldenseal]\nclaims = ["CLAIMS.md"]\n')
        folders = [root / "records" / "bench" / f"{i:04}" for i in range(options.records)]
        records = [make_record(f, i, options.steps) for i, f in enumerate(folders)]
        (root / "CLAIMS.md").write_text(document(records))
        times = []
        for number in range(options.rounds):
            start = time.perf_counter()
            done = subprocess.run(
                [sys.executable, "-m", "goldenseal", "claims"],
                cwd=root,
                capture_output=True,
                text=True,
                check=False,
            )
            times.append(time.perf_counter() - start)
            if done.returncode:
                sys.exit(f"the claims should hold:\n{done.stdout[-2000:]}{done.stderr}")
            print(f"round {number + 1}: {times[-1]:.2f} s")
    print(
        f"{CLAIMS_A_RECORD * options.records} claims over {options.records} records: median "
        f"{statistics.median(times):.2f} s ({min(times):.2f} to {max(times):.2f}; goal: under 5)"
    )


if __name__ == "__main__":
    main()

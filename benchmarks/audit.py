"""Time of `goldenseal audit`: 60 records with 165 logs, about 60 MB. The goal is under 20 s.

    .venv/bin/python -m benchmarks.audit [--records 60] [--megabytes 60] [--rounds 3]

Each made-up record has two or three seeds, a submission file with the mean and each seed's values,
a README with a table, and logs that embed their script and hold training lines up to their share
of the bytes. All are consistent, so the audit must say so of each. Timed is the whole command, from
start to exit, in a process of its own, with a process a core within; the files are in the page
cache.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

LOGS = 165
RATIO = 1.68845852  # nats a token over bits a byte, at 62,021,632 tokens
RULE = "=" * 100
SCRIPT = "import os\nimport sys\n\n\n" + "".join(
    f"def step_{i}(x):\n    return x * {i} + len(os.environ)\n\n\n" for i in range(900)
)


def make_log(seed: int, bpb: float, total: int, size: int) -> str:
    """A log of about `size` bytes."""
    head = [
        SCRIPT,
        RULE,
        "val_loader:shards pattern=./data/val_*.bin tokens:62021632",
        "model_params:17059912",
        "world_size:8 grad_accum_steps:1",
        "train_batch_tokens:524288 train_seq_len:1024 iterations:20000 warmup_steps:20",
        f"seed:{seed}",
    ]
    lines, used = [], len(SCRIPT)
    while used < size:
        step = len(lines) + 1
        if step % 200:
            line = f"step:{step}/20000 train_loss:2.4321 train_time:{43 * step}ms step_avg:43.50ms"
        else:
            line = f"step:{step}/20000 val_loss:2.1001 val_bpb:1.2438 train_time:{43 * step}ms"
        lines.append(line)
        used += len(line) + 1
    tail = [
        "stopping_early: wallclock_cap train_time:600008ms step:13692/20000",
        f"Code size: {len(SCRIPT)} bytes",
        f"Serialized model int8+zlib: {total - len(SCRIPT)} bytes",
        f"Total submission size int8+zlib: {total} bytes",
        f"final_int8_zlib_roundtrip val_loss:{bpb * RATIO:.4f} val_bpb:{bpb:.4f} eval_time:1399ms",
        f"final_int8_zlib_roundtrip_exact val_loss:{bpb * RATIO:.8f} val_bpb:{bpb:.8f}",
    ]
    return "\n".join([*head, *lines, *tail]) + "\n"


def make_record(folder: Path, number: int, seeds: list[int], size: int) -> int:
    """A record of these seeds; returns the bytes of its logs."""
    folder.mkdir(parents=True)
    values = {seed: 1.2 + number / 1024 + seed / 65536 for seed in seeds}
    written = 0
    for seed, bpb in values.items():
        text = make_log(seed, bpb, 15_000_000 + 137 * seed + number, size)
        (folder / f"train_seed{seed}.log").write_text(text)
        written += len(text)
    mean = sum(round(bpb, 8) for bpb in values.values()) / len(values)
    facts = {
        "val_bpb": round(mean, 8),
        "seeds": seeds,
        "seed_results": {str(s): {"val_bpb": round(bpb, 8)} for s, bpb in values.items()},
        "bytes_total": 15_000_000 + 137 * seeds[0] + number,
        "bytes_code": len(SCRIPT),
    }
    (folder / "submission.json").write_text(json.dumps(facts, indent=2))
    (folder / "train_gpt.py").write_text(SCRIPT)
    rows = "".join(f"| {seed} | {bpb:.5f} |\n" for seed, bpb in values.items())
    (folder / "README.md").write_text(f"# Record\n\n| Seed | val_bpb |\n|---|---|\n{rows}")
    return written


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--records", type=int, default=60)
    parser.add_argument("--megabytes", type=float, default=60)
    parser.add_argument("--rounds", type=int, default=3)
    choices = parser.parse_args()
    logs = LOGS * choices.records // 60
    size = int(choices.megabytes * 10**6 / logs)
    with tempfile.TemporaryDirectory() as place:
        written = 0
        for number in range(choices.records):
            count = logs // choices.records + (number < logs % choices.records)
            seeds = [42 + 7 * i for i in range(count)]
            written += make_record(Path(place) / f"record{number:03}", number, seeds, size)
        command = [sys.executable, "-m", "goldenseal", "audit", place, "--json"]
        times = []
        for _ in range(choices.rounds):
            begin = time.perf_counter()
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            times.append(time.perf_counter() - begin)
            counts = json.loads(done.stdout)["counts"]
            if counts["consistent"] != choices.records:
                raise SystemExit(f"not all are consistent: {counts}")
    print(
        f"{choices.records} records, {logs} logs, {written / 1e6:.1f} MB: "
        f"{statistics.median(times):.2f} s (median of {len(times)}, "
        f"{min(times):.2f} to {max(times):.2f})"
    )


if __name__ == "__main__":
    main()

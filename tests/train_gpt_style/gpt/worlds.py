"""Runs of the GPT on several ranks, for tests: one group of processes does many runs in turn.

    python -m tests.train_gpt_style.gpt.worlds RUNS.json RANK WORLD_SIZE

The clock stands still, so that equal runs print and log the same bytes.
"""

import contextlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path


def launch(world_size, folder, runs, kill_at=None):
    """Do each of `runs` (environment by name) in folder/name; returns what rank 0 printed.

    kill_at: as soon as rank 0 prints a line with this text, all ranks are killed.
    """
    folder.mkdir(exist_ok=True)
    (folder / "meeting").unlink(missing_ok=True)
    plan = folder / "runs.json"
    plan.write_text(json.dumps(runs))
    root = Path(__file__).parents[3]
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(root), "OMP_NUM_THREADS": "1"}
    ranks = [
        subprocess.Popen(
            [sys.executable, "-m", __name__, str(plan), str(rank), str(world_size)],
            cwd=folder,
            env=environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for rank in range(world_size)
    ]
    if kill_at is not None:
        seen = []
        for line in ranks[0].stdout:
            seen.append(line)
            if kill_at in line:
                break
        for process in ranks:
            process.kill()
            process.communicate()
        assert kill_at in seen[-1], "".join(seen)
        return "".join(seen)
    printed = [process.communicate(timeout=120)[0] for process in ranks]
    for process, text in zip(ranks, printed, strict=True):
        assert process.returncode == 0, text[-3000:]
    return printed[0]


def work(plan, rank, world_size):
    """What one rank does."""
    import torch
    import torch.distributed as dist

    from train_gpt_style.gpt import run

    torch.set_num_threads(1)
    time.perf_counter = lambda: 0.0
    folder = Path(plan).parent
    place = {}
    if world_size > 1:
        store = f"file://{folder / 'meeting'}"
        dist.init_process_group("gloo", init_method=store, rank=rank, world_size=world_size)
        place = {"RANK": str(rank), "WORLD_SIZE": str(world_size)}
    for name, environ in json.loads(Path(plan).read_text()).items():
        (folder / name).mkdir(exist_ok=True)
        with contextlib.chdir(folder / name):
            run.main({**environ, **place})
    if world_size > 1:
        dist.barrier()
        dist.destroy_process_group()


if __name__ == "__main__":
    work(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))

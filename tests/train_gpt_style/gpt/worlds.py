"""Runs of the GPT on several ranks, for tests: forks of the test process, which meet over gloo.

One group of processes does many runs in turn. The clock stands still, so that equal runs print and
log the same bytes. That torchrun starts the ranks just as well is shown by test_gpt_torchrun.py.
"""

import contextlib
import os
import signal
import sys
import time
import traceback
import warnings

import torch
import torch.distributed as dist

from tests.patience import patience
from tests.train_gpt_style.forks import Printer
from train_gpt_style.gpt import run

TIME_LIMIT = 100  # seconds, see tests/patience.py


def launch(world_size, folder, runs, kill_at=None):
    """Do each of `runs` (environment by name) in folder/name; returns what each rank printed.

    kill_at: as soon as rank 0 has printed this text it kills itself, and the others are killed.
    """
    folder.mkdir(exist_ok=True)
    (folder / "meeting").unlink(missing_ok=True)
    sys.stdout.flush()
    ranks = {start(rank, world_size, folder, runs, kill_at): rank for rank in range(world_size)}
    printed = [folder / f"rank{rank}.out" for rank in range(world_size)]
    codes, deadline = {}, time.monotonic() + patience(TIME_LIMIT)
    while len(codes) < world_size:
        if time.monotonic() > deadline or -signal.SIGKILL in codes.values():
            for pid in set(ranks) - set(codes):
                os.kill(pid, signal.SIGKILL)
        for pid in sorted(set(ranks) - set(codes)):
            done, status = os.waitpid(pid, os.WNOHANG)
            if done:
                codes[pid] = os.waitstatus_to_exitcode(status)
        time.sleep(0.01)
    texts = [path.read_text(encoding="utf-8") for path in printed]
    for pid, rank in ranks.items():
        if kill_at is None or rank == 0:
            expected = 0 if kill_at is None else -signal.SIGKILL
            ended = f"rank {rank} ended with {codes[pid]}"
            assert codes[pid] == expected, f"{ended}: {texts[rank][-2000:]}"
    return texts


def start(rank, world_size, folder, runs, kill_at):
    """Fork one rank; returns its process id."""
    output = open(folder / f"rank{rank}.out", "w", buffering=1, encoding="utf-8")
    child = os.fork()
    if child:
        output.close()
        return child
    code = 70
    try:
        sys.stdout = sys.stderr = Printer(output, kill_at)
        warnings.simplefilter("ignore")
        work(rank, world_size, folder, runs)
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        output.flush()
        os._exit(code)


def work(rank, world_size, folder, runs):
    """What one rank does."""
    torch.set_num_threads(1)
    time.perf_counter = lambda: 0.0
    place = {}
    if world_size > 1:
        store = f"file://{folder / 'meeting'}"
        dist.init_process_group("gloo", init_method=store, rank=rank, world_size=world_size)
        place = {"RANK": str(rank), "WORLD_SIZE": str(world_size)}
    for name, environ in runs.items():
        (folder / name).mkdir(exist_ok=True)
        with contextlib.chdir(folder / name):
            run.main({**environ, **place})
    if world_size > 1:
        dist.barrier()

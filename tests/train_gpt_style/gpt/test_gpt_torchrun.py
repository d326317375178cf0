"""pytest tests/train_gpt_style/gpt/test_gpt_torchrun.py — two processes share one global batch."""

import os
import re
import subprocess
import sys

import pytest

from goldenseal.config import python_path
from tests.patience import patience
from train_gpt_style.gpt import run


def numbers(lines, pattern):
    return [float(m[1]) for line in lines if (m := re.search(pattern, line))]


def test_two_ranks_train_as_one_process_does_up_to_rounding(tiny, perform, tmp_path, root):
    environ = {**tiny, "NUM_LAYERS": "2", "MLP_MULT": "2"}
    alone = perform(run.main, environ)
    folder = tmp_path / "two"
    folder.mkdir()
    command = "-m torch.distributed.run --standalone --nproc_per_node=2 -m train_gpt_style.gpt"
    done = subprocess.run(
        [sys.executable, *command.split()],
        cwd=folder,
        env={
            **environ,
            "PATH": os.environ["PATH"],
            "OMP_NUM_THREADS": "1",
            "PYTHONPATH": python_path(root),
        },
        capture_output=True,
        text=True,
        timeout=patience(120),
    )
    assert done.returncode == 0, done.stderr[-2000:]
    lines = done.stdout.splitlines()
    assert "world_size:2 grad_accum_steps:4" in lines
    for pattern in (r"^step.* val_loss:(\S+)", r"^final_int8_zlib\S+ val_loss:(\S+)"):
        expected = numbers(alone.lines, pattern)
        assert expected
        assert numbers(lines, pattern) == pytest.approx(expected, abs=0.03)
    # Each rank draws the adapters of its own documents: the scores agree less closely.
    pattern = r"^final_int8_ttt\S+ val_loss:(\S+)"
    assert numbers(lines, pattern) == pytest.approx(numbers(alone.lines, pattern), abs=0.1)
    # Rank 1 writes nothing: one log, one of each line.
    assert len([line for line in lines if line.startswith("final_")]) == 2
    log = (folder / "logs" / "train_gpt.txt").read_text(encoding="utf-8")
    assert log.endswith("\n".join(lines) + "\n")


def test_a_world_that_does_not_divide_the_batch_is_refused(tiny, perform):
    from goldenseal.errors import UsageError

    with pytest.raises(UsageError, match="WORLD_SIZE=3 must divide 8"):
        perform(run.main, {**tiny, "WORLD_SIZE": "3"})

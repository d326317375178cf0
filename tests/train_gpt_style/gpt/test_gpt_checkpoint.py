"""pytest tests/train_gpt_style/gpt/test_gpt_checkpoint.py — killed and resumed, the same bytes.

The runs are forks of this process. They kill themselves; a pair of ranks is killed from outside,
and so is the real command.
"""

import json
import os
import re
import resource
import signal
import subprocess
import sys
from unittest import mock

import pytest
import safetensors.torch

from tests.patience import patience
from tests.train_gpt_style.gpt.forks import ON, files_of, forked, newest, whole_run
from tests.train_gpt_style.gpt.worlds import launch
from train_gpt_style.gpt import run
from train_gpt_style.kit import checkpoints
from verify.runlog import deterministic_digest, read_run_log


@pytest.fixture
def environ(tiny):
    return {**tiny, **ON}


@pytest.fixture(scope="module")
def whole(tiny, tmp_path_factory):
    """The uninterrupted run."""
    return whole_run(tiny, tmp_path_factory.mktemp("whole") / "run")


def train_lines(*runs):
    """The last line printed for each step and kind, over the attempts of one run."""
    shown = {}
    for lines in runs:
        shown |= {
            line.split(":")[0] + line.split(" ")[0] + line.split(" ")[1].split(":")[0]: line
            for line in lines
            if line.startswith(("step:", "final_"))
        }
    return sorted(shown.values())


@pytest.mark.parametrize(
    "last",
    [
        "step:1/4 train_loss",
        "step:2/4 val_loss",
        "final_int8_zlib",
    ],
)
def test_a_run_killed_anywhere_and_resumed_ends_in_the_same_bytes(whole, environ, tmp_path, last):
    killed = forked(tmp_path / "run", lambda: run.main(environ), last)
    assert killed.code == -signal.SIGKILL
    resumed = forked(tmp_path / "run", lambda: run.main(environ))
    assert resumed.code == 0, resumed.lines[-1]
    went_on = any(line.startswith("resumed from ") for line in resumed.lines)
    assert went_on == (last != "step:1/4 train_loss")  # killed before the first checkpoint
    assert files_of(tmp_path / "run") == whole.files
    assert train_lines(killed.lines, resumed.lines) == train_lines(whole.lines)


def test_a_run_killed_at_every_step_in_turn_ends_in_the_same_bytes(whole, environ, tmp_path):
    attempts = []
    for step in (2, 3, 4):
        attempts.append(
            forked(tmp_path / "run", lambda: run.main(environ), f"step:{step}/4 train_loss")
        )
        assert attempts[-1].code == -signal.SIGKILL
    attempts.append(forked(tmp_path / "run", lambda: run.main(environ)))
    assert attempts[-1].code == 0
    assert files_of(tmp_path / "run") == whole.files
    assert train_lines(*(attempt.lines for attempt in attempts)) == train_lines(whole.lines)
    read_run_log(tmp_path / "run" / "train.jsonl")  # its chain holds


def test_checkpoints_observe_only(whole, environ, tmp_path):
    off = forked(tmp_path / "run", lambda: run.main({**environ, "CHECKPOINT_EVERY": "0"}))
    assert off.code == 0
    for name in ("final_model.safetensors", "final_model.int8.safetensors.z"):
        assert files_of(tmp_path / "run")[name] == whole.files[name]
    assert train_lines(off.lines) == train_lines(whole.lines)
    assert not (tmp_path / "run" / "checkpoints").exists()


# -- faults while a checkpoint is written ---------------------------------------------------------


def dying_at(n, folder):
    """Count what changes the disk under `folder`; die before number n, leaving half a file."""
    count = iter(range(1000))

    def tick(path=None):
        if next(count) == n:
            if path is not None and os.path.isfile(path):
                os.truncate(path, os.path.getsize(path) // 2)
            os._exit(9)

    def watch(event, arguments):
        if event in ("os.rename", "os.mkdir", "os.remove", "os.rmdir"):
            if str(folder) in os.path.abspath(str(arguments[0])) or event in (
                "os.remove",
                "os.rmdir",
            ):
                tick()
        elif event == "open" and str(folder) in str(arguments[0]) and arguments[1] == "w":
            tick()

    fsync = os.fsync

    def halved(descriptor):
        tick(os.readlink(f"/proc/self/fd/{descriptor}"))
        fsync(descriptor)

    sys.addaudithook(watch)
    os.fsync = halved


@pytest.mark.parametrize("keep", [1, 2])
@pytest.mark.parametrize("again", [False, True], ids=["new", "in the place of a damaged one"])
def test_death_at_each_disk_operation_leaves_a_whole_checkpoint(tmp_path, keep, again):
    old, new = ({name: name.encode() * n for name in checkpoints.FILES} for n in (100, 200))
    seen, n = set(), 0
    while True:
        folder = tmp_path / str(n) / "c"
        folder.parent.mkdir()
        checkpoints.write(folder, 1, old, keep=2)
        if again:
            (folder / "step-00000002").mkdir()

        def work(n=n, folder=folder):
            dying_at(n, folder)
            checkpoints.write(folder, 2, new, keep)

        done = forked(tmp_path / str(n), work)
        path, files = checkpoints.newest_good(folder, lambda problem: None)
        assert files == (old if path.name == "step-00000001" else new)
        seen.add(path.name)
        if done.code == 0:
            break
        assert done.code == 9, done.lines
        checkpoints.write(folder, 2, new, keep)  # the next attempt cleans up
        left = [path.name for path in sorted(folder.iterdir())]
        assert left == ["step-00000001", "step-00000002"][-keep:]
        n += 1
    assert n >= 15  # operations tried
    assert seen == {"step-00000001", "step-00000002"}


def test_a_run_killed_within_a_checkpoint_ends_in_the_same_bytes(whole, environ, tmp_path):
    real, count = os.rename, iter(range(10))

    def rename(*paths):
        if next(count) == 2:
            os.kill(os.getpid(), signal.SIGKILL)
        real(*paths)

    with mock.patch.object(os, "rename", rename):
        killed = forked(tmp_path / "run", lambda: run.main(environ))
    assert killed.code == -signal.SIGKILL
    assert list((tmp_path / "run" / "checkpoints").rglob("*.partial"))
    resumed = forked(tmp_path / "run", lambda: run.main(environ))
    assert resumed.code == 0
    assert files_of(tmp_path / "run") == whole.files
    assert not list((tmp_path / "run" / "checkpoints").rglob("*.partial"))


@pytest.fixture(params=["tmpfs", "file size limit"])
def small_disk(request, tmp_path):
    """(folder, set-up in the child) such that the third checkpoint or later does not fit."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if request.param == "file size limit":
        soft = 300_000  # bytes: less than the optimizers' file, more than the log with the source
        limit = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
        yield disk, lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (soft, limit))
        return
    mount = ["mount", "-t", "tmpfs", "-o", "size=1500k", "tmpfs", str(disk)]
    try:
        subprocess.run(mount, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not permitted to mount a tmpfs")
    yield disk, lambda: None
    subprocess.run(["umount", str(disk)], check=True)


def test_a_full_disk_costs_a_checkpoint_and_nothing_else(environ, tmp_path, small_disk):
    disk, prepare = small_disk
    environ = {**environ, "NUM_LAYERS": "7"}
    whole = whole_run(environ, tmp_path / "whole")
    environ = {**environ, "CHECKPOINT_DIR": str(disk), "CHECKPOINT_KEEP": "9"}
    first = forked(tmp_path / "run", lambda: run.main(environ), "step:2/4 train_loss")
    assert first.code == -signal.SIGKILL

    def work():
        prepare()
        run.main(environ)

    full = forked(tmp_path / "run", work)
    assert full.code == 0
    complaints = [line for line in full.lines if line.startswith("checkpoint: ")]
    assert complaints
    for line in complaints:
        assert "is not kept: " in line
        assert line.endswith("; earlier ones stay")
    path, _ = checkpoints.newest_good(disk / "train_gpt", pytest.fail)
    assert path.name in ("step-00000001", "step-00000002")
    found = files_of(tmp_path / "run")
    assert found["final_model.safetensors"] == whole.files["final_model.safetensors"]
    read_run_log(tmp_path / "run" / "train.jsonl")


def test_what_is_not_finite_is_not_kept(environ, tmp_path):
    done = forked(tmp_path / "run", lambda: run.main({**environ, "MATRIX_LR": "1e38"}))
    assert done.code == 0
    kept = [path.name for path in checkpoints.listed(tmp_path / "run/checkpoints/train_gpt")]
    complaints = [line for line in done.lines if "is not finite" in line]
    assert len(kept) + len(complaints) == 4
    assert "checkpoint: step 4 is not kept: " in complaints[-1]
    for name in kept:
        files = checkpoints.read(tmp_path / "run/checkpoints/train_gpt" / name)
        for file in ("model.safetensors", "optimizers.safetensors"):
            assert all(t.isfinite().all() for t in safetensors.torch.load(files[file]).values())


def test_only_the_newest_are_kept(whole):
    names = [path.name for path in checkpoints.listed(whole.folder / "checkpoints/train_gpt")]
    assert names == ["step-00000004", "step-00000003"]
    state = json.loads((newest(whole.folder) / "state.json").read_text())
    assert state["step"] == 4


# -- two ranks ------------------------------------------------------------------------------------


def test_two_ranks_killed_and_resumed_end_in_the_bytes_of_the_whole_run(tiny, tmp_path):
    """And, where the order of sums is fixed, one rank goes on from the checkpoint of two."""
    default = {"default": {**tiny, **ON, "TTT_CHUNK_SIZE": "64"}}
    fixed = {"fixed": {**default["default"], "WORLD_INVARIANT": "1", "ITERATIONS": "5"}}
    launch(2, tmp_path / "whole", default)
    launch(2, tmp_path / "killed", {**fixed, **default}, kill_at="step:3/4 train_loss")
    assert "resumed from checkpoints" in launch(2, tmp_path / "killed", default)[0]
    assert files_of(tmp_path / "killed/default") == files_of(tmp_path / "whole/default")

    folder = tmp_path / "killed/fixed"
    weights = files_of(folder)["final_model.safetensors"]
    momenta = newest(folder) / "optimizers.safetensors"
    assert momenta.parent.name == "step-00000005"
    of_two_ranks = momenta.read_bytes()
    checkpoints.retire(momenta.parent)
    assert "resumed from checkpoints" in launch(1, tmp_path / "killed", fixed)[0]
    assert files_of(folder)["final_model.safetensors"] == weights
    assert momenta.read_bytes() == of_two_ranks


# -- the command ----------------------------------------------------------------------------------


def test_the_command_killed_from_outside_goes_on(environ, tmp_path, root):
    command = [sys.executable, "-m", "train_gpt_style.gpt"]
    place = {"PATH": os.environ["PATH"], "PYTHONPATH": str(root), "OMP_NUM_THREADS": "1"}
    settings = {**environ, **place}
    process = subprocess.Popen(
        command, cwd=tmp_path, env=settings, stdout=subprocess.PIPE, text=True
    )
    first = []
    for line in process.stdout:
        first.append(line.rstrip("\n"))
        if line.startswith("step:3/4 train_loss"):
            break
    process.kill()
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    again = subprocess.run(
        command, cwd=tmp_path, env=settings, capture_output=True, text=True, timeout=patience(120)
    )
    assert again.returncode == 0, again.stderr
    assert "resumed from checkpoints/train_gpt/step-0000000" in again.stdout
    os.mkdir(tmp_path / "whole")
    whole = subprocess.run(
        command,
        cwd=tmp_path / "whole",
        env=settings,
        capture_output=True,
        text=True,
        timeout=patience(120),
    )

    def untimed(*runs):
        return [re.sub(r" train_time:.*", "", line) for line in train_lines(*runs)]

    assert untimed(first, again.stdout.splitlines()) == untimed(whole.stdout.splitlines())
    for name in ("final_model.safetensors", "final_model.int8.safetensors.z"):
        assert (tmp_path / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    logs = [read_run_log(folder / "train.jsonl") for folder in (tmp_path, tmp_path / "whole")]
    assert deterministic_digest(logs[0]) == deterministic_digest(logs[1])

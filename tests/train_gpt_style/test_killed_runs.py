"""pytest tests/train_gpt_style/test_killed_runs.py — killed and resumed, the same bytes.

The runs are forks of this process. They kill themselves; the real command is killed from outside.
"""

import os
import re
import resource
import signal
import subprocess
from unittest import mock

import pytest
import safetensors.torch

from goldenseal.disk import canonical
from goldenseal.runlog import deterministic_digest, read_run_log
from tests.patience import patience
from tests.train_gpt_style.cases import TOY, process
from tests.train_gpt_style.forks import KEPT, files_of, forked, kept_in, newest, whole_run
from train_gpt_style.kit import checkpoints

# So many weights that the optimizers' file is larger than all that is written besides.
LARGE = {
    "gpt": {"NUM_LAYERS": "7"},
    "soup": {"D_COMP": "96"},
    "soup_student": {"FFN_DIM": "3000"},
}


@pytest.fixture(params=["plain", "everything"])
def environ(request, case):
    """Without any feature that acts, and with every one."""
    return {**(case.everything if request.param == "everything" else case.environ), **KEPT}


@pytest.fixture(scope="module")
def memory():
    """The uninterrupted runs so far."""
    return {}


@pytest.fixture
def whole(case, environ, memory, tmp_path_factory):
    """The uninterrupted run."""
    key = case.entry.name, *sorted(environ.items())
    if key not in memory:
        folder = tmp_path_factory.mktemp("whole") / "run"
        memory[key] = whole_run(case.train, environ, folder)
    return memory[key]


def train_lines(*runs):
    """The last line printed for each step and kind, over the attempts of one run."""
    shown = {}
    for line in (line for lines in runs for line in lines):
        if re.match(r"(\[synthetic\] )?step:|final_", line):
            words = [w if w.startswith("step:") else w.split(":")[0] for w in line.split()]
            shown[" ".join(words)] = line
    return sorted(shown.values())


def steps_of(whole):
    """The first line of each step from the second, in order."""
    found = {}
    for line in whole.lines:
        match = re.search(r"\bstep:(\d+)/", line)
        if match and int(match[1]) > 1:
            found.setdefault(int(match[1]), line)
    return list(found.values())


def test_a_run_killed_at_every_step_in_turn_ends_in_the_same_bytes(case, whole, environ, tmp_path):
    attempts = []
    for line in steps_of(whole):
        attempts.append(forked(tmp_path / "run", lambda: case.train(environ), line))
        assert attempts[-1].code == -signal.SIGKILL
    assert len(attempts) >= 2
    attempts.append(forked(tmp_path / "run", lambda: case.train(environ)))
    assert attempts[-1].code == 0, attempts[-1].lines[-1]
    assert [any("resumed from" in line for line in each.lines) for each in attempts[1:]] == [
        True for _ in attempts[1:]
    ]
    assert files_of(tmp_path / "run") == whole.files
    assert train_lines(*(attempt.lines for attempt in attempts)) == train_lines(whole.lines)
    read_run_log(tmp_path / "run" / "train.jsonl")  # its chain holds


@pytest.mark.parametrize("place", ["before the first checkpoint", "after the last step"])
def test_a_run_killed_at_either_end_ends_in_the_same_bytes(case, whole, environ, tmp_path, place):
    lines = [line for line in whole.lines if "step:1/" in line or "val_loss:" in line]
    last = lines[0] if place == "before the first checkpoint" else lines[-1]
    killed = forked(tmp_path / "run", lambda: case.train(environ), last)
    assert killed.code == -signal.SIGKILL
    resumed = forked(tmp_path / "run", lambda: case.train(environ))
    assert resumed.code == 0, resumed.lines[-1]
    went_on = any("resumed from " in line for line in resumed.lines)
    assert went_on == (place == "after the last step")
    assert files_of(tmp_path / "run") == whole.files
    assert train_lines(killed.lines, resumed.lines) == train_lines(whole.lines)


def test_checkpoints_observe_only(case, whole, environ, tmp_path):
    off = forked(tmp_path / "run", lambda: case.train({**environ, "CHECKPOINT_EVERY": "0"}))
    assert off.code == 0
    weights = "final_model.safetensors"
    assert files_of(tmp_path / "run")[weights] == whole.files[weights]
    assert train_lines(off.lines) == train_lines(whole.lines)
    assert not (tmp_path / "run" / "checkpoints").exists()


@pytest.mark.parametrize("number", [1, 2], ids=["as it gets its name", "as an older one goes"])
def test_a_run_killed_within_a_checkpoint_ends_in_the_same_bytes(case, environ, tmp_path, number):
    environ = {**environ, "CHECKPOINT_KEEP": "1"}
    whole = whole_run(case.train, environ, tmp_path / "whole")
    real, count = os.rename, iter(range(10))

    def rename(*paths):
        if next(count) == number:
            os.kill(os.getpid(), signal.SIGKILL)
        real(*paths)

    with mock.patch.object(os, "rename", rename):
        killed = forked(tmp_path / "run", lambda: case.train(environ))
    assert killed.code == -signal.SIGKILL
    home = tmp_path / "run" / "checkpoints"
    assert len(kept_in(tmp_path / "run")) == number  # the first alone, or both
    assert len(list(home.rglob("*.partial"))) == 2 - number
    resumed = forked(tmp_path / "run", lambda: case.train(environ))
    assert resumed.code == 0, resumed.lines[-1]
    assert files_of(tmp_path / "run") == whole.files
    assert not list(home.rglob("*.partial"))


@pytest.fixture(params=["tmpfs", "file size limit"])
def small_disk(request, case, tmp_path):
    """(folder, environment, set-up in the child): the third checkpoint or later does not fit."""
    disk = tmp_path / "disk"
    disk.mkdir()
    environ = {**case.environ, **KEPT, **LARGE.get(case.entry.name, {})}
    whole = whole_run(case.train, environ, tmp_path / "whole")
    sizes = {path.name: path.stat().st_size for path in newest(whole.folder).iterdir()}
    if request.param == "file size limit":
        soft = sizes["optimizers.safetensors"] - 1
        if case.entry is TOY and soft <= max(map(len, whole.files.values())):
            pytest.skip("its log is larger than a checkpoint")
        assert soft > max(map(len, whole.files.values()))
        limit = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
        yield disk, environ, whole, lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (soft, limit))
        return
    pages = sum(-(-size // 4096) for size in sizes.values())
    mount = ["mount", "-t", "tmpfs", "-o", f"size={int(2.5 * pages) * 4}k", "tmpfs", str(disk)]
    try:
        subprocess.run(mount, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not permitted to mount a tmpfs")
    yield disk, environ, whole, lambda: None
    subprocess.run(["umount", str(disk)], check=True)


def test_a_full_disk_costs_a_checkpoint_and_nothing_else(case, tmp_path, small_disk):
    disk, environ, whole, prepare = small_disk
    environ = {**environ, "CHECKPOINT_DIR": str(disk), "CHECKPOINT_KEEP": "9"}
    first = forked(tmp_path / "run", lambda: case.train(environ), steps_of(whole)[0])
    assert first.code == -signal.SIGKILL

    def work():
        prepare()
        case.train(environ)

    full = forked(tmp_path / "run", work)
    assert full.code == 0, full.lines[-1]
    complaints = [line for line in full.lines if line.startswith("checkpoint: ")]
    assert complaints
    for line in complaints:
        assert "is not kept: " in line
        assert line.endswith("; earlier ones stay")
    settings = case.system.read(environ)
    path, _ = checkpoints.newest_good(checkpoints.folder_of(settings), pytest.fail)
    assert path.name in ("step-00000001", "step-00000002")
    found = files_of(tmp_path / "run")
    assert found["final_model.safetensors"] == whole.files["final_model.safetensors"]
    read_run_log(tmp_path / "run" / "train.jsonl")


def test_what_is_not_finite_is_not_kept(case, tmp_path):
    trips = next(dict(f.trips) for f in case.probe.features if f.name == "finite")
    done = forked(
        tmp_path / "run",
        lambda: case.train({**case.environ, **KEPT, **trips, "CHECKPOINT_KEEP": "9"}),
    )
    assert done.code == 0
    complaints = [line for line in done.lines if "is not finite" in line]
    assert "is not kept: " in complaints[-1]
    for path in kept_in(tmp_path / "run"):
        files = checkpoints.read(path)
        for file in ("model.safetensors", "optimizers.safetensors"):
            assert all(t.isfinite().all() for t in safetensors.torch.load(files[file]).values())


def test_only_the_newest_are_kept(whole):
    steps = [int(path.name[5:]) for path in kept_in(whole.folder)]
    assert len(steps) == 2
    assert steps[0] == steps[1] + 1
    assert canonical.read(newest(whole.folder) / "state.json", "s")["step"] == steps[0]


def test_the_command_killed_from_outside_goes_on(case, environ, tmp_path):
    command, keywords = process(case, environ)

    def finished(folder):
        folder.mkdir(exist_ok=True)
        done = subprocess.run(
            command, cwd=folder, capture_output=True, timeout=patience(120), **keywords
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    whole, folder = finished(tmp_path / "whole"), tmp_path / "run"
    third = next(line for line in whole if re.search(r"\bstep:3/", line))
    folder.mkdir()
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, **keywords) as running:
        first = []
        for line in running.stdout:
            first.append(line.rstrip("\n"))
            if line.split()[:2] == third.split()[:2]:
                break
        running.kill()
    assert running.returncode == -signal.SIGKILL
    again = finished(folder)
    assert any("resumed from checkpoints" in line for line in again)

    def untimed(*runs):
        return [re.sub(r" (train_)?time:.*", "", line) for line in train_lines(*runs)]

    assert untimed(first, again) == untimed(whole)
    weights = "final_model.safetensors"
    assert (folder / weights).read_bytes() == (tmp_path / "whole" / weights).read_bytes()
    logs = [read_run_log(each / "train.jsonl") for each in (folder, tmp_path / "whole")]
    assert deterministic_digest(logs[0]) == deterministic_digest(logs[1])

"""pytest tests/train_gpt_style/gpt/test_gpt_checkpoint.py — killed and resumed, the same bytes.

The clock stands still, so that equal runs print and log the same bytes. Most runs are forks of
this process that kill themselves; one test kills real processes from outside.
"""

import json
import os
import resource
import signal
import subprocess
import sys
import time
from types import SimpleNamespace
from unittest import mock

import pytest
import safetensors.torch
import torch

from tests.train_gpt_style.gpt.worlds import launch
from train_gpt_style.gpt import checkpoints, run
from train_gpt_style.gpt.settings import read
from verify import canonical
from verify.errors import GoldensealError, UsageError
from verify.runlog import read_run_log

ON = {
    "CHECKPOINT_EVERY": "1",
    "RUN_LOG": "1",
    "RUN_LOG_STATE_EVERY": "1",
    "GRAD_CLIP_NORM": "0.5",
    "ITERATIONS": "4",
    "JEPA_LAMBDA": "0.5",
    "TTT_CHUNK_SIZE": "32",
}


class Printer:
    """A standard output that kills its process when a line with some text is printed."""

    def __init__(self, file, last):
        self.file, self.last = file, last

    def write(self, text):
        self.file.write(text)
        self.file.flush()
        if self.last is not None and self.last in text:
            os.kill(os.getpid(), signal.SIGKILL)

    def flush(self):
        self.file.flush()


def forked(folder, work, last=None):
    """Do `work` in a fork, in `folder`; what it printed, and its exit code, negative if killed."""
    folder.mkdir(exist_ok=True)
    printed = folder.with_name(folder.name + ".out")
    child = os.fork()
    if child == 0:
        code = 70
        try:
            os.chdir(folder)
            with open(printed, "w", encoding="utf-8") as file:
                sys.stdout = sys.stderr = Printer(file, last)
                time.perf_counter = lambda: 0.0
                try:
                    work()
                    code = 0
                except GoldensealError as error:
                    print(f"error: {error}")
                    code = error.exit_code
                except BaseException as error:
                    print(f"unexpected: {error!r}")
        finally:
            os._exit(code)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return SimpleNamespace(code=code, lines=printed.read_text(encoding="utf-8").splitlines())


@pytest.fixture
def environ(tiny):
    return {**tiny, **ON}


@pytest.fixture(scope="module")
def whole(tiny, tmp_path_factory):
    """The uninterrupted run: its lines and files."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    done = forked(folder, lambda: run.main({**tiny, **ON}))
    assert done.code == 0, done.lines[-1]
    return SimpleNamespace(lines=done.lines, files=files_of(folder), folder=folder)


def files_of(folder):
    """All that a run leaves but its checkpoints."""
    paths = sorted(p for p in folder.rglob("*") if p.is_file())
    names = [p.relative_to(folder).as_posix() for p in paths]
    return {n: (folder / n).read_bytes() for n in names if not n.startswith("checkpoints")}


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
        "step:3/4 train",
        "step:4/4 val_loss",
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
        soft = 200_000  # bytes: less than the optimizers' file
        limit = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
        yield disk, lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (soft, limit))
        return
    mount = ["mount", "-t", "tmpfs", "-o", "size=1000k", "tmpfs", str(disk)]
    try:
        subprocess.run(mount, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not permitted to mount a tmpfs")
    yield disk, lambda: None
    subprocess.run(["umount", str(disk)], check=True)


def test_a_full_disk_costs_a_checkpoint_and_nothing_else(whole, environ, tmp_path, small_disk):
    disk, prepare = small_disk
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


# -- what is refused ------------------------------------------------------------------------------


@pytest.fixture
def copy(whole, tmp_path):
    """A copy of the finished run, to damage: going on from it repeats the end."""
    subprocess.run(["cp", "-r", whole.folder, tmp_path / "run"], check=True)
    return tmp_path / "run"


def rewritten(path, changes):
    """Give files of a checkpoint other bytes, with a manifest to match."""
    manifest = canonical.read(path / "manifest.json", "m")
    import hashlib

    for name, data in changes.items():
        (path / name).write_bytes(data)
        manifest["files"][name] = {
            "bytes": len(data),
            "sha512": hashlib.sha512(data).hexdigest(),
        }
    (path / "manifest.json").write_bytes(canonical.dumps(manifest))


def newest(folder):
    return checkpoints.listed(folder / "checkpoints/train_gpt")[0]


DAMAGES = {
    "cut short": lambda p: os.truncate(p / "model.safetensors", 1000),
    "empty": lambda p: os.truncate(p / "optimizers.safetensors", 0),
    "edited": lambda p: (p / "state.json").write_bytes(
        (p / "state.json").read_bytes().replace(b'"step":4', b'"step":3')
    ),
    "no manifest": lambda p: (p / "manifest.json").unlink(),
    "no JSON": lambda p: (p / "manifest.json").write_text("{"),
    "another manifest": lambda p: (p / "manifest.json").write_text('{"schema":2}'),
    "a file gone": lambda p: (p / "rng.safetensors").unlink(),
    "a file more": lambda p: (p / "weights.bin").write_text("x"),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_checkpoint_is_passed_over_aloud(whole, copy, damage):
    folder = newest(copy).parent
    damage(newest(copy))
    said = []
    path, _ = checkpoints.newest_good(folder, said.append)
    assert path.name == "step-00000003"
    assert len(said) == 1
    assert "step-00000004" in said[0]
    assert said[0].endswith("; going back to step-00000003")
    damage(path) if path.name[-1] != "3" else os.truncate(path / "model.safetensors", 9)
    with pytest.raises(UsageError, match="no other checkpoint is whole") as caught:
        checkpoints.newest_good(folder, said.append)
    assert "\n" not in str(caught.value)


def test_going_back_ends_in_the_same_bytes(whole, copy, environ):
    os.truncate(newest(copy) / "model.safetensors", 1000)
    done = forked(copy, lambda: run.main(environ))
    assert done.code == 0, done.lines[-1]
    assert any("going back to step-00000003" in line for line in done.lines)
    assert files_of(copy) == whole.files


def other_tensors(path, file, change):
    tensors = safetensors.torch.load((path / file).read_bytes())
    change(tensors)
    rewritten(path, {file: safetensors.torch.save(tensors)})


def state_with(path, **changes):
    state = canonical.read(path / "state.json", "s")
    rewritten(path, {"state.json": canonical.dumps({**state, **changes})})


WRONG = {
    "shape": (
        lambda p: other_tensors(
            p, "model.safetensors", lambda t: t.update({"skip_weights": torch.zeros(3)})
        ),
        "model.safetensors: skip_weights is torch.float32 (3,), in this run torch.float32 (2, 32)",
    ),
    "dtype": (
        lambda p: other_tensors(
            p, "model.safetensors", lambda t: t.update({"skip_weights": torch.zeros(2, 32).half()})
        ),
        "skip_weights is torch.float16 (2, 32), in this run torch.float32",
    ),
    "missing": (
        lambda p: other_tensors(p, "model.safetensors", lambda t: t.pop("skip_weights")),
        "skip_weights is missing",
    ),
    "extra": (
        lambda p: other_tensors(p, "model.safetensors", lambda t: t.update(x=torch.zeros(1))),
        "x is not of this run",
    ),
    "momentum": (
        lambda p: other_tensors(
            p, "optimizers.safetensors", lambda t: t.pop("matrices.0.momentum_buffer")
        ),
        "matrices.0.momentum_buffer is missing",
    ),
    "no tensors": (
        lambda p: rewritten(p, {"model.safetensors": b"\x80\x04pickle"}),
        "model.safetensors: no safetensors file",
    ),
    "no state": (lambda p: rewritten(p, {"state.json": b"[]"}), "not the state of a checkpoint"),
    "no step": (lambda p: state_with(p, step="x"), "no state of a run"),
    "world": (lambda p: state_with(p, world_size=2), "world_size was 2, here it is 1"),
    "class": (lambda p: state_with(p, numeric_class={}), "numeric_class: "),
    "source": (lambda p: state_with(p, source="0"), "source was 0"),
    "data": (lambda p: state_with(p, data={"a": 1}), "data: a was 1, here it is None"),
}


@pytest.mark.parametrize(("change", "words"), WRONG.values(), ids=WRONG)
def test_a_whole_checkpoint_that_does_not_fit_is_refused_in_one_line(copy, environ, change, words):
    change(newest(copy))
    before = files_of(copy)
    done = forked(copy, lambda: run.main(environ))
    assert done.code == 2
    errors = [line for line in done.lines if line.startswith(("error", "unexpected"))]
    assert len(errors) == 1
    assert words in errors[0]
    assert done.lines[-1] == errors[0]
    assert files_of(copy) == before


@pytest.mark.parametrize(
    ("knobs", "words"),
    [
        ({"SEED": "2"}, "knobs: SEED was 1337, here it is 2: set it back"),
        ({"ITERATIONS": "9"}, "knobs: ITERATIONS was 4, here it is 9"),
        ({"PHINTA_ENABLE": "1"}, "knobs: PHINTA_ENABLE was 0, here it is 1"),
        ({"RESUME": "never"}, "RESUME=never, but checkpoints/train_gpt holds checkpoints"),
    ],
)
def test_another_run_does_not_go_on_from_it(copy, environ, knobs, words):
    before = files_of(copy)
    done = forked(copy, lambda: run.main({**environ, **knobs}))
    assert done.code == 2
    assert words in done.lines[-1]
    assert files_of(copy) == before


@pytest.mark.parametrize(
    ("file", "words"),
    [("logs/train_gpt.txt", "are not of the checkpoint's run"), ("train.jsonl", "train.jsonl")],
)
def test_a_log_that_is_not_the_checkpoints_is_refused(copy, environ, file, words):
    os.truncate(copy / file, 100)
    done = forked(copy, lambda: run.main(environ))
    assert done.code == 1
    assert done.lines[-1].startswith("error: ")
    assert words in done.lines[-1]


def test_only_the_newest_are_kept(whole):
    names = [path.name for path in checkpoints.listed(whole.folder / "checkpoints/train_gpt")]
    assert names == ["step-00000004", "step-00000003"]
    state = json.loads((newest(whole.folder) / "state.json").read_text())
    assert state["step"] == 4
    assert read({}).resume == "auto"


# -- real processes -------------------------------------------------------------------------------


def test_two_ranks_killed_and_resumed_end_in_the_bytes_of_the_whole_run(tiny, tmp_path):
    """And, where the order of sums is fixed, one rank goes on from the checkpoint of two."""
    default = {"default": {**tiny, **ON, "TTT_CHUNK_SIZE": "64"}}
    fixed = {"fixed": {**default["default"], "WORLD_INVARIANT": "1", "ITERATIONS": "5"}}
    launch(2, tmp_path / "whole", default)
    launch(2, tmp_path / "killed", {**fixed, **default}, kill_at="step:3/4 train_loss")
    assert "resumed from checkpoints" in launch(2, tmp_path / "killed", default)
    assert files_of(tmp_path / "killed/default") == files_of(tmp_path / "whole/default")

    folder = tmp_path / "killed/fixed"
    weights = files_of(folder)["final_model.safetensors"]
    momenta = newest(folder) / "optimizers.safetensors"
    assert momenta.parent.name == "step-00000005"
    of_two_ranks = momenta.read_bytes()
    checkpoints.retire(momenta.parent)
    assert "resumed from checkpoints" in launch(1, tmp_path / "killed", fixed)
    assert files_of(folder)["final_model.safetensors"] == weights
    assert momenta.read_bytes() == of_two_ranks

"""pytest tests/train_gpt_style/kit/test_checkpoints.py — what is written, and when."""

import json
import os
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from goldenseal.errors import UsageError
from tests.train_gpt_style.forks import forked
from train_gpt_style.kit import checkpoints
from train_gpt_style.kit.features import checkpoint

FILES = {"a.bin": b"xyz", "b.bin": b""}


@pytest.fixture
def operations(monkeypatch):
    """Each fsync, with the name and size of its file, and each rename."""
    seen, fsync, rename = [], os.fsync, os.rename

    def watched_fsync(descriptor):
        path = Path(os.readlink(f"/proc/self/fd/{descriptor}"))
        seen.append(("fsync", path.name, path.stat().st_size if path.is_file() else None))
        fsync(descriptor)

    def watched_rename(old, new):
        seen.append(("rename", Path(old).name, Path(new).name))
        rename(old, new)

    monkeypatch.setattr(os, "fsync", watched_fsync)
    monkeypatch.setattr(os, "rename", watched_rename)
    return seen


def test_all_of_a_checkpoint_is_on_the_disk_before_it_has_its_name(tmp_path, operations):
    folder = tmp_path / "kept"
    checkpoints.write(folder, 3, FILES, keep=2)
    size = (folder / "step-00000003" / "manifest.json").stat().st_size
    assert operations == [
        ("fsync", "a.bin", 3),
        ("fsync", "b.bin", 0),
        ("fsync", "manifest.json", size),
        ("fsync", ".step-00000003.partial", None),
        ("rename", ".step-00000003.partial", "step-00000003"),
        ("fsync", "kept", None),
    ]
    manifest = json.loads((folder / "step-00000003" / "manifest.json").read_text("utf-8"))
    assert manifest["schema"] == 1
    assert {name: entry["bytes"] for name, entry in manifest["files"].items()} == {
        name: len(data) for name, data in FILES.items()
    }


def test_the_newest_are_kept_and_the_rest_is_gone_whole(tmp_path, operations):
    for step in (9, 10, 100):
        checkpoints.write(tmp_path, step, FILES, keep=2)
    assert [path.name for path in checkpoints.listed(tmp_path)] == [
        "step-00000100",
        "step-00000010",
    ]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["step-00000010", "step-00000100"]
    retired = ("rename", "step-00000009", ".step-00000009.retired.partial")
    assert operations[-1] == retired  # no half of it ever has its name


def test_a_checkpoint_of_the_same_step_takes_the_place_of_the_other(tmp_path):
    checkpoints.write(tmp_path, 3, {"a.bin": b"old"}, keep=1)
    checkpoints.write(tmp_path, 3, {"a.bin": b"new"}, keep=1)
    assert (tmp_path / "step-00000003" / "a.bin").read_bytes() == b"new"
    assert [path.name for path in tmp_path.iterdir()] == ["step-00000003"]


def test_what_is_left_of_a_write_that_fails_is_removed_and_the_others_stay(tmp_path, monkeypatch):
    checkpoints.write(tmp_path, 3, FILES, keep=1)
    (tmp_path / ".step-00000001.partial").mkdir()  # of a run that was killed
    real = checkpoints.write_synced

    def full(path, data):
        real(path, data)
        raise OSError("no space")

    monkeypatch.setattr(checkpoints, "write_synced", full)
    with pytest.raises(OSError, match="no space"):
        checkpoints.write(tmp_path, 4, FILES, keep=1)
    assert [path.name for path in tmp_path.iterdir()] == ["step-00000003"]


def test_only_folders_of_steps_are_listed(tmp_path):
    assert checkpoints.listed(tmp_path / "nowhere") == []
    (tmp_path / "step-00000002").mkdir()
    for name in ("step-two", "step-t3", "step-3t"):
        (tmp_path / name).mkdir()
    (tmp_path / "step-00000003").write_text("a file")
    (tmp_path / ".step-00000004.partial").mkdir()
    assert [path.name for path in checkpoints.listed(tmp_path)] == ["step-00000002"]


def test_the_newest_come_first_also_once_the_numbers_are_longer(tmp_path):
    steps = [10**8 + 1, 10**8, 10**8 - 1, 10**7, 2, 1]
    for step in sorted(steps, key=str):
        (tmp_path / checkpoints.name_of(step)).mkdir()
    names = [path.name for path in checkpoints.listed(tmp_path)]
    assert names == [checkpoints.name_of(step) for step in steps]


def test_a_folder_is_closed_again(tmp_path):
    before = os.listdir("/proc/self/fd")
    checkpoints.sync_folder(tmp_path)
    assert os.listdir("/proc/self/fd") == before


def test_a_folder_that_cannot_be_made_says_so_itself(tmp_path, monkeypatch):
    real = Path.mkdir

    def full(path, *args, **kwargs):
        if path.name.endswith(".partial"):
            raise OSError("no space")
        real(path, *args, **kwargs)

    monkeypatch.setattr(Path, "mkdir", full)
    with pytest.raises(OSError, match="no space"):
        checkpoints.write(tmp_path / "kept", 4, FILES, keep=1)


# -- death while a checkpoint is written ----------------------------------------------------------


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


# -- several ranks --------------------------------------------------------------------------------


@pytest.fixture
def start_of(tmp_path, monkeypatch):
    """Where a rank of two starts. What rank 0 sends is kept, and the other rank receives it."""
    sent = []

    def broadcast(t, src):
        assert src == 0
        if rank == 0:
            sent.append(int(t))
        else:
            t.fill_(sent[-1])

    def resumed(path, files, identity):
        return SimpleNamespace(path=path, files=files, identity=identity, step=int(path.name[5:]))

    monkeypatch.setattr(checkpoint, "dist", SimpleNamespace(broadcast=broadcast))
    monkeypatch.setattr(checkpoint, "Resumed", resumed)
    monkeypatch.setattr(checkpoint, "source_of", lambda system: "the source")
    monkeypatch.setattr(checkpoint, "identity", lambda settings, ctx, source: (ctx.rank, source))

    def start(number, **more):
        nonlocal rank
        rank = number
        values = {"checkpoint_dir": str(tmp_path), "resume": "auto", "system": None, **more}
        settings = Values(values)
        ctx = SimpleNamespace(rank=rank, world_size=2, device="cpu")
        return checkpoint.Checkpoint().start(settings, ctx)

    rank = 0
    return start


class Values(dict):
    """Settings, as far as a checkpoint asks for them."""

    def __getattr__(self, name):
        return self[name]


def test_every_rank_goes_on_from_the_checkpoint_that_rank_0_chose(tmp_path, start_of):
    files = {name: name.encode() for name in checkpoints.FILES}
    checkpoints.write(tmp_path, 1, files, keep=3)
    checkpoints.write(tmp_path, 7, files, keep=3)
    first = start_of(0)
    checkpoints.write(tmp_path, 9, files, keep=3)  # seen by the other rank alone
    for number, found in enumerate((first, start_of(1))):
        assert found.path.name == "step-00000007"
        assert found.files == files
        assert found.identity == (number, "the source")


def test_without_a_checkpoint_every_rank_begins(start_of):
    assert start_of(0) is None
    assert start_of(1) is None


def test_where_rank_0_cannot_go_on_no_rank_does(tmp_path, start_of):
    checkpoints.write(tmp_path, 1, dict.fromkeys(checkpoints.FILES, b""), keep=1)
    with pytest.raises(UsageError, match="RESUME=never, but"):
        start_of(0, resume="never")
    with pytest.raises(UsageError, match="rank 0 cannot go on from the checkpoints"):
        start_of(1, resume="never")


def test_the_first_tensor_that_is_not_finite_is_named():
    good = {"a": torch.ones(2), "b": torch.tensor([3]), "c": torch.ones(1, dtype=torch.bfloat16)}
    assert checkpoints.first_not_finite(good) is None
    for name, bad in (("d", torch.tensor([1.0, torch.nan])), ("c", good["c"] / 0)):
        assert checkpoints.first_not_finite({**good, name: bad}) == name


@pytest.mark.parametrize("rank", [0, 1])
def test_every_rank_gives_its_share_and_rank_0_alone_writes(tmp_path, monkeypatch, rank):
    asked = []

    def share(*arguments):
        asked.append(arguments)
        return {}

    monkeypatch.setattr(checkpoint, "optimizer_tensors", share)
    monkeypatch.setattr(checkpoint, "snapshot", lambda *arguments: FILES)
    settings = Values(checkpoint_dir=str(tmp_path), checkpoint_every=2, checkpoint_keep=9)
    ctx, model = SimpleNamespace(rank=rank, world_size=2), torch.nn.Linear(1, 1)
    keeper = checkpoint.Keeper(
        SimpleNamespace(settings=settings, ctx=ctx, model=model, optimizers={})
    )
    for step in range(1, 5):
        keeper.after_step(SimpleNamespace(step=step))
    assert asked == [({}, rank, 2)] * 2
    written = [path.name for path in checkpoints.listed(tmp_path)]
    assert written == ([] if rank else ["step-00000004", "step-00000002"])

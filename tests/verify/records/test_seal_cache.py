"""pytest tests/verify/records/test_seal_cache.py — remembered digests: only of files that rest."""

import json
import os
import time

import pytest

from goldenseal.errors import ContradictedError, UsageError
from goldenseal.records.check import check
from goldenseal.records.seal import seal
from goldenseal.records.seal_cache import SealCache


@pytest.fixture
def cache(tmp_path, record):
    """Opens the cache of the record, with files at rest after 20 ms instead of 2 s."""
    time.sleep(0.05)
    return lambda rest=20_000_000: SealCache(tmp_path / "cache.json", record, rest)


def sealed_with(record, cache):
    """Seal; returns the bytes that had to be hashed."""
    seal(record, cache=cache)
    return cache.hashed


def unseal(record):
    for name in ("SHA512SUMS", "seal.json"):
        (record / name).unlink()


def size_of(record):
    return sum(p.stat().st_size for p in record.rglob("*") if p.is_file())


def test_an_unchanged_record_is_sealed_again_without_reading_it(record, cache):
    size = size_of(record)
    assert sealed_with(record, cache()) == size
    time.sleep(0.05)
    written = sum((record / n).stat().st_size for n in ("seal.json", "check_seal.py"))
    assert sealed_with(record, cache()) == written
    assert sealed_with(record, cache()) == 0
    unseal(record)
    assert sealed_with(record, cache()) == 0
    assert check(record).holds


def test_a_small_edit_costs_the_file_that_changed(record, cache):
    (record / "weights.bin").write_bytes(bytes(3_000_000))
    (record / "notes" / "edited").write_bytes(b"a" * 1024)
    time.sleep(0.05)
    sealed_with(record, cache())
    unseal(record)
    (record / "notes" / "edited").write_bytes(b"b" * 1024)
    time.sleep(0.05)
    assert sealed_with(record, cache()) == 1024
    assert check(record).holds


def test_the_progress_bar_gets_to_its_end_either_way(record, cache):
    for _ in range(2):
        told = []
        seal(record, told.append, cache())
        names = ("SHA512SUMS", "seal.json", "check_seal.py")
        assert sum(told) == sum(
            p.stat().st_size for p in record.rglob("*") if p.is_file() and p.name not in names
        )
        unseal(record)
        (record / "check_seal.py").unlink()


def rewrite(path):
    path.write_text("onf\n")


def rewrite_and_hide(path):
    status = path.stat()
    path.write_text("onf\n")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def replace(path):
    status = path.stat()
    path.with_name("new").write_text("onf\n")
    os.utime(path.with_name("new"), ns=(status.st_atime_ns, status.st_mtime_ns))
    os.replace(path.with_name("new"), path)


@pytest.mark.parametrize("edit", [rewrite, rewrite_and_hide, replace])
def test_an_edit_of_the_same_size_is_noticed_also_under_the_old_time(record, cache, edit):
    sealed_with(record, cache())
    edit(record / "notes" / "one.txt")
    with pytest.raises(ContradictedError, match=r"notes/one\.txt changed"):
        seal(record, cache=cache())


def test_a_file_that_did_not_rest_is_not_remembered(record, cache, tmp_path):
    """Racily clean: a second edit in the same tick of the clock would look the same."""
    sealed_with(record, cache(rest=3_600_000_000_000))
    assert not (tmp_path / "cache.json").exists()
    (record / "notes" / "one.txt").write_text("one\n")
    time.sleep(0.05)
    os.utime(record / "README.md", (time.time() + 3600,) * 2)  # and never one of the future
    sealed_with(record, cache())
    known = json.loads((tmp_path / "cache.json").read_text())["files"]
    assert "README.md" not in known
    assert "notes/one.txt" in known


@pytest.mark.parametrize(("place", "lie"), [(-2, "0" * 128), (-1, "0" * 64)])
def test_a_lying_cache_deceives_the_sealer_and_never_the_check(record, cache, tmp_path, place, lie):
    sealed_with(record, cache())
    unseal(record)
    document = json.loads((tmp_path / "cache.json").read_text())
    document["files"]["README.md"][place] = lie
    (tmp_path / "cache.json").write_text(json.dumps(document))
    sealed_with(record, cache())
    (reason,) = check(record).reasons()
    assert "README.md" in reason
    assert lie in reason


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff",
        b"[" * 100_000,
        b'{"schema":1}',
        b'{"schema":1,"folder":"FOLDER","files":{}}',
        b'{"schema":2,"folder":"/elsewhere","files":{"README.md":[1,2,3,4,5,"DIGEST","SHORT"]}}',
        b'{"schema":2,"folder":"FOLDER","files":[]}',
        b'{"schema":2,"folder":"FOLDER","files":{"README.md":7}}',
        b'{"schema":2,"folder":"FOLDER","files":{"README.md":[]}}',
        b'{"schema":2,"folder":"FOLDER","files":{"README.md":[1,2,3,"DIGEST","SHORT"]}}',
        b'{"schema":2,"folder":"FOLDER","files":{"README.md":[1,2,3,4,5.0,"DIGEST","SHORT"]}}',
        b'{"schema":2,"folder":"FOLDER","files":{"README.md":[1,2,3,4,5,null,"SHORT"]}}',
        b'{"schema":2,"folder":"FOLDER","files":{"README.md":[1,2,3,4,5,"x","SHORT"]}}',
        b'{"schema":2,"folder":"FOLDER","files":{"README.md":[1,2,3,4,5,"DIGEST"]}}',
        b'{"schema":2,"folder":"FOLDER","files":{"README.md":[1,2,3,4,5,"DIGEST","x"]}}',
    ],
)
def test_a_damaged_cache_is_none(record, cache, tmp_path, content):
    content = content.replace(b"FOLDER", os.fsencode(record)).replace(b"DIGEST", b"0" * 128)
    content = content.replace(b"SHORT", b"0" * 64)
    (tmp_path / "cache.json").write_bytes(content)
    size = size_of(record)
    assert sealed_with(record, cache()) == size
    assert check(record).holds


def test_a_cache_that_is_a_link_or_cannot_be_written_is_none(record, tmp_path):
    (tmp_path / "link").symlink_to("/dev/zero")
    for path in (tmp_path / "link" / "x", record / "README.md" / "x"):
        seal(record, cache=SealCache(path, record))
        unseal(record)
    seal(record, cache=SealCache(tmp_path / "link", record))
    assert check(record).holds


def test_a_file_that_vanished_is_one_line(record, cache):
    with pytest.raises(UsageError, match="cannot be read"):
        cache().digest(record / "gone")


def test_each_folder_of_a_repository_has_its_own(tmp_path, record):
    paths = set()
    for folder in (record, record / "notes"):
        one = SealCache.of(tmp_path, folder)
        seal(record, cache=one) if folder == record else None
        paths.add(one._path)
    assert len(paths) == 2
    assert all(path.parent == tmp_path / ".goldenseal" / "seal-cache" for path in paths)

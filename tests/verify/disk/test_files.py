"""pytest tests/verify/disk/test_files.py — reading what strangers left, writing whole files."""

import hashlib
import os
import signal
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldenseal.disk.files import (
    CHUNK,
    MAX_PARTS,
    atomic_write,
    colliding,
    copy_file,
    hash_both,
    hash_file,
    problem_with_name,
    read_small,
    walk,
)
from goldenseal.errors import UsageError


@pytest.fixture(autouse=True)
def no_hanging():
    """A pipe that is opened by mistake blocks for ever: let that be a failure."""
    signal.alarm(20)
    yield
    signal.alarm(0)


@pytest.mark.parametrize(
    "name", ["a", "a/b.c", "é/ü", "with space/x", ".hidden", "a..b", "console"]
)
def test_plain_names_are_fine(name):
    assert problem_with_name(name) is None


@pytest.mark.parametrize(
    "name",
    [
        "",
        "/a",
        "a/",
        "a//b",
        ".",
        "..",
        "a/../b",
        "./a",
        "a\\b",
        "C:x",
        "a\nb",
        "a\rb",
        "a\x00b",
        "a\x7f",
        "a\u202eb",
        "a\u2028b",
        "a\ufeffb",
        "\ud800",
        "a*",
        "a?",
        'a"',
        "a<b",
        "a|b",
        "a.",
        "a ",
        "a./b",
        "nul",
        "NUL.txt",
        "x/Com1.log",
        "a" * 5000,
        "/".join(["d"] * (MAX_PARTS + 1)),
    ],
)
def test_names_that_mean_something_else_somewhere_are_refused(name):
    assert problem_with_name(name)


@given(st.text(alphabet=st.characters(codec=None), max_size=30))
def test_any_text_is_judged_as_a_name_without_a_crash(name):
    if problem_with_name(name) is None:
        assert name.encode()
        assert not name.startswith("/")
        assert ".." not in name.split("/")


def test_folders_that_differ_only_in_case_collide_though_their_files_do_not():
    assert colliding(["Sub/a", "sub/b"]) == [("Sub", "sub")]
    assert colliding(["a/x", "b/x", "a/y"]) == []


def test_the_walk_is_sorted_by_whole_path(tmp_path):
    for name in ("a/x", "a-b", "a.c", "B"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    assert walk(tmp_path) == (["B", "a-b", "a.c", "a/x"], [])


def test_a_folder_nested_a_thousand_deep_is_a_finding_and_not_a_crash(tmp_path):
    here = os.getcwd()
    try:
        os.chdir(tmp_path)
        for _ in range(1200):
            os.mkdir("d")
            os.chdir("d")
        names, problems = walk(tmp_path)
    finally:
        os.chdir(here)
        subprocess.run(["rm", "-r", tmp_path / "d"], check=True)  # too deep for pytest to remove
    assert names == []
    assert len(problems) == 1
    assert "nested too deep" in problems[0]


def test_a_link_to_a_folder_is_a_problem_and_is_not_entered(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "x").write_text("x")
    (tmp_path / "loop").symlink_to(tmp_path)
    assert walk(tmp_path) == (["real/x"], ["'loop': a link; a record holds its files itself"])


def test_a_linked_or_absent_folder_is_not_walked(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path)
    for path in (tmp_path / "link", tmp_path / "gone", tmp_path / "gone" / "deeper"):
        with pytest.raises(UsageError, match="is not a folder"):
            walk(path)


def test_a_folder_that_vanishes_meanwhile_is_a_problem(tmp_path, monkeypatch):
    (tmp_path / "sub").mkdir()
    real = os.scandir

    def scandir(path):
        if str(path).rstrip("/").endswith("sub"):
            raise FileNotFoundError(2, "No such file or directory")
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    assert walk(tmp_path) == ([], ["'sub/': the folder cannot be read: No such file or directory"])


@pytest.mark.parametrize("read", [hash_file, hash_both, lambda path: read_small(path, 100)])
@pytest.mark.parametrize("kind", ["pipe", "link", "folder", "nothing", "device"])
def test_only_regular_files_are_read_and_none_blocks(tmp_path, read, kind):
    path = tmp_path / "it"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "link":
        path.symlink_to("/dev/zero")
    elif kind == "folder":
        path.mkdir()
    elif kind == "device":
        path = type(path)("/dev/zero")
    with pytest.raises(UsageError, match=r"cannot be read|is not a regular file"):
        read(path)


def test_a_large_file_is_refused_by_its_size_before_it_is_read(tmp_path):
    path = tmp_path / "sparse"
    with path.open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(UsageError, match="is larger than 100 bytes"):
        read_small(path, 100)
    path.write_bytes(b"x" * 100)
    assert read_small(path, 100) == b"x" * 100


@pytest.mark.parametrize("size", [0, 1, CHUNK + 7])
def test_a_copy_is_the_bytes_of_its_digest(tmp_path, size):
    data = bytes(range(251)) * (size // 251 + 1)
    (tmp_path / "a").write_bytes(data[:size])
    assert copy_file(tmp_path / "a", tmp_path / "b") == hashlib.sha512(data[:size]).hexdigest()
    assert (tmp_path / "b").read_bytes() == data[:size]
    (tmp_path / "link").symlink_to("a")
    with pytest.raises(UsageError, match="cannot be read"):
        copy_file(tmp_path / "link", tmp_path / "c")


def test_a_file_that_grows_past_the_limit_while_it_is_read_is_refused(tmp_path, monkeypatch):
    (path := tmp_path / "x").write_bytes(b"x" * 200)
    real = os.fstat

    def smaller(descriptor):
        status = list(real(descriptor))
        status[6] = 50
        return os.stat_result(status)

    monkeypatch.setattr(os, "fstat", smaller)
    assert read_small(path, 200) == b"x" * 200
    with pytest.raises(UsageError, match="is larger than 100 bytes"):
        read_small(path, 100)


@given(st.binary(max_size=3000))
def test_hashing_agrees_with_hashlib(tmp_path_factory, data):
    import hashlib

    path = tmp_path_factory.mktemp("hash") / "x"
    path.write_bytes(data)
    seen = []
    assert hash_file(path, seen.append) == hashlib.sha512(data).hexdigest()
    assert sum(seen) == len(data)


def test_a_write_that_fails_leaves_the_old_file_and_nothing_beside_it(tmp_path, monkeypatch):
    path = tmp_path / "x"
    atomic_write(path, b"old")

    def fail(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="No space left"):
        atomic_write(path, b"new")
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["x"]


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 3 * CHUNK + 7])
def test_both_digests_of_one_reading_are_those_of_the_bytes(tmp_path, size):
    data = bytes(range(251)) * (size // 251 + 1)
    (path := tmp_path / "file").write_bytes(data[:size])
    counts = []
    assert hash_both(path, counts.append) == (
        hashlib.sha512(data[:size]).hexdigest(),
        hashlib.sha256(data[:size]).hexdigest(),
    )
    assert sum(counts) == size
    assert hash_file(path) == hash_both(path).sha512

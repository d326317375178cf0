"""pytest tests/train_gpt_style/kit/test_fashion.py — the images' command, without the images."""

import gzip
import hashlib
import subprocess
import sys

import pytest

from goldenseal.errors import CannotCheckError
from train_gpt_style.kit.data import __main__ as command
from train_gpt_style.kit.data import images as fashion
from train_gpt_style.kit.data.corpus.pins import read_lock


@pytest.fixture
def world(tmp_path, monkeypatch):
    """Four small files in place of the real ones, and their lock."""
    source = tmp_path / "source"
    source.mkdir()
    lines = []
    for name in read_lock(fashion.LOCK):
        (source / name).write_bytes(gzip.compress(name.encode(), mtime=0))
        lines.append(f"{hashlib.sha512((source / name).read_bytes()).hexdigest()}  {name}")
    lock = tmp_path / "digests.lock"
    lock.write_text("\n".join(lines) + "\n")
    monkeypatch.setattr(fashion, "LOCK", lock)
    return source


@pytest.fixture
def call(monkeypatch):
    """call(*arguments): the command's exit code."""

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["data", "images", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            command.main()
        return ended.value.code

    return call


def test_the_lock_names_the_four_files_of_the_loader():
    names = {
        f"{split}-{kind}-ubyte.gz"
        for split in ("train", "t10k")
        for kind in ("images-idx3", "labels-idx1")
    }
    assert set(read_lock(fashion.LOCK)) == names


def test_the_files_are_checked_and_copied(world, tmp_path, capsys, call):
    out = tmp_path / "out"
    for _ in range(2):
        assert call("--source", world, "--out", out) == 0
    assert {p.name: p.read_bytes() for p in out.iterdir()} == {
        p.name: p.read_bytes() for p in world.iterdir()
    }
    assert "digests hold" in capsys.readouterr().out


def test_other_bytes_are_refused_and_nothing_is_copied(world, tmp_path, capsys, call):
    (world / "t10k-labels-idx1-ubyte.gz").write_bytes(b"other")
    assert call("--source", world, "--out", tmp_path / "out") == 1
    assert "t10k-labels-idx1-ubyte.gz: SHA-512 is" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_missing_file_is_named(world, tmp_path, capsys, call):
    (world / "train-labels-idx1-ubyte.gz").unlink()
    assert call("--source", world, "--out", tmp_path / "out") == 3
    assert "train-labels-idx1-ubyte.gz: missing" in capsys.readouterr().err


def test_where_apt_is_not_allowed_the_line_to_type_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(fashion, "INSTALLED", tmp_path / "absent")
    monkeypatch.setattr(fashion.os, "geteuid", lambda: 1000)
    with pytest.raises(CannotCheckError, match="type: sudo apt-get install -y -q dataset-fashion"):
        fashion.install(tmp_path / "absent")


def test_an_apt_that_fails_tells_its_reason(tmp_path, monkeypatch):
    monkeypatch.setattr(fashion, "INSTALLED", tmp_path / "absent")
    monkeypatch.setattr(fashion.os, "geteuid", lambda: 0)
    monkeypatch.setattr(fashion.shutil, "which", lambda name: "/usr/bin/apt-get")

    def fail(command, **options):
        return subprocess.CompletedProcess(command, 100, "", "one\nE: no network\n")

    monkeypatch.setattr(fashion.subprocess, "run", fail)
    with pytest.raises(CannotCheckError, match="no network"):
        fashion.install(tmp_path / "absent")


def test_another_source_that_is_not_there_is_no_reason_to_install(tmp_path):
    with pytest.raises(CannotCheckError, match="no such folder"):
        fashion.install(tmp_path / "absent")

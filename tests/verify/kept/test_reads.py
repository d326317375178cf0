"""pytest tests/verify/kept/test_reads.py — what processes read is known, however they end."""

import ctypes
import os
import socket
import sys

import pytest

from goldenseal.kept.reads import modules_loaded, reading
from goldenseal.ladder.processes import in_processes


@pytest.fixture
def seen(tmp_path):
    """What `act` reads, with the names below tmp_path."""

    def of(act):
        with reading() as reads:
            act()
        below = f"{tmp_path}{os.sep}"
        files = {path.removeprefix(below) for path in reads.files if path.startswith(below)}
        return files, reads

    return of


def test_files_are_seen_that_this_process_and_its_forks_open(tmp_path, seen):
    for name in "abc":
        (tmp_path / name).write_text(name)

    def die():
        (tmp_path / "b").read_text()
        ((_, ended),) = in_processes([(tmp_path / "c").read_text], 1)
        assert ended.value == "c"
        os._exit(3)

    def act():
        (tmp_path / "a").read_text()
        ((_, ended),) = in_processes([die], 1)
        assert ended.exit_code == 3

    assert seen(act)[0] == {"a", "b", "c"}


def test_what_is_written_is_not_read_and_what_is_looked_for_counts(tmp_path, seen, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def act():
        (tmp_path / "made").write_text("x")
        with pytest.raises(FileNotFoundError):
            open("missing")
        os.close(os.open("made", os.O_RDONLY))
        os.listdir()

    files, reads = seen(act)
    assert files == {"missing"}
    assert reads.loose == {str(tmp_path / "made")}
    assert f"{tmp_path}{os.sep}." in reads.folders


def test_a_compiled_module_counts_as_its_source(tmp_path, seen, monkeypatch):
    (tmp_path / "some_module.py").write_text("X = 1\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    for _ in range(2):
        files, _ = seen(lambda: __import__("some_module"))
        assert "some_module.py" in files
        assert str(tmp_path / "some_module.py") in modules_loaded()
        del sys.modules["some_module"]


def test_other_programs_and_the_network_are_beyond(seen):
    _, reads = seen(lambda: os.system("true"))
    assert len(reads.beyond) == 1

    def connect():
        with socket.socket() as one:
            one.settimeout(0.01)
            one.connect_ex(("192.0.2.1", 9))  # an address that no machine has

    assert "192.0.2.1" in " ".join(seen(connect)[1].beyond)


def test_nothing_is_noted_outside_and_libraries_are(tmp_path, seen):
    (tmp_path / "a").write_text("a")
    library = next(path for path in sorted(modules_loaded()) if "libc." in path or ".so" in path)
    files, reads = seen(lambda: ctypes.CDLL(library))
    assert (files, library in reads.files) == (set(), True)
    (tmp_path / "a").read_text()
    assert not (tmp_path / "log").exists()

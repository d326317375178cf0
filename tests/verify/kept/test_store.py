"""pytest tests/verify/kept/test_store.py — entries on disk: whole, ours, few, or not used."""

import hashlib
import os
import shutil
import time
from dataclasses import replace

import pytest

from goldenseal.disk import canonical
from goldenseal.kept import store
from goldenseal.kept.store import EACH, Entry, Passed, Store
from goldenseal.ladder.processes import in_processes

GATES = {"knobs": Passed("3 knobs", (("b", 2), ("a", 1)), "2026-01-01T00:00:00Z")}
ENTRY = Entry("a system", "m" * 128, {"a.py": "x"}, GATES, ("knobs",), {"torch": "2"})


@pytest.fixture
def kept(tmp_path):
    """A store with one entry, and the entry's file."""
    made = Store(tmp_path)
    made.add(ENTRY)
    (path,) = made.folder.glob("*.json")
    return made, path


def signed(body):
    return hashlib.sha512(body).hexdigest().encode() + b"\n" + body


def test_an_entry_comes_back_as_it_was(kept):
    made, _ = kept
    assert list(made.entries("a system")) == [ENTRY]
    assert list(made.entries("another")) == []


def document(**changes):
    fields = {
        "schema": 2,
        "subject": "a system",
        "machine": "m",
        "inputs": {},
        "gates": {},
        "rungs": [],
        "facts": {},
    }
    return canonical.dumps(fields | changes)


BODY = document()
BROKEN = {
    "empty": b"",
    "no digest": BODY,
    "cut": signed(BODY)[:-9],
    "longer": signed(BODY) + b" ",
    "another digest": b"0" * 128 + b"\n" + BODY,
    "no JSON": signed(b"{"),
    "no table": signed(b"[]"),
    "another version": signed(document(schema=1)),
    "a gate without a word": signed(document(gates={"knobs": {}})),
    "a word for inputs": signed(document(inputs="all")),
    "another subject": signed(document(subject="other")),
    "deep": signed(b"[" * 100_000),
}


def test_the_twin_of_what_is_broken_is_read(kept):
    made, path = kept
    path.write_bytes(signed(BODY))
    assert len(list(made.entries("a system"))) == 1


@pytest.mark.parametrize("name", BROKEN)
def test_a_torn_or_forged_entry_is_none_and_is_written_anew(kept, name):
    made, path = kept
    path.write_bytes(BROKEN[name])
    assert list(made.entries("a system")) == []
    made.add(ENTRY)
    assert list(made.entries("a system")) == [ENTRY]


def writable(path):
    path.chmod(0o646)


def linked(path):
    os.link(path, path.with_name("second"))


def led_away(path):
    target = path.rename(path.parent.parent / "elsewhere")
    path.symlink_to(target)


def a_pipe(path):
    path.unlink()
    os.mkfifo(path)


def a_folder(path):
    path.unlink()
    path.mkdir()


def open_to_all(path):
    path.parent.chmod(0o777)


def a_linked_folder(path):
    elsewhere = path.parent.parent / "elsewhere"
    shutil.move(path.parent, elsewhere)
    path.parent.symlink_to(elsewhere)


@pytest.mark.parametrize(
    "spoil", [writable, linked, led_away, a_pipe, a_folder, open_to_all, a_linked_folder]
)
def test_what_another_user_could_have_put_there_is_not_read(kept, spoil):
    made, path = kept
    spoil(path)
    assert list(made.entries("a system")) == []


def test_what_belongs_to_another_user_is_not_read(kept, monkeypatch):
    made, _ = kept
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    assert list(made.entries("a system")) == []


def test_no_more_is_read_than_an_entry_can_hold(kept, monkeypatch):
    made, path = kept
    monkeypatch.setattr(store, "MAX_BYTES", path.stat().st_size - 1)
    assert list(made.entries("a system")) == []
    path.unlink()
    made.add(ENTRY)  # nor is more written
    assert list(made.folder.glob("*.json")) == []


def test_old_entries_are_taken_away(kept, monkeypatch):
    made, path = kept
    os.utime(path, (1, 1))
    monkeypatch.setattr(store, "MAX_FILES", EACH + 2)
    for number in range(EACH):
        made.add(replace(ENTRY, machine=f"{number}"))
        time.sleep(0.01)
    assert [e.machine for e in made.entries("a system")] == ["3", "2", "1", "0"]
    for number in range(4):
        made.add(replace(ENTRY, subject=f"{number}"))
    assert len(list(made.folder.glob("*.json"))) == EACH + 2


def test_two_processes_do_not_tear_the_store(tmp_path):
    made = Store(tmp_path)

    def write(first):
        for number in range(5):
            made.add(replace(ENTRY, machine=f"{first} {number}"))
            list(made.entries("a system"))
        return first

    tasks = [lambda n=n: write(n) for n in range(3)]
    assert {ended.value for _, ended in in_processes(tasks, 3)} == {0, 1, 2}
    assert len(list(made.entries("a system"))) == len(list(made.folder.glob("*.json"))) == EACH
    assert {path.name for path in made.folder.iterdir() if path.suffix != ".json"} == {".lock"}


def test_a_folder_that_cannot_be_written_keeps_nothing(tmp_path):
    (tmp_path / ".goldenseal").write_text("a file is in the way")
    made = Store(tmp_path)
    made.add(ENTRY)
    assert list(made.entries("a system")) == []

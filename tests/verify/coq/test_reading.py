"""A reading is kept only while everything that it read is the same; test_theorem_gate.py edits the
sources, the code and the constants of a repository whose sound reading was kept."""

import json
from pathlib import Path

import pytest

from goldenseal.coq import project, reading, settings
from goldenseal.errors import UsageError

THEORY = """(** In words: one is one.
    Does not say: anything else.
    Used by: nobody.
    Code: code/a.py:work
    Test: tests/test_a.py:test_work *)
Theorem one : 1 = 1.
Proof. reflexivity. Qed.

Fixpoint twice (n : nat) : nat := match n with O => O | S k => S (S (twice k)) end.
Fixpoint thrice (n : nat) : nat := match n with O => O | S k => S (S (S (thrice k))) end.
"""
RECURSIONS = {9: "twice", 10: "thrice"}  # in text, 10 comes before 9
FILES = {
    "pyproject.toml": '[tool.goldenseal]\nscan = ["code"]\n',
    "code/a.py": "def work(): pass\n",
    "docs/theorem-table.md": "",
    "tests/test_a.py": "def test_work(): work()\n",
    "theorems/_CoqProject": "-Q . Small\nOne.v\n",
    "theorems/One.v": THEORY,
    "theorems/README.md": "<!-- index: generated -->\n<!-- index: end -->\n",
}


class Small:
    """A repository without constants, whose reading finds nothing, and how often it was read."""

    def __init__(self, root, monkeypatch):
        from goldenseal.coq import actions

        self.root, self.times = root, 0
        for name, text in FILES.items():
            (root / name).parent.mkdir(exist_ok=True)
            (root / name).write_text(text)
        actions.renew_index(root)
        actions.renew_table(root)
        really = reading._read

        def counted(*arguments):
            self.times += 1
            return really(*arguments)

        monkeypatch.setattr(reading, "_read", counted)
        assert self.read() == ()

    @property
    def kept(self):
        return self.root / "store" / "reading.json"

    def read(self):
        loaded = project.load(self.root / "theorems")
        known = settings.read(self.root)
        declared = settings.load_constants(self.root, known.constants)
        found = reading.read(self.root, loaded, known, declared, self.root / "store")
        assert (found.theorems, found.facts) == (1, 0)
        assert found.recursions == {f"One.v:{n} {f}": "on n" for n, f in RECURSIONS.items()}
        return found.findings


@pytest.fixture
def small(tmp_path, monkeypatch):
    return Small(tmp_path, monkeypatch)


def test_what_has_not_changed_is_read_once(small):
    assert small.read() == ()
    assert small.times == 1


@pytest.mark.parametrize("name", sorted(FILES))
def test_an_edit_of_any_file_is_read_and_its_undoing_too(small, name):
    path = small.root / name
    before = path.read_bytes()
    mark = b"(* edited *)" if name.endswith(".v") else b"# edited"
    path.write_bytes(before + mark + b"\n")
    small.read()
    expected = 1 if name == "pyproject.toml" else 2  # of it, only what it says to the gate counts
    assert small.times == expected
    path.write_bytes(before)
    assert small.read() == ()


@pytest.mark.parametrize(
    "name", sorted(set(FILES) - {"pyproject.toml", "theorems/_CoqProject", "theorems/One.v"})
)
def test_a_file_that_goes_or_becomes_a_link_is_noticed(small, name):
    path = small.root / name
    moved = path.rename(small.root / "elsewhere")
    small.read()
    assert small.times == 2
    path.symlink_to(moved)
    small.read()
    assert small.times == 3


@pytest.mark.parametrize(
    ("name", "text", "finding"),
    [
        ("code/deep/b.py", "x = 0.3\n", "code/deep/b.py:1: 0.3 has no theorem"),
        ("theorems/Stray.v", "", "theorems/Stray.v: is not listed"),
        ("theorems/deep/Stray.v", "", "theorems/deep/Stray.v: is not listed"),
    ],
)
def test_a_file_that_comes_is_noticed(small, name, text, finding):
    (small.root / name).parent.mkdir(exist_ok=True)
    (small.root / name).write_text(text)
    assert any(each.startswith(finding) for each in small.read())


def test_another_folder_to_scan_is_read(small):
    (small.root / "more").mkdir()
    (small.root / "more" / "b.py").write_text("x = 0.3\n")
    (small.root / "pyproject.toml").write_text('[tool.goldenseal]\nscan = ["code", "more"]\n')
    assert len(small.read()) == 1
    (small.root / "pyproject.toml").write_text('[tool.goldenseal]\nscan = ["nowhere"]\n')
    with pytest.raises(UsageError, match="nowhere is not a folder"):
        small.read()


def test_a_reading_with_findings_is_never_kept(small):
    (small.root / "code" / "a.py").write_text("def work(): return 0.3\n")
    assert small.read() == small.read() != ()
    assert small.times == 3


def test_another_judge_reads_anew(small, monkeypatch, tmp_path):
    judge = tmp_path / "judge"
    judge.mkdir()
    for path in Path(reading.__file__).parent.glob("*.py"):
        (judge / path.name).write_text(path.read_text())
    monkeypatch.setattr(reading, "__file__", str(judge / "reading.py"))
    small.read()
    assert small.times == 1
    (judge / "banned.py").write_text("")
    small.read()
    assert small.times == 2


def forged(kept):
    """Ways to spoil an entry: torn, of another shape, or saying something that was not read."""
    text = json.dumps(kept)
    yield from (b"", text[: len(text) // 2].encode(), b"[]", b"null", b"[" * 100_000, b"\xff")
    yield json.dumps({**kept, "digest": "0" * 64}).encode()
    yield json.dumps({**kept, "reading": {**kept["reading"], "theorems": 7}}).encode()
    yield json.dumps({**kept, "files": {**kept["files"], "code/a.py": "0" * 64}}).encode()
    yield json.dumps({**kept, "files": {}}).encode()
    yield json.dumps({**kept, "more": 1}).encode()


def test_a_torn_or_edited_entry_is_read_anew(small):
    entry = json.loads(small.kept.read_text())
    for number, data in enumerate(forged(entry), 2):
        small.kept.write_bytes(data)
        assert small.read() == ()
        assert small.times == number
        assert json.loads(small.kept.read_text()) == entry


def test_a_store_that_cannot_be_written_costs_time_alone(small):
    small.kept.unlink()
    small.kept.parent.rmdir()
    small.kept.parent.write_text("a file")
    assert small.read() == small.read() == ()
    assert small.times == 3

"""Pinned statements and the index in the README."""

import json

import pytest

from goldenseal.coq import index, pins
from goldenseal.errors import UsageError

STATEMENTS = {"A.one": "A.one : 1 < 2", "A.two": "A.two = 2 : nat"}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / pins.FILE).write_text(pins.pinned_text(STATEMENTS), "utf-8")
    return tmp_path


def test_pinned_statements_are_found_unchanged(folder):
    assert pins.pin_findings(folder, STATEMENTS) == []


def test_a_weakened_statement_is_found_with_both_texts(folder):
    (finding,) = pins.pin_findings(folder, STATEMENTS | {"A.one": "A.one : 1 <= 2"})
    assert "pinned `A.one : 1 < 2`, now `A.one : 1 <= 2`" in finding


def test_a_weakened_definition_behind_an_unchanged_statement_is_found(folder):
    (finding,) = pins.pin_findings(folder, STATEMENTS | {"A.two": "A.two = 3 : nat"})
    assert "A.two has changed" in finding


def test_a_statement_that_is_gone_or_new_is_found(folder):
    findings = pins.pin_findings(folder, {"A.two": "A.two = 2 : nat", "A.new": "A.new : True"})
    assert [each.split(": ")[1].split(" is ")[0] for each in findings] == ["A.new", "A.one"]


def test_a_pinned_text_edited_by_hand_is_found(folder):
    text = (folder / pins.FILE).read_text("utf-8").replace("1 < 2", "1 <= 2")
    (folder / pins.FILE).write_text(text, "utf-8")
    (finding,) = pins.pin_findings(folder, STATEMENTS | {"A.one": "A.one : 1 <= 2"})
    assert "digest of A.one does not belong" in finding


def test_without_pins_nothing_passes(tmp_path):
    assert len(pins.pin_findings(tmp_path, STATEMENTS)) == 1


@pytest.mark.parametrize("text", ["", "[]", '{"A.one": 1}', '{"A.one": {"sha512": "x"}}'])
def test_a_pin_file_of_another_shape_is_refused(tmp_path, text):
    (tmp_path / pins.FILE).write_text(text)
    with pytest.raises(UsageError, match=r"statements\.json: cannot be read"):
        pins.pin_findings(tmp_path, STATEMENTS)


def test_pins_are_sorted_and_readable(folder):
    pinned = json.loads((folder / pins.FILE).read_text("utf-8"))
    assert list(pinned) == sorted(STATEMENTS)
    assert pinned["A.one"]["statement"] == "A.one : 1 < 2"


THEOREM = """(** In words: one is less than two.
    Does not say: by how much | or why.
    Used by: nothing. *)
Theorem one : 1 < 2.
Proof. constructor. Qed.
"""


def test_the_index_is_written_from_the_comments(make_project):
    table = index.index(make_project({"A.v": THEOREM}).declarations())
    row = "| `A.one` | one is less than two. | by how much \\| or why. | nothing. |"
    assert row in table.splitlines()


def test_a_theorem_that_does_not_say_what_it_does_not_say_is_found(make_project):
    silent = THEOREM.replace("Does not say", "Moreover")
    (finding,) = index.missing_words(make_project({"A.v": silent}).declarations())
    assert finding == "A.v:4: A.one has no comment with `Does not say: ...`"


def test_an_index_that_is_not_current_is_found(make_project):
    loaded = make_project({"A.v": THEOREM})
    table = index.index(loaded.declarations())
    readme = loaded.folder / index.FILE
    assert "is not there" in index.index_findings(loaded.folder, table)[0]
    readme.write_text("# Theorems\n")
    assert "has no place" in index.index_findings(loaded.folder, table)[0]
    empty = "# Theorems\n<!-- index: generated -->\n<!-- index: end -->\nmore\n"
    readme.write_text(empty)
    assert "not the current one" in index.index_findings(loaded.folder, table)[0]
    readme.write_text(index.with_index(empty, table) or "")
    assert index.index_findings(loaded.folder, table) == []
    assert readme.read_text().endswith("<!-- index: end -->\nmore\n")

"""What ties theorems to code: read from the sources, held against the code, written as a table."""

import pytest

from goldenseal.coq import actions, bridges, index
from goldenseal.errors import ContradictedError

BOX = """(******)
(* A box. *)
(* Code: code/a.py:double *)
(* Test: tests/test_a.py:test_double *)
(******)

"""
WORDS = "(** In words: one is one.\n    Does not say: more.\n    Used by: nobody.{} *)\n"
THEOREM = "Theorem {} : 1 = 1.\nProof. reflexivity. Qed.\n"
OWN = "\n    Code: code/a.py:Shape.area,\n      code/a.py:EDGE\n    Test: tests/test_b.py:test_area"
CODE = """def double(x):
    helper = 2
    return helper * x

class Shape:
    sides: int = 4
    def area(self): pass

LOW, EDGE = 1, 2
"""


@pytest.fixture
def tied(make_project, tmp_path):
    """A root with two theorems, one by its box and one by its own words, and what they speak of."""

    def make(source=None):
        first = WORDS.format("") + THEOREM.format("one")
        second = WORDS.format(OWN) + THEOREM.format("two")
        made = make_project({"A.v": source or BOX + first + second})
        for name, text in {
            "code/a.py": CODE,
            "tests/test_a.py": "from code.a import double\ndef test_double(): assert double(1)\n",
            "tests/test_b.py": "from code.a import Shape\ndef test_area(): Shape().area()\n",
        }.items():
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_text(text)
        found = bridges.bridges(made)
        (tmp_path / "docs").mkdir(exist_ok=True)
        (tmp_path / bridges.FILE).write_text(bridges.table(found))
        return found

    return make


def test_the_box_speaks_for_a_theorem_that_does_not_for_itself(tied, tmp_path):
    one, two = tied()
    assert (one.code, one.tests) == (("code/a.py:double",), ("tests/test_a.py:test_double",))
    assert two.code == ("code/a.py:Shape.area", "code/a.py:EDGE")
    assert two.tests == ("tests/test_b.py:test_area",)
    assert bridges.bridge_findings(tmp_path, [one, two]) == []
    table = (tmp_path / bridges.FILE).read_text()
    assert "| `A.one` | `code/a.py:double` | `tests/test_a.py:test_double` |\n" in table
    assert "| `A.two` | `code/a.py:Shape.area`<br>`code/a.py:EDGE` |" in table
    assert index.fields(two.theorem)["Used by"] == "nobody."


@pytest.mark.parametrize(
    ("file", "old", "new", "named", "said"),
    [
        ("code/a.py", "def double", "def twice", "A.one", "defines no double"),
        ("code/a.py", "class Shape", "class Form", "A.two", "defines no Shape.area"),
        ("code/a.py", "    def area", "    def size", "A.two", "defines no Shape.area"),
        ("code/a.py", "LOW, EDGE = ", "LOW, SIDE = ", "A.two", "defines no EDGE"),
        ("code/a.py", "LOW, EDGE = 1, 2", "    EDGE = 2", "A.two", "defines no EDGE"),
        ("code/a.py", "LOW, EDGE = 1, 2", "EDGE == 2", "A.two", "defines no EDGE"),
        ("tests/test_a.py", "test_double", "test_twice", "A.one", "defines no test_double"),
        ("tests/test_a.py", "double", "twice", "A.one", "defines no test_double"),
        ("tests/test_b.py", ".area()", ".size()", "A.two", "where none of"),
        ("code/a.py", CODE, None, "A.one", "no such file"),
        ("tests/test_b.py", "def", None, "A.two", "no such file"),
    ],
)
def test_code_or_test_that_is_gone_names_the_theorem(tied, tmp_path, file, old, new, named, said):
    found = tied()
    text = (tmp_path / file).read_text()
    assert old in text
    if new is None:
        (tmp_path / file).unlink()
    else:
        (tmp_path / file).write_text(text.replace(old, new))
    findings = bridges.bridge_findings(tmp_path, found)
    assert any(named in each and said in each for each in findings)
    assert all(each.startswith("theorems/A.v:") and "\n" not in each for each in findings)
    with pytest.raises(ContradictedError, match=named):
        actions.renew_table(tmp_path)


def test_a_variable_inside_a_function_is_nothing_to_speak_of(tied, tmp_path):
    words = WORDS.format("\n    Code: code/a.py:helper\n    Test: none")
    (finding,) = bridges.bridge_findings(tmp_path, tied(words + THEOREM.format("one")))
    assert "defines no helper" in finding


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("", ["names no `Code: file:name`", "names no `Test: file:name`"]),
        ("\n    Code: none\n    Test: none", []),
        ("\n    Code: none\n    Test: tests/test_a.py:test_double", []),
        ("\n    Code: code/a.py\n    Test: none", ["not of the form file:name"]),
        ("\n    Code: ../a.py:x\n    Test: none", ["not of the form file:name"]),
        ("\n    Code: /a.py:x\n    Test: none", ["not of the form file:name"]),
    ],
)
def test_what_is_not_tied_says_so(tied, tmp_path, words, said):
    findings = bridges.bridge_findings(tmp_path, tied(WORDS.format(words) + THEOREM.format("one")))
    assert len(findings) == len(said)
    assert all(part in each for part, each in zip(said, findings, strict=True))


def test_a_table_that_is_not_current_is_found_and_written_anew(tied, tmp_path):
    found, file = tied(), tmp_path / bridges.FILE
    file.write_text(file.read_text() + "more\n")
    (finding,) = bridges.bridge_findings(tmp_path, found)
    assert finding.startswith("docs/theorem-table.md: is not the current one; run `goldenseal")
    assert actions.renew_table(tmp_path) is True
    assert actions.renew_table(tmp_path) is False
    assert bridges.bridge_findings(tmp_path, found) == []


def test_where_no_table_is_kept_nothing_is_asked(tied, tmp_path):
    found = tied(WORDS.format("") + THEOREM.format("one"))
    (tmp_path / bridges.FILE).unlink()
    assert bridges.bridge_findings(tmp_path, found) == []
    assert actions.renew_table(tmp_path) is False

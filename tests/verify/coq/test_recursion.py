"""One plain shape of recursion is admitted. What is refused here is harmless: Coq accepts it."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldenseal.coq.recursion import recursions
from goldenseal.coq.rules import source_findings

TYPES = """Require Import List ZArith PeanoNat. Import ListNotations. Open Scope nat_scope.
Inductive tree := Leaf | Node (l : tree) (n : nat) (r : tree).
Inductive rose := Rose (n : nat) (l : list rose).
Inductive ev : nat -> Prop := ev0 : ev 0 | evS n (e : od n) : ev (S n)
with od : nat -> Prop := odS n (e : ev n) : od (S n).
CoInductive stream := Cons (n : nat) (s : stream).
"""
HERE = Path(__file__).parent
HEAD, *ADMITTED = (HERE / "admitted.v").read_text("utf-8").strip().split("\n\n")
HEAD, *REFUSED = (HERE / "refused.v").read_text("utf-8").strip().split("\n\n")
NOT_COQ = [
    "Fixpoint f (n : nat) := match n with O => 0 | S k => f (n := k) end.",
    "Fixpoint f n := match match n with O => O | S k => k end with O => 0 | S j => f j end.",
    "Equations f (n : nat) : nat := { f 0 := 0 ; f (S k) := f k }.",  # of a plugin that is not here
]


def findings(make_project, text):
    return recursions(make_project({"A.v": TYPES + text + "\n"}))[1]


@pytest.mark.parametrize("text", ADMITTED)
def test_structural_recursion_on_variables_of_a_match_is_admitted(make_project, text):
    admitted, found = recursions(make_project({"A.v": TYPES + text + "\n"}))
    assert found == []
    assert {each.name for each in admitted} >= {"f"}
    assert all(each.file == "A.v" and each.argument for each in admitted)


@pytest.mark.parametrize("text", [*REFUSED, *NOT_COQ])
def test_any_other_recursion_is_refused_in_one_line(make_project, text):
    found = findings(make_project, text)
    assert found
    for finding in found:
        assert finding.startswith("A.v:")
        assert "\n" not in finding
        assert "see docs/theorems.md" in finding


@pytest.mark.parametrize("texts", [ADMITTED, REFUSED], ids=["admitted", "refused"])
def test_all_of_these_are_definitions_that_coq_accepts(tools, tmp_path, texts):
    """So that a refusal is the gate's own, and nothing here is refused for another mistake."""
    for number, text in enumerate(texts):
        (tmp_path / f"A{number}.v").write_text(f"{TYPES}Module M.\n{text}\nEnd M.\n")
    bad = {}
    for number, text in enumerate(texts):
        arguments = ["-q", "-w", "none", f"A{number}.v"]
        done = tools.run(tools.coqc, arguments, cwd=tmp_path, seconds=60)
        if done.returncode:
            bad[text] = done.stdout
    assert bad == {}


def test_the_finding_names_file_line_and_definition(make_project):
    text = "\n\nFixpoint down (n : nat) := match n with O => 0 | S k => down (pred (S k)) end."
    (finding,) = findings(make_project, text)
    line = TYPES.count("\n") + 3
    assert finding == (
        f"A.v:{line}: down: the call `down ( pred ( S k ) )` is not on a variable that a match "
        "binds to a part of `n`, but on `( pred ( S k ) )`: this recursion is not admitted; see "
        "docs/theorems.md, recursion"
    )


@pytest.mark.parametrize(
    "pattern",
    ["k", "(k)", "((k))", "S j as k", "(S j as k)", "k as j", "(k : nat)", "0 as k", "_ as k"],
)
def test_a_variable_that_is_the_whole_argument_is_no_part_of_it(make_project, pattern):
    text = f"Fixpoint f (n : nat) := match n with {pattern} => f k end."
    assert len(findings(make_project, text)) == 1


@pytest.mark.parametrize(
    "binder",
    [
        *("fun k => {}", "fun (k : nat) => {}", "let k := 5 in {}", "let (k, j) := p in {}"),
        *("let '(k) := p in {}", "forall k, {}", "exists k : nat, {}", "{{k | {}}}"),
        *("match p with (k, j) => {} end", "match p with k => {} end", "match k with k => {} end"),
        "match O with S k => {} | O => 0 end",
    ],
)
def test_a_name_bound_anew_is_no_part_any_more(make_project, binder):
    text = f"Fixpoint f (n : nat) := match n with O => 0 | S k => {binder.format('f k')} end."
    assert len(findings(make_project, text)) == 1
    outside = (
        f"Fixpoint f (n : nat) := match n with O => 0 | S k => f k + ({binder.format('1')}) end."
    )
    assert findings(make_project, outside) == []


def test_a_variable_of_one_branch_is_none_of_the_next(make_project):
    text = "Fixpoint f (n : nat) := match n with S k => f k | O => f k end."
    assert len(findings(make_project, text)) == 1


def test_comments_and_line_breaks_change_nothing(make_project):
    good = "Fixpoint\n f (* fix *) n :=\nmatch n (* with *) with\n|O=>0|S k=>f\n(* k *) k end."
    assert findings(make_project, good) == []
    bad = "Fixpoint f n := match n with O=>0|S k=>f(*k*)(pred (S k))end."
    assert len(findings(make_project, bad)) == 1


def test_operators_with_bars_are_no_branches(make_project):
    text = "Fixpoint f (n : nat) : bool := match n with O => true || false | S k => f k || f k end."
    assert findings(make_project, text) == []


def test_a_notation_that_the_recursion_does_not_use_is_no_matter(make_project):
    text = 'Notation "a <+> b" := (a + b) (at level 50).\n'
    good = "Fixpoint f (n : nat) := match n with O => 0 | S a => S (f a) end."
    assert findings(make_project, text + good) == []
    assert len(findings(make_project, text + good.replace("S (f a)", "f a <+> 1"))) == 1


def test_proofs_by_induction_are_no_recursion_here(make_project):
    proof = "induction n as [| k IH]; [| simpl; rewrite IH]; auto."
    text = f"Lemma a (n : nat) : n + 0 = n.\nProof. {proof} Qed."
    assert findings(make_project, text) == []


def test_a_refused_recursion_is_a_finding_of_the_sources_in_whatever_file(make_project):
    bad = "Fixpoint f (n : nat) := match n with O => 0 | S k => f (pred (S k)) end.\n"
    loaded = make_project({"A.v": "Definition a := 0.\n", "B.v": bad})
    (finding,) = source_findings(loaded)
    assert finding.startswith("B.v:1: f: ")


def test_what_cannot_be_read_is_refused_and_never_raises(make_project):
    deep = "(" * 5000 + "f k" + ")" * 5000
    many = " ".join(
        f"with g{i} (a b c d e x : nat) := match a with S k => g{i} k b c d e x | O => 0 end"
        for i in range(8)
    )
    for text in (
        f"Fixpoint f n := match n with O => 0 | S k => {deep} end.",
        f"Fixpoint f n := match n with O => 0 | S k => f k end {many}.",
        "Fixpoint f n := match n with O => 0 | S k => f k.",
        "Fixpoint f n := match n O => 0 | S k => f k end.",
        "Fixpoint f (n := 3) := f n.",
        "Fixpoint.",
        "Fixpoint f (n : nat := ) ].",
        "Definition f := fix.",
        "Fixpoint f `{n : nat} m := match m with S k => f k | O => 0 end.",
    ):
        assert len(findings(make_project, text)) == 1


@given(
    st.lists(
        st.sampled_from(
            "Fixpoint fix f n k match with end | => := ( ) { } : S let in , fun".split()
        )
    )
)
def test_any_words_are_judged(words):
    from goldenseal.coq.project import Project, Source

    source = Source("A.v", " ".join(words) + ".\n")
    _, found = recursions(Project(None, "P", (source,), ""))
    assert len(found) <= 1

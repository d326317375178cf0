"""Builds of small projects: what Coq itself finds, and what a kept build may be trusted for."""

import json
import subprocess
import threading
import time

import pytest

from goldenseal.coq import build, checker, session, toolchain
from goldenseal.coq.axioms import assumptions, context, is_allowed
from goldenseal.errors import CannotCheckError
from tests.patience import patience

GOOD = "Definition two := 2.\nTheorem one : two = 2.\nProof. reflexivity. Qed.\n"


@pytest.fixture
def built(make_project, tools, tmp_path):
    """Builds a project and returns it with its result and the store."""

    def run(sources):
        loaded = make_project(sources)
        store = build.store_of(tmp_path)
        return loaded, build.build(loaded, tools, store), store

    return run


def test_a_sound_project_builds_once_and_states_what_it_proves(built, monkeypatch):
    loaded, first, store = built({"A.v": GOOD})
    assert first.findings == ()
    assert first.statements == {
        "A.one": "A.one : A.two = 2",
        "A.two": "A.two = 2 : nat",
    }
    assert build.stale(loaded, first, store) == []
    monkeypatch.setattr(toolchain.Toolchain, "run", None)  # a second build would have to call it
    assert built({"A.v": GOOD})[1] == first


def test_an_axiom_of_a_library_that_is_not_allowed_is_named_with_its_user(built):
    text = """From Coq Require Import Eqdep.
    Theorem fine : True. Proof. exact I. Qed.
    Theorem uip (n : nat) (p : n = n) : p = eq_refl. Proof. apply UIP_refl. Qed."""
    findings = built({"A.v": text})[1].findings
    assert any("A.v:3: A.uip rests on" in each and "eq_rect_eq" in each for each in findings)
    assert not any("A.fine" in each for each in findings)
    assert any("a library rests on Coq.Logic.Eqdep" in each for each in findings)


def test_a_fact_rests_on_no_axiom_and_a_theorem_may_rest_on_an_allowed_one(built, monkeypatch):
    monkeypatch.setattr(build, "check_libraries", lambda *ignored: [])  # 20 s, and not the point
    text = """From Coq Require Import Classical_Prop.
    Theorem allowed (P : Prop) : P \\/ ~ P. Proof. apply classic. Qed.
    Fact computed (P : Prop) : P \\/ ~ P. Proof. apply classic. Qed."""
    (finding,) = built({"A.v": text})[1].findings
    assert finding.startswith("A.v:3: A.computed rests on Classical_Prop.classic")


def test_a_claim_smuggled_past_the_lexer_is_still_found(built):
    """The word list comes first, but nothing hangs on it alone."""
    axiom = "Axiom absurd : False.\nTheorem one : 1 = 2.\nProof. destruct absurd. Qed.\n"
    findings = built({"A.v": axiom})[1].findings
    assert any("coqchk: the project assumes Small.A.absurd" in each for each in findings)
    assert any("A.v:2: A.one rests on A.absurd" in each for each in findings)


def test_a_check_that_was_switched_off_is_found_in_the_compiled_file(built):
    loop = "Unset Guard Checking.\nFixpoint f (n : nat) : False := f n.\n"
    findings = built({"A.v": loop + "Theorem one : False.\nProof. exact (f 0). Qed.\n"})[1].findings
    assert any("A.one rests on" in each and "guarded" in each for each in findings)
    assert any("unsafe (co)fixpoints" in each for each in findings)


def test_a_notation_cannot_change_how_a_statement_is_printed(built):
    trick = 'Notation "a + b" := (a - b) : nat_scope.\nTheorem one : 2 + 2 = 0.\n'
    statements = built({"A.v": trick + "Proof. reflexivity. Qed.\n"})[1].statements
    assert statements["A.one"] == "A.one : 2 - 2 = 0"


def test_a_proof_that_fails_is_named_with_its_line_and_not_kept(built, tmp_path):
    _, result, store = built({"A.v": "Theorem one : 1 = 2.\n\nProof. reflexivity. Qed.\n"})
    (finding,) = result.findings
    assert finding.startswith("A.v:3: does not compile (A.one): ")
    assert "unify" in finding
    assert not (store / result.key[:32]).exists()
    assert not list(store.glob("building-*"))


HIDDEN_USE = """Theorem before : 1 = 1.
Proof. reflexivity. Qed.
Section S.
Variable x : nat.
Hypothesis h : x = x.
Lemma hidden : x = x.
Proof using x. abstract exact h. Qed.
End S.
Lemma user : 3 = 3.
Proof. exact (hidden 3). Qed.
Theorem after : 2 = 2.
Proof. reflexivity. Qed.
"""


def test_a_lemma_on_which_coq_fails_is_a_finding_with_its_name(built):
    """Coq 8.16 compiles this, and its own tools fail on the lemma; 8.20 does not compile it."""
    findings = built({"A.v": HIDDEN_USE})[1].findings
    named = [each for each in findings if each.startswith("A.v:6: A.hidden: Coq fails on it")]
    refused = [each for each in findings if "does not compile (A.hidden)" in each]
    assert named or refused
    assert not any("A.before" in each or "A.after" in each for each in findings)


@pytest.fixture
def answering(make_project, tools, monkeypatch, tmp_path):
    """What answers() makes of a Coq that fails with an anomaly on the questions given."""

    def run(asked, bad):
        calls = []

        def coqc(self, program, arguments, *, cwd, seconds):
            text = (cwd / "session/Session.v").read_text()
            calls.append(text)
            printed = ""
            for part in text.split("Goal True. idtac ")[1:]:
                mark, question = part.split('"')[1], part.split("\n")[1]
                printed += mark + "\n"
                if question in bad:
                    error = 'Error: Anomaly "Uncaught exception Not_found."\n'
                    return subprocess.CompletedProcess([], 129, printed + error)
                printed += f"answer to {question}\n"
            return subprocess.CompletedProcess([], 0 if calls else 1, printed)

        monkeypatch.setattr(toolchain.Toolchain, "run", coqc)
        loaded = make_project({"A.v": GOOD})
        return session.answers(loaded, tools, tmp_path, asked), len(calls)

    return run


def test_each_question_that_coq_fails_on_is_told_from_those_it_answers(answering):
    asked = [f"Check q{n}." for n in range(5)]
    found, calls = answering(asked, {"Check q1.", "Check q4."})
    failures = [each for each in found if isinstance(each, session.Failure)]
    assert [isinstance(each, session.Failure) for each in found] == [0, 1, 0, 0, 1]
    assert found[2] == "answer to Check q2."
    assert all(each.said == 'Anomaly "Uncaught exception Not_found."' for each in failures)
    assert calls == 3


def test_many_failures_end_soon_and_what_was_not_asked_is_no_answer(answering):
    asked = [f"Check q{n}." for n in range(40)]
    found, calls = answering(asked, set(asked))
    assert calls < 10
    assert all(isinstance(each, session.Failure) for each in found)
    assert "not asked" in found[-1].said


def test_a_coq_that_does_not_come_to_the_first_question_could_not_check(
    make_project, tools, monkeypatch, tmp_path
):
    silent = subprocess.CompletedProcess([], 1, "Error: Cannot load A.\n")
    monkeypatch.setattr(toolchain.Toolchain, "run", lambda self, *a, **k: silent)
    with pytest.raises(CannotCheckError, match=r"cannot be asked about Small: Cannot load A\."):
        session.answers(make_project({"A.v": GOOD}), tools, tmp_path, ["Check q."])


def test_a_file_that_comes_too_late_in_the_project_file_does_not_compile(built):
    user = "From Small Require Import B.\n" + GOOD
    (finding,) = built({"A.v": user, "B.v": GOOD})[1].findings
    assert finding.startswith("A.v:1: does not compile")


MIDDLE = "From Small Require Import A.\n" + GOOD
BAD = "Theorem one : 1 = 2.\nProof. reflexivity. Qed.\n"


def test_a_file_waits_for_those_it_requires_and_for_earlier_ones_that_require_it(make_project):
    late = "From Small Require B D.\n"
    loaded = make_project({"A.v": GOOD, "B.v": MIDDLE, "C.v": late, "D.v": GOOD, "E.v": GOOD})
    assert build.waits_for(loaded) == {
        "A.v": set(), "B.v": {"A.v"}, "C.v": {"B.v"}, "D.v": {"C.v"}, "E.v": set(),
    }  # fmt: skip


@pytest.mark.parametrize("delays", [{"A.v": 0.3}, {"C.v": 0.3}, {}])
def test_the_first_failure_is_that_of_build_order_whichever_ends_first(
    make_project, tools, tmp_path, monkeypatch, delays
):
    compile_one, begun = build._compile, []

    def slowed(project, toolchain, work, source):
        begun.append(source.file)
        time.sleep(delays.get(source.file, 0))
        return compile_one(project, toolchain, work, source)

    monkeypatch.setattr(build, "_compile", slowed)
    monkeypatch.setattr(build, "check_libraries", lambda *ignored: [])
    loaded = make_project({"A.v": BAD, "B.v": MIDDLE, "C.v": BAD, "D.v": MIDDLE})
    (finding,) = build.build(loaded, tools, build.store_of(tmp_path)).findings
    assert finding.startswith("A.v:2: does not compile (A.one): ")
    assert sorted(begun) == ["A.v", "C.v"]


def test_two_files_that_need_not_wait_are_compiled_at_once(
    make_project, tools, tmp_path, monkeypatch
):
    compile_one, both = build._compile, threading.Barrier(2, timeout=patience(60))

    def met(project, toolchain, work, source):
        if source.file in ("A.v", "C.v"):
            both.wait()  # for ever, were they compiled one by one
        return compile_one(project, toolchain, work, source)

    monkeypatch.setattr(build, "_compile", met)
    monkeypatch.setattr(build, "check_libraries", lambda *ignored: [])
    sources = {"A.v": GOOD, "B.v": MIDDLE, "C.v": GOOD}
    result = build.build(make_project(sources), tools, build.store_of(tmp_path))
    assert result.findings == ()
    assert list(result.objects) == ["A.vo", "B.vo", "C.vo"]


def test_a_stale_object_is_found_in_the_store_and_between_the_sources(built):
    loaded, result, store = built({"A.v": GOOD})
    kept = store / result.key[:32] / "A.vo"
    fresh = kept.read_bytes()
    (loaded.folder / "A.vo").write_bytes(fresh)
    assert build.stale(loaded, result, store) == []
    (loaded.folder / "A.vo").write_bytes(fresh[:-1] + b"?")
    (loaded.folder / "Orphan.vo").write_bytes(b"")
    kept.write_bytes(b"another")
    findings = build.stale(loaded, result, store)
    assert [each.split(": ")[0] for each in findings] == [
        f".goldenseal/coq/{result.key[:32]}/A.vo",
        "theorems/A.vo",
        "theorems/Orphan.vo",
    ]


def test_an_object_left_by_older_sources_is_stale_even_with_a_newer_date(built):
    loaded, old, store = built({"A.v": GOOD})
    stale = (store / old.key[:32] / "A.vo").read_bytes()
    loaded, result, store = built({"A.v": GOOD.replace("2", "3")})
    (loaded.folder / "A.vo").write_bytes(stale)
    (finding,) = build.stale(loaded, result, store)
    assert finding.startswith("theorems/A.vo: is stale")


def test_the_key_depends_on_every_source_and_on_the_coq(make_project, tmp_path):
    known = toolchain.Toolchain("coqc", "coqchk", "8.16.1", "4.1.0", tmp_path)
    newer = toolchain.Toolchain("coqc", "coqchk", "8.20.0", "4.1.0", tmp_path)
    first = make_project({"A.v": GOOD, "B.v": GOOD})
    keys = {build.key_of(first, known), build.key_of(first, newer)}
    keys.add(build.key_of(make_project({"A.v": GOOD, "B.v": GOOD + "\n"}), known))
    keys.add(build.key_of(make_project({"B.v": GOOD, "A.v": GOOD}), known))
    assert len(keys) == 4


def test_the_key_depends_on_the_code_that_judges(make_project, tmp_path, monkeypatch):
    known = toolchain.Toolchain("coqc", "coqchk", "8.16.1", "4.1.0", tmp_path)
    project = make_project({"A.v": GOOD})
    before = build.key_of(project, known)
    monkeypatch.setattr(build, "_JUDGES", build._JUDGES[:-1])
    assert build.key_of(project, known) != before


def test_a_damaged_result_is_rebuilt(built):
    _, first, store = built({"A.v": GOOD})
    (store / first.key[:32] / "result.json").write_text(json.dumps({"objects": {}}))
    assert built({"A.v": GOOD})[1] == first


def test_what_coq_prints_about_axioms_is_read_to_the_last_line():
    assert assumptions("Closed under the global context\n") == []
    printed = "Axioms:\nB.second\n  : forall n,\n    n = n\nA.first : False\n"
    assert assumptions(printed) == ["A.first", "B.second"]
    assert assumptions("Axioms:\nf is assumed to be guarded.\n") == ["f is assumed to be guarded."]
    assert assumptions("") != []


def test_only_whole_names_are_on_the_allow_list():
    assert is_allowed("Coq.Logic.Classical_Prop.classic")
    assert is_allowed("Classical_Prop.classic")
    assert not is_allowed("classic")
    assert not is_allowed("My_Classical_Prop.classic")
    assert not is_allowed("Small.A.absurd")


def test_the_context_summary_is_read_by_section():
    text = """CONTEXT SUMMARY
===============

* Theory: Set is predicative

* Axioms:
    A.b
    C.d

* Inductives whose positivity is assumed: <none>
"""
    assert context(text) == {
        "Theory": ["Set is predicative"],
        "Axioms": ["A.b", "C.d"],
        "Inductives whose positivity is assumed": [],
    }


SUMMARY = """CONTEXT SUMMARY
===============
{}
* Axioms: <none>

* Inductives whose positivity is assumed: <none>
"""


@pytest.mark.parametrize(
    ("theory", "bad"),
    [
        (["Set is predicative"], None),
        (["Set is predicative", "Rewrite rules are not allowed"], None),  # Coq 8.20
        (["Set is impredicative", "Rewrite rules are not allowed"], "Set is impredicative"),
        (
            ["Set is predicative", "Rewrite rules are allowed (subject reduction may be broken)"],
            "are",
        ),
        (["Rewrite rules are not allowed"], "Rewrite rules are not allowed"),
        (["Set is predicative", "Set is impredicative"], "impredicative"),
    ],
)
def test_everything_that_the_checker_says_of_the_theory_is_judged(theory, bad):
    printed = SUMMARY.format("".join(f"* Theory: {each}\n  \n" for each in theory))
    findings = checker._verdict(0, printed, "the project")
    assert len(findings) == (bad is not None)
    assert all("the theory is" in each and bad in each for each in findings)

"""Reading `_CoqProject`, what files require, and what they declare."""

import pytest

from goldenseal.coq import project
from goldenseal.coq.rules import library_modules, source_findings
from goldenseal.errors import UsageError

GOOD = "Theorem one : True.\nProof. exact I. Qed.\n"


def test_a_sound_project_has_no_finding(make_project):
    loaded = make_project(
        {
            "A.v": f"From Coq Require Import ZArith Reals.\n{GOOD}",
            "B.v": f"From Small Require Import A.\nRequire Small.A Coq.Bool.Bool.\n{GOOD}",
        }
    )
    assert source_findings(loaded) == []
    assert library_modules(loaded) == [("Coq", "Bool.Bool"), ("Coq", "Reals"), ("Coq", "ZArith")]


@pytest.mark.parametrize("flag", ["-type-in-type", "-arg -impredicative-set", "-I x", "sub/A.v"])
def test_a_project_file_may_hold_no_flag_and_no_folder(make_project, flag):
    with pytest.raises(UsageError, match="_CoqProject:2: "):
        make_project({}, flags=f"-Q . Small\n{flag}")


@pytest.mark.parametrize(
    ("flags", "said"),
    [("# nothing", "no line"), ("-Q . Coq", "name of a library"), ("-Q . S\nA.v\nA.v", "twice")],
)
def test_a_project_file_that_names_no_project_is_refused(make_project, flags, said):
    with pytest.raises(UsageError, match=said):
        make_project({}, flags=flags)


def test_a_listed_file_must_be_there(make_project):
    with pytest.raises(UsageError, match=r"Gone\.v: is not there"):
        make_project({}, flags="-Q . Small\nGone.v")


def test_a_source_may_not_be_a_link(make_project, tmp_path):
    (tmp_path / "real.v").write_text(GOOD)
    (tmp_path / "theorems").mkdir()
    (tmp_path / "theorems" / "A.v").symlink_to(tmp_path / "real.v")
    with pytest.raises(UsageError, match=r"A\.v: is a link"):
        make_project({}, flags="-Q . Small\nA.v")


def test_a_file_outside_the_project_file_is_a_finding(make_project):
    loaded = make_project({"A.v": GOOD}, extra={"Stray.v": GOOD})
    (finding,) = source_findings(loaded)
    assert finding.startswith("Stray.v: is not listed")


def test_a_file_in_a_folder_below_is_a_finding(make_project):
    loaded = make_project({"A.v": GOOD})
    (loaded.folder / "deep").mkdir()
    (loaded.folder / "deep" / "Stray.v").write_text(GOOD)
    assert [each.split(":")[0] for each in source_findings(loaded)] == ["deep/Stray.v"]


@pytest.mark.parametrize(
    "line",
    [
        "Require Import Hidden.",
        "From Small Require Import Hidden.",
        "Require Import Reals.",
        "From mathcomp Require Import ssreflect.",
        "From Coquelicot Require Import Coquelicot.",
        "Require Small.Hidden.",
        "Require Export Hidden.",
    ],
)
def test_a_requirement_from_outside_is_a_finding_with_its_line(make_project, line):
    loaded = make_project({"A.v": f"Check I.\n{line}\n{GOOD}"})
    findings = source_findings(loaded)
    assert [each.partition(" requires")[0] for each in findings] == ["A.v:2:"]


def test_an_axiom_hidden_behind_a_require_is_found_in_the_file_that_has_it(make_project):
    hidden = {"Hidden.v": "Axiom absurd : False.\n"}
    user = "From Small Require Import Hidden.\n" + GOOD
    listed = source_findings(make_project({**hidden, "A.v": user}))
    assert listed == ["Hidden.v:1: `Axiom` assumes what should be proved"]
    unlisted = source_findings(make_project({"A.v": user}, extra=hidden))
    assert [each.split(":")[0] for each in unlisted] == ["Hidden.v", "A.v"]


def test_declarations_carry_file_line_and_comment(make_project):
    text = """
    Definition two := 2.
    (** In words: one. *)
    Theorem one : True.
    Proof. exact I. Qed.
    Local Lemma hidden : True. Proof. exact I. Qed.
    #[local] Lemma also_hidden : True. Proof. exact I. Qed.
    Module M. #[global] Instance inner : True := I. End M.
    Section S. Lemma in_section : True. Proof. exact I. Qed. End S.
    """
    declared = make_project({"A.v": text}).declarations()
    assert [(each.kind, each.name, each.line) for each in declared] == [
        ("Definition", "A.two", 2),
        ("Theorem", "A.one", 4),
        ("Instance", "A.M.inner", 8),
        ("Lemma", "A.in_section", 9),
    ]
    assert declared[1].comment == "(** In words: one. *)"
    assert [each.is_theorem for each in declared] == [False, True, False, True]


def test_the_name_alone_can_be_read_before_the_files_exist(tmp_path):
    (tmp_path / "_CoqProject").write_text("-Q . Small\nLater.v\n")
    assert project.load_prefix(tmp_path) == "Small"

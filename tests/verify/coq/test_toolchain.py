"""The Coq on this machine: which is used, and how it is run."""

import pytest

from goldenseal.coq import toolchain
from goldenseal.errors import CannotCheckError


@pytest.mark.parametrize(("program", "heap"), [("coqc", "s=256k,o=1000"), ("coqchk", "s=1M,o=200")])
def test_each_program_is_given_a_heap_of_its_own_and_nothing_of_the_users(
    tmp_path, monkeypatch, program, heap
):
    monkeypatch.setenv("OCAMLRUNPARAM", "v=0x400")
    for name in ("coqc", "coqchk"):
        (tmp_path / name).write_text('#!/bin/sh\necho "$OCAMLRUNPARAM"\n')
        (tmp_path / name).chmod(0o755)
    tools = toolchain.Toolchain(
        str(tmp_path / "coqc"), str(tmp_path / "coqchk"), "8.16.1", "4.1.0", tmp_path
    )
    done = tools.run(getattr(tools, program), [], cwd=tmp_path, seconds=10.0)
    assert done.stdout == heap + "\n"


def test_a_program_that_does_not_end_could_not_be_checked(tools, tmp_path):
    (tmp_path / "L.v").write_text("Goal True. do 1000000 (idtac; cut True; [intro |]). Abort.")
    with pytest.raises(CannotCheckError, match=r"coqc L\.v did not end within"):
        tools.run(tools.coqc, ["-q", "L.v"], cwd=tmp_path, seconds=0.3)


def test_a_library_in_the_home_folder_cannot_stand_in_for_one(tmp_path, monkeypatch):
    monkeypatch.setenv("COQPATH", "/somewhere")
    monkeypatch.setenv("COQLIB", "/somewhere")
    found = toolchain.environment(tmp_path)
    assert not {name for name in found if name.startswith("COQ")}
    assert found["HOME"] == found["XDG_DATA_HOME"] == str(tmp_path)


@pytest.mark.parametrize(
    ("version", "said"),
    [
        ("The Coq Proof Assistant, version 8.15.2", "8.15 is not one of 8.16 to 8.20"),
        ("The Coq Proof Assistant, version 9.0.0", "9.0 is not one of"),
        ("The Coq Proof Assistant, version trunk", "does not tell its version"),
    ],
)
def test_an_unknown_coq_is_not_used(monkeypatch, version, said):
    monkeypatch.setattr("shutil.which", lambda name: f"/bin/{name}")
    monkeypatch.setattr(toolchain, "_ask", lambda program, question: version)
    with pytest.raises(CannotCheckError, match=said) as error:
        toolchain.find()
    assert toolchain.INSTALL in str(error.value)


@pytest.mark.parametrize(
    ("source", "said"),
    [(None, "has no Flocq"), ('"2.1.0"', r"Flocq 2\.1\.0"), ("?", "without a version")],
)
def test_an_unknown_flocq_is_not_used(monkeypatch, tmp_path, source, said):
    if source is not None:
        (tmp_path / "user-contrib/Flocq/Core").mkdir(parents=True)
        (tmp_path / "user-contrib/Flocq/Core/Core.vo").touch()
        (tmp_path / "user-contrib/Flocq/Version.v").write_text(source)
    answers = {"--version": "version 8.16.1", "-where": str(tmp_path)}
    monkeypatch.setattr("shutil.which", lambda name: f"/bin/{name}")
    monkeypatch.setattr(toolchain, "_ask", lambda program, question: answers[question])
    with pytest.raises(CannotCheckError, match=said):
        toolchain.find()


def test_a_checker_of_another_version_is_not_used(monkeypatch, tmp_path):
    answers = {("coqc", "--version"): "version 8.16.1", ("coqchk", "--version"): "version 8.20.1"}
    monkeypatch.setattr("shutil.which", lambda name: name)
    monkeypatch.setattr(toolchain, "_ask", lambda program, question: answers[program, question])
    with pytest.raises(CannotCheckError, match=r"coqchk is 8\.20\.1, but coqc is version 8\.16\.1"):
        toolchain.find()

"""pytest tests/verify/kept/test_kept_gates.py — kept, and never once what they read differs."""

import os
import shutil
import subprocess

import pytest

from goldenseal.kept import inputs
from goldenseal.kept.evidence import is_ci
from goldenseal.kept.inputs import States
from goldenseal.kept.machine import machine
from goldenseal.kept.reads import Reads
from goldenseal.result import Verdict, conclude
from tests.verify.kept.toys import FAST, edit, entry, evidence, judge, repository


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    """A repository whose gates have been judged once."""
    top = repository(tmp_path_factory.mktemp("kept") / "repository")
    results = judge(top)
    assert [(r.verdict, r.kept) for r in results.values()] == [(Verdict.PASS, "")] * len(FAST)
    return top


@pytest.fixture
def copy(judged, tmp_path):
    """It counts by its bytes, so a copy of it stands too."""
    return shutil.copytree(judged, tmp_path / "copy")


def test_what_has_not_changed_is_not_run_again(copy, monkeypatch):
    monkeypatch.setattr("goldenseal.ladder.systems._apart", lambda *arguments: pytest.fail("ran"))
    again = judge(copy)
    assert list(again) == list(FAST)
    assert all(result.kept and result.verdict is Verdict.PASS for result in again.values())
    assert set(judge(copy, ["knobs"])) == {"knobs"}


def test_what_counts_for_nothing_may_change(copy, monkeypatch):
    (copy / "README.md").write_text("other words")
    (copy / "smoke.log").write_text("of verify")
    (copy / "mine" / "__pycache__").mkdir(exist_ok=True)
    (copy / "mine" / "__pycache__" / "a.pyc").write_bytes(b"x")
    monkeypatch.setenv("TERM", "other")
    assert entry(copy)


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("mine/baseline.py", "lr=0.1", "lr=0.2"),
        ("mine/candidate.py", "lr=0.1", "lr=0.2"),
        ("mine/helper.py", "2", "3"),
        ("mine/probe.py", "(2, 3)", "(3, 3)"),
        ("mine/native.bin", "read", "seen"),
        ("data/seed.txt", "7", "8"),
        ("constraints.txt", "torch", "numpy"),
        ("pyproject.toml", "[tool", "\n[tool"),
    ],
)
def test_an_edit_of_anything_that_was_read_is_noticed(copy, file, old, new):
    assert entry(copy)
    edit(copy, file, old, new)
    assert entry(copy) is None
    edit(copy, file, new, old)
    assert entry(copy)  # and back again


def test_a_file_that_is_new_or_gone_is_noticed(copy):
    (copy / "mine" / "torch.py").write_text("")
    assert entry(copy) is None
    (copy / "mine" / "torch.py").unlink()
    (copy / "mine" / "helper.py").unlink()
    assert entry(copy) is None


def test_the_recorder_and_the_libraries_are_among_what_counts(judged):
    names = entry(judged).inputs
    for end in ("ladder/recorder.py", "ladder/suite.py", "kept/inputs.py", "digest.py"):
        assert any(name.endswith(f"goldenseal/{end}") for name in names), end
    assert any(name.endswith(("libtorch_cpu.so", "libtorch_cpu.dylib")) for name in names)
    assert any(name.endswith("torch/optim/sgd.py") for name in names)
    assert {"mine/helper.py", "data/seed.txt", "mine", "constraints.txt"} <= set(names)


def test_a_library_that_is_built_anew_is_noticed(tmp_path):
    library, root = tmp_path / "libtorch_cpu.so", tmp_path / "root"
    library.write_bytes(b"one build")
    known = States(root, rest_ns=0).inputs(Reads(files={str(library)}))
    assert States(root).stand(known)
    library.write_bytes(b"two build")  # as long as the other
    assert not States(root).stand(known)


@pytest.mark.parametrize("name", ["LR", "OMP_NUM_THREADS", "ATEN_CPU_CAPABILITY", "PATH"])
def test_any_variable_that_a_run_could_ask_for_is_noticed(judged, monkeypatch, name):
    assert entry(judged)
    monkeypatch.setenv(name, "other")
    assert entry(judged) is None


def test_another_processor_is_another_machine(tmp_path):
    def of(flags, mhz, number=0):
        text = f"processor\t: {number}\nmodel name\t: A\nflags\t\t: {flags}\ncpu MHz\t: {mhz}\n"
        (tmp_path / "cpuinfo").write_text(text)
        return machine({}, tmp_path / "cpuinfo")

    assert of("avx2", 1000) == of("avx2", 2000, 1)
    assert of("avx2", 1000) != of("avx2 avx512f", 1000)


def test_an_entry_of_another_machine_is_not_used(judged, monkeypatch):
    monkeypatch.setattr("goldenseal.kept.evidence.machine", lambda: machine({}))
    assert entry(judged) is None


def test_fresh_uses_nothing_and_neither_does_ci(judged):
    assert entry(judged, fresh=True) is None
    assert is_ci({"CI": "true"})
    assert is_ci({"CI": "1"})
    assert not is_ci({"CI": "false"})
    assert not is_ci({})


def test_a_gate_that_failed_is_never_kept(tmp_path):
    top = repository(
        tmp_path / "faulty", ("mine/candidate.py", "Linear(3, 1)", "Linear(3, 1, False)")
    )
    first, second = judge(top), judge(top)
    for results in (first, second):
        assert results["initial state"].verdict is Verdict.FAIL
        assert not results["initial state"].kept
    assert second["knobs"].kept
    assert list(entry(top).gates) == ["knobs"]


def test_a_gate_that_was_not_asked_for_before_is_run_and_joins_the_others(copy):
    results = judge(copy, ("knobs", "random numbers"))
    assert results["knobs"].kept
    assert not results["random numbers"].kept
    assert set(entry(copy).gates) == {*FAST, "random numbers"}


@pytest.mark.parametrize(
    "line",
    ["import subprocess; subprocess.run(['true'], check=True)", "import os; os.system('true')"],
)
def test_nothing_is_kept_of_what_another_program_may_have_read(tmp_path, line, capsys):
    top = repository(
        tmp_path / "repository", ("mine/candidate.py", "import torch\n", f"import torch\n{line}\n")
    )
    assert judge(top, ["knobs", "initial state"])["initial state"].verdict is Verdict.PASS
    assert "mine: nothing is kept: what " in capsys.readouterr().err
    assert entry(top) is None


def test_nothing_is_kept_of_what_changed_meanwhile(tmp_path):
    file = tmp_path / "a.py"
    file.write_text("1")
    reads = Reads(files={str(file)})
    assert States(tmp_path).inputs(reads) is None  # it has not rested
    states = States(tmp_path, rest_ns=0)
    states.of("a.py")
    assert states.inputs(reads) is not None
    file.write_text("2")
    assert states.inputs(reads) is None


def test_a_large_file_counts_by_its_times(tmp_path, monkeypatch):
    monkeypatch.setattr(inputs, "LARGE", 3)
    file = tmp_path / "a.bin"
    file.write_bytes(b"1234")
    known = States(tmp_path, rest_ns=0).inputs(Reads(files={str(file)}))
    assert States(tmp_path).stand(known)
    file.write_bytes(b"1235")
    assert not States(tmp_path).stand(known)
    assert evidence(tmp_path).find("nothing") is None


def once(folder, judge):
    """A gate of the repository by `judge`; whether it was kept."""
    return bool(evidence(folder).judged("toy", judge).kept)


def test_a_gate_of_the_repository_is_kept_by_what_it_reads(tmp_path):
    record = tmp_path / "records" / "a"
    record.mkdir(parents=True)
    (record / "log.txt").write_text("1")

    def judge():
        found = [path.read_text() for path in sorted(record.iterdir())]
        return conclude("toy", f"{len(found)} files", ["empty"] if "" in found else ())

    assert not once(tmp_path, judge)
    assert once(tmp_path, judge)
    (tmp_path / "beside.txt").write_text("it is not read")
    assert once(tmp_path, judge)
    (record / "more.txt").write_text("2")
    assert not once(tmp_path, judge)
    assert once(tmp_path, judge)
    (record / "more.txt").write_text("")
    assert [once(tmp_path, judge), once(tmp_path, judge)] == [False, False]  # it fails
    (record / "more.txt").write_text("2")
    assert once(tmp_path, judge)


@pytest.mark.parametrize("kind", ["link", "second link", "linked folder"])
def test_a_link_in_the_place_of_what_was_read_is_noticed(tmp_path, kind):
    folder = tmp_path / "root" / "a"
    folder.mkdir(parents=True)
    file = folder / "log.txt"
    file.write_text("1")

    def judge():
        return conclude("toy", " ".join(sorted(p.read_text() for p in folder.iterdir())), ())

    assert [once(tmp_path / "root", judge), once(tmp_path / "root", judge)] == [False, True]
    if kind == "link":
        file.symlink_to(file.rename(tmp_path / "elsewhere"))
    elif kind == "second link":
        os.link(file, tmp_path / "elsewhere")
    else:
        folder.symlink_to(folder.rename(tmp_path / "elsewhere"))
    assert not once(tmp_path / "root", judge)


def test_the_file_that_a_known_program_is_given_counts(tmp_path):
    program, file = tmp_path / "cffconvert", tmp_path / "CITATION.cff"
    program.write_text("#!/bin/sh\nexit 0\n")
    program.chmod(0o755)
    file.write_text("a")

    def judge():
        subprocess.run([str(program), "-i", str(file)], check=True)
        return conclude("toy", "valid", ())

    assert [once(tmp_path, judge), once(tmp_path, judge)] == [False, True]
    file.write_text("b")
    assert not once(tmp_path, judge)
    program.write_text("#!/bin/sh\nexit 00\n")
    assert not once(tmp_path, judge)

"""pytest tests/verify/disk/test_line_ends.py

A record that git translated, and one that was edited.
"""

import hashlib
import json
import os
import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldenseal.disk.files import CHUNK
from goldenseal.disk.line_ends import line_ends_only
from goldenseal.errors import UsageError
from goldenseal.records import check_seal
from goldenseal.records.check import SUMS, check, parse_sums, resolve
from goldenseal.records.seal import seal
from goldenseal.runlog import RunLog

ONLY = "differs in line ends only"
REMEDY = "put `* -text` into .gitattributes"


@pytest.fixture
def sealed(record):
    """A record with several texts, a log among them, and a binary file with line ends in it."""
    log = RunLog(record / "train.jsonl", {"seed": "1"})
    log.write("step", {"step": 1, "loss": (0.5).hex()})
    log.end({"steps": 1})
    facts = json.loads((record / "record.json").read_text())
    facts |= {"seeds": [1], "logs": {"1": "train.jsonl"}}
    (record / "record.json").write_text(json.dumps(facts))
    (record / "dos.bat").write_bytes(b"one\r\ntwo\r\n")
    (record / "weights.bin").write_bytes(b"\0a\nb\nc")
    seal(record)
    return record


def reasons(folder):
    """The findings of both checkers."""
    return check(folder).reasons(), check_seal.findings(os.fspath(folder))[0]


def translate(path):
    path.write_bytes(path.read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))


@pytest.mark.parametrize("name", ["README.md", "notes/one.txt", "check_seal.py"])
def test_a_text_that_differs_in_line_ends_only_is_said_to(sealed, name):
    translate(sealed / name)
    assert not check(sealed).holds
    for found in reasons(sealed):
        assert len(found) == 1
        assert found[0].startswith(f"{name} {ONLY}")
        assert REMEDY in found[0]
    (changed,) = check(sealed).to_json()["changed"]
    assert (changed["name"], changed["line_ends"]) == (name, "CRLF here, sealed LF")


def test_a_text_that_was_sealed_with_crlf_is_told_the_other_way_round(sealed):
    (sealed / "dos.bat").write_bytes(b"one\ntwo\n")
    assert "LF here, sealed CRLF" in check(sealed).reasons()[0]
    assert ONLY in reasons(sealed)[1][0]


def test_an_edit_beside_the_line_ends_is_a_change(sealed):
    path = sealed / "README.md"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n") + b"x")
    for found in reasons(sealed):
        assert found[0].startswith("README.md changed: sealed ")


def test_sums_in_crlf_are_said_to_be_and_are_no_identity(sealed):
    translate(sealed / SUMS)
    report = check(sealed)
    assert (report.identity, report.holds) == (None, False)
    assert check_seal.findings(os.fspath(sealed))[1] == ""
    for found in reasons(sealed):
        assert len(found) == 1
        assert "its line ends are CRLF, those of a seal LF" in found[0]
        assert REMEDY in found[0]
    with pytest.raises(UsageError, match="line ends are CRLF"):
        parse_sums((sealed / SUMS).read_bytes())


def test_sums_that_are_broken_besides_are_not_excused(sealed):
    text = (sealed / SUMS).read_bytes()
    (sealed / SUMS).write_bytes(text.replace(b"\n", b"\r\n")[1:])
    for found in reasons(sealed):
        assert found == [f"{SUMS}:1: expected 128 hex digits, two spaces and a path"]


def test_a_run_log_in_crlf_is_said_to_be(sealed):
    translate(sealed / "train.jsonl")
    full, single = reasons(sealed)
    assert "train.jsonl:1: CRLF for LF" in full[0]
    assert full[1].startswith(f"train.jsonl {ONLY}")
    assert single[0].startswith(f"train.jsonl {ONLY}")


def test_a_record_is_found_by_its_identity_to_be_told_of_its_line_ends(sealed, tmp_path):
    identity = check(sealed).identity
    assert resolve(tmp_path, identity[:8])[1] == identity
    translate(sealed / SUMS)
    with pytest.raises(UsageError, match="has CRLF line ends"):
        resolve(tmp_path, identity[:8])


def test_a_checkout_under_autocrlf_names_the_cause_in_every_finding_and_the_remedy_mends_it(
    sealed, tmp_path
):
    def git(*words, at):
        identity = ("-c", "user.name=a", "-c", "user.email=a@b")
        subprocess.run(["git", *identity, *words], cwd=at, check=True, capture_output=True)

    (sealed / "dos.bat").unlink()
    (sealed / SUMS).unlink()
    seal(sealed)
    repository, copy = tmp_path / "repository", tmp_path / "copy"
    shutil.copytree(sealed, repository / "Toy")
    git("init", "-q", at=repository)
    git("add", "-A", at=repository)
    git("commit", "-qm", "all", at=repository)
    git("clone", "-q", "-c", "core.autocrlf=true", repository, copy, at=tmp_path)
    for found in reasons(copy / "Toy"):
        names = ("README.md", "notes/one.txt", "check_seal.py", "train.jsonl", SUMS)
        assert all(any(line.startswith(name) for line in found) for name in names)
        assert [line for line in found if "CRLF" not in line and ONLY not in line] == []
    (copy / ".gitattributes").write_text("* -text\n")
    git("rm", "-q", "--cached", "-r", ".", at=copy)
    git("reset", "-q", "--hard", at=copy)
    assert reasons(copy / "Toy") == ([], [])


@given(st.lists(st.sampled_from([b"a", b"\r", b"\n", b"\r\n"]), max_size=12))
def test_what_git_would_write_is_recognised_and_nothing_else(tmp_path_factory, parts):
    path = tmp_path_factory.mktemp("x") / "x"
    here = b"".join(parts)
    lf = here.replace(b"\r\n", b"\n")
    path.write_bytes(here)
    for sealed, same in (
        (lf, True),
        (lf.replace(b"\n", b"\r\n"), True),
        (here + b"a", False),
        (b"a" + lf, False),
    ):
        assert (line_ends_only(path, hashlib.sha512(sealed).hexdigest()) is not None) == same


def test_a_crlf_that_two_chunks_share_is_one(tmp_path):
    path = tmp_path / "x"
    text = b"a" * (CHUNK - 1) + b"\r\n" + b"b" * CHUNK + b"\r"
    path.write_bytes(text)
    sealed = hashlib.sha512(text.replace(b"\r\n", b"\n")).hexdigest()
    assert line_ends_only(path, sealed) == "CRLF here, sealed LF"

"""pytest tests/verify/records/test_seal.py — sealing, and what a check finds afterwards."""

import hashlib
import json
import os
import subprocess
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import goldenseal.records.seal
from goldenseal.disk.files import hash_file
from goldenseal.errors import ContradictedError, UsageError
from goldenseal.records import check_seal
from goldenseal.records.check import check
from goldenseal.records.seal import seal
from goldenseal.records.signing import judge
from goldenseal.records.statement import SEAL_PREDICATE, read_statement
from tests.verify.conftest import seal_blindly


@pytest.fixture
def sealed(record):
    """The record of conftest.py, sealed."""
    seal(record)
    return record


def files_of(folder):
    return sorted(p for p in folder.rglob("*") if p.is_file())


def test_coreutils_accept_what_we_seal(sealed):
    done = subprocess.run(
        ["sha512sum", "--strict", "-c", "SHA512SUMS"], cwd=sealed, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(b": OK") == len(files_of(sealed)) - 1


def test_the_identity_is_the_digest_of_the_sums(record):
    identity = seal(record).identity
    assert identity == hashlib.sha512((record / "SHA512SUMS").read_bytes()).hexdigest()
    report = check(record)
    assert (report.holds, report.identity, report.reasons()) == (True, identity, [])


def test_sealing_again_changes_nothing(sealed):
    before = {p: p.read_bytes() for p in files_of(sealed)}
    assert seal(sealed).already
    assert {p: p.read_bytes() for p in files_of(sealed)} == before


def test_a_sealed_folder_that_changed_is_not_sealed_anew(sealed):
    (sealed / "README.md").write_text("A better toy.\n")
    with pytest.raises(ContradictedError, match="a correction is a new record"):
        seal(sealed)


def test_the_statement_names_every_file_but_itself_and_the_sums(sealed):
    digests, predicate = read_statement(sealed / "seal.json", SEAL_PREDICATE)
    names = {p.relative_to(sealed).as_posix() for p in files_of(sealed)}
    assert set(digests) == names - {"seal.json", "SHA512SUMS"}
    assert predicate["buildDefinition"]["externalParameters"]["seeds"] == [7]


def test_a_changed_byte_is_reported_with_both_digests(sealed):
    path = sealed / "notes" / "one.txt"
    before = hash_file(path)
    path.write_text("two\n")
    assert check(sealed).changed == [("notes/one.txt", before, hash_file(path))]


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_no_single_byte_can_change_unseen(sealed, data):
    path = data.draw(st.sampled_from(files_of(sealed)))
    original = path.read_bytes()
    place = data.draw(st.integers(0, len(original) - 1))
    changed = bytearray(original)
    changed[place] ^= data.draw(st.integers(1, 255))
    path.write_bytes(bytes(changed))
    try:
        report = check(sealed)
        intact = report.holds and report.identity == seal(sealed).identity
    except ContradictedError:
        intact = False
    finally:
        path.write_bytes(original)
    if path.name == "SHA512SUMS":
        # A reader who knows the identity sees another one; everybody else sees broken digests.
        assert not report.holds
    else:
        assert not intact


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(noise=st.binary(max_size=400), target=st.sampled_from(["SHA512SUMS", "seal.json"]))
def test_nonsense_in_the_seal_is_reported_and_never_crashes(sealed, noise, target):
    path = sealed / target
    original = path.read_bytes()
    path.write_bytes(noise)
    try:
        assert not check(sealed).holds
    finally:
        path.write_bytes(original)


def test_all_findings_come_at_once(sealed):
    (sealed / "new.txt").write_text("x")
    (sealed / "README.md").unlink()
    (sealed / "notes" / "one.txt").write_text("two\n")
    report = check(sealed)
    assert report.extra == ["new.txt"]
    assert report.missing == ["README.md"]
    assert [name for name, _, _ in report.changed] == ["notes/one.txt"]


def test_a_renamed_file_is_both_missing_and_extra(sealed):
    (sealed / "README.md").rename(sealed / "READYOU.md")
    report = check(sealed)
    assert (report.extra, report.missing) == (["READYOU.md"], ["README.md"])


def link(path):
    path.unlink()
    path.symlink_to("/etc/hostname")


def hard_link(path):
    os.link(path, path.parents[3] / "outside")


def pipe(path):
    path.unlink()
    os.mkfifo(path)


@pytest.mark.parametrize(
    ("plant", "words"),
    [(link, "a link"), (hard_link, "second hard link"), (pipe, "neither a file nor a folder")],
)
def test_links_and_devices_are_refused_before_they_are_read(sealed, plant, words):
    plant(sealed / "README.md")
    report = check(sealed)
    assert any(words in problem for problem in report.problems)
    assert not report.holds
    (sealed / "SHA512SUMS").unlink()
    with pytest.raises(UsageError, match=words):
        seal(sealed)


@pytest.mark.parametrize(
    "name", ["a\\b", "a\nb", "c:d", "zero\u200bwidth", "tab\there", "bad\udcff"]
)
def test_names_that_other_systems_misread_are_refused(record, name):
    (record / name).write_text("x")
    with pytest.raises(UsageError, match="name"):
        seal(record)
    assert not (record / "SHA512SUMS").exists()


@pytest.mark.parametrize(
    ("a", "b"), [("A.txt", "a.txt"), ("caf\u00e9", "cafe\u0301"), ("K", "\u212a")]
)
def test_names_that_differ_only_in_case_or_form_are_refused(record, a, b):
    for name in (a, b):
        (record / name).write_text("x")
    with pytest.raises(UsageError, match="differ only in case or form"):
        seal(record)


DIGEST = "0" * 128


@pytest.mark.parametrize(
    "lines",
    [
        f"{DIGEST}  ../escape\n",
        f"{DIGEST}  /etc/passwd\n",
        f"{DIGEST}  a//b\n",
        f"{DIGEST}  ./a\n",
        f"{DIGEST}  a\\b\n",
        f"{DIGEST} a\n",
        f"{DIGEST} *a\n",
        f"{DIGEST.replace('0', 'G')}  a\n",
        f"{DIGEST}  b\n{DIGEST}  a\n",
        f"{DIGEST}  a\n{DIGEST}  a\n",
        f"{DIGEST}  a",
        f"{DIGEST}  SHA512SUMS\n",
        f"{DIGEST}  a\n",
        "\n",
        "",
        "\ufeff" + f"{DIGEST}  seal.json\n",
        f"{DIGEST}  seal.json\r\n",
    ],
)
def test_only_the_one_plain_form_of_the_sums_is_read(sealed, lines):
    (sealed / "SHA512SUMS").write_text(lines, newline="")
    report = check(sealed)
    assert not report.holds
    assert any("SHA512SUMS" in problem for problem in report.problems)


def test_the_seal_of_another_record_is_refused(sealed, tmp_path):
    import shutil

    other = tmp_path / "records" / "toy" / "2026-01-03_Other"
    shutil.copytree(sealed, other)
    for name in ("seal.json", "SHA512SUMS"):
        (other / name).unlink()
    (other / "README.md").write_text("Another toy.\n")
    seal(other)
    shutil.copy(other / "seal.json", sealed / "seal.json")
    assert "seal.json" in [name for name, _, _ in check(sealed).changed]
    shutil.copy(other / "SHA512SUMS", sealed / "SHA512SUMS")
    assert [name for name, _, _ in check(sealed).changed] == ["README.md"]


def test_an_edited_log_line_is_not_sealed_and_is_named_even_under_a_forged_seal(record):
    log = record / "train.jsonl"
    log.write_text(log.read_text().replace('"step":2', '"step":9'))
    with pytest.raises(UsageError, match=r"train\.jsonl:3: the chain breaks here"):
        seal(record)
    assert not (record / "seal.json").exists()
    seal_blindly(record)
    assert check(record).reasons() == ["train.jsonl:3: the chain breaks here: this line was edited"]


def test_a_seal_that_tells_other_knobs_than_record_json_is_named(record):
    seal_blindly(record, externalParameters={"seeds": [1, 2, 3]})
    assert check(record).reasons() == ["seal.json and record.json do not agree about the run"]


@pytest.mark.parametrize("write", [1, 2, 3])
@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_seal_that_is_interrupted_leaves_an_unsealed_folder(record, monkeypatch, write, moment):
    real, calls = goldenseal.records.seal.atomic_write, []

    def interrupted(path, data):
        calls.append(path)
        if len(calls) == write:
            if moment == "after" and write < 3:
                real(path, data)
            raise KeyboardInterrupt
        real(path, data)

    with monkeypatch.context() as patch:
        patch.setattr(goldenseal.records.seal, "atomic_write", interrupted)
        with pytest.raises(KeyboardInterrupt):
            seal(record)
    assert not (record / "SHA512SUMS").exists()
    assert check(record).problems == ["not sealed: there is no SHA512SUMS"]
    (record / ".SHA512SUMS.leftover").write_text("of a process that was killed")
    seal(record)
    assert check(record).holds
    assert not (record / ".SHA512SUMS.leftover").exists()


def test_a_file_of_the_author_that_looks_like_a_leftover_is_kept_and_sealed(record):
    (record / ".seal.json.notes-of-mine").write_text("x")
    seal(record)
    assert ".seal.json.notes-of-mine" in (record / "SHA512SUMS").read_text()


def test_a_file_that_changes_while_it_is_hashed_is_refused(tmp_path):
    path = tmp_path / "growing"
    path.write_bytes(b"x" * 5_000_000)

    def grow(count):
        with path.open("ab") as file:
            file.write(b"y")

    with pytest.raises(UsageError, match="changed while it was hashed"):
        hash_file(path, grow)


def test_sealing_and_checking_need_no_torch_and_no_numpy(record):
    program = (
        "import sys; sys.modules['torch'] = sys.modules['numpy'] = None\n"
        "from goldenseal.cli import main; main()"
    )
    for command in (["seal", str(record)], ["check", str(record), "--json"]):
        done = subprocess.run(
            [sys.executable, "-c", program, *command], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("version", ["v0.1", "v0.2", "v0.3"])
def test_a_record_of_every_released_format_verifies_for_ever(root, version):
    """v0.1 had neither check_seal.py nor signatures, v0.2 no SHA-256."""
    folder = root / "tests" / "fixtures" / "sealed" / version
    report = check(folder)
    assert (report.holds, report.reasons()) == (True, [])
    assert report.identity == hashlib.sha512((folder / "SHA512SUMS").read_bytes()).hexdigest()
    assert report.identity.startswith(
        {"v0.1": "b6042d862b4e844a", "v0.2": "9b6db4a5055b70c7", "v0.3": "bc3e9791a918f7aa"}[
            version
        ]
    )
    subjects = json.loads((folder / "seal.json").read_text())["subject"]
    keys = {"sha512", "sha256"} if version == "v0.3" else {"sha512"}
    assert all(set(subject["digest"]) == keys for subject in subjects)
    assert check_seal.findings(str(folder))[0] == []


@pytest.mark.parametrize("version", ["v0.2", "v0.3"])
def test_a_signed_record_of_an_older_version_is_trusted_and_its_own_checker_runs(root, version):
    folder = root / "tests" / "fixtures" / "sealed" / version
    assert judge(folder, root / "tests" / "fixtures" / "keys").verdict == "trusted"
    done = subprocess.run(
        [sys.executable, "-I", folder / "check_seal.py"], capture_output=True, check=False
    )
    assert (done.returncode, done.stdout[:6]) == (0, b"intact")

"""pytest tests/verify/records/test_check.py

What strangers may try: never accepted, no crash, no hang.
"""

import hashlib
import json
import os
import shutil
import signal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from goldenseal.errors import UsageError
from goldenseal.records.check import check
from goldenseal.records.seal import seal
from tests.verify.conftest import seal_blindly

FILES = ["README.md", "notes/one.txt", "record.json", "seal.json", "train.jsonl", "SHA512SUMS"]


@pytest.fixture(autouse=True)
def no_hanging():
    """A pipe that is opened by mistake blocks for ever: let that be a failure."""
    signal.alarm(30)
    yield
    signal.alarm(0)


@pytest.fixture
def sealed(record):
    seal(record)
    return record


def to_pipe(path, outside):
    path.unlink()
    os.mkfifo(path)


def to_endless_device(path, outside):
    path.unlink()
    path.symlink_to("/dev/zero")


def to_folder(path, outside):
    path.unlink()
    path.mkdir()


def to_equal_copy_behind_a_link(path, outside):
    shutil.move(path, outside)
    path.symlink_to(outside)


def to_hard_link(path, outside):
    os.link(path, outside)


def to_nothing(path, outside):
    path.unlink()


def to_empty(path, outside):
    path.write_bytes(b"")


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize(
    "plant",
    [
        to_pipe,
        to_endless_device,
        to_folder,
        to_equal_copy_behind_a_link,
        to_hard_link,
        to_nothing,
        to_empty,
    ],
)
def test_no_file_can_be_replaced_by_something_else(sealed, tmp_path, plant, name):
    plant(sealed / name, tmp_path / "outside")
    report = check(sealed)
    assert not report.holds
    assert all("\n" not in reason for reason in report.reasons())


@pytest.mark.parametrize("name", ["record.json", "seal.json", "SHA512SUMS"])
def test_a_file_that_claims_to_be_enormous_is_not_read_into_memory(sealed, name):
    os.truncate(sealed / name, 65 << 20)
    if name != "SHA512SUMS":
        (sealed / "SHA512SUMS").write_text(f"{'0' * 128}  seal.json\n")
    assert any("is larger than" in reason for reason in check(sealed).reasons())


def test_a_folder_that_became_a_link_is_not_entered(sealed):
    shutil.move(sealed / "notes", sealed.parents[2] / "elsewhere")
    (sealed / "notes").symlink_to(sealed.parents[2] / "elsewhere")
    report = check(sealed)
    assert report.missing == ["notes/one.txt"]
    assert any(problem.startswith("'notes': a link") for problem in report.problems)


@pytest.mark.parametrize("name", ["../x", "/etc/passwd", "a\\b", "\ud800", "C:\\x", "nul", "a\nb"])
def test_a_statement_may_not_name_what_no_record_can_hold(sealed, name):
    document = json.loads((sealed / "seal.json").read_text())
    document["subject"][0]["name"] = name
    (sealed / "seal.json").write_text(json.dumps(document))
    reasons = check(sealed).reasons()
    assert any(reason.startswith("seal.json: ") for reason in reasons)
    assert any(reason.startswith("seal.json changed") for reason in reasons)


def test_everything_that_seal_and_sums_disagree_about_is_named(record):
    seal_blindly(record)
    lines = (record / "SHA512SUMS").read_text().splitlines()
    edited = [("0" * 128 + line[128:] if "one.txt" in line else line) for line in lines]
    (record / "SHA512SUMS").write_text("\n".join(x for x in edited if "README" not in x) + "\n")
    assert check(record).reasons() == [
        "seal.json and SHA512SUMS do not agree about README.md",
        "seal.json and SHA512SUMS do not agree about notes/one.txt",
        "README.md is extra: it was not there when the record was sealed",
        f"notes/one.txt changed: sealed {'0' * 128}, found {lines[1][:128]}",
    ]


def test_a_record_that_is_not_described_is_named_even_under_a_forged_seal(record):
    identity = seal_blindly(record)
    assert check(record).identity == identity
    (record / "record.json").unlink()
    reasons = check(record).reasons()
    assert "record.json is missing: it says what the record is, see docs/records.md" in reasons


def test_a_folder_that_is_none_is_bad_usage(tmp_path):
    with pytest.raises(UsageError, match="is not a folder"):
        check(tmp_path / "gone")


def test_a_file_that_vanishes_while_it_is_checked_is_reported(sealed, monkeypatch):
    import goldenseal.records.check

    real = goldenseal.records.check.hash_both

    def hash_both(path):
        if path.name == "one.txt":
            path.unlink()
        return real(path)

    monkeypatch.setattr(goldenseal.records.check, "hash_both", hash_both)
    report = check(sealed)
    assert not report.holds
    assert any("one.txt cannot be read" in problem for problem in report.problems)


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    name=st.sampled_from(FILES),
    start=st.integers(0, 5000),
    length=st.integers(0, 40),
    put=st.binary(max_size=40),
)
def test_no_splice_into_any_file_is_accepted_or_crashes(sealed, name, start, length, put):
    path = sealed / name
    original = path.read_bytes()
    start %= len(original)
    changed = original[:start] + put + original[start + length :]
    path.write_bytes(changed)
    try:
        report = check(sealed)
    finally:
        path.write_bytes(original)
    assert report.holds == (changed == original)
    assert all("\n" not in reason for reason in report.reasons())


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(name=st.sampled_from(["record.json", "seal.json", "train.jsonl"]), data=st.data())
def test_a_forged_seal_over_a_mutated_document_never_crashes_the_check(record, name, data):
    """The forger seals anew, so digests fit: what is inside must still be judged in one line."""
    path = record / name
    identity = seal(record).identity
    original = {n: (record / n).read_bytes() for n in ("SHA512SUMS", "seal.json", name)}
    tokens = original[name].replace(b",", b",\0").replace(b":", b":\0").split(b"\0")
    place = data.draw(st.integers(0, len(tokens) - 1))
    puts = [
        b'"x",',
        b"1,",
        b"[],",
        b"{},",
        b"null,",
        b"-0,",
        b'"a":',
        b"",
        b"1e999,",
        b'"\\ud800",',
    ]
    tokens[place] = data.draw(st.sampled_from(puts))
    path.write_bytes(b"".join(tokens))
    try:
        lines = (record / "SHA512SUMS").read_text().splitlines()
        digest = hashlib.sha512(path.read_bytes()).hexdigest()
        forged = [digest + line[128:] if line.endswith(f"  {name}") else line for line in lines]
        (record / "SHA512SUMS").write_text("\n".join(forged) + "\n")
        report = check(record)
    finally:
        for n, content in original.items():
            (record / n).write_bytes(content)
        for n in ("SHA512SUMS", "seal.json"):
            (record / n).unlink()
    assert all("\n" not in reason for reason in report.reasons())
    same = b"".join(tokens) == original[name]
    assert not report.holds or (report.identity == identity) == same

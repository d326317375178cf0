"""pytest tests/verify/records/test_attacks.py -s

Attacks by the thousand, on both checkers at once.
"""

import contextlib
import hashlib
import os
import shutil
import signal
import zlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import goldenseal.disk.files
from goldenseal.errors import GoldensealError, UsageError
from goldenseal.records import check_seal
from goldenseal.records.check import check
from goldenseal.records.seal import seal
from tests.verify.conftest import seal_blindly
from tests.verify.corpus import attacks, files_of, holding

AT_LEAST = 10_000


@pytest.fixture(autouse=True)
def no_hanging():
    """A pipe that is opened by mistake blocks for ever: let that be a failure."""
    signal.alarm(300)
    yield
    signal.alarm(0)


@pytest.fixture
def sealed(record):
    seal(record)
    return record


def verdicts(folder):
    """(what `check` says, what check_seal.py says): whether intact. Neither may crash."""
    report = check(folder)
    found, identity, _ = check_seal.findings(os.fspath(folder))
    assert all("\n" not in line for line in [*report.reasons(), *found])
    assert identity == (report.identity or "")
    return report.holds, not found


def test_no_attack_of_the_corpus_is_accepted_by_either_checker(sealed, tmp_path, capsys):
    other = tmp_path / "other"
    shutil.copytree(sealed, other, ignore=shutil.ignore_patterns("seal.json", "SHA512SUMS"))
    (other / "README.md").write_text("Another toy.\n")
    seal(other)
    before = {path: path.read_bytes() for path in files_of(sealed)}
    assert verdicts(sealed) == (True, True)
    accepted, count = [], 0
    for name, attack in attacks(sealed, other, tmp_path / "outside"):
        count += 1
        with attack():
            if verdicts(sealed) != (False, False):
                accepted.append(name)
        if count % 50 == 0:  # or else one that was not undone would hide all that follow
            assert verdicts(sealed) == (True, True), name
    assert accepted == []
    assert {path: path.read_bytes() for path in files_of(sealed)} == before
    assert verdicts(sealed) == (True, True)
    assert count >= AT_LEAST
    with capsys.disabled():
        print(f" {count} attacks, none accepted ", end="")


TWINS = [
    (("Notes",), True),  # of the folder `notes`, which the record holds
    (("empty",), False),
    (("Empty", "empty"), True),
    (("a/b/C", "a/B"), True),
    (("a/b", "A"), True),
    (("caf\u00e9", "cafe\u0301"), True),
    (("one", "two", "one/two"), False),
]


@pytest.mark.parametrize(("folders", "refused"), TWINS)
def test_both_checkers_give_one_verdict_on_empty_folders(sealed, folders, refused):
    for name in folders:
        (sealed / name).mkdir(parents=True)
    assert verdicts(sealed) == (not refused, not refused)
    if refused:
        assert any("differ only in case or form" in reason for reason in check(sealed).reasons())


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(name=st.text(st.characters(codec=None, exclude_characters="/"), min_size=1, max_size=30))
def test_no_added_name_is_accepted_whatever_it_is(sealed, name):
    path = os.path.join(sealed, name)
    try:
        with open(path, "x"):
            pass
    except (OSError, UnicodeError, ValueError):
        return  # a name that this system cannot have either
    try:
        assert verdicts(sealed) == (False, False)
    finally:
        os.unlink(path)


@settings(max_examples=500, deadline=None)
@given(name=st.text(st.characters(codec=None), max_size=30))
def test_both_checkers_judge_any_name_alike(name):
    assert check_seal.problem_with_name(name) == (
        goldenseal.disk.files.problem_with_name(name) or ""
    )
    if not check_seal.problem_with_name(name):
        assert check_seal.fold(name) == goldenseal.disk.files.fold(name)


def forge(folder, document):
    """Another seal.json, and sums that fit it: everything but its content is in order."""
    lines = (folder / "SHA512SUMS").read_text().splitlines(keepends=True)
    digest = hashlib.sha512(document).hexdigest()
    fitting = "".join(digest + x[128:] if x[130:] == "seal.json\n" else x for x in lines)
    stack = contextlib.ExitStack()
    stack.enter_context(holding(folder / "seal.json", document))
    stack.enter_context(holding(folder / "SHA512SUMS", fitting.encode()))
    return stack


BOMBS = {
    "a key twice": lambda seal: seal[:-1] + b',"_type":"https://in-toto.io/Statement/v1"}',
    "a subject twice": lambda seal: seal.replace(b'"subject":[', b'"subject":[], "subject":['),
    "a number of 10^6 digits": lambda seal: seal[:-1] + b',"x":' + b"9" * 1_000_000 + b"}",
    "a fraction of 10^6 digits": lambda seal: seal[:-1] + b',"x":0.' + b"9" * 1_000_000 + b"}",
    "beyond the doubles": lambda seal: seal[:-1] + b',"x":1e999}',
    "NaN": lambda seal: seal[:-1] + b',"x":NaN}',
    "Infinity": lambda seal: seal[:-1] + b',"x":-Infinity}',
    "65 levels": lambda seal: seal[:-1] + b',"x":' + b"[" * 64 + b"]" * 64 + b"}",
    "10^6 levels": lambda seal: seal[:-1] + b',"x":' + b"[" * 1_000_000 + b"]" * 1_000_000 + b"}",
    "10^6 levels of objects": lambda seal: seal[:-1] + b',"x":' + b'{"a":' * 1_000_000,
    "half a surrogate pair": lambda seal: seal[:-1] + b',"x":"\\ud800"}',
    "not UTF-8": lambda seal: seal[:-1] + b',"x":"\xff"}',
    "17 MiB": lambda seal: seal[:-1] + b',"x":"' + b"a" * (17 << 20) + b'"}',
    "no predicate": lambda seal: seal.replace(b'"predicate":', b'"predikate":'),
    "no type": lambda seal: seal.replace(b"Statement/v1", b"Statement/v0.1"),
    "a list": lambda seal: b"[" + seal + b"]",
    "nothing": lambda seal: b"",
    "null": lambda seal: b"null",
    "a number": lambda seal: b"1e5",
    "subjects are a number": lambda seal: seal.replace(b'"subject":[', b'"subject":7,"y":['),
    "a subject is null": lambda seal: seal.replace(b'"subject":[', b'"subject":[null,'),
    "a name is a list": lambda seal: seal.replace(b'"name":"README.md"', b'"name":["README.md"]'),
    "a digest is a number": lambda seal: seal.replace(b'"sha512":"', b'"sha512":1,"y":"', 1),
    "a name climbs": lambda seal: seal.replace(b'"README.md"', b'"../README.md"'),
    "a subject is gone": lambda seal: seal.replace(b"README.md", b"READYOU.md"),
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_hostile_statement_under_fitting_sums_is_refused_by_both(sealed, bomb):
    document = (sealed / "seal.json").read_bytes()
    hostile = BOMBS[bomb](document)
    assert hostile != document
    with forge(sealed, hostile):
        assert verdicts(sealed) == (False, False)
    assert verdicts(sealed) == (True, True)


@pytest.mark.parametrize("depth", [10, 60, 62])
def test_a_statement_that_is_only_odd_is_accepted_by_both_under_another_identity(sealed, depth):
    document = (sealed / "seal.json").read_bytes()
    identity = check(sealed).identity
    odd = document[:-1] + b',"x":' + b"[" * depth + b"1" * 300 + b"]" * depth + b"}"
    with forge(sealed, odd):
        assert verdicts(sealed) == (True, True)
        assert check(sealed).identity != identity


def test_a_file_of_a_gigabyte_in_place_of_the_sums_is_not_read(sealed):
    with holding(sealed / "SHA512SUMS", b""):
        os.truncate(sealed / "SHA512SUMS", 1 << 30)
        assert verdicts(sealed) == (False, False)


class Restless:
    """SHA-512 whose every update is answered by a write to the file."""

    def __init__(self, path, write):
        self._path, self._write, self._real = path, write, hashlib.new("sha512")

    def update(self, data):
        self._real.update(data)
        self._write(self._path)

    def hexdigest(self):
        return self._real.hexdigest()


def append(path):
    with path.open("ab") as file:
        file.write(b"y")


def overwrite(path):
    with path.open("r+b") as file:
        file.write(b"z")


@pytest.mark.parametrize("write", [append, overwrite])
def test_a_file_that_changes_while_it_is_hashed_is_noticed_by_both(tmp_path, monkeypatch, write):
    path = tmp_path / "weights"
    for hash_file, refusal in (
        (goldenseal.disk.files.hash_file, UsageError),
        (lambda p: check_seal.hash_file(os.fspath(p)), check_seal.Refused),
    ):
        path.write_bytes(b"x" * 100)
        os.utime(path, (1, 1))
        with monkeypatch.context() as patch:
            patch.setattr(hashlib, "sha512", lambda: Restless(path, write))
            with pytest.raises(refusal, match="changed while it was hashed"):
                hash_file(path)


def test_a_decompression_bomb_is_sealed_and_checked_as_the_few_bytes_that_it_is(
    record, monkeypatch
):
    bomb = record / "weights.zlib"
    bomb.write_bytes(zlib.compress(bytes(100 << 20), 9))
    assert bomb.stat().st_size < 1 << 20
    for module in ("zlib", "gzip", "bz2", "lzma", "zipfile", "tarfile"):
        monkeypatch.setitem(__import__("sys").modules, module, None)
    hashed = []
    seal(record, hashed.append)
    assert sum(hashed) == sum(
        p.stat().st_size
        for p in files_of(record)
        if p.name not in ("seal.json", "SHA512SUMS", "check_seal.py")
    )
    assert verdicts(record) == (True, True)


def as_nobody(work):
    """What `work` says in a child without rights; the error if it is one of ours."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            if os.geteuid() == 0:
                os.setgid(65534)
                os.setuid(65534)
            said = str(work())
        except GoldensealError as error:
            said = f"{type(error).__name__}: {error}"
        except BaseException as error:
            said = f"crash: {error!r}"
        os.write(writing, said.encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as file:
        said = file.read()
    os.waitpid(child, 0)
    return said


@pytest.fixture
def shared(record, tmp_path_factory):
    """The record where a user without rights can come, but not write."""
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        os.chmod(name, 0o755)
        folder = shutil.copytree(record, os.path.join(name, "Toy"))
        os.chmod(folder, 0o555)
        yield goldenseal.disk.files.Path(folder)
        os.chmod(folder, 0o755)


def test_a_read_only_folder_is_refused_in_one_line_and_stays_as_it_was(shared):
    before = {path: path.read_bytes() for path in files_of(shared)}
    said = as_nobody(lambda: seal(shared))
    assert said.startswith("UsageError: ")
    assert said.endswith("cannot be written: Permission denied")
    assert {path: path.read_bytes() for path in files_of(shared)} == before


def test_a_read_only_sealed_folder_is_checked(shared):
    os.chmod(shared, 0o755)
    seal(shared)
    os.chmod(shared, 0o555)
    assert as_nobody(lambda: verdicts(shared)) == "(True, True)"
    os.chmod(shared / "README.md", 0)
    assert as_nobody(lambda: verdicts(shared)) == "(False, False)"
    os.chmod(shared, 0)
    assert as_nobody(lambda: check(shared)).startswith("UsageError: ")
    assert as_nobody(lambda: seal(shared)).startswith("UsageError: ")


def test_a_folder_that_vanishes_while_it_is_sealed_is_one_line(record):
    def vanish(count):
        if record.exists():
            record.rename(record.with_name("elsewhere"))

    with pytest.raises(UsageError, match=r"cannot be (read|written)"):
        seal(record, vanish)


def test_both_checkers_agree_on_a_forged_but_consistent_seal(record):
    identity = seal_blindly(record)
    assert verdicts(record) == (True, True)
    assert check(record).identity == identity

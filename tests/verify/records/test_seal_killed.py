"""pytest tests/verify/records/test_seal_killed.py — killed at any moment: as before, or sealed."""

import itertools
import os
import signal
import tempfile
import time

import pytest

from goldenseal.records.check import check
from goldenseal.records.seal import seal
from goldenseal.records.signing import judge, sign
from tests.verify.corpus import files_of
from tests.verify.records.test_signing import write_keys


@pytest.fixture
def sealed(record):
    seal(record)
    return record


TOUCHING = ("open", "fdopen", "fsync", "chmod", "replace", "unlink", "scandir", "fstat", "close")


def die_at(number, after, work):
    """Do `work` in a child that is gone before, or after, its `number`-th call to the system.

    False when it lived to the end.
    """
    child = os.fork()
    if child == 0:
        calls = itertools.count()

        def deadly(real):
            def call(*arguments, **options):
                turn = next(calls)
                if turn == number and not after:
                    os._exit(9)
                result = real(*arguments, **options)
                if turn == number:
                    os._exit(9)
                return result

            return call

        try:
            for name in TOUCHING:
                setattr(os, name, deadly(getattr(os, name)))
            tempfile.mkstemp = deadly(tempfile.mkstemp)
            work()
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9


@pytest.mark.parametrize("after", [False, True])
def test_killed_at_any_call_to_the_system_the_folder_is_as_before_or_sealed(record, after):
    payload = {p: p.read_bytes() for p in files_of(record)}
    outcomes, died = [], True
    for number in itertools.count():
        died = die_at(number, after, lambda: seal(record))
        assert {p: p.read_bytes() for p in payload} == payload
        report = check(record)
        outcomes.append(report.holds)
        if not report.holds:
            assert report.problems == ["not sealed: there is no SHA512SUMS"]
        if not died:
            break
        for path in files_of(record):
            if path not in payload and path.name == "SHA512SUMS":
                path.unlink()  # all else that it left behind stays, for the next one to find
    assert number > 40  # several at every file
    assert outcomes == sorted(outcomes)  # sealed from some call on, and never before
    assert outcomes[-1]
    names = sorted(p.name for p in files_of(record) if p not in payload)
    assert names == ["SHA512SUMS", "check_seal.py", "seal.json"]


@pytest.mark.parametrize("after", [False, True])
def test_killed_at_any_call_while_signing_the_record_stays_sealed(sealed, tmp_path, after):
    key, keys = write_keys(tmp_path, "ada")
    identity, outcomes = check(sealed).identity, []
    for number in itertools.count():
        died = die_at(number, after, lambda: sign(sealed, key))
        report = check(sealed)
        assert (report.holds, report.identity) == (True, identity)
        outcomes.append(judge(sealed, keys).verdict)
        if not died:
            break
        (sealed / "seal.dsse.json").unlink(missing_ok=True)
    assert number > 10
    assert outcomes == sorted(outcomes, reverse=True)  # unsigned, then trusted
    assert (outcomes[0], outcomes[-1]) == ("unsigned", "trusted")


def test_killed_by_the_system_at_forty_moments_it_is_as_before_or_sealed(record):
    (record / "weights.bin").write_bytes(bytes(4_000_000))
    payload = {p: p.read_bytes() for p in files_of(record)}
    start = time.perf_counter()
    seal(record)
    whole = time.perf_counter() - start
    for moment in range(40):
        (record / "SHA512SUMS").unlink(missing_ok=True)
        child = os.fork()
        if child == 0:
            try:
                seal(record)
            finally:
                os._exit(0)
        time.sleep(whole * moment / 30)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        assert {p: p.read_bytes() for p in payload} == payload
        report = check(record)
        assert report.holds or report.problems == ["not sealed: there is no SHA512SUMS"]
    seal(record)
    assert check(record).holds

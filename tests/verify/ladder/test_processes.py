"""pytest tests/verify/ladder/test_processes.py — every task is heard of once, however it ends."""

import os
import signal
import sys
import time
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goldenseal.ladder.processes import Ended, in_processes
from tests.patience import patience


def give(value):
    return value


def fail(text):
    raise ValueError(text)


def ends(code):
    os._exit(code)


def dies(number):
    os.kill(os.getpid(), number)


def leaves_a_worker(holds):
    """Ends like a machine that goes down, while a process of its own still has its open files."""
    if os.fork() == 0:
        time.sleep(holds)
        os._exit(0)
    os._exit(5)


KINDS = {
    "gives": (partial(give, 7), Ended(value=7)),
    "gives nothing": (partial(give, None), Ended(value=None)),
    "fails": (partial(fail, "x"), None),
    "ends": (partial(ends, 3), Ended(exit_code=3)),
    "ends content": (partial(ends, 0), Ended(exit_code=0)),
    "dies": (partial(dies, signal.SIGKILL), Ended(exit_code=-signal.SIGKILL)),
    "exits": (partial(sys.exit, 4), Ended(exit_code=4)),
    "gives much": (partial(give, "x" * 1_000_000), Ended(value="x" * 1_000_000)),
}


@settings(max_examples=8)
@given(st.lists(st.sampled_from(sorted(KINDS)), max_size=6), st.integers(0, 3))
def test_every_task_ends_exactly_once_whatever_dies(kinds, at_a_time):
    ended = list(in_processes([KINDS[kind][0] for kind in kinds], at_a_time))
    assert sorted(number for number, _ in ended) == list(range(len(kinds)))
    for number, end in ended:
        expected = KINDS[kinds[number]][1]
        if expected is None:
            assert isinstance(end.error, ValueError)
            assert (end.value, end.exit_code) == (None, None)
        else:
            assert end == expected


def test_a_task_is_over_though_a_worker_of_it_lives_on():
    started = time.monotonic()
    ((_, ended),) = in_processes([partial(leaves_a_worker, patience(60))], 1)
    assert ended == Ended(exit_code=5)
    assert time.monotonic() - started < patience(60)


def test_one_at_a_time_keeps_the_order():
    tasks = [partial(give, n) for n in range(5)]
    assert [number for number, _ in in_processes(tasks, 1)] == list(range(5))


def test_what_a_task_does_to_its_process_reaches_no_other(monkeypatch):
    monkeypatch.setattr(sys, "here", "parent", raising=False)

    def change():
        before, sys.here = sys.here, "child"
        return before

    assert {end.value for _, end in in_processes([change] * 4, 2)} == {"parent"}
    assert sys.here == "parent"


def test_what_a_task_prints_goes_to_standard_error(capfd):
    tasks = [partial(os.write, 1, b"by descriptor"), partial(os.system, "echo by a child")]
    list(in_processes(tasks, 1))
    out, err = capfd.readouterr()
    assert out == ""
    assert "by descriptor" in err
    assert "by a child" in err


def test_who_stops_listening_leaves_nothing_running(tmp_path):
    def sleep():
        (tmp_path / str(os.getpid())).touch()
        time.sleep(600)

    begin = time.monotonic()
    stream = in_processes([partial(give, 1), sleep, sleep], 3)
    assert next(stream)[0] == 0
    stream.close()
    assert time.monotonic() - begin < patience(60)
    for place in tmp_path.iterdir():
        with pytest.raises(ProcessLookupError):
            os.kill(int(place.name), 0)


def test_an_error_that_cannot_be_sent_is_a_process_that_ended():
    class Local(Exception):
        pass

    def fail_locally():
        raise Local

    ((_, ended),) = in_processes([fail_locally], 1)
    assert ended.value is None
    assert ended.exit_code not in (None, 0)

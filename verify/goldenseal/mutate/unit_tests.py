"""Unit tests of a mutant: those that reach the edited place, the cheapest first."""

import os
import signal
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from goldenseal.mutate.operators import Mutant
from goldenseal.mutate.reach import Reach
from goldenseal.mutate.testing import perform

NAME = "unit tests"
WORDS = 240  # of a reason
PATIENCE = 6.0  # times the processor time of a test on the unchanged code
LEAST_SECONDS = 20.0
CLOCK = 10.0  # times as long on the clock: one that waits for ever is stopped too


def judge_by_tests(
    reach: Reach,
    tree: Path,
    mutant: Mutant | None,
    tell: Callable[[dict[str, Any]], None],
    others: Collection[str] = (),
) -> None:
    """Run the tests that reach the mutant up to a failure, of the unchanged code all there are.

    others: systems whose cases are left out, as they were when `reach` was made.
    Tests that cannot even be collected have failed too.
    """
    outcome: dict[str, Any] = {"failed": {}, "crash": None}
    wanted = reach.tests_of(mutant) if mutant else sorted(reach.seconds, key=reach.order)

    def end(**more: Any) -> None:
        tell({**outcome, **more, "seconds": time.process_time(), "complete": True})

    def late(test: str) -> None:
        end(timeout=f"{test}: still running long after it ended on the unchanged code")
        os._exit(0)

    if not wanted:
        end()
        return
    chosen = Chosen(wanted, reach.seconds, late)
    files = dict.fromkeys(tree / test.partition("::")[0] for test in wanted)
    try:
        code, failure = perform(tree, list(files), chosen, others)
    except BaseException as error:
        end(crash=f"{type(error).__name__}: {error}"[:WORDS])
        return
    if code in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
        end()
    else:
        words = failure or f"they cannot be collected: pytest ended with {code}"
        outcome["failed"][NAME] = words.replace(f"{tree}/", "")[:WORDS]
        end()


class Chosen:
    """A pytest plugin: the wanted tests in the wanted order, each within its time.

    Tests of their files that nobody knew before, since a mutant renames cases, come last.
    """

    def __init__(self, wanted: Sequence[str], known: dict[str, float], late: Callable[[str], None]):
        self.places = {test: number for number, test in enumerate(wanted)}
        self.known, self.late = known, late

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Choose and sort."""
        last = len(self.places)
        chosen = [i for i in items if i.nodeid in self.places or i.nodeid not in self.known]
        items[:] = sorted(chosen, key=lambda item: self.places.get(item.nodeid, last))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Two alarms around each test: of its processor time, and of the clock."""
        bound = max(LEAST_SECONDS, PATIENCE * self.known.get(item.nodeid, 0.0))
        alarms = {
            signal.ITIMER_PROF: (signal.SIGPROF, bound),
            signal.ITIMER_REAL: (signal.SIGALRM, CLOCK * bound),
        }
        for timer, (number, seconds) in alarms.items():
            signal.signal(number, lambda *_: self.late(item.nodeid))
            signal.setitimer(timer, seconds)
        try:
            return (yield)
        finally:
            for timer in alarms:
                signal.setitimer(timer, 0)

"""All unit tests once, under coverage.py, which tells what each of them executes.

What a test does in another program is not watched: such a test is asked about a line only if it
reaches the line in its own process, or in a fork of it, as well.
"""

import json
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from coverage import Coverage

from goldenseal.disk.files import atomic_write
from goldenseal.errors import CannotCheckError
from goldenseal.mutate.plan import Plan
from goldenseal.mutate.testing import perform


def make_map(plan: Plan, tree: Path, path: Path) -> None:
    """Run all tests of the plan in `tree` under coverage.py, and write the map.

    To be called in a process of its own. Raises CannotCheckError when a test does not pass.
    """
    os.environ["COVERAGE_CORE"] = "ctrace"  # the one that can tell tests apart on every Python
    with tempfile.TemporaryDirectory() as folder:
        settings = Path(folder) / "coveragerc"
        settings.write_text("[run]\npatch = _exit\nparallel = true\n")  # forks that end so count
        cov = Coverage(
            data_file=str(Path(folder) / "data"),
            include=[str(tree / file) for file in plan.files],
            config_file=str(settings),
        )
        watcher = _Watcher(cov.switch_context)
        cov.start()
        code, failed = perform(tree, [tree / test for test in plan.tests], watcher, plan.others)
        cov.stop()
        if code or failed:
            what = failed or f"pytest ended with {code}"
            raise CannotCheckError(f"the unit tests do not pass on the unchanged code: {what}")
        cov.save()
        cov.combine()
        contexts = {
            file: cov.get_data().contexts_by_lineno(str(tree / file)) for file in plan.files
        }
    users = watcher.users()
    tests = sorted(watcher.used)
    numbers = {test: i for i, test in enumerate(tests)}
    lines = {
        file: {
            str(line): sorted({numbers[test] for name in names for test in users.get(name, ())})
            for line, names in sorted(table.items())
        }
        for file, table in contexts.items()
    }
    seconds = [round(watcher.cost(test), 3) for test in tests]
    facts = {"tests": tests, "seconds": seconds, "lines": lines}
    path.parent.mkdir(parents=True, exist_ok=True)
    atomic_write(path, json.dumps(facts).encode())


class _Watcher:
    """A pytest plugin that names what is being executed: a test, or a fixture that tests share."""

    def __init__(self, name: Callable[[str], object]):
        self.name, self.context = name, ""
        self.used: dict[str, float] = {}  # processor time by test
        self.shared: dict[str, float] = {}  # and by fixture
        self.fixtures: dict[str, tuple[str, ...]] = {}  # of each test

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Note which fixtures each test asks for."""
        for item in items:
            self.fixtures[item.nodeid] = tuple(getattr(item, "fixturenames", ()))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """A test, with the fixtures that it has for itself."""
        with self._watched(item.nodeid, self.used):
            return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: Any) -> Iterator[None]:
        """A fixture that several tests share."""
        if fixturedef.scope == "function":
            return (yield)
        with self._watched(f"{fixturedef.argname} of {fixturedef.baseid}", self.shared):
            return (yield)

    @contextmanager
    def _watched(self, context: str, account: dict[str, float]) -> Iterator[None]:
        outer, self.context = self.context, context
        self.name(context)
        before, others = _processor_time(), sum(self.shared.values())
        try:
            yield
        finally:
            own = _processor_time() - before - (sum(self.shared.values()) - others)
            account[context] = account.get(context, 0.0) + max(own, 0.0)
            self.context = outer
            self.name(outer)

    def users(self) -> dict[str, set[str]]:
        """The tests by context: a test itself, and all that ask for a fixture."""
        users = {test: {test} for test in self.used}
        for context in self.shared:
            users[context] = {test for test in self.used if self._asks(test, context)}
        return users

    def cost(self, test: str) -> float:
        """Seconds of a test and of the fixtures that it shares with others."""
        return self.used[test] + sum(
            seconds for context, seconds in self.shared.items() if self._asks(test, context)
        )

    def _asks(self, test: str, context: str) -> bool:
        name, _, place = context.partition(" of ")
        return name in self.fixtures[test] and test.startswith(place)


def _processor_time() -> float:
    """Of this process and of its children that have ended."""
    return sum(os.times()[:4])

"""One run of pytest inside this process, on the unit tests of a copy of the tree."""

import os
import sys
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase
from hypothesis import settings as hypothesis_settings


def perform(
    tree: Path, paths: Sequence[Path], plugin: Any, others: Collection[str] = ()
) -> tuple[int, str]:
    """Run the tests at `paths` of `tree`: (exit code of pytest, the first failure in words).

    others: values of a parameter, such as the names of other systems, whose cases are left out.
    To be called in a process of its own. Examples of hypothesis are the same each time, and a
    failing one is not made smaller.
    """
    hypothesis_settings.register_profile(
        "mutants",
        database=None,
        deadline=None,
        derandomize=True,
        phases=(Phase.explicit, Phase.generate),
    )
    hypothesis_settings.load_profile("mutants")
    os.chdir(tree)
    sys.path.insert(0, str(tree))
    sys.dont_write_bytecode = False  # in a copy of the tree, which is removed
    failure = Failure()
    options = ["-x", "-q", "--no-header", "-p", "no:cacheprovider"]
    # hypothesis is known to this process already; so it is in every run of the tests.
    options += ["-W", "ignore:Module already imported:pytest.PytestAssertRewriteWarning"]
    place = [f"--rootdir={tree}", "-c", str(tree / "pyproject.toml")]
    plugins = [Without(others), plugin, failure]
    code = pytest.main([*options, *place, *map(str, paths)], plugins=plugins)
    return int(code), failure.words


class Without:
    """A pytest plugin that leaves out the cases of a shared test that are of other systems."""

    def __init__(self, others: Collection[str]):
        self.others = frozenset(others)

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Before another plugin chooses among them."""
        items[:] = [item for item in items if not self.others & set(_texts(item))]


def _texts(item: pytest.Item) -> list[str]:
    """The texts among the parameters of a case."""
    case = getattr(item, "callspec", None)
    return [value for value in case.params.values() if isinstance(value, str)] if case else []


class Failure:
    """A pytest plugin that keeps the first failure in words."""

    def __init__(self) -> None:
        self.words = ""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """After each phase of a test."""
        self._keep(report, report.when or "")

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """After a file was collected."""
        self._keep(report, "cannot be imported")

    def _keep(self, report: pytest.TestReport | pytest.CollectReport, otherwise: str) -> None:
        if report.failed and not self.words:
            lines = [line[1:] for line in report.longreprtext.splitlines() if line[:2] == "E "]
            text = " ".join(lines[0].split()) if lines else otherwise
            self.words = f"{report.nodeid}: {text}"

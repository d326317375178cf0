"""The pytest plugin: the fixture `off_is_off`, for a test of your own repository.

    def test_the_adapter_is_off_by_default(off_is_off):
        off_is_off("baseline.py", "train.py", probe="probe.toml")

pytest loads this file in every session where goldenseal is installed, so it imports nothing.
"""

from collections.abc import Callable
from typing import Any

import pytest


@pytest.fixture
def off_is_off(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """A function of (baseline, candidate) that fails the test unless every gate passes.

    Paths are relative to pytest's root folder. Further arguments are those of
    goldenseal.ci.pair.judge_pair, whose result it returns.
    """

    def check(baseline: Any, candidate: Any, **choices: Any) -> Any:
        __tracebackhide__ = True
        from goldenseal.ci.pair import judge_pair

        judged = judge_pair(baseline, candidate, **{"folder": request.config.rootpath, **choices})
        if not judged.holds:
            pytest.fail("\n".join(("off is not off:", *judged.lines())), pytrace=False)
        return judged

    return check

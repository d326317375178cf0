"""A command that is interrupted, and goes on in the same folder in a process of its own."""

import itertools
import os
import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from torch.optim.optimizer import register_optimizer_step_post_hook

from goldenseal.errors import UsageError
from goldenseal.ladder.events import Recording
from goldenseal.ladder.probe import Probe, Resume, Script
from goldenseal.ladder.processes import in_processes
from goldenseal.ladder.program import ADDED
from goldenseal.ladder.recorder import record
from goldenseal.ladder.script import run_folder

STOPPED = "goldenseal stops here"
FIRST, SECOND = f"{ADDED}the interrupted run", f"{ADDED}the resumed run"


def interrupted_and_resumed(
    probe: Probe, script: Script, settings: Mapping[str, str], how: Resume | None
) -> Recording:
    """The recording of the second run; its `preceding` is the first, if that came to its end."""
    if how is None:
        raise UsageError("the description does not say how to resume: [resume]")
    with TemporaryDirectory() as place:
        folder = run_folder(place, script)
        script.furnish(Path(folder))
        first = {**settings, FIRST: shlex.join(how.stop)} if how.stop else dict(settings)

        def run_first() -> Recording:
            if how.stop_after:
                register_optimizer_step_post_hook(ended_by(how.stop_after))
            return record(probe, script, first, False, folder=folder)

        ((_, ended),) = in_processes([run_first], 1)
        if ended.error is not None:
            raise ended.error
        if ended.value is not None and ended.value.error:
            return Recording(error=f"the interrupted run stopped: {ended.value.error}")
        second = {**settings, **how.environment, SECOND: shlex.join(how.args)}
        resumed = record(probe, script, second, False, folder=folder)
        resumed.preceding = [ended.value] if ended.value is not None else []
        return resumed


class Enough(SystemExit):
    """A normal end, after so many steps."""


def ended_by(steps: int, end: Callable[[], BaseException] | None = None) -> Callable[..., None]:
    """A hook after optimizer steps that ends the process, as if the machine went down then.

    With `end`, it raises that instead.
    """
    left = itertools.count(steps - 1, -1)

    def after_step(*args: Any) -> None:
        if next(left) <= 0:
            if end is not None:
                raise end()
            os._exit(0)

    return after_step

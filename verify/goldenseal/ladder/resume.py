"""A command that is interrupted, and goes on in the same folder in a process of its own."""

import shlex
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from goldenseal.errors import UsageError
from goldenseal.ladder.events import Recording
from goldenseal.ladder.probe import Probe, Resume, Script
from goldenseal.ladder.processes import in_processes
from goldenseal.ladder.program import ADDED
from goldenseal.ladder.recorder import record
from goldenseal.ladder.script import run_folder
from goldenseal.ladder.stepping import called_after_each_step, ended_by

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
            if not how.stop_after:
                return record(probe, script, first, False, folder=folder)
            with called_after_each_step(ended_by(how.stop_after)):
                return record(probe, script, first, False, folder=folder)

        ((_, ended),) = in_processes([run_first], 1)
        if ended.error is not None:
            raise ended.error
        if ended.value is not None and ended.value.error:
            return Recording(error=f"the interrupted run stopped: {ended.value.error}")
        second = {**settings, **how.environment, SECOND: shlex.join(how.args)}
        if probe.steps and how.stop_after:
            probe = replace(probe, steps=max(1, probe.steps - how.stop_after))
        resumed = record(probe, script, second, False, folder=folder)
        resumed.preceding = [ended.value] if ended.value is not None else []
        return resumed

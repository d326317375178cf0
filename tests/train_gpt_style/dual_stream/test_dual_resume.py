"""pytest tests/train_gpt_style/dual_stream/test_dual_resume.py — queues, parts no loss reaches."""

import signal

import pytest

from tests.train_gpt_style.dual_stream.conftest import SMALL
from tests.train_gpt_style.forks import KEPT, files_of, forked, whole_run
from train_gpt_style.dual_stream.run import main

RUNS = {
    "a classifier that no loss reads": {"BCE_WEIGHT": "0"},
    "a queue that begins in between": {
        **{"MASTERY_WEIGHT": "1", "MASTERY_PATIENCE": "0", "MASTERY_QUEUE": "9"},
        **{"QUEUE_ADAPT": "B", "QUEUE_MIN": "1", "QUEUE_MAX": "40", "NCE_AFTER_MASTERY": "drop"},
    },
}


@pytest.mark.parametrize("environ", RUNS.values(), ids=RUNS)
def test_a_killed_run_goes_on_to_the_same_bytes(environ, tmp_path):
    environ = {**SMALL, **KEPT, **environ}
    whole = whole_run(main, environ, tmp_path / "whole")
    killed = forked(tmp_path / "run", lambda: main(environ), "step:3/")
    assert killed.code == -signal.SIGKILL
    resumed = forked(tmp_path / "run", lambda: main(environ))
    assert resumed.code == 0, resumed.lines[-1]
    assert any("resumed from" in line for line in resumed.lines)
    assert files_of(tmp_path / "run") == whole.files

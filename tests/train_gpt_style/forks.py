"""Runs in forks of the test process, which can be killed at any line they print.

The clock stands still, so that equal runs print and log the same bytes.
"""

import os
import signal
import sys
import time
from types import SimpleNamespace

from goldenseal.errors import GoldensealError
from train_gpt_style.kit import checkpoints

KEPT = {"CHECKPOINT_EVERY": "1", "RUN_LOG": "1", "RUN_LOG_STATE_EVERY": "1"}


class Printer:
    """A standard output that kills its process when a line with some text is printed."""

    def __init__(self, file, last):
        self.file, self.last = file, last

    def write(self, text):
        self.file.write(text)
        self.file.flush()
        if self.last is not None and self.last in text:
            os.kill(os.getpid(), signal.SIGKILL)

    def flush(self):
        self.file.flush()


def forked(folder, work, last=None):
    """Do `work` in a fork, in `folder`; what it printed, and its exit code, negative if killed."""
    folder.mkdir(exist_ok=True)
    printed = folder.with_name(folder.name + ".out")
    child = os.fork()
    if child == 0:
        code = 70
        try:
            os.chdir(folder)
            with open(printed, "w", encoding="utf-8") as file:
                sys.stdout = sys.stderr = Printer(file, last)
                time.perf_counter = lambda: 0.0
                try:
                    work()
                    code = 0
                except GoldensealError as error:
                    print(f"error: {error}")
                    code = error.exit_code
                except BaseException as error:
                    print(f"unexpected: {error!r}")
        finally:
            os._exit(code)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return SimpleNamespace(code=code, lines=printed.read_text(encoding="utf-8").splitlines())


def whole_run(train, environ, folder):
    """The uninterrupted run in `folder`: its lines and files."""
    done = forked(folder, lambda: train(environ))
    assert done.code == 0, done.lines[-1]
    return SimpleNamespace(lines=done.lines, files=files_of(folder), folder=folder)


def files_of(folder):
    """All that a run leaves but its checkpoints."""
    paths = sorted(p for p in folder.rglob("*") if p.is_file())
    names = [p.relative_to(folder).as_posix() for p in paths]
    return {n: (folder / n).read_bytes() for n in names if not n.startswith("checkpoints")}


def kept_in(folder):
    """The checkpoints of a run in `folder`, the newest first."""
    home = folder / "checkpoints"
    inner = [path for path in home.glob("*") if not path.name.startswith(("step-", "."))]
    return checkpoints.listed(inner[0] if inner else home)


def newest(folder):
    """The newest of them."""
    return kept_in(folder)[0]

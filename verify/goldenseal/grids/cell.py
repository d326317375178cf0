"""One cell of a sweep, run to its end or to the next interruption: the unit of every executor.

    python -m goldenseal.grids.cell FOLDER            # run this cell; sealed, it is done
    python -m goldenseal.grids.cell --list FILE       # those listed that nobody else runs or ran
    python -m goldenseal.grids.cell --under PID FOLDER   # stop when the parent, process PID, ends

cell.json says what is run: a command line and its environment, so that a cell can be run by hand.
It is run from the frozen source in `out/`, resumes from its own checkpoints, and is sealed when the
run log is whole, is of this cell, and the canaries live. Two processes never run one cell at once.
"""

import contextlib
import ctypes
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from goldenseal.config import python_path
from goldenseal.disk import canonical
from goldenseal.errors import (
    EXIT_CANNOT_CHECK,
    EXIT_CONTRADICTED,
    EXIT_HOLDS,
    CannotCheckError,
    GoldensealError,
    UsageError,
)
from goldenseal.grids import attempts, canaries
from goldenseal.grids.lock import held
from goldenseal.grids.torchrun import launched
from goldenseal.launch.process import INHERITED, THREADS
from goldenseal.records.check import SUMS
from goldenseal.records.kinds.logs import read_end
from goldenseal.records.record import RECORD
from goldenseal.records.seal import seal
from goldenseal.records.write import facts_of_run, write_facts
from goldenseal.runlog import read_run_log

CELL, OUT, OUTPUT = "cell.json", "out", "output.txt"
KEYS = {
    "checkpoints", "command", "configuration", "cwd", "data", "environment", "log", "outputs",
    "resources", "schema", "seed",
}  # fmt: skip
STOPPING = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1, signal.SIGUSR2)
PATIENCE, POLL = 10.0, 0.2  # seconds that a stopped run has, before it is killed
PR_SET_PDEATHSIG = 1
GPU = ("CUDA_VISIBLE_DEVICES", "NCCL_SOCKET_IFNAME")


def read_cell(folder: Path) -> dict[str, Any]:
    """cell.json. Raises UsageError when it is none."""
    facts = canonical.read(folder / CELL, f"{folder.name}/{CELL}")
    if not isinstance(facts, dict) or set(facts) != KEYS or facts["schema"] != 1:
        raise UsageError(f"{folder}/{CELL}: no cell, schema 1: expected the keys {sorted(KEYS)}")
    return facts


def is_sealed(folder: Path) -> bool:
    """Whether the cell is done."""
    return (folder / SUMS).is_file()


def lock_of(folder: Path) -> Path:
    """The cell's lock: beside its folder, which will be sealed."""
    return folder.parent / f".{folder.name}.lock"


def run_cell(folder: Path, wait: bool = True, tried: int | None = None) -> int:
    """Run the cell unless it is sealed; returns 0 sealed, 1 failed, 3 interrupted, not its turn, or
    with weights that cannot be checked here.

    Held by another process, it is waited for: a requeued job may meet the one it replaces. With
    `tried`, a cell that was tried more often than that meanwhile is left alone.
    Raises UsageError when the folder holds no cell.
    """
    folder = folder.resolve()
    cell = read_cell(folder)
    if is_sealed(folder):
        return EXIT_HOLDS
    if int(os.environ.get("SLURM_NODEID", "0")) > 0:  # the first node keeps the books
        (folder / OUT).mkdir(exist_ok=True)
        return subprocess.run(**invocation(cell, folder), check=False).returncode
    with held(lock_of(folder), wait) as mine:
        if not mine:
            return EXIT_CANNOT_CHECK
        if is_sealed(folder):
            return EXIT_HOLDS
        if tried is not None and len(attempts.read_attempts(folder)) > tried:
            return EXIT_CANNOT_CHECK
        attempts.close_lost(folder)
        return _attempt(cell, folder)


def _attempt(cell: Mapping[str, Any], folder: Path) -> int:
    if not _is_whole(cell, folder):
        attempts.begin(folder, resumes_from(cell, folder))
        try:
            canaries.before(cell)
            (folder / OUT).mkdir(exist_ok=True)
        except (GoldensealError, OSError) as error:
            attempts.end(folder, "failed", str(error))
            return EXIT_CONTRADICTED
        try:
            with _Child(cell, folder) as child:
                code = child.wait()
        except OSError as error:
            attempts.end(folder, "failed", f"it could not be started: {error}")
            return EXIT_CONTRADICTED
        # One that was stopped in its last moment may be whole: then only its seal is lacking.
        if child.stopped and not _is_whole(cell, folder):
            attempts.end(folder, "preempted", "it was told to stop", code, child.stopped)
            return EXIT_CANNOT_CHECK
        if code != 0 and not child.stopped:
            name = signal.Signals(-code).name if code < 0 else ""
            attempts.end(folder, "failed", last_line(folder / OUTPUT), code, name)
            return EXIT_CONTRADICTED
    try:
        with _undisturbed():
            conclude(cell, folder)
    except (GoldensealError, OSError) as error:
        if attempts.read_running(folder) is None and not attempts.read_attempts(folder):
            attempts.begin(folder, None)
        unknown = isinstance(error, CannotCheckError)
        attempts.end(folder, "failed", f"{'could not check: ' if unknown else ''}{error}")
        set_aside(folder)
        return EXIT_CANNOT_CHECK if unknown else EXIT_CONTRADICTED
    return EXIT_HOLDS


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """Sealing goes on to its end when the cell is told to stop: the run is over anyway."""
    before = {number: signal.signal(number, signal.SIG_IGN) for number in STOPPING}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def conclude(cell: Mapping[str, Any], folder: Path) -> None:
    """Hold what the run left against what it should be, and seal it.

    Raises ContradictedError for a log or weights that are not this cell's, CannotCheckError for
    weights that cannot be read here, UsageError or OSError when the disk does not take the seal.
    """
    out = folder / OUT
    read_end(out / cell["log"], cell["seed"], logged_knobs(cell))
    canaries.after(cell, out)
    if cell["checkpoints"]:
        shutil.rmtree(out / cell["checkpoints"], ignore_errors=True)
    lines = read_run_log(out / cell["log"])
    facts = facts_of_run(
        f"{cell['configuration']}-{cell['seed']}",
        cell["seed"],
        lines[0],
        log=f"{OUT}/{cell['log']}",
        knobs=cell["environment"],
        outputs=[f"{OUT}/{name}" for name in cell["outputs"]],
    )
    write_facts(folder, facts)
    if attempts.read_running(folder) is not None:
        attempts.end(folder, "finished", code=0)
    seal(folder)


def logged_knobs(cell: Mapping[str, Any]) -> dict[str, str]:
    """The knobs that the run's log must name: those whose value is no place."""
    return {
        name: text
        for name, text in cell["environment"].items()
        if not text.startswith("/") and text != cell["checkpoints"]
    }


def resumes_from(cell: Mapping[str, Any], folder: Path) -> int | None:
    """The step of the newest checkpoint that is whole by its name; None when there is none."""
    if not cell["checkpoints"]:
        return None
    names = [path.name[5:] for path in (folder / OUT / cell["checkpoints"]).rglob("step-*")]
    return max((int(name) for name in names if name.isascii() and name.isdigit()), default=None)


def set_aside(folder: Path) -> None:
    """Keep what a failed run left, out of the way of the next: nothing of it enters a result."""
    if (folder / OUT).is_dir():
        number = len(attempts.read_attempts(folder))
        os.rename(folder / OUT, folder / f"failed-{number}")
    (folder / RECORD).unlink(missing_ok=True)


def last_line(path: Path) -> str:
    """The last words of a run."""
    lines = path.read_text("utf-8", errors="replace").split("\n") if path.is_file() else []
    return next((line.strip()[:500] for line in reversed(lines) if line.strip()), "no output")


def _is_whole(cell: Mapping[str, Any], folder: Path) -> bool:
    """Whether a run ended before, and only its seal is lacking."""
    try:
        read_end(folder / OUT / cell["log"], cell["seed"], logged_knobs(cell))
    except GoldensealError:
        return False
    return all((folder / OUT / name).is_file() for name in cell["outputs"])


def invocation(cell: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """How the cell's command is started, for subprocess: nothing of our environment but these."""
    kept = {name: os.environ[name] for name in (*INHERITED, *GPU) if name in os.environ}
    if not cell["resources"]["gpus"]:
        kept["CUDA_VISIBLE_DEVICES"] = ""  # what is planned for a CPU meets no GPU by chance
    python = {
        "PYTHONPATH": python_path(Path(cell["cwd"])),
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    threads = dict.fromkeys(THREADS, str(cell["resources"]["cpus"]))  # they decide bytes
    return {
        "args": launched(cell["command"], cell["resources"], os.environ),
        "cwd": folder / OUT,
        "env": {**cell["environment"], **kept, **threads, **python},
        "stdin": subprocess.DEVNULL,
    }


class _Child:
    """The run as a process that does not outlive this one, and is stopped when this one is."""

    def __init__(self, cell: Mapping[str, Any], folder: Path):
        self.cell, self.folder = cell, folder
        self.stopped = ""  # the name of the signal that told us to
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "_Child":
        self.before = {number: signal.signal(number, self._stop) for number in STOPPING}
        libc = ctypes.CDLL(None, use_errno=True)
        self.output = open(self.folder / OUTPUT, "ab")
        self.process = subprocess.Popen(
            **invocation(self.cell, self.folder),
            stdout=self.output,
            stderr=subprocess.STDOUT,
            preexec_fn=lambda: libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL),
        )
        if self.stopped:  # before there was anything to stop
            self.process.terminate()
        return self

    def _stop(self, number: int, frame: Any) -> None:
        self.stopped = signal.Signals(number).name
        if self.process is not None:
            self.process.terminate()

    def wait(self) -> int:
        """The exit status; a stopped run that does not end is killed."""
        process, last = self._running(), time.monotonic()
        while True:
            try:
                return process.wait(POLL)
            except subprocess.TimeoutExpired:
                if not self.stopped:
                    last = time.monotonic()
                elif time.monotonic() - last > PATIENCE:
                    process.kill()

    def _running(self) -> "subprocess.Popen[bytes]":
        if self.process is None:
            raise CannotCheckError("the run was not started")
        return self.process

    def __exit__(self, *args: object) -> None:
        self._running().kill()
        self._running().wait()
        self.output.close()
        for number, handler in self.before.items():
            signal.signal(number, handler)


def main(arguments: list[str]) -> int:
    """One cell, or those of a list that nobody else runs; the worst exit code of all."""
    try:
        if len(arguments) == 2 and arguments[0] == "--list":
            lines = Path(arguments[1]).read_text(encoding="utf-8").splitlines()
            return max((run_listed(*line.split(" ", 1)) for line in lines), default=EXIT_HOLDS)
        if len(arguments) == 3 and arguments[0] == "--under":
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
            if str(os.getppid()) != arguments[1]:
                raise CannotCheckError(f"process {arguments[1]}, which started this, has ended")
            arguments = arguments[2:]
        if len(arguments) != 1:
            raise UsageError(
                "usage: python -m goldenseal.grids.cell FOLDER | --list FILE | --under PID FOLDER"
            )
        return run_cell(Path(arguments[0]))
    except GoldensealError as error:
        print(f"goldenseal: {error}", file=sys.stderr)
        return error.exit_code
    except OSError as error:  # a full disk, say: the attempt stays open and will count as lost
        print(f"goldenseal: {error}", file=sys.stderr)
        return EXIT_CANNOT_CHECK


def run_listed(tried: str, name: str) -> int:
    """A cell of a list, tried so often when the list was made; what another worker of the list runs
    or ran is left to it. A stop ends the whole list.
    """
    folder = Path(name)
    code = run_cell(folder, wait=False, tried=int(tried))
    last = attempts.read_attempts(folder)[-1:]
    if code == EXIT_CANNOT_CHECK and last and last[0]["outcome"] == "preempted":
        raise CannotCheckError(f"{folder.name}: stopped")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""The attempts of a cell: one line each in attempts.jsonl, and running.json while one lasts.

attempts.jsonl, canonical lines: `n`, `job`, `host`, `started`, `ended`, `exit`, `signal`, `outcome`
(finished, failed, preempted or lost), `reason`, `resumed_from_step`. Times are UTC. An attempt that
could not write its own end, since the machine or the process was gone, is closed as `lost` by the
next one; nobody else knows.
"""

import datetime
import os
import socket
from pathlib import Path
from typing import Any

from goldenseal.disk import canonical
from goldenseal.disk.files import atomic_write
from goldenseal.errors import UsageError

ATTEMPTS, RUNNING = "attempts.jsonl", "running.json"


def now() -> str:
    """UTC, to the second."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")


def job_name() -> str:
    """The scheduler's name of this job, an array's element included; empty outside of one."""
    array, element = (os.environ.get(f"SLURM_ARRAY_{part}_ID") for part in ("JOB", "TASK"))
    if array and element:
        return f"{array}_{element}"
    return os.environ.get("SLURM_JOB_ID") or os.environ.get("SUBMITIT_LOCAL_JOB_ID", "")


def read_attempts(folder: Path) -> list[dict[str, Any]]:
    """The attempts that have ended, in order; a line that was cut short is left out.

    Raises UsageError for a line that is no attempt.
    """
    path = folder / ATTEMPTS
    if not path.is_file():
        return []
    found = []
    for number, line in enumerate(path.read_bytes().split(b"\n")[:-1], start=1):
        found.append(canonical.loads(line, f"{path.name}:{number}"))
        if not isinstance(found[-1], dict) or "outcome" not in found[-1]:
            raise UsageError(f"{path}:{number}: expected an attempt with its `outcome`")
    return found


def read_running(folder: Path) -> dict[str, Any] | None:
    """What running.json says; None when no attempt was begun, or none was left open."""
    path = folder / RUNNING
    found = canonical.read(path, RUNNING) if path.is_file() else None
    return found if isinstance(found, dict) else None


def begin(folder: Path, resumed_from_step: int | None) -> None:
    """Write down that an attempt begins here and now."""
    facts = {
        "host": socket.gethostname(),
        "job": job_name(),
        "n": len(read_attempts(folder)) + 1,
        "pid": os.getpid(),
        "resumed_from_step": resumed_from_step,
        "started": now(),
    }
    atomic_write(folder / RUNNING, canonical.dumps(facts))


def end(
    folder: Path, outcome: str, reason: str = "", code: int | None = None, signal: str = ""
) -> None:
    """Close the attempt that was begun: its line is written through to the disk."""
    facts = read_running(folder) or {}
    facts.pop("pid", None)
    line = {**facts, "ended": now(), "exit": code, "outcome": outcome, "reason": reason}
    path = folder / ATTEMPTS
    whole = path.read_bytes().rpartition(b"\n")[:2] if path.is_file() else (b"", b"")
    with open(path, "r+b" if path.is_file() else "wb") as file:
        file.truncate(sum(map(len, whole)))  # a line that was cut short counts for nothing
        file.seek(0, os.SEEK_END)
        file.write(canonical.dumps({**line, "signal": signal}) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    (folder / RUNNING).unlink(missing_ok=True)


def close_lost(folder: Path) -> None:
    """Count an attempt that is open, though nobody runs the cell: call it under the cell's lock."""
    if read_running(folder) is not None:
        end(folder, "lost", "it ended without a word: killed, or its machine is gone")

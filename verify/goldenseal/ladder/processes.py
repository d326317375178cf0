"""Run each of many tasks in a process of its own, some at a time, and hear how each one ended.

A process of its own, because whatever a script does to its process, from a global switch to
`os._exit`, must not reach another task. Forked, so that what is imported here need not be again.
"""

import gc
import multiprocessing
import os
import sys
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection, wait
from typing import Any, Generic, TypeVar

T = TypeVar("T")
LOOK = 1.0  # seconds until we look which processes are over
FORK = multiprocessing.get_context("fork")


@dataclass(frozen=True)
class Ended(Generic[T]):
    """How a task ended: with a value, with an exception, or with neither when its process died.

    seconds: how long it took; late: it was ended since it took too long.
    """

    value: T | None = None
    error: Exception | None = None
    exit_code: int | None = None
    seconds: float = field(default=0.0, compare=False)
    late: bool = False


def in_processes(
    tasks: Sequence[Callable[[], T]],
    at_a_time: int,
    limit: Callable[[int], float] = lambda number: float("inf"),
) -> Generator[tuple[int, Ended[T]], None, None]:
    """(number of the task, how it ended), in the order in which they end.

    Started in the order given. A process that is still running when the caller stops listening is
    killed. What a task prints to standard output goes to standard error. limit: how many seconds a
    task may take, asked for again and again while it runs.
    """
    waiting = list(enumerate(tasks))[::-1]
    running: dict[Connection, tuple[int, Any, float]] = {}
    gc.collect()
    gc.freeze()  # else the first collection of each child copies all of our memory
    sys.stdout.flush()
    sys.stderr.flush()
    try:
        while waiting or running:
            while waiting and len(running) < max(1, at_a_time):
                number, task = waiting.pop()
                here, there = FORK.Pipe(duplex=False)
                process = FORK.Process(target=_child, args=(task, here, there))
                process.start()
                there.close()
                running[here] = number, process, time.monotonic()
            # A process may be over while one that it started, as a worker of a data loader, still
            # holds its end of the pipe: then the pipe says nothing.
            ready = wait(list(running), LOOK)
            for here, (number, process, start) in list(running.items()):
                spent = time.monotonic() - start
                if here in ready or not process.is_alive():
                    del running[here]
                    yield number, replace(_outcome(here, process), seconds=spent)
                elif spent > limit(number):
                    process.kill()
                    process.join()
                    del running[here]
                    yield number, Ended(seconds=spent, late=True)
    finally:
        gc.unfreeze()
        for _, process, _ in running.values():
            process.kill()
            process.join()


def _outcome(here: Connection, process: Any) -> Ended[Any]:
    try:
        if not process.is_alive() and not here.poll():
            raise EOFError
        ended: Ended[Any] = here.recv()
    except EOFError:
        process.join()
        return Ended(exit_code=process.exitcode)
    finally:
        here.close()
    process.join()
    return ended


def _child(task: Callable[[], T], here: Connection, there: Connection) -> None:
    here.close()
    os.dup2(2, 1)
    try:
        ended = Ended(value=task())
    except Exception as error:
        ended = Ended(error=error)
    there.send(ended)
    there.close()

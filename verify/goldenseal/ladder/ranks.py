"""The other ranks of a recorded run: real processes that run the same script beside it.

What one rank of several does cannot be seen in one process, and a collective without peers never
ends. So the peers are forked, find each other through a file (no port can be taken), and each runs
the script's own entry point and hands over what it recorded.
"""

import contextlib
import datetime
import multiprocessing
import os
import warnings
from collections.abc import Callable, Iterator, Mapping
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, TypeVar
from unittest import mock

from goldenseal.errors import CannotCheckError

PATIENCE = 300  # seconds that a collective waits for a peer: of a slow machine, not of a dead one

T = TypeVar("T")


def rank_variables(rank: int, ranks: int) -> dict[str, str]:
    """What a launcher tells a process of its place."""
    return {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(ranks)}


@contextlib.contextmanager
def meeting(place: Path) -> Iterator[None]:
    """Inside, a process group meets through the file `place`, on this machine's loopback."""
    import torch.distributed as dist

    real = dist.init_process_group

    def init(backend: str | None = None, **options: Any) -> None:
        real(
            backend,
            init_method=place.as_uri(),
            rank=int(os.environ["RANK"]),
            world_size=int(os.environ["WORLD_SIZE"]),
            timeout=datetime.timedelta(seconds=PATIENCE),
        )

    loopback = mock.patch.dict(os.environ, {"GLOO_SOCKET_IFNAME": "lo"})
    with mock.patch.object(dist, "init_process_group", init), loopback, warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # of torch, about the script's own calls
        yield


@contextlib.contextmanager
def peers(
    run: Callable[[], T], ranks: int, variables: Mapping[str, str], folder: Path
) -> Iterator[Callable[[], list[T]]]:
    """Inside, this process is the last of `ranks`; each of the others performs `run`.

    Gives a function that waits for the others and returns what `run` returned to each, by rank.
    Alone, nothing is done. Each has a folder of its own below `folder`. On leaving, a peer that is
    still there is ended. The function raises CannotCheckError when a peer is still running long
    after the last rank has ended well, or has ended without a result.
    """
    place = folder / "meeting"
    if ranks == 1:
        # Launched alone, it still meets itself, and through a port another run would be in its way.
        with meeting(place) if "WORLD_SIZE" in variables else contextlib.nullcontext():
            yield list
        return
    context = multiprocessing.get_context("fork")
    others: list[tuple[Any, Connection]] = []
    for rank in range(ranks - 1):
        home = folder / f"rank{rank}"
        home.mkdir()
        here, there = context.Pipe(duplex=False)
        arguments = (run, {**variables, **rank_variables(rank, ranks)}, home, place, there)
        process = context.Process(target=_perform, args=arguments)
        process.start()
        there.close()  # ours: when the peer's closes, nothing more will come
        others.append((process, here))

    def collect() -> list[T]:
        results = []
        for rank, (process, here) in enumerate(others):
            if not here.poll(PATIENCE):
                raise CannotCheckError("another rank was still running when the last had ended")
            try:
                results.append(here.recv())
            except EOFError:
                process.join()
                raise CannotCheckError(
                    f"rank {rank} ended with exit code {process.exitcode} and left no recording"
                ) from None
        return results

    try:
        with mock.patch.dict(os.environ, rank_variables(ranks - 1, ranks)), meeting(place):
            yield collect
    finally:
        for process, here in others:
            process.kill()
            process.join()
            here.close()


def _perform(
    run: Callable[[], T], variables: dict[str, str], home: Path, place: Path, there: Connection
) -> None:
    """One peer, in silence."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(nowhere, stream)
    os.environ.update(variables)
    os.chdir(home)
    with meeting(place), contextlib.redirect_stdout(open(os.devnull, "w")):
        result = run()
    there.send(result)

"""Libraries that a command is recorded with: torch's data loader, its compiler, tracebacks."""

import contextlib
import functools
import itertools
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

import torch
from torch.utils.data import DataLoader

from goldenseal.ladder.launch import place_of

__all__ = ["compiling_nothing", "loaders_watched", "place_of"]


@contextlib.contextmanager
def loaders_watched(take: Callable[[dict[str, str]], None], most: int = 0) -> Iterator[None]:
    """Hand over how each pass through a data loader draws its batches.

    most: after so many batches a pass is over; 0: when there are no more.
    """
    real = DataLoader.__iter__

    @functools.wraps(real)
    def __iter__(loader: Any) -> Any:
        with contextlib.suppress(Exception):
            take(facts_of(loader))
        batches = real(loader)
        return itertools.islice(batches, most) if most else batches

    with mock.patch.object(DataLoader, "__iter__", __iter__):
        yield


def facts_of(loader: Any) -> dict[str, str]:
    """What decides which samples come together, and in which order; not how many workers fetch."""
    batches = loader.batch_sampler
    while getattr(batches, "batch_sampler", None) is not None:  # a library's own, around it
        batches = batches.batch_sampler
    sampler = getattr(batches, "sampler", loader.sampler)
    facts = {
        "batch size": str(getattr(batches, "batch_size", loader.batch_size)),
        "drops the last": str(getattr(batches, "drop_last", loader.drop_last)),
        "sampler": type(sampler).__name__,
    }
    for name, value in sorted(vars(sampler).items()):
        if not name.startswith("_") and isinstance(value, bool | int | float | str):
            facts[f"sampler's {name}"] = str(value)
    with contextlib.suppress(TypeError):
        facts["samples"] = str(len(loader.dataset))
    return facts


@contextlib.contextmanager
def compiling_nothing() -> Iterator[None]:
    """Inside, what is compiled runs eagerly: a compiler's kernels are no fact of the script."""
    from torch._dynamo import config  # loaded by the first optimizer anyway

    real = torch.compile

    @functools.wraps(real)
    def compile(*args: Any, **kwargs: Any) -> Any:
        # Of the default backend alone the import takes longer than most recorded runs.
        return real(*args, **{**kwargs, "backend": "eager"})

    with mock.patch.object(config, "disable", True), mock.patch.object(torch, "compile", compile):
        yield

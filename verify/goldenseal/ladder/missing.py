"""What a run asked for in vain, and lies in the user's folder: data that git does not keep.

A script may look whether a file is there, and go another way: to a download, or to an error of its
own.
"""

import contextlib
import functools
import os
from collections.abc import Iterator
from typing import Any
from unittest import mock


@contextlib.contextmanager
def missing_watched(missed: list[str]) -> Iterator[None]:
    """Inside, add each path that is asked for and is not there to `missed`, as it was given."""
    real = os.stat

    @functools.wraps(real)
    def stat(path: Any, *args: Any, **kwargs: Any) -> os.stat_result:
        try:
            return real(path, *args, **kwargs)
        except (FileNotFoundError, NotADirectoryError):
            with contextlib.suppress(TypeError):
                missed.append(os.fsdecode(path))
            raise

    with mock.patch.object(os, "stat", stat):
        yield


def found_outside(
    error: BaseException, missed: list[str], start: str, origin: str
) -> Iterator[str]:
    """Of what led to an error, or was asked for before it, what `origin` has; the last first.

    start: where the command was started. origin: the user's folder that this is a copy of. Paths
    are relative to `start`.
    """
    names, link = list[str](), error
    for _ in range(8):
        if isinstance(link, FileNotFoundError) and isinstance(link.filename, str):
            names.append(link.filename)
        link = link.__cause__ or link.__context__ or link
    for name in dict.fromkeys([*names, *missed[::-1]]):
        place = os.path.relpath(os.path.join(start, name), start)
        here, there = os.path.join(start, place), os.path.join(origin, place)
        if os.path.exists(there) and not os.path.exists(here):
            yield place

"""Leak canaries of a cell, before and after it runs; torch and numpy are not needed.

Before: the data is there, to the byte what it was when the sweep was launched, and no two of its
files hold the same bytes, as a training shard copied over the validation one would. After: the data
is still that, the log does not say that its data was made up, and the weights are tensors, whole,
not all zero, and reload to the digest that the log gives of the trained state. What is intact but
cannot be compared is an error of its own, CannotCheckError.
"""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from goldenseal.compare.tensors import any_nonzero, read_tensors, weights_digest
from goldenseal.disk.files import hash_file
from goldenseal.errors import ContradictedError, GoldensealError, UsageError
from goldenseal.runlog import run_log_lines

WEIGHTS = ".safetensors"
SYNTHETIC = "synthetic"  # the key under which a system says in its log that it made up its data
UNSET = (False, 0, "0", "", None)


def before(cell: Mapping[str, Any]) -> None:
    """Raise ContradictedError, one line, unless the cell's data is there, its own, and distinct."""
    check_data(cell["data"])


def after(cell: Mapping[str, Any], out: Path) -> None:
    """The same, then of what the cell wrote into `out`: its log and its weights."""
    check_data(cell["data"])
    state = trained_state(out / cell["log"])
    for name in cell["outputs"]:
        path = out / name
        if not path.is_file() or path.is_symlink():
            raise ContradictedError(f"{name}: the cell ended, and this output is not there")
        if name.endswith(WEIGHTS):
            check_weights(path, state)


def check_data(data: Mapping[str, str]) -> None:
    """Hold files (SHA-512 by path) against their digests, and against each other.

    Raises ContradictedError naming the file.
    """
    if not data:
        raise ContradictedError("the cell names no data: what it trained on would not be known")
    owner: dict[str, str] = {}
    for path, digest in sorted(data.items()):
        name = os.path.basename(path)
        if other := owner.get(digest):
            raise ContradictedError(
                f"{name} and {other} hold the same bytes: validation data would be training data"
            )
        owner[digest] = name
        try:
            found = hash_file(Path(path))
        except GoldensealError as error:
            raise ContradictedError(f"data: {error}") from None
        if found != digest:
            raise ContradictedError(
                f"{path} is not the data that the sweep was launched with: it is {found[:16]}, "
                f"planned {digest[:16]}"
            )


def trained_state(log: Path) -> str | None:
    """The digest of the trained weights that a log names, if it names one.

    Raises ContradictedError when the log says that its data was made up, or its chain breaks.
    """
    state = None
    for line in run_log_lines(log):
        for place, value in _leaves(line):
            if place[-1] == SYNTHETIC and value not in UNSET:
                raise ContradictedError(
                    f"{log.name}: {'.'.join(place)} is {value!r}: the run fell back to data that "
                    "was made up"
                )
        if line["kind"] == "trained" and isinstance(line.get("state"), dict):
            state = line["state"].get("model")
    return state if isinstance(state, str) else None


def _leaves(value: Any, place: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(inner, (*place, str(key).lower()))
    elif place:
        yield place, value


def check_weights(path: Path, state: str | None) -> None:
    """Hold a safetensors file against the digest of the trained state, if the log names it.

    Raises ContradictedError unless the file is whole, not all zero, and of `state`;
    CannotCheckError when it holds what cannot be read here, or what torch cannot load.
    """
    try:
        tensors = read_tensors(path)
    except UsageError as error:
        raise ContradictedError(str(error)) from None
    if not any(tensor.end > tensor.start for tensor in tensors):
        raise ContradictedError(f"{path.name} holds no tensor, or empty ones only")
    if not any_nonzero(path):
        raise ContradictedError(f"{path.name}: every byte of every tensor is zero, but for signs")
    if state is not None and (found := weights_digest(path)) != state:
        raise ContradictedError(
            f"{path.name} reloads to the digest {found[:16]}, the log says {state[:16]}"
        )

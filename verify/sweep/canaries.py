"""Leak canaries of a cell, before and after it runs; torch and numpy are not needed.

Before: the data is there, to the byte what it was when the sweep was launched, and no two of its
files hold the same bytes, as a training shard copied over the validation one would. After: the data
is still that, the log does not say that its data was made up, and the weights are tensors, whole,
not all zero, and reload to the digest that the log gives of the trained state.
"""

import itertools
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from verify.errors import ContradictedError, GoldensealError
from verify.files import CHUNK, hash_file, open_regular
from verify.runlog import run_log_lines
from verify.tensors import Tensor, read_tensors, weights_digest

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
    """Raise ContradictedError unless a safetensors file is whole, not all zero, and of `state`.

    The tensors must lie side by side up to the file's last byte.
    """
    try:
        tensors = read_tensors(path)
    except GoldensealError as error:
        raise ContradictedError(str(error)) from None
    if not any(tensor.end > tensor.start for tensor in tensors):
        raise ContradictedError(f"{path.name} holds no tensor")
    for one, other in itertools.pairwise(tensors):
        if one.end != other.start:
            raise ContradictedError(
                f"{path.name}: {other.name} does not begin where {one.name} ends"
            )
    if tensors[-1].end != path.stat().st_size:
        raise ContradictedError(f"{path.name} goes on after its last tensor")
    if not _any_nonzero(path, tensors):
        raise ContradictedError(f"{path.name}: every byte of every tensor is zero")
    if state is not None and (found := weights_digest(path)) != state:
        raise ContradictedError(
            f"{path.name} reloads to the digest {found[:16]}, the log says {state[:16]}"
        )


def _any_nonzero(path: Path, tensors: list[Tensor]) -> bool:
    with open_regular(path) as file:
        file.seek(tensors[0].start)
        while chunk := file.read(CHUNK):
            if chunk.strip(b"\0"):
                return True
    return False

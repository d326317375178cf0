"""Leak canaries of a cell, before and after it runs. No torch: files are hashed, headers are read.

Before: the data is there, to the byte what it was when the sweep was launched, and no two of its
files hold the same bytes, as a training shard copied over the validation one would. After: the data
is still that, the log tells of this cell, and each weights file holds tensors that are not empty,
not past the file's end, and, where the log names the digest of the exported weights, those.
"""

import json
import math
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from verify.errors import ContradictedError, GoldensealError
from verify.files import hash_file, open_regular

MAX_HEADER_BYTES = 100 * 1024 * 1024  # of safetensors itself
BYTES = {
    "BOOL": 1,
    "U8": 1,
    "I8": 1,
    "F8_E4M3": 1,
    "F8_E5M2": 1,
    "I16": 2,
    "U16": 2,
    "F16": 2,
    "BF16": 2,
    "I32": 4,
    "U32": 4,
    "F32": 4,
    "I64": 8,
    "U64": 8,
    "F64": 8,
}
WEIGHTS = ".safetensors"
SYNTHETIC = "synthetic"  # what a system that makes up its data writes into its log's header


def before(cell: Mapping[str, Any]) -> None:
    """Raise ContradictedError, one line, unless the cell's data is there, is its own and differs."""
    check_data(cell["data"])


def after(cell: Mapping[str, Any], out: Path) -> None:
    """The same, then of what the cell wrote into `out`: its log's header and its weights."""
    check_data(cell["data"])
    check_log(out / cell["log"])
    for name in cell["outputs"]:
        path = out / name
        if not path.is_file() or path.is_symlink():
            raise ContradictedError(f"{name}: the cell ended, and this output is not there")
        if name.endswith(WEIGHTS):
            check_weights(path)


def check_data(data: Mapping[str, str]) -> None:
    """Hold files (SHA-512 by path) against their digests, and against each other."""
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
                f"{path} is not the data that the sweep was launched with: {found[:16]}, planned "
                f"{digest[:16]}"
            )


def check_log(log: Path) -> None:
    """Raise ContradictedError when a log says that its data was made up."""
    from verify.runlog import run_log_lines

    for line in run_log_lines(log):
        for place, value in _leaves(line):
            if place[-1:] == (SYNTHETIC,) and value not in (False, 0, "0", "", None):
                raise ContradictedError(
                    f"{log.name}: {'.'.join(map(str, place))} is {value!r}: the run fell back to "
                    "data that was made up"
                )


def _leaves(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(inner, (*place, str(key).lower()))
    else:
        yield place, value


def check_weights(path: Path) -> dict[str, int]:
    """Bytes by tensor of a safetensors file. Raises ContradictedError unless it is a whole one.

    The header is read by its published form, and nothing else is interpreted. Every tensor must lie
    in the file, the tensors side by side from its first byte to its last; one at least must hold a
    byte other than zero.
    """
    header, size = _header(path)
    tensors = {name: entry for name, entry in header.items() if name != "__metadata__"}
    if not tensors:
        raise ContradictedError(f"{path.name} holds no tensor")
    spans = sorted((_span(path.name, name, entry), name) for name, entry in tensors.items())
    end = 0
    for (first, last), name in spans:
        if first != end:
            raise ContradictedError(f"{path.name}: {name} begins at {first}, expected {end}")
        end = last
    if end != size:
        raise ContradictedError(
            f"{path.name}: its tensors take {end} bytes, the file has {size}: it was cut short"
        )
    if not _any_nonzero(path, size):
        raise ContradictedError(f"{path.name}: every byte of every tensor is zero")
    return {name: last - first for (first, last), name in spans}


def _header(path: Path) -> tuple[dict[str, Any], int]:
    """(header, bytes after it)."""
    with open_regular(path) as file:
        total = os.fstat(file.fileno()).st_size
        length = int.from_bytes(file.read(8), "little")
        if total < 8 or length > min(MAX_HEADER_BYTES, total - 8):
            raise ContradictedError(f"{path.name} is no safetensors file, or was cut short")
        try:
            header = json.loads(file.read(length))
        except (ValueError, RecursionError):
            raise ContradictedError(f"{path.name}: its header is no JSON") from None
    if not isinstance(header, dict):
        raise ContradictedError(f"{path.name}: its header is no JSON object")
    return header, total - 8 - length


def _span(file: str, name: str, entry: Any) -> tuple[int, int]:
    """Where a tensor's bytes begin and end."""
    try:
        first, last = entry["data_offsets"]
        shape, width = entry["shape"], BYTES[entry["dtype"]]
        whole = all(type(n) is int and n >= 0 for n in (first, last, *shape))
    except (TypeError, KeyError, ValueError):
        whole = False
    if not whole or last - first != math.prod(shape) * width:
        raise ContradictedError(f"{file}: {name} is no tensor of a known type, shape and place")
    return first, last


def _any_nonzero(path: Path, size: int) -> bool:
    with open_regular(path) as file:
        file.seek(-size, os.SEEK_END)
        while chunk := file.read(1 << 20):
            if chunk.strip(b"\0"):
                return True
    return False

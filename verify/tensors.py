"""Safetensors files by their bytes: which tensor differs first, without numpy or torch.

A file is a 64-bit little-endian length, that much JSON (by tensor: dtype, shape, offsets), and the
tensors' bytes. <https://github.com/huggingface/safetensors#format>
"""

import hashlib
import os
import struct
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import Any

from verify import canonical
from verify.errors import UsageError
from verify.files import CHUNK, open_regular

# Bytes of an element, and how `struct` reads one; BF16 is the upper half of an F32.
DTYPES = {
    "BOOL": (1, "?"),
    "U8": (1, "B"),
    "I8": (1, "b"),
    "U16": (2, "H"),
    "I16": (2, "h"),
    "F16": (2, "e"),
    "BF16": (2, ""),
    "U32": (4, "I"),
    "I32": (4, "i"),
    "F32": (4, "f"),
    "U64": (8, "Q"),
    "I64": (8, "q"),
    "F64": (8, "d"),
}
TORCH_NAMES = {
    "BOOL": "torch.bool",
    "U8": "torch.uint8",
    "I8": "torch.int8",
    "U16": "torch.uint16",
    "I16": "torch.int16",
    "F16": "torch.float16",
    "BF16": "torch.bfloat16",
    "U32": "torch.uint32",
    "I32": "torch.int32",
    "F32": "torch.float32",
    "U64": "torch.uint64",
    "I64": "torch.int64",
    "F64": "torch.float64",
}


@dataclass(frozen=True)
class Tensor:
    """Where a tensor lies in its file."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    start: int
    end: int


def tensor_difference(sealed: Path, new: Path) -> str | None:
    """The first differing tensor in file order with both values, or why there is none to name.

    None when the tensors are equal and only what is around them differs. Raises UsageError when
    the sealed file is not in the format.
    """
    with open_regular(sealed) as a, open_regular(new) as b:
        ours = _read_header(a, sealed.name)
        try:
            theirs = {tensor.name: tensor for tensor in _read_header(b, new.name)}
        except UsageError as error:
            return f"is broken: {error}"
        for tensor in ours:
            other = theirs.pop(tensor.name, None)
            if other is None:
                return f"tensor {tensor.name!r} is missing"
            if (tensor.dtype, tensor.shape) != (other.dtype, other.shape):
                return (
                    f"tensor {tensor.name!r} is {other.dtype}{list(other.shape)}, "
                    f"sealed {tensor.dtype}{list(tensor.shape)}"
                )
            found = _first_element(a, tensor, b, other)
            if found:
                return found
    return f"tensor {min(theirs)!r} is new" if theirs else None


def read_tensors(path: Path) -> list[Tensor]:
    """The tensors of a file, in file order. Raises UsageError when it is not in the format."""
    with open_regular(path) as file:
        return _read_header(file, path.name)


def weights_digest(path: Path) -> str:
    """The digest of a file's tensors: what `digest.tensor_digest` gives for them once loaded.

    Raises UsageError when it is not in the format.
    """
    h = hashlib.sha512()
    with open_regular(path) as file:
        tensors = _read_header(file, path.name)
        for tensor in sorted(tensors, key=lambda tensor: tensor.name):
            h.update(f"{tensor.name}\0{TORCH_NAMES[tensor.dtype]}\0{tensor.shape}\0".encode())
            file.seek(tensor.start)
            for done in range(tensor.start, tensor.end, CHUNK):
                h.update(file.read(min(CHUNK, tensor.end - done)))
    return h.hexdigest()


def _read_header(file: BufferedReader, where: str) -> list[Tensor]:
    size = os.fstat(file.fileno()).st_size
    prefix = file.read(8)
    length = int.from_bytes(prefix, "little")
    if len(prefix) < 8 or length > min(size - 8, canonical.MAX_BYTES):
        raise UsageError(f"{where}: not a safetensors file: its header is cut short or too long")
    header = canonical.loads(file.read(length), f"{where}: header")
    if not isinstance(header, dict):
        raise UsageError(f"{where}: the header is not a JSON object")
    base = 8 + length
    tensors = [
        _read_entry(name, entry, base, size, where)
        for name, entry in header.items()
        if name != "__metadata__"
    ]
    return sorted(tensors, key=lambda tensor: (tensor.start, tensor.name))


def _read_entry(name: str, entry: Any, base: int, size: int, where: str) -> Tensor:
    facts = entry if isinstance(entry, dict) else {}
    dtype, shape, offsets = (facts.get(key) for key in ("dtype", "shape", "data_offsets"))
    count = 1
    for extent in shape if isinstance(shape, list) else [None]:
        if type(extent) is not int or extent < 0:
            raise UsageError(f"{where}: tensor {name!r} has no shape")
        count *= extent
    if not isinstance(dtype, str) or dtype not in DTYPES:
        raise UsageError(f"{where}: tensor {name!r} has a dtype other than {sorted(DTYPES)}")
    if not isinstance(offsets, list) or [type(offset) for offset in offsets] != [int, int]:
        raise UsageError(f"{where}: tensor {name!r} has no data_offsets")
    start, end = offsets
    if start < 0 or end - start != count * DTYPES[dtype][0] or base + end > size:
        raise UsageError(f"{where}: tensor {name!r} lies outside the file, or its size is wrong")
    return Tensor(name, dtype, tuple(shape or ()), base + start, base + end)


def _first_element(
    a: BufferedReader, tensor: Tensor, b: BufferedReader, other: Tensor
) -> str | None:
    width = DTYPES[tensor.dtype][0]  # CHUNK is a multiple of every width
    a.seek(tensor.start)
    b.seek(other.start)
    for done in range(0, tensor.end - tensor.start, CHUNK):
        count = min(CHUNK, tensor.end - tensor.start - done)
        x, y = a.read(count), b.read(count)
        if x != y:
            at = next(i for i in range(0, count, width) if x[i : i + width] != y[i : i + width])
            old, now = (_element(tensor.dtype, part[at : at + width]) for part in (x, y))
            return f"tensor {tensor.name!r}[{(done + at) // width}] is {now}, sealed {old}"
    return None


def _element(dtype: str, raw: bytes) -> str:
    if dtype == "BF16":
        return _element("F32", b"\0\0" + raw)
    value = struct.unpack(f"<{DTYPES[dtype][1]}", raw)[0]
    return f"{value.hex()} ({value:.9g})" if isinstance(value, float) else str(value)

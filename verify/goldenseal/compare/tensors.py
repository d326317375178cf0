"""Safetensors files by their bytes: which tensor differs first, without numpy or torch.

A file is a 64-bit little-endian length, that much JSON (by tensor: dtype, shape, offsets), and the
tensors' bytes, side by side to the end. <https://github.com/huggingface/safetensors#format>
"""

import hashlib
import os
import re
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import Any

from goldenseal.compare.elements import ELEMENTS, Element, differing, index, shown
from goldenseal.disk import canonical
from goldenseal.disk.files import CHUNK, open_regular
from goldenseal.errors import CannotCheckError, UsageError

MAX_HEADER = 100_000_000  # bytes, in safetensors; of those, canonical.MAX_BYTES are read here
MAX_BITS = 2**64  # of a tensor: safetensors counts them, and its elements, in 64 bits
DTYPE = re.compile("[A-Z][A-Z0-9_]{0,31}")


@dataclass(frozen=True)
class Tensor:
    """Where a tensor lies in its file."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    start: int
    end: int

    @property
    def element(self) -> Element:
        """Of what it is made."""
        return ELEMENTS[self.dtype]


def tensor_difference(sealed: Path, new: Path) -> str | None:
    """The first differing tensor in file order with both values, or why there is none to name.

    None when the tensors are equal and only what is around them differs. Raises UsageError when
    the sealed file is not in the format, CannotCheckError when one of them may be, but holds what
    is not read here.
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
            element = _first_element(a, tensor, b, other)
            if element:
                return element
    return f"tensor {min(theirs)!r} is new" if theirs else None


def read_tensors(path: Path) -> list[Tensor]:
    """The tensors of a file, in file order; they lie side by side from its header to its end.

    Raises UsageError when it is not in the format, CannotCheckError when it may be, but is of a
    dtype or a size that is not read here.
    """
    with open_regular(path) as file:
        return _read_header(file, path.name)


def weights_digest(path: Path) -> str:
    """The digest of a file's tensors: what `digest.tensor_digest` gives for them once loaded.

    Raises UsageError when it is not in the format, CannotCheckError when torch cannot load it.
    """
    h = hashlib.sha512()
    with open_regular(path) as file:
        tensors = _read_header(file, path.name)
        for tensor in sorted(tensors, key=lambda tensor: tensor.name):
            dtype, shape = _in_torch(tensor, path.name)
            h.update(f"{tensor.name}\0{dtype}\0{shape}\0".encode())
            file.seek(tensor.start)
            for done in range(tensor.start, tensor.end, CHUNK):
                h.update(file.read(min(CHUNK, tensor.end - done)))
    return h.hexdigest()


def any_nonzero(path: Path) -> bool:
    """Whether a number in the file is neither 0 nor -0. Raises as `read_tensors` does."""
    with open_regular(path) as file:
        for tensor in _read_header(file, path.name):
            size = tensor.end - tensor.start
            file.seek(tensor.start)
            for done in range(0, size, CHUNK):
                chunk = file.read(min(CHUNK, size - done))
                if chunk.strip(b"\0") and _without_signs(tensor.element, chunk):
                    return True
    return False


def _without_signs(element: Element, chunk: bytes) -> int:
    """The bits of the numbers but their signs, all in one number: 0 when each is 0 or -0."""
    signs = element.signs * (len(chunk) // len(element.signs))
    return int.from_bytes(chunk, "little") & ~int.from_bytes(signs, "little")


def _in_torch(tensor: Tensor, where: str) -> tuple[str, tuple[int, ...]]:
    """torch's names of the dtype and the shape. An F4 pair is one element there."""
    shape = tensor.shape
    if tensor.element.torch is None or (tensor.dtype == "F4" and shape[-1] % 2):
        raise CannotCheckError(
            f"{where}: tensor {tensor.name!r} is {tensor.dtype}{list(shape)}, which torch cannot "
            "hold: its digest, that of the loaded tensors, is not known"
        )
    if tensor.dtype == "F4":
        shape = (*shape[:-1], shape[-1] // 2)
    return f"torch.{tensor.element.torch}", shape


def _read_header(file: BufferedReader, where: str) -> list[Tensor]:
    size = os.fstat(file.fileno()).st_size
    prefix = file.read(8)
    length = int.from_bytes(prefix, "little")
    if len(prefix) < 8 or length > min(size - 8, MAX_HEADER):
        raise UsageError(f"{where}: not a safetensors file: its header is cut short or too long")
    if length > canonical.MAX_BYTES:
        raise CannotCheckError(
            f"{where}: a header of {length} bytes, at most {canonical.MAX_BYTES} are read"
        )
    text = file.read(length)
    header = canonical.loads(text, f"{where}: header")
    if not isinstance(header, dict) or not text.startswith(b"{"):
        raise UsageError(f"{where}: the header is not a JSON object from its first byte on")
    notes = header.pop("__metadata__", None)
    if notes is not None and not (
        isinstance(notes, dict) and all(isinstance(note, str) for note in notes.values())
    ):
        raise UsageError(f"{where}: __metadata__ is no map of texts to texts")
    base = 8 + length
    tensors = [_read_entry(name, entry, base, size, where) for name, entry in header.items()]
    # An empty tensor begins where the next one does, and lies before it.
    tensors.sort(key=lambda tensor: (tensor.start, tensor.end, tensor.name))
    _refuse_holes(tensors, base, size, where)
    return tensors


def _refuse_holes(tensors: list[Tensor], base: int, size: int, where: str) -> None:
    end, before = base, "the header"
    for tensor in tensors:
        if tensor.start != end:
            raise UsageError(f"{where}: {tensor.name!r} does not begin where {before} ends")
        end, before = tensor.end, repr(tensor.name)
    if end != size:
        raise UsageError(f"{where} goes on after its last tensor")


def _read_entry(name: str, entry: Any, base: int, size: int, where: str) -> Tensor:
    facts = entry if isinstance(entry, dict) else {}
    dtype, shape, offsets = (facts.get(key) for key in ("dtype", "shape", "data_offsets"))
    if not isinstance(dtype, str) or not DTYPE.fullmatch(dtype):
        raise UsageError(f"{where}: tensor {name!r} has no dtype, such as F32")
    if dtype not in ELEMENTS:  # not contradicted: a later safetensors may write it
        raise CannotCheckError(
            f"{where}: tensor {name!r} has the dtype {dtype}; read are {', '.join(ELEMENTS)}"
        )
    bits = _count(name, shape, where) * ELEMENTS[dtype].bits
    if not isinstance(offsets, list) or [type(offset) for offset in offsets] != [int, int]:
        raise UsageError(f"{where}: tensor {name!r} has no data_offsets")
    start, end = offsets
    if start < 0 or bits >= MAX_BITS or (end - start) * 8 != bits or base + end > size:
        raise UsageError(f"{where}: tensor {name!r} lies outside the file, or its size is wrong")
    return Tensor(name, dtype, tuple(shape or ()), base + start, base + end)


def _count(name: str, shape: Any, where: str) -> int:
    """How many elements a shape has."""
    count = 1
    for extent in shape if isinstance(shape, list) else [None]:
        if type(extent) is not int or extent < 0:
            raise UsageError(f"{where}: tensor {name!r} has no shape")
        count *= extent
        if count >= MAX_BITS:
            raise UsageError(f"{where}: tensor {name!r} has more elements than 64 bits can count")
    return count


def _first_element(
    a: BufferedReader, tensor: Tensor, b: BufferedReader, other: Tensor
) -> str | None:
    element, size = tensor.element, tensor.end - tensor.start
    step = CHUNK - CHUNK % element.unit
    a.seek(tensor.start)
    b.seek(other.start)
    for done in range(0, size, step):
        x, y = (file.read(min(step, size - done)) for file in (a, b))
        at = differing(element, x, y)
        if at is not None:
            old, now = (shown(element, part[at : at + element.unit]) for part in (x, y))
            return f"tensor {tensor.name!r}{index(element, done + at)} is {now}, sealed {old}"
    return None

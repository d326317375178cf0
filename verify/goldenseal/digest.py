"""Canonical digests of named tensors, never of checkpoint files, whose headers are not stable."""

import hashlib
import re
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn.parameter import is_lazy

from goldenseal.errors import CannotCheckError

functorch: Any = torch._C._functorch
ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
WHOLE = re.compile(r"""(?<![\w.'"])(-?\d+)\.0(?![\w.'"])""")  # no part of a name, nor of a text


def tensor_bytes(t: Tensor) -> bytes:
    """The tensor's elements in C order, little-endian; of a sparse one, those of its dense form.

    Raises CannotCheckError on a big-endian machine, whose in-memory bytes are other ones.
    """
    if sys.byteorder != "little":
        raise CannotCheckError("digests need a little-endian machine")
    t = unwrapped(t)
    if t.layout != torch.strided:
        t = t.to_dense()
    # A conjugate or negated view has its values in a flag, not in its bytes.
    flat = t.detach().cpu().resolve_conj().resolve_neg().contiguous().reshape(-1)
    return flat.view(torch.uint8).numpy().tobytes()


def has_values(value: Any) -> bool:
    """Whether it is a tensor, no mere shape, nor that of a lazy module before its first call."""
    return isinstance(value, Tensor) and not is_lazy(value) and value.device.type != "meta"


def unwrapped(t: Tensor) -> Tensor:
    """The tensor behind those that stand for it inside `vmap` or `grad` of torch.func."""
    while functorch.is_functorch_wrapped_tensor(t):
        t = functorch.get_unwrapped(t)
    return t


def tensor_digest(named: Mapping[str, Tensor]) -> str:
    """SHA-512, in hex, over name, dtype, shape and bytes of each tensor in sorted name order."""
    h = hashlib.sha512()
    for name in sorted(named):
        t = named[name]
        h.update(f"{name}\0{t.dtype}\0{tuple(t.shape)}\0".encode())
        h.update(tensor_bytes(t))
    return h.hexdigest()


def published_digest(named: Mapping[str, Tensor]) -> str:
    """SHA-256 in the form used in the literature, kept for comparison with published figures.

    Over sorted names: name, `str(tuple(shape))`, `str(dtype)`, raw bytes, without separators.
    """
    h = hashlib.sha256()
    for name in sorted(named):
        t = named[name]
        h.update(f"{name}{tuple(t.shape)}{t.dtype}".encode())
        h.update(tensor_bytes(t))
    return h.hexdigest()


def short(value: Any) -> str:
    """A fact's text: a number as it is, a tensor as shape, dtype and the start of its digest."""
    if isinstance(value, Tensor):
        if not has_values(value):
            return "no values yet" if value.device.type == "meta" else "not initialized yet"
        digest = hashlib.sha512(tensor_bytes(value)).hexdigest()[:16]
        return f"{str(value.dtype).removeprefix('torch.')}{list(value.shape)}:{digest}"
    if isinstance(value, str):
        return ADDRESS.sub("", value)
    # A list of a configuration file is torch's tuple.
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray | range):
        return f"({', '.join(map(short, value))})"
    if isinstance(value, float) and not value.is_integer():
        return value.hex()
    # An object's address is no fact of a run.
    return whole_numbers(ADDRESS.sub("", str(value)))


def whole_numbers(text: str) -> str:
    """Plain values with `0.0` as `0`: the one is a default of torch, the other of an option."""
    return WHOLE.sub(r"\1", text)

"""docs/tensor-digest.md once more, from the page alone: NumPy, and nothing of this project."""

import hashlib

import numpy as np

# What NumPy has no type for is given as the unsigned integers that hold its bits.
BITS = {"bfloat16": np.uint16, "float8_e4m3fn": np.uint8, "float8_e5m2": np.uint8}


def digest(tensors):
    """SHA-512 of {name: (type as PyTorch spells it, array)}."""
    stream = hashlib.sha512()
    for name in sorted(tensors, key=lambda text: text.encode("utf-8")):
        spelled, array = tensors[name]
        kind = spelled.removeprefix("torch.")
        wanted = np.dtype(BITS.get(kind, kind)).newbyteorder("<")
        if "\0" in name or array.dtype.newbyteorder("<") != wanted:
            raise ValueError(f"{name!r}: {array.dtype} is no {spelled}")
        shape = "({})".format(", ".join(map(str, array.shape)) + "," * (array.ndim == 1))
        for text in (name, spelled, shape):
            stream.update(text.encode("utf-8") + b"\0")
        stream.update(array.astype(wanted).tobytes(order="C"))
    return stream.hexdigest()


def from_hex(kind, shape, elements):
    """(type, array) of a vector: its elements as hexadecimal digits."""
    name = kind.removeprefix("torch.")
    flat = np.frombuffer(bytes.fromhex(elements), np.dtype(BITS.get(name, name)).newbyteorder("<"))
    return kind, flat.reshape(shape)

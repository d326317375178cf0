"""ONNX experts: one more output in the graph, pinned by digest, and onnxruntime on one thread.

An ONNX file is a protocol buffer: fields of a number, a kind and a value. Naming an inner value
among the outputs takes one field more at the end of the graph, so nothing else is read or changed.
"""

import hashlib

import numpy as np

from goldenseal.errors import CannotCheckError, ContradictedError, UsageError
from train_gpt_style.kit.data.experts.pins import Expert

GRAPH, OUTPUT, NAME = 7, 12, 1  # fields of a model, of a graph, of a value's description


def number(data: bytes, at: int) -> tuple[int, int]:
    """(a base-128 number, the place after it)."""
    value, shift = 0, 0
    while True:
        byte = data[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at


def as_number(value: int) -> bytes:
    """The inverse of `number`."""
    parts = []
    while value > 127:
        parts.append(value & 127 | 128)
        value >>= 7
    return bytes([*parts, value])


def block(field: int, data: bytes) -> bytes:
    """A field of bytes."""
    return as_number(field << 3 | 2) + as_number(len(data)) + data


def tapped(data: bytes, tap: str) -> bytes:
    """The model with the inner value `tap` as one more output.

    Raises UsageError for bytes that are no such message.
    """
    made, at, graphs = [], 0, 0
    try:
        while at < len(data):
            start = at
            key, at = number(data, at)
            if key & 7 == 0:
                _, at = number(data, at)
            elif key & 7 == 2:
                size, at = number(data, at)
                at += size
            else:
                raise UsageError(f"no ONNX model: a field of kind {key & 7}")
            if key == GRAPH << 3 | 2:
                graph = data[at - size : at] + block(OUTPUT, block(NAME, tap.encode()))
                made.append(block(GRAPH, graph))
                graphs += 1
            else:
                made.append(data[start:at])
    except IndexError:
        raise UsageError("no ONNX model: it ends within a field") from None
    if at != len(data) or graphs != 1:
        raise UsageError(f"no ONNX model: {graphs} graphs in {len(data)} bytes")
    return b"".join(made)


def model_of(data: bytes, expert: Expert) -> bytes:
    """The tapped model of an expert's pinned file. Raises ContradictedError unless it is pinned."""
    made = tapped(data, expert.tap)
    found = hashlib.sha512(made).hexdigest()
    if found != expert.digest:
        raise ContradictedError(f"{expert.name}: digest is {found}, pinned is {expert.digest}")
    return made


class Session:
    """The expert on one thread of the CPU; images in [-1, 1] to features averaged over places."""

    def __init__(self, model: bytes, expert: Expert):
        try:
            import onnxruntime
        except ImportError:
            raise CannotCheckError(
                f"{expert.name} needs onnxruntime: pip install 'goldenseal[experts]'"
            ) from None
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self.session = onnxruntime.InferenceSession(
            model, options, providers=["CPUExecutionProvider"]
        )
        self.tap, self.width = expert.tap, expert.width
        self.name = self.session.get_inputs()[0].name

    def __call__(self, pixels: np.ndarray) -> np.ndarray:
        """(B, 3, H, W) float32 to (B, width) float32."""
        (found,) = self.session.run([self.tap], {self.name: pixels})
        if found.ndim == 4:
            return found.mean(axis=(2, 3), dtype=np.float32)
        if found.ndim == 3:
            return found.mean(axis=1, dtype=np.float32)
        return found

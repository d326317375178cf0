"""The types of a tensor's elements: how wide they are, how they are read, what they are called.

Every one that safetensors 0.8 writes, by its name there, and by torch's. Neither numpy nor torch
is needed. <https://github.com/huggingface/safetensors/blob/main/safetensors/src/tensor.rs>
"""

import math
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Read = Callable[[bytes], Any]


@dataclass(frozen=True)
class Element:
    """One type. `torch` is None where torch has none; `signs` masks the bits of a unit that are
    signs alone, so that what is left is zero exactly when all its numbers are zero, of either sign.
    """

    torch: str | None
    bits: int
    read: Read | None = None
    signs: bytes = b"\0"

    @property
    def unit(self) -> int:
        """The bytes of the smallest whole number of elements: 1 of F4, 3 of F6."""
        return math.lcm(self.bits, 8) // 8

    @property
    def per_unit(self) -> int:
        """How many elements such a unit holds."""
        return self.unit * 8 // self.bits


def _struct(code: str) -> Read:
    return lambda raw: struct.unpack(f"<{code}", raw)[0]


def _small(mantissa: int, bias: int, is_nan: Callable[[int], bool]) -> Read:
    """A float of one byte: a sign, 7 - `mantissa` bits of exponent, no infinities."""

    def read(raw: bytes) -> float:
        byte = raw[0]
        if is_nan(byte):
            return math.nan
        exponent, fraction = divmod(byte & 0x7F, 1 << mantissa)
        if exponent:
            fraction += 1 << mantissa
        size = math.ldexp(fraction, max(exponent, 1) - bias - mantissa)
        return -size if byte >> 7 else size

    return read


def _complex(code: str) -> Read:
    return lambda raw: complex(*struct.unpack(f"<2{code}", raw))


def _float(torch: str, bits: int, read: Read) -> Element:
    """A float whose sign is its highest bit."""
    return Element(torch, bits, read, bytes(bits // 8 - 1) + b"\x80")


_F32 = _struct("f")
ELEMENTS = {
    "BOOL": Element("bool", 8, _struct("B")),  # a byte other than 0 and 1 is shown as it is
    # In which order a byte holds numbers narrower than it, the format does not say: not read.
    "F4": Element("float4_e2m1fn_x2", 4, signs=b"\x88"),
    "F6_E2M3": Element(None, 6),
    "F6_E3M2": Element(None, 6),
    "U8": Element("uint8", 8, _struct("B")),
    "I8": Element("int8", 8, _struct("b")),
    # E5M2 is the upper half of an F16, as BF16 is of an F32.
    "F8_E5M2": _float("float8_e5m2", 8, lambda raw: _struct("e")(b"\0" + raw)),
    "F8_E4M3": _float("float8_e4m3fn", 8, _small(3, 7, lambda byte: byte & 0x7F == 0x7F)),
    "F8_E8M0": Element(
        "float8_e8m0fnu", 8, lambda raw: math.nan if raw[0] == 255 else 2.0 ** (raw[0] - 127)
    ),
    # Here the byte of a negative zero is the one NaN: no bit is a sign alone.
    "F8_E4M3FNUZ": Element("float8_e4m3fnuz", 8, _small(3, 8, lambda byte: byte == 0x80)),
    "F8_E5M2FNUZ": Element("float8_e5m2fnuz", 8, _small(2, 16, lambda byte: byte == 0x80)),
    "I16": Element("int16", 16, _struct("h")),
    "U16": Element("uint16", 16, _struct("H")),
    "F16": _float("float16", 16, _struct("e")),
    "BF16": _float("bfloat16", 16, lambda raw: _F32(b"\0\0" + raw)),
    "I32": Element("int32", 32, _struct("i")),
    "U32": Element("uint32", 32, _struct("I")),
    "F32": _float("float32", 32, _F32),
    "C64": Element("complex64", 64, _complex("f"), b"\0\0\0\x80" * 2),
    "F64": _float("float64", 64, _struct("d")),
    "I64": Element("int64", 64, _struct("q")),
    "U64": Element("uint64", 64, _struct("Q")),
}
# By torch's name, as torch holds them: a pair of F4 is one element; some are torch's alone.
OF_TORCH = {element.torch: element for element in ELEMENTS.values() if element.torch} | {
    "float4_e2m1fn_x2": Element("float4_e2m1fn_x2", 8),
    "complex32": Element("complex32", 32, _complex("e")),
    "complex128": Element("complex128", 128, _complex("d")),
}


def differing(element: Element, one: bytes, other: bytes) -> int | None:
    """The place, in bytes, of the first unit that differs; None when none does."""
    if one == other:
        return None
    width = element.unit
    places = range(0, max(len(one), len(other)), width)
    return next(i for i in places if one[i : i + width] != other[i : i + width])


def index(element: Element, place: int) -> str:
    """The numbers of the elements that a unit holds: `[7]`, or `[8..9]` where it holds two."""
    first = place // element.unit * element.per_unit
    return f"[{first}]" if element.per_unit == 1 else f"[{first}..{first + element.per_unit - 1}]"


def value(element: Element, raw: bytes) -> Any:
    """A unit as a Python number; None where it holds several."""
    return element.read(raw) if element.read else None


def shown(element: Element, raw: bytes) -> str:
    """A unit to the last bit, and for people: NaNs differ by their bits alone."""
    number = value(element, raw)
    if number is None:
        return f"0x{raw.hex()}"
    if isinstance(number, complex):
        half = len(raw) // 2
        real, imaginary = (
            _number(x, part) for x, part in ((number.real, raw[:half]), (number.imag, raw[half:]))
        )
        return f"{real} and i times {imaginary}"
    if element is ELEMENTS["BOOL"] and number < 2:
        return str(number == 1)
    return _number(number, raw)


def _number(number: float, raw: bytes) -> str:
    if number != number:
        return f"nan (0x{raw[::-1].hex()})"
    return f"{number.hex()} ({number:.9g})" if isinstance(number, float) else str(number)

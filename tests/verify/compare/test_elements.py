"""pytest tests/verify/compare/test_elements.py

How the numbers of a tensor are read and told apart.
"""

import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldenseal.compare.elements import ELEMENTS, OF_TORCH, Element, differing, index, shown, value

ONE_BYTE = ["F8_E4M3", "F8_E5M2", "F8_E4M3FNUZ", "F8_E5M2FNUZ", "F8_E8M0", "U8", "I8"]


@pytest.mark.parametrize("name", ONE_BYTE)
def test_every_byte_is_read_as_torch_reads_it(name):
    torch = pytest.importorskip("torch")
    element = ELEMENTS[name]
    every = torch.arange(256, dtype=torch.uint8).view(getattr(torch, element.torch))
    for byte, expected in enumerate(every.double().tolist()):
        found = value(element, bytes([byte]))
        assert (math.isnan(expected) and math.isnan(found)) or expected == found
        if not math.isnan(expected):
            assert math.copysign(1, expected) == math.copysign(1, found)


@pytest.mark.parametrize("name", [name for name, e in OF_TORCH.items() if e.read])
def test_wider_numbers_are_read_as_torch_reads_them(name):
    torch = pytest.importorskip("torch")
    dtype, element = getattr(torch, name), OF_TORCH[name]
    assert dtype.itemsize == element.unit
    raw = bytes((37 * i + 11) % 251 for i in range(8 * element.unit))
    if name == "bool":
        raw = bytes([0, 1] * 4)
    tensor = torch.frombuffer(bytearray(raw), dtype=torch.uint8).view(dtype)
    for number, expected in enumerate(tensor.tolist()):
        assert value(element, raw[number * element.unit :][: element.unit]) == expected


def test_the_table_is_the_one_of_the_installed_safetensors():
    """Each dtype of torch that the library can save has its name here; no more are known."""
    library = pytest.importorskip("safetensors.torch")
    torch = pytest.importorskip("torch")
    known = {str(dtype).removeprefix("torch.") for dtype in library._SIZE if dtype}
    assert {element.torch for element in ELEMENTS.values() if element.torch} == known
    for name, dtype in library._TYPES.items():
        assert ELEMENTS[name].torch == str(dtype).removeprefix("torch.")
        assert torch.empty(1, dtype=dtype).element_size() == ELEMENTS[name].unit


@pytest.mark.parametrize(
    ("name", "raw", "words"),
    [
        ("F32", struct.pack("<f", 1.5), "0x1.8000000000000p+0 (1.5)"),
        ("F32", struct.pack("<f", -0.0), "-0x0.0p+0 (-0)"),
        ("F32", b"\x01\0\xc0\x7f", "nan (0x7fc00001)"),
        ("BF16", b"\xc1\xff", "nan (0xffc1)"),
        ("F8_E4M3", b"\xff", "nan (0xff)"),
        ("F8_E8M0", b"\x7f", "0x1.0000000000000p+0 (1)"),
        ("BOOL", b"\1", "True"),
        ("BOOL", b"\2", "2"),
        ("U64", b"\xff" * 8, str(2**64 - 1)),
        ("F4", b"\x21", "0x21"),
        ("F6_E2M3", b"\1\2\3", "0x010203"),
        (
            "C64",
            struct.pack("<2f", -0.0, math.nan),
            "-0x0.0p+0 (-0) and i times nan (0x7fc00000)",
        ),
    ],
)
def test_numbers_are_shown_to_the_last_bit(name, raw, words):
    assert shown(ELEMENTS[name], raw) == words


@given(st.sampled_from(sorted(ELEMENTS)), st.data())
def test_units_of_other_bits_are_shown_otherwise(name, data):
    """Else a difference would read as if there were none."""
    element = ELEMENTS[name]
    raw = st.binary(min_size=element.unit, max_size=element.unit)
    one, other = data.draw(raw), data.draw(raw)
    assert (shown(element, one) == shown(element, other)) == (one == other)


def test_the_elements_of_a_unit_are_counted():
    assert index(ELEMENTS["F32"], 8) == "[2]"
    assert index(ELEMENTS["F4"], 3) == "[6..7]"
    assert index(ELEMENTS["F6_E3M2"], 3) == "[4..7]"
    assert differing(ELEMENTS["F6_E3M2"], b"abcdef", b"abcdxf") == 3
    assert differing(Element(None, 8), b"abc", b"ab") == 2
    assert differing(Element(None, 8), b"abc", b"abc") is None

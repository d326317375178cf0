"""pytest tests/verify/compare/test_difference.py

The first place at which two runs part, by name.
"""

import json
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldenseal.compare.difference import (
    file_difference,
    furthest_result,
    log_difference,
    outside,
    relative,
)
from goldenseal.errors import UsageError
from tests.verify.disk.test_canonical import json_values

HEADER = {
    "kind": "header",
    "knobs": {"DEPTH": "4", "SEED": "7"},
    "numeric_class": {"torch": "2", "threads": 1},
}
STEP = {"kind": "step", "step": 3, "loss": (0.5).hex(), "lr": {"adam": (0.1).hex()}}


@pytest.mark.parametrize(
    ("line", "change", "words"),
    [
        (HEADER, {"knobs": {"DEPTH": "5", "SEED": "7"}}, "header: knobs.DEPTH is 5, sealed 4"),
        (HEADER, {"knobs": {"DEPTH": "4"}}, "header: knobs.SEED is absent, sealed 7"),
        (HEADER, {"more": None}, "header: more is null, sealed absent"),
        (
            STEP,
            {"loss": (0.25).hex()},
            "step 3: loss is 0x1.0000000000000p-2 (0.25), sealed 0x1.0000000000000p-1 (0.5); "
            "relative difference 0.5",
        ),
        (STEP, {"lr": {"adam": (0.2).hex()}}, "step 3: lr.adam is 0x1."),
        (STEP, {"loss": "nan"}, "step 3: loss is nan (nan), sealed 0x1."),
        (STEP, {"step": True}, "step 3: step is true, sealed 3"),
        (STEP, {"note": "\x1b[2J"}, r'step 3: note is "\u001b[2J", sealed absent'),
        (STEP, {"note": "x" * 1000}, "step 3: note is " + "x" * 80 + "…, sealed absent"),
    ],
)
def test_the_first_line_and_key_are_named_with_both_values(line, change, words):
    same = {"kind": "before"}
    found = log_difference([same, line], [same, line | change])
    assert found.startswith(words)
    assert found.isprintable()


def test_other_keys_of_the_line_are_named_after_the_first():
    found = log_difference([STEP], [STEP | {"loss": (0.1).hex(), "lr": {"adam": (0.2).hex()}}])
    assert found.startswith("step 3: loss is")
    assert found.endswith("; also lr.adam")


def test_the_clock_and_the_numeric_class_are_no_difference():
    other = HEADER | {"numeric_class": {"torch": "3"}, "clock": {"ms": 1}}
    assert log_difference([HEADER], [other]) is None


def test_a_log_that_is_longer_or_shorter_differs():
    assert log_difference([STEP, STEP], [STEP]) == "the log has 1 lines, sealed 2"
    assert log_difference([STEP], [STEP, STEP]) == "the log has 2 lines, sealed 1"


@given(json_values, json_values)
def test_two_values_differ_exactly_when_their_json_does(a, b):
    from goldenseal.disk.canonical import dumps

    found = log_difference([{"kind": "x", "v": a}], [{"kind": "x", "v": b}])
    assert (found is None) == (dumps(a) == dumps(b))
    assert log_difference([{"kind": "x", "v": a}], [{"kind": "x", "v": a}]) is None


def test_relative_differences():
    assert relative((1.0).hex(), (1.5).hex()) == pytest.approx(1 / 3)
    assert relative(0, 0.0) == 0
    assert relative(0.0, 1e-300) == 1
    assert relative("inf", "inf") == 0
    for a, b in (("nan", "nan"), ("inf", 1), ("inf", "-inf"), (None, 1), ("x", "x"), (True, 1)):
        assert relative(a, b) == float("inf")


def test_the_result_that_is_furthest_off_is_named():
    sealed = {"kind": "end", "a": (1.0).hex(), "b": (2.0).hex(), "steps": 3}
    assert furthest_result(sealed, sealed | {"b": (2.2).hex()}) == ("b", pytest.approx(0.2 / 2.2))
    assert furthest_result({"kind": "end"}, {"kind": "end"}) is None


def test_an_envelope_is_left_by_what_is_too_far_or_not_there():
    sealed = {"loss": (1.0).hex()}
    assert outside({"loss": 0.1}, sealed, {"loss": (1.05).hex()}) == []
    assert outside({"loss": 0.1}, sealed, {"loss": (1.2).hex()}) == [
        "loss differs by 0.17, relative; the envelope is 0.1"
    ]
    for new in ({}, {"loss": "nan"}):
        assert len(outside({"loss": 0.1}, sealed, new)) == 1


def write_tensors(path, tensors, **header):
    """A safetensors file of (name, dtype, shape, bytes)."""
    facts, blob = dict(header), b""
    for name, dtype, shape, raw in tensors:
        offsets = [len(blob), len(blob) + len(raw)]
        facts[name] = {"dtype": dtype, "shape": shape, "data_offsets": offsets}
        blob += raw
    text = json.dumps(facts).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + blob)


A = ("b.first", "F32", [2, 2], struct.pack("<4f", 1, 2, 3, 4))
B = ("a.second", "I64", [2], struct.pack("<2q", 5, 6))
PAIRS = [
    ([A, B], [A, B], {"__metadata__": {"x": "y"}}, "other bytes, from byte 0 on"),
    ([A, B], [A], {}, "tensor 'a.second' is missing"),
    ([A], [A, B], {}, "tensor 'a.second' is new"),
    (
        [A, B],
        [(*A[:3], struct.pack("<4f", 1, 2, 3.5, 4)), (*B[:3], b"\0" * 16)],
        {},
        "tensor 'b.first'[2] is 0x1.c000000000000p+1 (3.5), sealed 0x1.8000000000000p+1 (3)",
    ),
    ([B], [(*B[:3], struct.pack("<2q", 5, -6))], {}, "[1] is -6, sealed 6"),
    ([B], [("a.second", "I64", [2, 1], B[3])], {}, "is I64[2, 1], sealed I64[2]"),
    ([B], [("a.second", "F64", [2], B[3])], {}, "is F64[2], sealed I64[2]"),
    (
        [("z", "BF16", [1], b"\x80\x3f")],
        [("z", "BF16", [1], b"\x00\x40")],
        {},
        "'z'[0] is 0x1.0000000000000p+1 (2), sealed 0x1.0000000000000p+0 (1)",
    ),
    (
        [("z", "F32", [1], struct.pack("<f", 0.0))],
        [("z", "F32", [1], struct.pack("<f", -0.0))],
        {},
        "'z'[0] is -0x0.0p+0 (-0), sealed 0x0.0p+0 (0)",
    ),
    (
        [("z", "F32", [1], b"\0\0\xc0\x7f")],
        [("z", "F32", [1], b"\1\0\xc0\x7f")],
        {},
        "'z'[0] is nan (0x7fc00001), sealed nan (0x7fc00000)",
    ),
    (
        [("z", "F8_E4M3", [2], b"\x38\x38")],
        [("z", "F8_E4M3", [2], b"\x38\xb8")],
        {},
        "'z'[1] is -0x1.0000000000000p+0 (-1), sealed 0x1.0000000000000p+0 (1)",
    ),
    ([B], [(*B[:1], "C64", *B[2:])], {}, "is C64[2], sealed I64[2]"),
    (
        [("z", "F6_E2M3", [8], b"abcdef")],
        [("z", "F6_E2M3", [8], b"abcdeg")],
        {},
        "'z'[4..7] is 0x646567, sealed 0x646566",
    ),
    (
        [("e", "F16", [0, 3], b""), A],
        [("e", "F16", [0, 4], b""), A],
        {},
        "'e' is F16[0, 4], sealed F16[0, 3]",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("sealed", "new", "header", "words"), PAIRS)
def test_the_first_tensor_in_file_order_is_named_with_both_values(
    tmp_path, sealed, new, header, words
):
    a, b = tmp_path / "a.safetensors", tmp_path / "b.safetensors"
    write_tensors(a, sealed)
    write_tensors(b, new, **header)
    assert words in file_difference(a, b)
    assert file_difference(a, a) is None


def test_the_writer_above_writes_what_the_library_writes(tmp_path):
    numpy = pytest.importorskip("numpy")
    library = pytest.importorskip("safetensors.numpy")
    path = tmp_path / "x.safetensors"
    library.save_file({"w": numpy.arange(6, dtype=numpy.float32).reshape(2, 3)}, path)
    other = tmp_path / "y.safetensors"
    library.save_file({"w": numpy.zeros((2, 3), numpy.float32)}, other)
    found = file_difference(path, other)
    assert found == "tensor 'w'[1] is 0x0.0p+0 (0), sealed 0x1.0000000000000p+0 (1)"
    write_tensors(tmp_path / "z.safetensors", [A, B])
    assert list(library.load_file(tmp_path / "z.safetensors")) == ["b.first", "a.second"]


def test_a_dtype_that_is_not_read_leaves_other_bytes_a_difference(tmp_path):
    a, b = tmp_path / "a.safetensors", tmp_path / "b.safetensors"
    write_tensors(a, [A])
    write_tensors(b, [(A[0], "F3", *A[2:])])
    for one, other in ((a, b), (b, a)):
        found = file_difference(one, other)
        assert found.startswith("other bytes, from byte ")
        assert "has the dtype F3; read are BOOL" in found
    assert file_difference(b, b) is None


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\xff" * 8,
        struct.pack("<Q", 2) + b"[]",
        struct.pack("<Q", 10**6) + b"{}",
        struct.pack("<Q", 8) + b'{"a":1} ',
        struct.pack("<Q", 9) + b'{"a":{}}x',
        b'_\x00\x00\x00\x00\x00\x00\x00{"a":{"dtype":"F32","shape":[1099511627776],'
        b'"data_offsets":[0,4398046511104]}}' + b" " * 30,
    ],
)
def test_a_file_that_only_looks_like_safetensors_is_refused(tmp_path, text):
    good, bad = tmp_path / "a.safetensors", tmp_path / "b.safetensors"
    write_tensors(good, [A])
    bad.write_bytes(text)
    assert "is broken: b.safetensors" in file_difference(good, bad)
    with pytest.raises(UsageError, match=r"b\.safetensors"):
        file_difference(bad, good)


@given(st.binary(max_size=80))
def test_any_bytes_as_safetensors_are_judged_without_a_crash(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("tensors")
    good, bad = folder / "a.safetensors", folder / "b.safetensors"
    write_tensors(good, [A])
    bad.write_bytes(data)
    assert file_difference(good, bad)


def test_other_files_are_compared_by_their_first_byte(tmp_path):
    a, b = tmp_path / "a.bin", tmp_path / "b.bin"
    a.write_bytes(b"x" * 3_000_000)
    b.write_bytes(b"x" * 2_500_000 + b"y")
    assert file_difference(a, b) == "other bytes, from byte 2500000 on"
    b.write_bytes(b"x" * 2_000_000)
    assert file_difference(a, b) == "other bytes, from byte 2000000 on"
    b.unlink()
    assert file_difference(a, b) == "was not written"
    b.symlink_to(a)
    assert file_difference(a, b) == "was not written"

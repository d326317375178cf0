"""pytest tests/verify/compare/test_tensors.py

Every file that safetensors writes is read, no other is.
"""

import json
import struct
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldenseal.compare.elements import ELEMENTS
from goldenseal.compare.tensors import any_nonzero, read_tensors, tensor_difference, weights_digest
from goldenseal.errors import CannotCheckError, ContradictedError, GoldensealError, UsageError
from goldenseal.grids.canaries import check_weights


def header(text, body=b""):
    """A file of a header, as text, and what follows it."""
    raw = text if isinstance(text, bytes) else json.dumps(text).encode()
    return struct.pack("<Q", len(raw)) + raw + body


def entry(dtype="F32", shape=(1,), start=0, end=4):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": [start, end]}


def write(path, tensors):
    """A file of (name, dtype, shape, bytes), in this order."""
    facts, body = {}, b""
    for name, dtype, shape, raw in tensors:
        facts[name] = entry(dtype, shape, len(body), len(body) + len(raw))
        body += raw
    path.write_bytes(header(facts, body))
    return path


TORCH_NAMES = sorted({e.torch for e in ELEMENTS.values() if e.torch})


@pytest.mark.parametrize("name", TORCH_NAMES)
@pytest.mark.parametrize("shape", [(4,), (2, 3), (), (0,), (3, 0), (0, 4)])
def test_every_dtype_and_shape_that_the_library_writes_is_read(tmp_path, name, shape):
    """Beside another tensor, before or behind it: an empty one lies where the next one begins."""
    torch = pytest.importorskip("torch")
    from safetensors.torch import save_file

    from goldenseal.digest import tensor_digest

    dtype = getattr(torch, name)
    if not shape and name == "float4_e2m1fn_x2":
        pytest.skip("safetensors itself refuses half a byte")
    count = torch.Size(shape).numel() * dtype.itemsize
    tensor = torch.ones(count, dtype=torch.uint8).view(dtype).reshape(shape)
    named = {
        "a": torch.ones(4, dtype=torch.float64),
        "m": tensor,
        "z": torch.ones(3, dtype=torch.int8),
    }
    save_file(named, tmp_path / "w.safetensors")
    state = tensor_digest(named)
    assert weights_digest(tmp_path / "w.safetensors") == state
    check_weights(tmp_path / "w.safetensors", state)
    with pytest.raises(ContradictedError, match="reloads to the digest"):
        check_weights(tmp_path / "w.safetensors", "0" * 128)


@pytest.mark.parametrize("dtype", ["F6_E2M3", "F6_E3M2"])
def test_what_torch_cannot_load_is_not_contradicted(tmp_path, dtype):
    path = write(tmp_path / "w", [("w", dtype, [4], b"\1\2\3")])
    check_weights(path, None)
    with pytest.raises(CannotCheckError, match=f"'w' is {dtype}.4., which torch cannot hold"):
        check_weights(path, "0" * 128)
    path = write(tmp_path / "w", [("w", dtype, [4], b"\0\0\0")])
    with pytest.raises(ContradictedError, match="every byte of every tensor is zero"):
        check_weights(path, "0" * 128)


def test_a_dtype_of_a_later_release_is_not_contradicted_and_no_dtype_is_none(tmp_path):
    path = tmp_path / "w"
    path.write_bytes(header({"w": entry("F3_E1M1")}, b"1234"))
    with pytest.raises(CannotCheckError, match="has the dtype F3_E1M1; read are BOOL, F4"):
        check_weights(path, None)
    for none in (None, 7, "", "float32", "F32 ", "F" * 40, "Ｆ32"):
        path.write_bytes(header({"w": entry(none)}, b"1234"))
        with pytest.raises(ContradictedError, match="has no dtype"):
            check_weights(path, None)


def test_a_header_beyond_what_is_read_here_is_not_contradicted(tmp_path):
    path = tmp_path / "w"
    for length, error in ((17 << 20, CannotCheckError), (100_000_001, UsageError)):
        with path.open("wb") as file:
            file.write(struct.pack("<Q", length) + b"{}")
            file.truncate(8 + length)
        with pytest.raises(error):
            read_tensors(path)


NEGATIVE_ZEROS = {
    "F16": "0080", "BF16": "0080", "F32": "00000080", "F64": "0000000000000080",
    "C64": "0000008000000080", "F8_E4M3": "80", "F8_E5M2": "80", "F4": "88",
}  # fmt: skip


@pytest.mark.parametrize("dtype", sorted(NEGATIVE_ZEROS))
def test_weights_of_negative_zeros_are_all_zero(tmp_path, dtype):
    raw = bytes.fromhex(NEGATIVE_ZEROS[dtype])
    shape = [len(raw) * 8 // ELEMENTS[dtype].bits]
    path = write(tmp_path / "w", [("w", dtype, shape, raw), ("v", dtype, shape, bytes(len(raw)))])
    with pytest.raises(ContradictedError, match="is zero, but for signs"):
        check_weights(path, None)
    for place in range(len(raw)):
        other = bytearray(raw)
        other[place] |= 1
        assert any_nonzero(write(tmp_path / "w", [("w", dtype, shape, bytes(other))]))


@pytest.mark.parametrize("dtype", ["F8_E4M3FNUZ", "F8_E5M2FNUZ", "U8", "I8", "BOOL", "F8_E8M0"])
def test_where_the_highest_bit_is_no_sign_it_counts(tmp_path, dtype):
    assert any_nonzero(write(tmp_path / "w", [("w", dtype, [1], b"\x80")]))


def test_a_file_of_notes_alone_is_whole_but_holds_no_weights(tmp_path):
    path = tmp_path / "w"
    for tensors in ({}, {"z": entry(shape=(0,), end=0)}):
        path.write_bytes(header({"__metadata__": {"format": "pt"}, **tensors}))
        assert len(read_tensors(path)) == len(tensors)
        with pytest.raises(ContradictedError, match="holds no tensor, or empty ones only"):
            check_weights(path, None)


HOSTILE = {
    "a hole at the start": header({"a": entry(start=4, end=8)}, b"12345678"),
    "a hole between": header({"a": entry(), "b": entry(start=8, end=12)}, b"123456789012"),
    "bytes at the end": header({"a": entry()}, b"12345"),
    "bytes and no tensor": header({}, b"1"),
    "one over the other": header({"a": entry(), "b": entry()}, b"1234"),
    "half over the other": header({"a": entry(), "b": entry(start=2, end=6)}, b"123456"),
    "an empty one in the middle": header(
        {"a": entry(), "z": entry(shape=(0,), start=2, end=2)}, b"1234"
    ),
    "beyond the end": header({"a": entry(shape=(2,), end=8)}, b"1234"),
    "before the start": header({"a": entry(start=-4, end=0)}, b"1234"),
    "back to front": header({"a": entry(start=4, end=0)}, b"1234"),
    "a name twice": header(b'{"a":' + json.dumps(entry()).encode() + b',"a":{}}', b"1234"),
    "a length of 2^64 - 1": b"\xff" * 8 + b"{}",
    "a length beyond the file": struct.pack("<Q", 9) + b"{}",
    "half a length": b"\2\0\0",
    "space before the header": header(b" {}"),
    "a header in UTF-16": header("{}".encode("utf-16")),
    "notes that are no texts": header({"__metadata__": {"a": 1}}),
    "notes that are a text": header({"__metadata__": "a"}),
    "half a byte of F4": header({"a": entry("F4", (1,), 0, 1)}, b"1"),
    "F6 that ends in a byte": header({"a": entry("F6_E2M3", (3,), 0, 3)}, b"123"),
    "a negative extent": header({"a": entry(shape=(-1, -1))}, b"1234"),
    "a fraction of an extent": header({"a": entry(shape=(1.0,))}, b"1234"),
    "an extent that is true": header({"a": entry(shape=(True,))}, b"1234"),
    "2^106 elements": header({"a": entry(shape=(2**53 - 1, 2**53 - 1), end=0)}),
    "2^106 elements, then none": header({"a": entry(shape=(2**53 - 1, 2**53 - 1, 0), end=0)}),
    "a million extents": header({"a": entry(shape=(2**53 - 1,) * 500_000, end=0)}),
    "no shape": header({"a": {"dtype": "F32", "data_offsets": [0, 4]}}, b"1234"),
    "one offset": header({"a": {"dtype": "F32", "shape": [1], "data_offsets": [4]}}, b"1234"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_file_that_is_none_is_refused_by_every_reader_in_one_line(tmp_path, name):
    path, good = tmp_path / "w", write(tmp_path / "good", [("a", "F32", [1], b"1234")])
    path.write_bytes(HOSTILE[name])
    for read in (read_tensors, weights_digest, any_nonzero, lambda p: tensor_difference(p, good)):
        with pytest.raises(UsageError) as error:
            read(path)
        assert "\n" not in str(error.value)
    with pytest.raises(ContradictedError):
        check_weights(path, None)
    assert tensor_difference(good, path).startswith("is broken: w")


@pytest.mark.parametrize("name", HOSTILE)
def test_the_library_refuses_the_same_files(tmp_path, name):
    library = pytest.importorskip("safetensors")
    if name == "space before the header":
        pytest.skip("read by the library, against its own format")
    with pytest.raises(library.SafetensorError):
        library.deserialize(HOSTILE[name])


shapes = st.lists(st.integers(0, 3), max_size=3)


@given(st.lists(st.tuples(st.sampled_from(sorted(ELEMENTS)), shapes), max_size=6), st.data())
def test_what_the_library_reads_is_read_alike_in_any_order(tmp_path_factory, kinds, data):
    library = pytest.importorskip("safetensors")
    path, tensors = tmp_path_factory.mktemp("x") / "w", []
    for number, (dtype, shape) in enumerate(kinds):
        bits = ELEMENTS[dtype].bits
        for extent in shape:
            bits *= extent
        tensors.append((f"t{number}", dtype, shape, b"x" * (bits // 8 + (bits % 8 > 0))))
    write(path, data.draw(st.permutations(tensors)))
    try:
        expected = {name for name, _ in library.deserialize(path.read_bytes())}
    except library.SafetensorError:
        with pytest.raises(UsageError):
            read_tensors(path)
    else:
        assert {tensor.name for tensor in read_tensors(path)} == expected


@given(st.binary(max_size=60), st.binary(max_size=10))
def test_no_header_is_a_crash(tmp_path_factory, text, body):
    path = tmp_path_factory.mktemp("x") / "w"
    path.write_bytes(header(b'{"a":' + text + b"}", body))
    with pytest.raises(GoldensealError) as error:
        check_weights(path, "0" * 128)
    assert "\n" not in str(error.value)


def test_the_reader_needs_neither_torch_nor_numpy(root):
    code = (
        "import sys; sys.modules['torch'] = sys.modules['numpy'] = None\n"
        "from goldenseal.compare import difference, elements, tensors\n"
        "from goldenseal.reproduce import divergence"
    )
    subprocess.run([sys.executable, "-c", code], cwd=root, check=True)

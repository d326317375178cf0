"""pytest tests/verify/test_digest.py — the specification, its vectors, and two implementations."""

import json

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from goldenseal.digest import tensor_digest
from tests.conftest import ROOT
from tests.verify import independent_digest as independent

VECTORS = json.loads((ROOT / "docs" / "tensor-digest.json").read_text(encoding="utf-8"))
NAMES = [vector["about"] for vector in VECTORS]


def as_torch(kind, shape, elements):
    """A tensor of a vector."""
    dtype = getattr(torch, kind.removeprefix("torch."))
    if not elements:
        return torch.empty(shape, dtype=dtype)
    data = torch.frombuffer(bytearray.fromhex(elements), dtype=torch.uint8)
    return data.view(dtype).reshape(shape)


@pytest.mark.parametrize("vector", VECTORS, ids=NAMES)
def test_both_implementations_give_the_digest_of_each_vector(vector):
    tensors = vector["tensors"]
    ours = tensor_digest({name: as_torch(*facts) for name, facts in tensors.items()})
    theirs = independent.digest({n: independent.from_hex(*facts) for n, facts in tensors.items()})
    assert ours == theirs == vector["sha512"]


def test_the_vectors_hold_what_the_page_says_they_do():
    kinds = {facts[0] for vector in VECTORS for facts in vector["tensors"].values()}
    for kind in ("bool", "bfloat16", "float8_e4m3fn", "float8_e5m2", "complex64", "complex128"):
        assert f"torch.{kind}" in kinds
    shapes = [facts[1] for vector in VECTORS for facts in vector["tensors"].values()]
    assert [] in shapes
    assert any(0 in shape for shape in shapes)
    orders = [sorted(v["tensors"]) for v in VECTORS]
    assert any(o != sorted(o, key=lambda name: name.encode("utf-16-be")) for o in orders)


def test_every_field_counts():
    base = {"w": torch.arange(6.0).reshape(2, 3)}
    others = [
        {"v": base["w"]},
        {"w": base["w"].double()},
        {"w": base["w"].reshape(3, 2)},
        {"w": base["w"].reshape(6)},
        {"w": -base["w"]},
        {**base, "e": torch.empty(0)},
        {},
    ]
    digests = {tensor_digest(named) for named in (base, *others)}
    assert len(digests) == 1 + len(others)


@given(st.lists(st.integers(0, 3), max_size=3), st.sampled_from(["float32", "int64", "float16"]))
def test_how_a_tensor_lies_in_memory_does_not_count(shape, kind):
    dense = torch.arange(torch.Size(shape).numel()).reshape(shape).to(getattr(torch, kind))
    axes = tuple(reversed(range(dense.ndim)))
    turned = dense.permute(axes).contiguous().permute(axes)
    assert tensor_digest({"w": turned}) == tensor_digest({"w": dense})
    array = {"w": (f"torch.{kind}", turned.numpy())}
    assert independent.digest(array) == tensor_digest({"w": dense})


def test_pending_flags_are_resolved():
    value = torch.tensor([1 + 2j, 3 - 4j])
    assert tensor_digest({"w": value.conj()}) == tensor_digest({"w": value.conj().clone()})
    part = value.conj().imag
    assert tensor_digest({"w": part}) == tensor_digest({"w": part.clone()})

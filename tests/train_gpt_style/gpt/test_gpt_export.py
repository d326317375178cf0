"""pytest tests/train_gpt_style/gpt/test_gpt_export.py — the artifact and what it loses."""

import zlib

import pytest
import safetensors.torch
import torch
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from train_gpt_style.gpt import export

LARGE = export.INT8_MIN_NUMEL + 1


@examples(max_examples=50, deadline=None, derandomize=True)
@given(
    rows=st.integers(1, 9),
    columns=st.integers(1, 40),
    spread=st.sampled_from([0.0, 1e-4, 0.3, 1.0, 50.0, 1e4]),
    seed=st.integers(0, 2**31),
)
def test_quantising_loses_at_most_half_a_step_and_what_was_clipped(rows, columns, spread, seed):
    t = torch.randn(rows, columns, generator=torch.Generator().manual_seed(seed)) * spread
    q, scale = export.quantize_tensor(t)
    assert q.dtype == torch.int8
    assert scale.dtype == torch.float16
    assert scale.shape == (rows,)
    step = scale.float()[:, None]
    clip = torch.quantile(t.abs(), export.INT8_CLIP_QUANTILE, dim=1, keepdim=True)
    clipped = (t.abs() - clip).clamp_min(0)
    # Half a step, the rounding of the scale itself to fp16 (2^-11 of up to 127 steps), the clip.
    bound = step * (0.5 + 127 * 2**-11) + clipped + 1e-6 * t.abs()
    assert ((q.float() * step - t).abs() <= bound).all()


def test_a_vector_has_one_scale_and_a_zero_row_stays_zero():
    q, scale = export.quantize_tensor(torch.linspace(-2, 2, 1000))
    assert scale.shape == (1,)
    assert q.shape == (1000,)
    q, scale = export.quantize_tensor(torch.zeros(3, 8))
    assert not q.any()
    assert (scale == torch.tensor(1 / 127).half()).all()


def test_the_artifact_keeps_names_types_and_shapes_and_quantises_only_large_tensors():
    generator = torch.Generator().manual_seed(0)
    state = {
        "large.weight": torch.randn(257, 256, generator=generator),
        "edge.weight": torch.randn(256, 256, generator=generator),
        "large.bfloat": torch.randn(257, 256, generator=generator).bfloat16(),
        "blocks.0.q_gain": torch.randn(4, generator=generator),
        "small": torch.randn(4, generator=generator),
    }
    blob = export.export_model(state)
    stored = set(safetensors.torch.load(zlib.decompress(blob)))
    assert {name for name in stored if name.startswith("int8/")} == {
        "int8/large.weight",
        "int8/large.bfloat",
    }
    back = export.import_model(blob)
    assert list(back) == sorted(state)
    for name, t in state.items():
        assert (back[name].dtype, back[name].shape) == (t.dtype, t.shape)
    assert torch.equal(back["blocks.0.q_gain"], state["blocks.0.q_gain"])  # control: exact
    assert torch.equal(back["small"], state["small"].half().float())
    assert torch.equal(back["edge.weight"], state["edge.weight"].half().float())


def test_exporting_twice_gives_the_same_bytes(build):
    blobs = [export.export_model(build(SEED=s).state_dict()) for s in ("1", "1", "2")]
    assert blobs[0] == blobs[1] != blobs[2]


def test_the_artifact_holds_no_pickle(build):
    raw = zlib.decompress(export.export_model(build().state_dict()))
    size = int.from_bytes(raw[:8], "little")
    assert raw[8:9] == b"{"  # a safetensors header: a length, then JSON
    assert 0 < size < len(raw)
    assert b"pickle" not in raw
    assert b"torch" not in raw[: 8 + size]


def test_a_damaged_artifact_is_not_loaded(build):
    blob = bytearray(export.export_model(build().state_dict()))
    blob[len(blob) // 2] ^= 1
    with pytest.raises(zlib.error):
        export.import_model(bytes(blob))

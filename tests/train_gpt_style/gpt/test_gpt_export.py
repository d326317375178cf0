"""pytest tests/train_gpt_style/gpt/test_gpt_export.py — the artifact and what it loses."""

import json
import zlib

import pytest
import safetensors.torch
import torch
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from train_gpt_style.gpt import export, run
from train_gpt_style.kit.source import files_of

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


# ---- whole artifacts -------------------------------------------------------------------------

shapes = st.lists(st.integers(1, 12), min_size=1, max_size=3).map(tuple)
floats = st.sampled_from([torch.float32, torch.bfloat16, torch.float16, torch.float64])


@st.composite
def states(draw):
    """A state dict: tensors of both kinds, controls among them."""
    names = draw(st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=4, unique=True))
    generator = torch.Generator().manual_seed(draw(st.integers(0, 2**31)))
    state = {}
    for name in names:
        shape = (
            draw(st.sampled_from([(LARGE,), (257, 256), (1, LARGE)]))
            if draw(st.booleans())
            else draw(shapes)
        )
        suffix = draw(st.sampled_from([".weight", ".attn_scale"]))
        t = torch.randn(shape, generator=generator, dtype=torch.float64)
        state[name + suffix] = (t * draw(st.sampled_from([0.0, 0.02, 1.0, 300.0]))).to(draw(floats))
    return state


@examples(max_examples=40, deadline=None, derandomize=True)
@given(states())
def test_what_comes_back_is_within_a_step_of_what_went_in(state):
    back = export.import_model(export.export_model(state))
    assert back.keys() == state.keys()
    for name, t in state.items():
        found = back[name]
        assert (found.dtype, found.shape) == (t.dtype, t.shape)
        if t.numel() <= export.INT8_MIN_NUMEL:
            exact = t if "attn_scale" in name else t.half().to(t.dtype)
            assert torch.equal(found, exact)
            continue
        wide = t.float()
        step = export.quantize_tensor(t)[1].float().reshape(-1, *([1] * (t.ndim - 1)))
        rows = wide if t.ndim == 2 else wide.reshape(1, -1)
        clip = torch.quantile(rows.abs(), export.INT8_CLIP_QUANTILE, dim=1).reshape(step.shape)
        clipped = (wide.abs() - clip).clamp_min(0)
        last_bit = torch.finfo(t.dtype).eps * wide.abs()  # bfloat16 rounds what comes back
        bound = step * (0.5 + 127 * 2**-11) + clipped + last_bit + 1e-6 * wide.abs()
        assert ((found.float() - wide).abs() <= bound).all()


@examples(max_examples=40, deadline=None, derandomize=True)
@given(states(), st.floats(-8, 8))
def test_length_and_header_before_compression_do_not_depend_on_the_values(state, factor):
    raw, other = export.pack(state), export.pack({n: t * factor for n, t in state.items()})
    size = 8 + int.from_bytes(raw[:8], "little")
    assert len(raw) == len(other)
    assert raw[:size] == other[:size]


@pytest.mark.parametrize("dtype", export.SAFETENSORS_TYPES.values(), ids=str)
def test_a_control_tensor_of_any_type_comes_back_bit_for_bit(dtype):
    t = torch.tensor([[1, 0, 1], [0, 1, 1]]).to(dtype)
    for control in (t, t[:0]):
        back = export.import_model(export.export_model({"blocks.0.attn_scale": control}))
        assert torch.equal(back["blocks.0.attn_scale"], control)
        assert back["blocks.0.attn_scale"].dtype == dtype


def test_the_sizes_that_a_run_states_are_those_of_the_files_on_disk(perform, tiny):
    done = perform(run.main, {**tiny, "RUN_LOG": "1"})
    model = len(done.files["final_model.int8.safetensors.z"])
    source = "".join(path.read_text(encoding="utf-8") for path in files_of("train_gpt_style.gpt"))
    code = len(source.encode())
    assert done.files["logs/train_gpt.txt"].decode().startswith(source)
    assert [line for line in done.lines if " bytes" in line] == [
        f"Code size: {code} bytes",
        f"Serialized model int8+zlib: {model} bytes",
        f"Total submission size int8+zlib: {code + model} bytes",
    ]
    metrics = json.loads(done.files["metrics.json"])
    assert (metrics["code_bytes"], metrics["artifact_bytes"]) == (code, model)


def test_what_only_the_gates_and_the_submission_use_is_no_code_of_a_run():
    names = {path.stem for path in files_of("train_gpt_style.gpt")}
    assert {"run", "train", "model", "export", "shards"} <= names
    assert not {"artifact", "submission", "probe", "figures", "check_run"} & names

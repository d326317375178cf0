"""pytest tests/train_gpt_style/gpt/test_gpt_artifact.py — artifacts that strangers made."""

import tracemalloc
import zlib

import pytest
import torch
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from goldenseal.errors import GoldensealError, UsageError
from train_gpt_style.gpt import SYSTEM, artifact, export, run
from train_gpt_style.kit.context import Context


@pytest.fixture(scope="module")
def small():
    """(state dict of the smallest model, its artifact)."""
    environ = {"NUM_LAYERS": "1", "MODEL_DIM": "4", "NUM_HEADS": "1", "NUM_KV_HEADS": "1"}
    s = SYSTEM.read({**environ, "VOCAB_SIZE": "8", "MLP_MULT": "1"})
    torch.manual_seed(3)
    state = run.build_model(s, Context({}, 8)).state_dict()
    for t in state.values():
        t.copy_(torch.randn(t.shape))
    return state, export.export_model(state)


def read(blob, state):
    return artifact.read_artifact(blob, state, "model.z")


def read_or_refusal(blob, state):
    """The state dict, or the message of the error."""
    try:
        return read(blob, state)
    except UsageError as error:
        return str(error)


def same(a, b):
    return a.keys() == b.keys() and all(
        torch.equal(a[n].view(torch.uint8), b[n].view(torch.uint8)) for n in a
    )


def test_each_single_bit_flip_is_detected_or_changes_no_weight(small):
    state, blob = small
    expected = read(blob, state)
    harmless = 0
    for position in range(len(blob)):
        for bit in range(8):
            damaged = bytearray(blob)
            damaged[position] ^= 1 << bit
            found = read_or_refusal(bytes(damaged), state)
            if isinstance(found, str):
                assert found.startswith("model.z: ")
                assert "\n" not in found
            else:
                assert same(found, expected)
                harmless += 1
    assert harmless < 8  # the padding before the checksum, which nothing reads


@examples(
    max_examples=150,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_edits_within_the_unpacked_file_are_refused_or_give_a_whole_model(small, data):
    """Also with a right checksum: whoever edits may compress again."""
    state, blob = small
    raw = bytearray(zlib.decompress(blob))
    size = int.from_bytes(raw[:8], "little")
    for _ in range(data.draw(st.integers(1, 3))):
        position = data.draw(st.one_of(st.integers(0, 8 + size), st.integers(0, len(raw) - 1)))
        raw[position] = data.draw(st.integers(0, 255))
    found = read_or_refusal(zlib.compress(bytes(raw)), state)
    if isinstance(found, str):
        assert "\n" not in found
    else:
        assert {n: (t.shape, t.dtype) for n, t in found.items()} == {
            n: (t.shape, t.dtype) for n, t in state.items()
        }


@examples(
    max_examples=100,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(noise=st.binary(max_size=200), packed=st.booleans())
def test_noise_is_refused_in_one_line(small, noise, packed):
    with pytest.raises(GoldensealError):
        read(zlib.compress(noise) if packed else noise, small[0])


def test_what_is_cut_short_or_followed_by_more_is_refused(small):
    state, blob = small
    with pytest.raises(UsageError, match="cut short"):
        read(blob[:-1], state)
    with pytest.raises(UsageError, match="1 bytes after the compressed data"):
        read(blob + b"\0", state)


def test_a_decompression_bomb_is_stopped_at_what_the_model_needs(small):
    state, _ = small
    packer = zlib.compressobj(9)
    zeros = bytes(1 << 20)
    bomb = b"".join(packer.compress(zeros) for _ in range(200)) + packer.flush()
    tracemalloc.start()
    try:
        with pytest.raises(UsageError, match="unpacks to more than"):
            read(bomb, state)
        assert tracemalloc.get_traced_memory()[1] < 4 << 20  # of 200 MiB
    finally:
        tracemalloc.stop()
    limit = 1000
    assert len(artifact.decompress(zlib.compress(bytes(limit)), limit, "x")) == limit
    with pytest.raises(UsageError, match="more than 1000 bytes"):
        artifact.decompress(zlib.compress(bytes(limit + 1)), limit, "x")


def test_knobs_of_a_model_beyond_all_memory_are_refused_in_one_line(tiny, context):
    s = SYSTEM.read({**tiny, "MODEL_DIM": str(2**40)})
    with pytest.raises(
        UsageError, match=r"model\.z: no model of these knobs can be built"
    ) as error:
        artifact.evaluate_artifact(b"", s, context, "model.z")
    assert "\n" not in str(error.value)


def test_another_models_tensors_are_refused_by_name(small):
    state, _ = small
    renamed = {("extra" if n == "skip_weights" else n): t for n, t in state.items()}
    with pytest.raises(UsageError, match="kept/extra is"):
        read(export.export_model(renamed), state)
    wider = {**state, "tok_emb.weight": torch.zeros(9, 4)}
    with pytest.raises(UsageError, match=r"kept/tok_emb\.weight is"):
        read(export.export_model(wider), state)
    typed = {**state, "tok_emb.weight": state["tok_emb.weight"].double()}
    with pytest.raises(UsageError, match="metadata"):
        read(export.export_model(typed), state)

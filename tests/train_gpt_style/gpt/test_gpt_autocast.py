"""pytest tests/train_gpt_style/gpt/test_gpt_autocast.py — bfloat16 on a CPU, and compilation."""

import pytest
import torch

from goldenseal.errors import UsageError
from train_gpt_style.gpt import SYSTEM, run, ttt
from train_gpt_style.gpt.features import AUTOCAST
from train_gpt_style.kit.context import Context


def product_type(ctx):
    """The type in which a matrix product of fp32 inputs comes out."""
    with ctx.autocast():
        return (torch.ones(2, 2) @ torch.ones(2, 2)).dtype


def test_a_cpu_computes_in_fp32_until_the_feature_says_otherwise(context):
    assert product_type(context) == torch.float32
    AUTOCAST.prepare(context, SYSTEM.read({"AUTOCAST": "bf16"}))
    assert product_type(context) == torch.bfloat16
    assert product_type(Context({})) == torch.float32


def test_weights_and_gradients_stay_in_fp32_and_the_loss_is_close(build, batch, perturb, context):
    model = perturb(build())
    plain = model(*batch())
    AUTOCAST.prepare(context, SYSTEM.read({"AUTOCAST": "bf16"}))
    with context.autocast():
        loss = model(*batch())
    loss.backward()
    assert not torch.equal(loss, plain)
    assert torch.allclose(loss, plain, rtol=2e-2)
    assert all(p.dtype == p.grad.dtype == torch.float32 for p in model.parameters())


def test_products_and_attention_run_in_bfloat16(build, batch, context):
    model = build()
    AUTOCAST.prepare(context, SYSTEM.read({"AUTOCAST": "bf16"}))
    seen = {}
    for name in ("blocks.0.attn.c_q", "blocks.0.mlp.proj", "blocks.3.attn"):
        module = model.get_submodule(name)
        module.register_forward_hook(lambda m, a, out, name=name: seen.update({name: out.dtype}))
    with context.autocast():
        model(*batch())
    assert set(seen.values()) == {torch.bfloat16}
    assert len(seen) == 3


def test_a_whole_run_trains_validates_and_adapts_in_bfloat16(tiny, perform):
    plain, rounded = perform(run.main, tiny), perform(run.main, {**tiny, "AUTOCAST": "bf16"})
    assert "feature autocast autocast:bf16" in rounded.lines
    assert plain.files["final_model.safetensors"] != rounded.files["final_model.safetensors"]

    def bpb(lines, start):
        (line,) = (line for line in lines if line.startswith(start))
        return float(line.split("val_bpb:")[1])

    for start in ("final_int8_zlib_roundtrip_exact", "final_int8_ttt_lora_exact"):
        assert bpb(plain.lines, start) != bpb(rounded.lines, start)
        assert bpb(plain.lines, start) == pytest.approx(bpb(rounded.lines, start), rel=2e-2)


def test_the_portable_lane_and_unknown_types_are_refused():
    with pytest.raises(UsageError, match="AUTOCAST=bf16 needs NUMERICS=native"):
        SYSTEM.read({"AUTOCAST": "bf16", "NUMERICS": "portable"})
    assert SYSTEM.read({"NUMERICS": "portable"}).autocast == "off"
    with pytest.raises(UsageError, match="one of off, bf16"):
        SYSTEM.read({"AUTOCAST": "fp16"})


# -- compilation: every feature in one graph, as a CUDA run needs ----------------------------------

FEATURES = {
    "off": {},
    "jepa": {"JEPA_LAMBDA": "0.5", "JEPA_LAYER": "1"},
    "phinta": {"PHINTA_ENABLE": "1", "PHINTA_START": "identity"},
    "phinta per block": {"PHINTA_ENABLE": "1", "PHINTA_PER_BLOCK": "1"},
    "ut": {"UT_LOOPS": "3", "UT_LAYER_START": "1", "UT_LAYER_END": "3"},
    "packed": {"TTT_PACKED": "1"},
}
FEATURES["together"] = {
    name: value for environ in FEATURES.values() for name, value in environ.items()
}


@pytest.mark.parametrize("precision", ["off", "bf16"])
@pytest.mark.parametrize("features", FEATURES.values(), ids=FEATURES)
def test_a_training_step_compiles_into_one_graph(build, batch, perturb, features, precision):
    """Loss and gradients of the graph, run operation by operation, are those of the model."""
    torch.compiler.reset()
    model, ctx = perturb(build(**features)), Context({})
    if precision == "bf16":
        AUTOCAST.prepare(ctx, SYSTEM.read({"AUTOCAST": "bf16"}))
    compiled = torch.compile(model, backend="eager", dynamic=False, fullgraph=True)
    results = []
    for forward in (model, compiled):
        model.zero_grad()
        with ctx.autocast():
            loss = forward(*batch())
        loss.backward()
        results.append({name: p.grad for name, p in model.named_parameters()} | {"loss": loss})
    expected, found = results
    assert all(torch.equal(found[name], value) for name, value in expected.items())


def test_a_packed_evaluation_does_not_disturb_a_compiled_model(build, batch):
    """Test-time training uses the model itself, as a run does; the graph stays valid."""
    torch.compiler.reset()
    model = build(TTT_PACKED="1")
    compiled = torch.compile(model, backend="eager", dynamic=False, fullgraph=True)
    before = compiled(*batch())
    x, y = batch()
    model.before_head["ttt_packed"].first = 12
    losses = model(x, y[:, 12:], lora=ttt.DocumentLoRA(2, model, 2))
    model.before_head["ttt_packed"].first = 0
    assert losses.shape == (2, 4)
    assert torch.equal(compiled(*batch()), before)

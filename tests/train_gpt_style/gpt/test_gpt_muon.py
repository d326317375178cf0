"""pytest tests/train_gpt_style/gpt/test_gpt_muon.py — Muon's products in fp32, and its stacks."""

from itertools import chain

import pytest
import torch
from torch import nn

from goldenseal.errors import UsageError
from train_gpt_style.gpt import SYSTEM, muon, optim, run
from train_gpt_style.gpt.constants import MUON_EPS, NS_A, NS_B, NS_C
from train_gpt_style.gpt.features import muon_stacked

FP32, STACKED = {"MUON_PRODUCTS": "fp32"}, {"MUON_STACKED": "1"}
ON = [FP32, STACKED, FP32 | STACKED]
SHAPES = [(8, 24), (24, 8), (64, 64), (1, 5), (1, 1)]


def matrices(*shape):
    return torch.randn(shape, generator=torch.Generator().manual_seed(1))


def in_float64(G, steps):
    """The iteration without a rounding to speak of."""
    X = G.double() / (G.double().norm() + MUON_EPS)
    X = X.T if G.size(0) > G.size(1) else X
    for _ in range(steps):
        A = X @ X.T
        X = NS_A * X + (NS_B * A + NS_C * A @ A) @ X
    return X.T if G.size(0) > G.size(1) else X


def apart(found, expected):
    """How far matrices are apart, relative to the expected one's norm."""
    return ((found.double() - expected.double()).norm() / expected.double().norm()).item()


def near(found, expected):
    """As near as roundings leave it: those of a matrix of one row add up least."""
    return apart(found, expected) < (0.15 if min(found.shape) == 1 else 0.06)


# -- products in fp32 ------------------------------------------------------------------------------


def test_a_product_in_fp32_is_the_bfloat16_one_but_for_an_ulp_here_and_there():
    """Operands and results are bfloat16; only the order of the sum may differ."""
    a, b = matrices(2, 128, 128).bfloat16()
    here, there = a @ b, (a.float() @ b.float()).bfloat16()
    differ = here != there
    assert differ.float().mean() < 0.01
    assert torch.allclose(here.float(), there.float(), rtol=2**-7, atol=1e-6)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_the_iteration_with_products_in_fp32_stays_in_bfloat16_and_close(shape):
    G = matrices(*shape)
    usual = muon.newton_schulz(G, 5)
    found = muon.newton_schulz(G, 5, product_type=torch.float32)
    assert found.dtype == usual.dtype == torch.bfloat16
    assert found.shape == usual.shape == shape
    assert near(found, in_float64(G, 5))


def test_only_the_products_are_in_fp32():
    seen = []

    class Watch(torch.utils._python_dispatch.TorchDispatchMode):
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            result = func(*args, **(kwargs or {}))
            if isinstance(result, torch.Tensor) and result.dtype == torch.float32:
                seen.append(func.__name__.partition(".")[0])
            return result

    G = matrices(8, 8).bfloat16()
    with Watch():
        muon.newton_schulz(G, 1, product_type=torch.float32)
    assert set(seen) == {"_to_copy", "permute", "mm", "mul"}
    assert [seen.count(name) for name in ("mm", "mul")] == [3, 1]


# -- stacks ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("product_type", [torch.bfloat16, torch.float32], ids=str)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_a_stack_goes_through_the_iteration_of_each_of_its_matrices(shape, product_type):
    stack = torch.stack([matrices(*shape), 3 * matrices(*shape).flip(0), matrices(*shape).abs()])
    found = muon_stacked.newton_schulz_stacked(stack, 5, product_type=product_type)
    assert found.dtype == torch.bfloat16
    assert found.shape == stack.shape
    for one, G in zip(found, stack, strict=True):
        assert near(one, in_float64(G, 5))
        assert near(one, muon.newton_schulz(G, 5))


def test_stacks_hold_each_parameter_once_by_shape_and_are_no_larger_than_three():
    shapes = [(2, 3), (4, 4), (2, 3), (3, 2), (4, 4), (2, 3), (4, 4), (4, 4), (4, 4)]
    params = [torch.zeros(shape) for shape in shapes]
    stacks = muon_stacked.stacks_of(params)
    assert stacks == [[0, 2, 5], [1, 4, 6], [7, 8], [3]]
    assert all(len({params[i].shape for i in stack}) == 1 for stack in stacks)


def updated(environ, grads, steps=2, **groups):
    """Weights from zero after `steps` of the Muon that the features of `environ` make of it."""
    settings = SYSTEM.read(environ)
    params = [nn.Parameter(torch.zeros_like(g)) for g in grads]
    optimizer = muon.Muon(params, 0.5, 0.9, 5, **groups)
    for feature in settings.features:
        feature.tune_muon(optimizer)
    for step in range(steps):
        for p, g in zip(params, grads, strict=True):
            p.grad = None if g.isnan().any() else g * (step + 1)
        optimizer.step()
    return optimizer, [p.detach() for p in params]


@pytest.mark.parametrize("environ", ON, ids=str)
@pytest.mark.parametrize("nesterov", [True, False])
def test_every_matrix_moves_as_without_but_for_rounding(environ, nesterov):
    grads = [matrices(*shape) for shape in (*SHAPES, *SHAPES[:3], *SHAPES[:3], *SHAPES[:3])]
    _, usual = updated({}, grads, nesterov=nesterov)
    _, found = updated(environ, grads, nesterov=nesterov)
    assert all(near(a, b) for a, b in zip(found, usual, strict=True))
    assert not all(map(torch.equal, found, usual))  # or the knob does nothing


@pytest.mark.parametrize("environ", [{}, *ON], ids=str)
def test_a_matrix_without_a_gradient_stays_and_keeps_no_momentum(environ):
    grads = [matrices(4, 4), torch.full((4, 4), torch.nan), torch.full((2, 4), torch.nan)]
    optimizer, found = updated(environ, grads)
    assert found[0].any()
    assert not found[1].any()
    assert not found[2].any()
    assert [len(optimizer.state.get(p, {})) for p in optimizer.param_groups[0]["params"]] == [
        *(1, 0, 0)
    ]


@pytest.mark.parametrize("world_size", [1, 2, 4, 8])
@pytest.mark.parametrize("environ", [{}, STACKED], ids=str)
def test_ranks_share_out_whole_units_and_a_checkpoint_knows_whose_they_are(
    build, environ, world_size
):
    model = build(**environ)
    optimizer = optim.build_optimizers(SYSTEM.read(environ), model)["matrices"]
    params = optimizer.param_groups[0]["params"]
    units = optimizer.units_of(params)
    assert sorted(chain(*units)) == list(range(len(params)))
    for rank in range(world_size):
        mine = set(chain(*units[rank::world_size]))
        owned = {i for i in range(len(params)) if optimizer.owner_of(i, world_size) == rank}
        assert owned == mine
    assert max(map(len, units)) == (3 if environ else 1)


# -- whole runs ------------------------------------------------------------------------------------


@pytest.mark.parametrize("environ", ON, ids=str)
def test_a_whole_run_is_close_and_names_the_feature(tiny, perform, environ):
    tiny = {**tiny, "ITERATIONS": "1", "WARMUP_STEPS": "0", "TTT_LORA_LR": "0"}
    plain, on = perform(run.main, tiny), perform(run.main, {**tiny, **environ})
    for name in environ:
        assert f"feature {name.lower()} {name.lower()}:{SYSTEM.read(environ)[name]}" in on.lines
    weights = "final_model.safetensors"
    assert plain.files[weights] != on.files[weights]

    def loss(lines):
        (line,) = (line for line in lines if line.startswith("final_int8_zlib_roundtrip_exact"))
        return float(line.split("val_loss:")[1].split()[0])

    assert loss(on.lines) == pytest.approx(loss(plain.lines), rel=1e-2)


@pytest.mark.parametrize(
    ("environ", "who"),
    [({}, ["Muon"]), (FP32, []), (FP32 | {"AUTOCAST": "bf16"}, ["AUTOCAST=bf16"])],
    ids=str,
)
def test_a_run_held_to_avx2_says_what_is_slow_beside_its_output(
    tiny, perform, environ, who, capsys
):
    """oneDNN has read its variable long ago: the run is quick, and says what it read there."""
    short = {**tiny, "ITERATIONS": "0", "WARMUP_STEPS": "0", "TTT_LORA_LR": "0"}
    quiet = perform(run.main, {**short, **environ})
    assert "note: " not in capsys.readouterr().err
    noted = perform(run.main, {**short, **environ, "ONEDNN_MAX_CPU_ISA": "AVX2"})
    found = [line for line in capsys.readouterr().err.splitlines() if line.startswith("note: ")]
    assert [line.split()[1] for line in found] == who
    assert noted == quiet  # what is printed, logged and written


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("MUON_PRODUCTS", "fp16", "one of bf16, fp32"),
        ("MUON_PRODUCTS", "FP32", "one of bf16, fp32"),
        ("MUON_PRODUCTS", "1", "one of bf16, fp32"),
        ("MUON_STACKED", "2", "MUON_STACKED"),
        ("MUON_STACKED", "fp32", "MUON_STACKED"),
        ("MUON_STACK", "1", "MUON_STACKED"),
        ("MUON_PRODUCT", "fp32", "MUON_PRODUCTS"),
    ],
)
def test_bad_values_and_names_are_refused(name, value, words):
    with pytest.raises(UsageError, match=words):
        SYSTEM.read({name: value})


def test_the_portable_lane_takes_products_in_fp32_and_refuses_stacks():
    assert SYSTEM.read({**FP32, "NUMERICS": "portable"}).muon_products == "fp32"
    with pytest.raises(UsageError, match="MUON_STACKED=1 needs NUMERICS=native"):
        SYSTEM.read({**STACKED, "NUMERICS": "portable"})

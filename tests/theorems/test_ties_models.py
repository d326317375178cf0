"""What the theorems state of parts of the models, held against those parts."""

import math
from types import SimpleNamespace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from train_gpt_style.credit.run import build_optimizers
from train_gpt_style.gpt.model import GPT, Block, CausalSelfAttention, Rotary

SEEDS = st.integers(0, 2**32 - 1)
quick = settings(max_examples=20, deadline=None)


def drawn(seed, *shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


# --- Attention.v --------------------------------------------------------------------------------


@quick
@given(SEEDS, st.integers(1, 6))
def test_turned_pairs_keep_their_length_and_score_by_distance(seed, pairs):
    rotary = Rotary(2 * pairs, base=10000.0).double()
    q, k = (drawn(seed + i, 2 * pairs).expand(1, 1, 12, -1) for i in range(2))
    turned_q, turned_k = rotary(q)[0, 0], rotary(k)[0, 0]
    lengths = turned_q[:, :pairs] ** 2 + turned_q[:, pairs:] ** 2
    assert torch.allclose(lengths, lengths[0].expand_as(lengths))
    scores = turned_q @ turned_k.T
    for distance in range(-5, 6):
        diagonal = scores.diagonal(distance)
        assert torch.allclose(diagonal, diagonal[0].expand_as(diagonal))
    assert not math.isclose(scores[0, 0], scores[0, 5], abs_tol=1e-9)


def capped(cap, logits):
    """The logits that a GPT of one token a class gives to its loss."""
    model = GPT(logits.numel(), 1, 2, 1, 1, 1, False, 0.0, cap, 10000.0, 1.0).double()
    seen = []
    model.lm_head.forward = lambda x: logits.expand(*x.shape[:2], -1)
    real = torch.nn.functional.cross_entropy
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            torch.nn.functional, "cross_entropy", lambda x, *rest: seen.append(x) or real(x, *rest)
        )
        patch.setattr(torch.Tensor, "float", lambda tensor: tensor)
        model(torch.zeros(1, 1, dtype=torch.long), torch.zeros(1, 1, dtype=torch.long))
    return seen[0][0].detach()


@quick
@given(SEEDS, st.sampled_from([0.5, 5.0, 30.0]))
def test_the_soft_cap_is_odd_increasing_below_its_cap_and_no_steeper_than_one(seed, cap):
    x = (3 * drawn(seed, 8)).sort().values
    y = capped(cap, x)
    assert torch.equal(capped(cap, -x), -y)
    assert float(y.abs().max()) < cap or float(x.abs().max()) > 18 * cap  # where tanh rounds to 1
    assert (y.diff() >= 0).all()
    assert (y.diff() <= x.diff() * (1 + 1e-12) + 1e-12).all()


@quick
@given(SEEDS)
def test_a_block_whose_projections_are_zero_leaves_the_stream_alone(seed):
    block = Block(8, 2, 1, 2, 10000.0, 1.0).double()
    x = drawn(seed, 2, 5, 8)
    assert not torch.equal(block(x, x), x)
    for projection in (block.attn.proj, block.mlp.proj):
        torch.nn.init.zeros_(projection.weight)
    assert torch.equal(block(x, x), x)


# --- RmsNorm.v ----------------------------------------------------------------------------------


@quick
@given(SEEDS, st.floats(0.5, 8.0))
def test_queries_and_keys_of_another_length_give_the_same_attention(seed, factor):
    attention = CausalSelfAttention(8, 2, 1, 10000.0, 1.0).double()
    torch.nn.init.normal_(attention.proj.weight, generator=torch.Generator().manual_seed(seed))
    x = drawn(seed, 2, 5, 8)
    before = attention(x)
    with torch.no_grad():
        for each in (attention.c_q, attention.c_k):
            each.weight *= factor
    assert torch.allclose(attention(x), before, rtol=1e-9, atol=1e-9)


# --- Adam.v -------------------------------------------------------------------------------------


@quick
@given(SEEDS)
def test_no_step_of_the_optimizer_of_credit_is_longer_than_its_reach(seed):
    model = torch.nn.Linear(4, 3, bias=False).double()
    settings_of = SimpleNamespace(features=(), lr=0.5, weight_decay=0.0)
    optimizer = build_optimizers(settings_of, model)["adamw"]
    b1, b2 = optimizer.defaults["betas"]
    reach = math.sqrt((1 - b1) ** 2 / ((1 - b2) * (1 - b1**2 / b2)))
    size = torch.exp2(4 * drawn(seed, 30, 3, 4))  # gradients of all sizes, in bursts
    for k in range(30):
        before = model.weight.detach().clone()
        model.weight.grad = size[k] * torch.sign(drawn(seed + k, 3, 4))
        optimizer.step()
        moved = float((model.weight.detach() - before).abs().max())
        assert moved <= 0.5 * reach * (1 + 1e-9)

"""pytest tests/train_gpt_style/credit/test_credit_metrics.py — what is measured, and what is not.

Each published mistake of measurement has a test that fails under it.
"""

import math
from dataclasses import replace
from itertools import pairwise

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from train_gpt_style.credit import metrics
from train_gpt_style.credit.calibrate import can_be_drawn, fresh_cosines
from train_gpt_style.credit.features.measure import facts_of
from train_gpt_style.credit.protocol.calibration import expected_sd
from train_gpt_style.credit.run import loss_and_correct


def seen_of(w, **more):
    seen = metrics.measured(w.model, w.x, w.y)
    return metrics.with_credits(seen, w.method, **more) if w.method else seen


# -- published mistakes ---------------------------------------------------------------------------


def test_a_norm_is_taken_over_features_and_not_of_order_minus_one():
    """`t.norm(-1)` is 1 / sum(1 / |x|) of the whole tensor: 0.5 here."""
    t = torch.tensor([[1.0, 2.0], [4.0, 4.0]], dtype=torch.float64)
    assert t.norm(-1) == 0.5
    middle = (math.hypot(1, 2) + math.hypot(4, 4)) / 2
    assert metrics.hidden_norm(t) == pytest.approx(middle)
    assert metrics.gradient_norm(t) == pytest.approx(middle)


@pytest.mark.parametrize("size", [1e-10, 1e-30, 1e-150])
def test_a_cosine_is_not_clamped_by_small_norms(size):
    """The library multiplies by ||g|| / 1e-8 below 1e-8: 0.01 at 1e-10."""
    a, g = torch.tensor([[4.5, 0.0]]), torch.tensor([[size, 0.0]], dtype=torch.float64)
    assert F.cosine_similarity(a.double(), g) < 0.02
    assert metrics.cosine(a.double(), g) == 1.0


def test_a_vanished_gradient_has_no_cosine_and_never_that_of_perfect_alignment():
    zero, a = torch.zeros(3, 4, dtype=torch.float64), torch.ones(3, 4, dtype=torch.float64)
    for pair in ((a, zero), (zero, a), (zero, zero)):
        assert math.isnan(metrics.cosine(*pair))
    assert metrics.cosine(a, a) == pytest.approx(1.0)


def test_gradients_keep_what_half_precision_loses(world):
    """fp16 has no 5e-10; a copy in float64 has gradients that a float32 network rounds away."""
    w = world(CREDIT_METHOD="dfa", CREDIT_OUT_LN=0)
    with torch.no_grad():
        for p in w.model.out_head.parameters():
            p.mul_(1e-12)
    seen = seen_of(w)
    assert {g.dtype for g in seen.gradients} == {torch.float64}
    norms = [metrics.gradient_norm(g) for g in seen.gradients]
    assert all(0.0 < norm < 1e-11 for norm in norms)
    assert all(g.half().norm() == 0.0 for g in seen.gradients)
    with torch.no_grad():
        w.model.out_head.weight.mul_(1e7)
    for g, large in zip(seen.gradients, seen_of(w).gradients, strict=True):
        torch.testing.assert_close(metrics.unit(g), metrics.unit(large), rtol=1e-4, atol=1e-5)


def test_an_example_is_correct_where_its_class_has_the_largest_logit(world):
    w = world()
    w.model.eval()
    with torch.no_grad():
        logits = w.model.double()(w.x.double())
    seen = metrics.measured(w.model, w.x, w.y)
    assert torch.equal(seen.correct, logits.argmax(dim=1) == w.y)
    assert metrics.measured(w.model, w.x, logits.argmax(dim=1)).correct.all()


def test_gradients_are_of_each_examples_own_loss_whatever_the_batch(world):
    w = world(count=24)
    whole, half = seen_of(w), metrics.measured(w.model, w.x[:12], w.y[:12])
    for a, b in zip(whole.gradients, half.gradients, strict=True):
        torch.testing.assert_close(a[:12], b, rtol=1e-9, atol=1e-12)
    h = whole.hidden[-1].clone().requires_grad_()
    loss = F.cross_entropy(whole.model.head(h), w.y)  # of the mean, as was printed
    (printed,) = torch.autograd.grad(loss, h)
    torch.testing.assert_close(printed * 24, whole.gradients[-1])


def test_each_layer_has_feedback_of_its_own_drawn_apart_from_other_draws(world):
    """A single matrix sliced for all layers, drawn at the first pass, is none of these."""
    w = world(CREDIT_METHOD="dfa")
    B = [w.model.feedback[layer] for layer in range(4)]
    assert all(not torch.equal(B[0], other) for other in B[1:])
    assert {f"feedback.B{i}" for i in range(4)} <= set(w.model.state_dict())
    torch.manual_seed(99)
    torch.rand(7)
    again = w.method.matrices(w.model, w.method.generator())
    assert all(torch.equal(a, b) for a, b in zip(B, again, strict=True))
    other = world(CREDIT_METHOD="dfa", CREDIT_FEEDBACK_SEED=1)
    assert not torch.equal(other.model.feedback[0], B[0])
    torch.testing.assert_close(other.model.embed.weight, w.model.embed.weight)


def test_a_token_network_has_a_gradient_at_the_top_although_most_tokens_have_none(world):
    w = world((3, 8, 8), CREDIT_MODEL="vit-mini", CREDIT_OUT_LN=1)
    g = seen_of(w).gradients[-1]
    assert g.ndim == 3
    assert float(g.norm(dim=-1).flatten().quantile(0.5)) == 0.0
    assert metrics.gradient_norm(g) > 0.01


# -- right values ---------------------------------------------------------------------------------


def test_the_published_scale_of_the_network_at_its_start(world):
    """||f_l|| / ||h_l|| 0.09 to 0.105 a block, cos(h_0, h_L) 0.98, ||h_0|| 9.2."""
    for seed in (42, 123):
        w = world((3, 32, 32), 256, seed, DIM=256, DEPTH=4, W2_STD=0.01)
        seen = seen_of(w)
        h = seen.hidden
        for before, after in pairwise(h):
            ratio = float(((after - before).norm(dim=1) / before.norm(dim=1)).mean())
            assert 0.09 < ratio < 0.105
        assert metrics.hidden_norm(h[0]) == pytest.approx(9.2, abs=0.15)
        assert metrics.cosine(h[0], h[-1]) == pytest.approx(0.982, abs=0.003)
        assert metrics.gradient_norm(seen.gradients[-1]) == pytest.approx(0.95, abs=0.02)


def test_measuring_leaves_the_network_and_the_generators_alone(world):
    w = world((3, 8, 8), CREDIT_MODEL="small-cnn")
    w.model.train()
    before = {n: t.clone() for n, t in w.model.state_dict().items()}
    state = torch.get_rng_state()
    seen = seen_of(w)
    facts_of(seen, 3)
    assert w.model.training
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(before[n], t) for n, t in w.model.state_dict().items())
    assert all(p.grad is None for p in w.model.parameters())


def test_train_and_evaluation_mode_agree_where_the_norm_is_layer_norm(world):
    w = world()
    train, evaluation = (
        loss_and_correct(m, w.x, w.y)[0] for m in (w.model.train(), w.model.eval())
    )
    assert torch.equal(train, evaluation)


def test_stability_is_a_mean_over_pairs_of_batches():
    g = torch.tensor([[1.0, 0.0], [3.0, 0.0], [0.0, 1.0], [0.0, 2.0], [-1.0, 0.0], [-1.0, 0.0]])
    assert metrics.stability(g, 3, 2) == pytest.approx((0 - 1 + 0) / 3)
    assert metrics.stability(torch.ones(6, 2), 3, 2) == pytest.approx(1.0)


@given(st.integers(2, 6), st.integers(0, 2**20))
def test_stability_is_at_least_minus_one_over_batches_less_one(batches, seed):
    g = torch.randn(2 * batches, 3, generator=torch.Generator().manual_seed(seed)).double()
    assert -1 / (batches - 1) - 1e-12 <= metrics.stability(g, batches, 2) <= 1 + 1e-12


def test_a_slope_is_the_gradient_along_its_direction(world):
    seen = seen_of(world(count=16))
    v = torch.randn(seen.hidden[1].shape, generator=torch.Generator().manual_seed(0)).double()
    along = (seen.gradients[1] * v).sum(dim=1)
    torch.testing.assert_close(metrics.slope(seen, 1, v), along, rtol=0.01, atol=1e-4)


def test_rho_of_the_gradient_is_one_and_of_noise_within_its_spread(world):
    w = world(count=256)
    seen = seen_of(w)
    assert metrics.rho(seen, seen.gradients, 2) > 0.99
    assert metrics.rho(seen, [-g for g in seen.gradients], 2) < -0.99
    generator = torch.Generator().manual_seed(3)
    found = []
    for draw in range(8):
        noise = [torch.randn(h.shape, generator=generator).double() for h in seen.hidden]
        found.append(metrics.rho(seen, noise, 1, seed=draw))
    assert abs(sum(found) / 8) < 3 / math.sqrt(8 * metrics.DIRECTIONS)


def test_the_norm_of_a_layer_is_that_of_a_token_or_of_all_numbers():
    rows = torch.tensor([[3.0, 4.0], [0.0, 1.0], [6.0, 8.0]]).double()
    assert metrics.hidden_norm(rows) == 5.0
    assert metrics.hidden_norm(rows.view(1, 3, 2)) == 5.0  # three tokens
    assert metrics.hidden_norm(rows.view(3, 1, 1, 2)) == 5.0  # three maps
    tokens = torch.tensor([[[3.0, 4.0], [3.0, 4.0]], [[5.0, 0.0], [0.0, 5.0]]]).double()
    assert metrics.hidden_norm(tokens) == 5.0


def test_a_step_against_the_gradient_lowers_the_loss_and_with_it_raises_it(world):
    seen = seen_of(world())
    assert metrics.nudged_loss(seen, seen.gradients, 1) < 0
    assert metrics.nudged_loss(seen, [-g for g in seen.gradients], 1) > 0


def test_shares_and_distances(world):
    w = world()
    seen = seen_of(w)
    assert metrics.present(seen.gradients, 128) == 1.0
    assert metrics.present([1e-9 * g for g in seen.gradients], 128) == 0.0
    g = torch.tensor([[2e-5], [2e-4]], dtype=torch.float64)  # 1e-6 of a mean over 128 is 1.28e-4
    assert [metrics.present([g], n) for n in (1, 128, 1024)] == [1.0, 0.5, 0.0]
    assert metrics.distances(seen, seen) == [0.0] * 4
    other = metrics.measured(world(seed=2).model, w.x, w.y)
    assert min(metrics.distances(other, seen)) > 0.1


def test_facts_are_left_out_where_there_is_nothing_to_tell(world):
    told = facts_of(seen_of(world()), 3)
    assert "gamma" not in told
    assert "cosine_0" not in told
    assert told["stability"] == facts_of(seen_of(world()), 3)["stability"]
    assert "stability" not in facts_of(seen_of(world()), 4)  # 24 examples are six batches
    full = facts_of(seen_of(world(CREDIT_METHOD="dfa")), 3, effects=True)
    deep = [full[f"cosine_{layer}"] for layer in (1, 2, 3)]
    assert full["deep_cosine"] == pytest.approx(sum(deep) / 3)
    assert full["gamma"] == pytest.approx((sum(deep) + full["cosine_0"]) / 4)
    assert {"rho", "nudge"} <= set(full)


# -- null calibration -----------------------------------------------------------------------------


def test_fresh_feedback_has_the_cosines_that_its_matrices_give(world):
    for method in ("dfa", "fa"):
        w = world(CREDIT_METHOD=method)
        seen = seen_of(w)
        found = fresh_cosines(seen, w.method, 3)
        for draw in range(3):
            B = w.method.matrices(w.model, w.method.generator(1 + draw))
            credits = w.method.from_feedback([b.double() for b in B], seen.signals)
            pairs = zip(credits, seen.gradients, strict=True)
            expected = [metrics.cosine(a, g) for a, g in pairs]
            assert found[draw].tolist() == pytest.approx(expected)


def test_fresh_feedback_lies_where_the_gradients_do(world):
    """`meta` stands for an accelerator: matrices are drawn on the CPU, as those of a run are."""
    w = world(CREDIT_METHOD="dfa")
    seen = seen_of(w)
    signals = replace(seen.signals, error=seen.signals.error.to("meta"))
    there = replace(seen, signals=signals, gradients=[g.to("meta") for g in seen.gradients])
    assert fresh_cosines(there, w.method, 2).device.type == "meta"


def test_fresh_feedback_spreads_as_derived(world):
    """1 / sqrt(d (C - 1)): 0.0208 at the published width."""
    w = world(count=64, DIM=64, DEPTH=1, CREDIT_METHOD="dfa")
    found = fresh_cosines(seen_of(w), w.method, 400)[:, 1]
    assert float(found.std()) == pytest.approx(expected_sd(64, 10), rel=0.25)
    assert abs(float(found.mean())) < 3 * expected_sd(64, 10) / math.sqrt(400)


def test_what_is_learned_cannot_be_drawn_afresh(world):
    drawn = {m: can_be_drawn(world(CREDIT_METHOD=m).method) for m in ("dfa", "fa", "ep", "frozen")}
    assert drawn == {"dfa": True, "fa": True, "ep": False, "frozen": False}
    assert not can_be_drawn(world(CREDIT_METHOD="credit-bridge").method)
    assert not can_be_drawn(None)

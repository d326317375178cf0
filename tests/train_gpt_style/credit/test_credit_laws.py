"""pytest tests/train_gpt_style/credit/test_credit_laws.py — derived facts that must hold.

Equilibrium propagation tends to backpropagation with the corrected sign; a layer norm's gradient is
orthogonal to its input and falls with its scale.
"""

import math
from types import SimpleNamespace

import torch
import torch.nn.functional as F

from train_gpt_style.credit import metrics
from train_gpt_style.credit.features.measure import MEASURE
from train_gpt_style.credit.run import end_to_end, gradients_of

DONE = 3  # steps


def gradients(w, x=None, step=None):
    """The gradients that a step leaves, by name, and its loss."""
    w.model.zero_grad()
    step = step or gradients_of(w.settings)
    loss, _ = step(w.model, w.x if x is None else x, w.y, w.ctx, DONE)
    found = {n: p.grad.clone() for n, p in w.model.named_parameters() if p.grad is not None}
    return found, loss.detach()


def facts_of_a_step(w):
    """What the method says of it."""
    step = gradients_of(w.settings)
    gradients(w, step=step)
    return step.facts


# -- equilibrium propagation (10.4) ---------------------------------------------------------------


def settled(world, beta, sides="one", **knobs):
    return world(
        CREDIT_METHOD="ep",
        CREDIT_EP_BETA=beta,
        CREDIT_EP_STEPS=1500,
        CREDIT_EP_TOLERANCE=1e-4,
        CREDIT_EP_SIDES=sides,
        W2_STD=0.1,
        count=6,
        DEPTH=2,
        **knobs,
    )


def error_against_bp(w):
    """Relative distance of the blocks' gradients from backpropagation's."""
    found, _ = gradients(w)
    true, _ = gradients(w, step=end_to_end)
    names = [n for n in true if n.startswith(("blocks", "embed"))]
    off = sum((found[n] - true[n]).square().sum() for n in names)
    return float((off / sum(true[n].square().sum() for n in names)).sqrt())


def test_ep_tends_to_backpropagation_and_faster_from_both_sides(world):
    coarse, fine = (error_against_bp(settled(world, beta)) for beta in (0.1, 0.01))
    assert fine < 0.2 * coarse
    assert error_against_bp(settled(world, 0.1, "two")) < 0.3 * coarse


def test_ep_credit_has_the_corrected_sign_and_its_residual_is_the_gradient(world):
    """The displacement is a positive matrix times g; with the first sign Gamma was negative."""
    w = settled(world, 0.02)
    seen = metrics.measured(w.model, w.x, w.y)
    displaced, residual = (
        metrics.with_credits(seen, w.method, kind=kind).credits
        for kind in ("displacement", "residual")
    )
    for layer, g in enumerate(seen.gradients):
        assert metrics.cosine(residual[layer], g) > 0.999
        per_example = (metrics.unit(displaced[layer]) * metrics.unit(g)).sum(dim=1)
        assert float(per_example.min()) > 0.5
    assert metrics.cosine(displaced[1], seen.gradients[1]) > 0.999  # M = I at l = 1
    ratio = displaced[2].norm(dim=1) / seen.gradients[2].norm(dim=1)
    assert 1.3 < float(ratio.mean()) < 3.5  # norms grow about l-fold


def test_relaxation_says_whether_it_has_settled(world):
    w = world(CREDIT_METHOD="ep", count=6, CREDIT_EP_STEPS=2)
    facts = facts_of_a_step(w)
    assert facts["ep_settled"] == 0
    assert facts["ep_residual"] > w.settings.credit_ep_tolerance
    assert facts["ep_steps"] == 2
    facts = facts_of_a_step(settled(world, 0.1))
    assert facts["ep_settled"] == 1
    assert 2 < facts["ep_steps"] < 1500


def test_a_relaxation_that_diverges_has_not_settled(world):
    """A comparison with NaN is false: it read as a residual of 0."""
    for rate, steps in ((3, 400), (1e30, 20)):
        w = world(CREDIT_METHOD="ep", count=6, CREDIT_EP_RATE=rate, CREDIT_EP_STEPS=steps)
        facts = facts_of_a_step(w)
        assert facts["ep_settled"] == 0
        assert facts["ep_residual"] == math.inf


def test_a_reported_credit_says_whether_it_is_that_of_an_equilibrium(world):
    rough = world(CREDIT_METHOD="ep", count=6, CREDIT_EP_STEPS=2, CREDIT_MEASURE=6)
    split = SimpleNamespace(inputs=lambda indices: rough.x[indices], labels=rough.y)
    told = MEASURE.measure(rough.settings, rough.model, rough.ctx, split, 0)
    assert told["ep_settled"] == 0
    assert told["ep_residual"] > rough.settings.credit_ep_tolerance


def test_relaxation_leaves_running_statistics_to_the_forward_pass(world):
    w = world((3, 8, 8), CREDIT_MODEL="small-cnn", CREDIT_METHOD="ep", CREDIT_EP_STEPS=3)
    twin = world((3, 8, 8), CREDIT_MODEL="small-cnn", CREDIT_METHOD="dfa")
    twin.model.load_state_dict({**twin.model.state_dict(), **w.model.state_dict()})
    gradients(w)
    gradients(twin)
    norm, other = w.model.embed[1], twin.model.embed[1]
    torch.testing.assert_close(norm.running_mean, other.running_mean)
    assert norm.momentum == 0.1


# -- layer norm (10.3) ----------------------------------------------------------------------------


def test_the_gradient_at_the_top_is_orthogonal_to_the_state_and_falls_with_its_scale(world):
    w = world()
    seen = metrics.measured(w.model, w.x, w.y)
    h = 100.0 * seen.hidden[-1]

    def gradient(h):
        h = h.clone().requires_grad_()
        losses = F.cross_entropy(seen.model.head(h), w.y, reduction="sum")
        return torch.autograd.grad(losses, h)[0]

    g, half = gradient(h), gradient(2 * h)
    torch.testing.assert_close(half, g / 2, rtol=1e-5, atol=1e-12)
    scale = g.norm(dim=1) * h.norm(dim=1)
    assert float(((g * h).sum(dim=1) / scale).abs().max()) < 1e-5
    assert float((g.sum(dim=1) / g.norm(dim=1)).abs().max()) < 1e-9
    head = seen.model.out_head.weight
    bound = math.sqrt(2 * 16) * torch.linalg.matrix_norm(head, 2)
    centred = (h - h.mean(dim=1, keepdim=True)).norm(dim=1)
    assert bool((g.norm(dim=1) <= bound / centred).all())


def test_without_the_last_norm_the_gradient_does_not_see_the_scale(world):
    w = world(CREDIT_OUT_LN=0)
    seen = metrics.measured(w.model, w.x, w.y)
    e = torch.softmax(seen.model.head(seen.hidden[-1]), 1) - F.one_hot(w.y, 10)
    torch.testing.assert_close(seen.gradients[-1], e @ seen.model.out_head.weight)

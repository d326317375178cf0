"""pytest tests/train_gpt_style/credit/test_credit_bridges.py — credit by a learned net."""

import pytest
import torch

from train_gpt_style.credit import metrics
from train_gpt_style.credit.methods.base import Signals, wide
from train_gpt_style.credit.run import build_optimizers, gradients_of
from train_gpt_style.kit import covered


@pytest.mark.parametrize("name", ["state-bridge", "credit-bridge"])
def test_a_bridge_learns_and_never_moves_the_network(world, name):
    """Its loss falls on a fixed network, of which no parameter gets a gradient from it."""
    w = world(CREDIT_METHOD=name, CREDIT_BRIDGE_LR=0.01)
    optimizer = build_optimizers(w.settings, w.model)["bridge"]
    seen = metrics.measured(w.model, w.x, w.y)
    signals = Signals(
        [h.float() for h in seen.hidden],
        w.y,
        *map(torch.Tensor.float, (seen.signals.error, seen.signals.top)),
    )
    losses = []
    for _ in range(60):
        optimizer.zero_grad()
        loss = w.method.loss(w.model, signals)
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.7 * losses[0]
    own = {id(p) for p in w.model.bridge.net.parameters()}
    assert all(p.grad is None for p in w.model.parameters() if id(p) not in own)


def test_the_state_bridge_of_a_perfect_predictor_is_the_gradient(world):
    """Blocks that add nothing are predicted by a net that adds nothing."""
    w = world(CREDIT_METHOD="state-bridge")
    with torch.no_grad():
        for block in w.model.blocks:
            block.w2.weight.zero_()
        w.model.bridge.net.last.weight.zero_()
        w.model.bridge.net.last.bias.zero_()
    seen = metrics.with_credits(metrics.measured(w.model, w.x, w.y), w.method)
    for a, g in zip(seen.credits, seen.gradients, strict=True):
        torch.testing.assert_close(a, g)


def test_the_credit_bridge_follows_dfa_first_and_its_own_gradient_after(world):
    w = world(CREDIT_METHOD="credit-bridge")
    seen = metrics.measured(w.model, w.x, w.y, progress=0.1)
    early = w.method.credits(seen.model, seen.signals)
    torch.testing.assert_close(early[1], seen.signals.error @ seen.model.feedback[1].T)
    late = metrics.measured(w.model, w.x, w.y, progress=0.2)
    for a in w.method.credits(late.model, late.signals):
        rms = a.square().mean(dim=1).sqrt()
        torch.testing.assert_close(rms, torch.ones_like(rms), rtol=0.01, atol=0.01)


@pytest.mark.parametrize("name", ["state-bridge", "credit-bridge"])
def test_a_bridge_has_credit_for_layers_of_other_shapes(world, name):
    """The published CNN has three maps and a vector."""
    knobs = {"CREDIT_BRIDGE_WARMUP": 0, "CREDIT_BRIDGE_SIGNAL": "gradient"}
    w = world((3, 8, 8), count=6, CREDIT_MODEL="small-cnn", CREDIT_METHOD=name, **knobs)
    seen = metrics.measured(w.model, w.x, w.y)
    credits = w.method.credits(seen.model, seen.signals)
    assert [a.shape for a in credits] == [h.shape for h in seen.hidden]
    assert all(float(a.norm()) > 0 for a in credits)
    maps = [type(m).__name__ for m in w.model.bridge.net.maps]
    assert maps == ["Linear"] * 3 + ["Identity"]
    gradients_of(w.settings)(w.model, w.x, w.y, w.ctx, 3)
    assert all(float(m.weight.grad.norm()) > 0 for m in w.model.bridge.net.maps[:3])


def test_the_average_follows_by_its_decay(world):
    w = world(CREDIT_METHOD="credit-bridge", CREDIT_BRIDGE_DECAY=0.75)
    net, average = w.model.bridge.net.last, w.model.bridge.average.last
    with torch.no_grad():
        net.weight += 1.0
    before = average.weight.clone()
    w.method.follow(w.model)
    torch.testing.assert_close(average.weight, before + 0.25)


COVERED = ["bp", "dfa", "dfa-shallow", "fa", "state-bridge", "credit-bridge", "ep"]


@pytest.mark.parametrize("name", COVERED)
def test_a_step_needs_nothing_that_the_portable_lane_does_not_cover(world, name):
    w = world(CREDIT_METHOD=name, CREDIT_PENALTY=0.01)
    optimizers = build_optimizers(w.settings, w.model)
    with covered.Guard():
        for step in range(2):
            gradients_of(w.settings)(w.model, w.x, w.y, w.ctx, step)
            for optimizer in optimizers.values():
                optimizer.step()


def test_the_time_of_a_layer_is_in_waves_of_doubling_frequency(world):
    trunk = world(CREDIT_METHOD="state-bridge").model.bridge.net
    seen = []
    trunk.first.register_forward_hook(lambda module, args, out: seen.append(args[0]))
    trunk(torch.zeros(2, 16), 0.3, torch.zeros(2, 10))
    angles = [torch.tensor(0.3 * torch.pi * f) for f in (1, 2, 4, 8)]
    waves = [*map(torch.sin, angles), *map(torch.cos, angles)]
    assert torch.allclose(seen[0][:, 16:24], torch.stack(waves).expand(2, -1))


def test_the_soft_minimum_is_that_of_float64_and_lies_between_least_and_mean(world):
    """Within eight units in the last place of its largest part, V's own rounding aside."""
    w = world(CREDIT_METHOD="credit-bridge")
    tau, states = w.settings.credit_bridge_tau, [w.model.start(w.x).detach()] * 2
    signals = Signals(states, w.y, torch.zeros(len(w.y), 10), states[-1])
    seen, value = [], w.method.value

    def watched(*arguments):
        seen.append(value(*arguments))
        return seen[-1]

    w.method.value = watched
    found = w.method.soft_minimum(w.model, signals, 1, torch.Generator().manual_seed(0))
    values = torch.stack(seen).double()
    exact = -tau * (-values / tau).exp().mean(dim=0).log()
    assert len(seen) == w.settings.credit_bridge_draws
    scale = float(values.abs().max()) + tau
    assert float((found.double() - exact).abs().max()) <= 8 * 2.0**-23 * scale
    assert bool((exact <= values.mean(dim=0)).all())
    assert bool((exact >= values.amin(dim=0)).all())


@pytest.mark.parametrize("name", ["state-bridge", "credit-bridge"])
def test_a_layer_asks_at_its_share_of_the_depth(world, name):
    """From 0 at the embedding to 1 at the top; V is one number for each example."""
    w = world(CREDIT_METHOD=name, DEPTH=4)
    states = [torch.randn(len(w.y), 16) for _ in range(5)]
    signals = Signals(states, w.y, torch.zeros(len(w.y), 10), states[-1])
    net, times = w.model.bridge.net, []
    net.register_forward_hook(lambda module, args, out: times.append(args[1]))
    for layer, h in enumerate(states):
        if name == "state-bridge":
            assert w.method.predicted(w.model, signals, layer, h).shape == h.shape
        else:
            assert w.method.value(net, signals, layer, h).shape == w.y.shape
    assert times == [0.0, 0.25, 0.5, 0.75, 1.0]


def test_the_gradient_at_the_top_counts_as_often_as_it_is_asked_for(world):
    """The mean square of what the gradient of V at h_L is off by, times CREDIT_BRIDGE_MATCH."""

    def loss(match):
        w = world(CREDIT_METHOD="credit-bridge", CREDIT_BRIDGE_MATCH=match)
        seen = metrics.measured(w.model, w.x, w.y)
        top = wide(seen.signals.hidden[-1]).detach().requires_grad_()
        value = w.method.value(seen.model.bridge.net, seen.signals, len(w.model.blocks), top)
        (gradient,) = torch.autograd.grad(value.sum(), top)
        off = (gradient - seen.signals.top).square().sum(dim=1).mean()
        return float(w.method.loss(seen.model, seen.signals).detach()), float(off)

    (none, off), (thrice, _) = loss(0), loss(3)
    assert thrice - none == pytest.approx(3 * off, rel=1e-5)

"""pytest tests/train_gpt_style/vit_rft/test_vit_dclr.py — gain 0 is Adam; the rule; pitfalls."""

import copy
import math
import pickle
from dataclasses import astuple

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from goldenseal.errors import UsageError
from train_gpt_style.vit_rft.coupler import Coupling
from train_gpt_style.vit_rft.dclr import DCLR, Memory, Rule, observe

PATHS = {
    "for-loop": {"foreach": False, "fused": False},
    "foreach": {"foreach": True, "fused": False},
    "fused": {"foreach": False, "fused": True},
}
VARIANTS = [{}, {"weight_decay": 0.125}, {"amsgrad": True}]


def problem(seed=0):
    """Parameters, and gradients that depend on them."""
    generator = torch.Generator().manual_seed(seed)
    parameters = [torch.nn.Parameter(torch.randn(s, generator=generator)) for s in ((3, 4), (5,))]

    def gradients():
        for p in parameters:
            p.grad = 0.5 * p.detach() + torch.randn(p.shape, generator=generator)

    return parameters, gradients


def walk(make, steps=6):
    """The parameters and the state dict after some steps of an optimizer."""
    parameters, gradients = problem()
    optimizer = make(parameters)
    for _ in range(steps):
        gradients()
        optimizer.step()
    return [p.detach().clone() for p in parameters], optimizer.state_dict(), optimizer


def equal(a, b):
    """Nested tables and tensors, to the byte."""
    if torch.is_tensor(a):
        return torch.is_tensor(b) and torch.equal(a, b) and a.dtype == b.dtype
    if isinstance(a, dict):
        return list(a) == list(b) and all(equal(a[key], b[key]) for key in a)
    if isinstance(a, list):
        return len(a) == len(b) and all(map(equal, a, b))
    return a == b


@pytest.mark.parametrize("variant", VARIANTS, ids=str)
@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS)
def test_gain_zero_is_adam_bit_for_bit_with_adams_state_keys(path, variant):
    keywords = {"lr": 0.01, **path, **variant}
    parameters, state, _ = walk(lambda p: torch.optim.Adam(p, **keywords))
    ours, our_state, optimizer = walk(lambda p: DCLR(p, **keywords))
    assert equal(parameters, ours)
    assert equal(state, our_state)
    assert not optimizer._optimizer_step_pre_hooks
    assert not optimizer._optimizer_step_post_hooks


@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS)
def test_each_step_is_adams_at_the_rate_of_the_rule(path):
    """An Adam whose rate is set by hand, from cosines that are computed by hand."""
    rule = Rule(gain=0.5, memory=0.75)
    ours, _, optimizer = walk(lambda p: DCLR(p, rule, lr=0.01, **path))
    parameters, gradients = problem()
    adam = torch.optim.Adam(parameters, lr=0.01, **path)
    agreement = 0.0
    for _ in range(6):
        gradients()
        g = torch.cat([p.grad.flatten() for p in parameters])
        moments = [adam.state.get(p, {}).get("exp_avg", torch.zeros_like(p)) for p in parameters]
        m = torch.cat([m.flatten() for m in moments])
        cosine = (g @ m / (g.norm() * m.norm() + 1e-12)).item()
        agreement = 0.75 * agreement + 0.25 * cosine
        adam.param_groups[0]["lr"] = 0.01 * (1 + 0.5 * agreement)
        adam.step()
    torch.testing.assert_close(ours, [p.detach() for p in parameters], rtol=1e-5, atol=1e-7)
    assert optimizer.memory.agreement == pytest.approx(agreement, abs=1e-6)
    assert optimizer.memory.agreement != 0
    assert optimizer.param_groups[0]["lr"] == 0.01  # a scheduler sees the rate that it set


def test_every_hook_fires_once_a_step():
    parameters, gradients = problem()
    optimizer, calls = DCLR(parameters, Rule(gain=0.5)), []
    optimizer.register_step_pre_hook(lambda *_: calls.append("pre"))
    optimizer.register_step_post_hook(lambda *_: calls.append("post"))
    gradients()
    optimizer.step()
    assert calls == ["pre", "post"]
    assert optimizer.watch.reads == 1


@pytest.mark.parametrize(
    "copier", [copy.deepcopy, lambda pair: pickle.loads(pickle.dumps(pair))], ids=["copy", "pickle"]
)
@pytest.mark.parametrize("gain", [0.0, 0.5])
def test_a_copy_goes_on_as_the_original(copier, gain):
    parameters, gradients = problem()
    optimizer = DCLR(parameters, Rule(gain=gain, feedback=Coupling(1.0, 0.1)), lr=0.01)
    for _ in range(3):
        gradients()
        optimizer.step()
    others, other = copier((parameters, optimizer))
    assert other is not optimizer
    for _ in range(3):
        gradients()
        for p, q in zip(parameters, others, strict=True):
            q.grad = p.grad.clone()
        optimizer.step()
        other.step()
    assert equal([p.data for p in parameters], [q.data for q in others])
    assert other.memory == optimizer.memory
    assert (other.watch is None) == (gain == 0)
    assert (optimizer.memory.agreement != 0) == (gain > 0)


def test_a_loaded_state_goes_on_as_the_original_and_adams_state_loads_too():
    parameters, gradients = problem()
    optimizer = DCLR(parameters, Rule(gain=0.5), lr=0.01)
    for _ in range(3):
        gradients()
        optimizer.step()
    others = [torch.nn.Parameter(p.detach().clone()) for p in parameters]
    other = DCLR(others, Rule(gain=0.5), lr=0.5)
    other.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    assert other.memory == optimizer.memory
    gradients()
    for p, q in zip(parameters, others, strict=True):
        q.grad = p.grad.clone()
    optimizer.step()
    other.step()
    assert equal([p.data for p in parameters], [q.data for q in others])
    assert equal(optimizer.state_dict(), other.state_dict())
    assert len(other._optimizer_step_pre_hooks) == 2  # loading has not armed it twice
    plain = optimizer.state_dict()
    assert plain.pop("dclr")["agreement"] == optimizer.memory.agreement
    other.load_state_dict(plain)
    assert other.memory == Memory(0.0, 0.0, 1.0, 0.0, 0)
    DCLR(others).load_state_dict(optimizer.state_dict())


def test_without_a_gain_a_closure_is_taken():
    parameters, gradients = problem()
    gradients()
    assert DCLR(parameters).step(lambda: 1.0) == 1.0


def test_with_a_gain_a_closure_is_refused_before_anything_moves():
    parameters, gradients = problem()
    optimizer = DCLR(parameters, Rule(gain=0.5))
    gradients()
    before = [p.detach().clone() for p in parameters]
    with pytest.raises(UsageError, match="takes no closure"):
        optimizer.step(lambda: 1.0)
    with pytest.raises(UsageError, match="takes no closure"):
        optimizer.step(closure=lambda: 1.0)
    assert equal(before, [p.data for p in parameters])


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, 1e30])
def test_a_cosine_that_is_not_finite_is_ignored_and_counted(bad):
    parameters, gradients = problem()
    optimizer = DCLR(parameters, Rule(gain=0.5), lr=0.01)
    for _ in range(3):
        gradients()
        optimizer.step()
    agreement = optimizer.memory.agreement
    gradients()
    parameters[0].grad[0, 0] = bad
    optimizer.step()
    assert optimizer.memory.nonfinite == 1
    assert optimizer.memory.agreement == 0.9 * agreement
    assert optimizer.param_groups[0]["lr"] == 0.01


def stop(*_):
    """A hook of somebody else's, after ours."""
    raise RuntimeError("stopped")


@pytest.mark.parametrize("scheduled", [None, 0.5])
def test_a_step_that_raises_leaves_no_scaled_rate_behind(scheduled):
    parameters, gradients = problem()
    optimizer = DCLR(parameters, Rule(gain=0.5, memory=0.0), lr=0.01)
    for _ in range(2):
        gradients()
        optimizer.step()
    hook = optimizer.register_step_pre_hook(stop)
    gradients()
    with pytest.raises(RuntimeError, match="stopped"):
        optimizer.step()
    hook.remove()
    assert optimizer.param_groups[0]["lr"] != 0.01
    if scheduled is not None:
        optimizer.param_groups[0]["lr"] = scheduled
    gradients()
    optimizer.step()
    assert optimizer.param_groups[0]["lr"] == (scheduled or 0.01)


def test_a_rate_that_somebody_sets_after_a_step_is_kept_even_if_it_is_the_steps_own():
    parameters, gradients = problem()
    optimizer, rates = DCLR(parameters, Rule(gain=0.5, memory=0.0), lr=0.01), []
    optimizer.register_step_pre_hook(lambda o, *_: rates.append(o.param_groups[0]["lr"]))
    for _ in range(2):
        gradients()
        optimizer.step()
        optimizer.param_groups[0]["lr"] = rates[-1]
    assert rates[1] != rates[0]
    gradients()
    optimizer.step()
    assert optimizer.param_groups[0]["lr"] == rates[1]


@pytest.mark.parametrize(
    "edge",
    [
        {"memory": 0.0},
        {"memory": 1.0},
        {"scale_min": 1.0, "scale_max": 1.0},
        {"scale_min": 2.0**-50},
        {"lr_min": 0.0, "lr_max": 0.0},
        {"lr_min": 2.0, "lr_max": 2.0},
        {"gain": 1 - 2.0**-53},
    ],
    ids=str,
)
def test_constants_at_the_ends_of_their_ranges_are_taken(edge):
    Rule(**edge)


@given(
    gain=st.floats(0, 0.999),
    agreement=st.floats(-1, 1),
    drift=st.floats(-math.pi, math.pi),
    lr=st.floats(0, 10),
    feedback=st.booleans(),
)
@settings(max_examples=300, deadline=None)
def test_the_rate_stays_between_its_bounds(gain, agreement, drift, lr, feedback):
    rule = Rule(gain=gain, feedback=Coupling(1.0, 0.1) if feedback else None)
    scale = rule.scale(agreement, drift)
    low, high = rule.scale_bounds
    assert 0 < low <= scale <= high
    assert lr * low <= rule.rate(lr, scale) <= lr * high
    if gain == 0:
        assert rule.rate(lr, scale) == lr


def test_absolute_bounds_clip_numbers_and_tensors_alike():
    rule = Rule(gain=0.5, lr_min=0.25, lr_max=0.5)
    for lr, expected in ((0.125, 0.25), (0.375, 0.375), (4.0, 0.5)):
        assert rule.rate(lr, 1.0) == expected
        assert rule.rate(torch.tensor(lr), 1.0).item() == expected


@pytest.mark.parametrize(
    "bad",
    [
        {"gain": 1.0},
        {"gain": math.nan},
        {"memory": 1.5},
        {"memory": -0.5},
        {"scale_min": 0.0},
        {"scale_min": 1.5},
        {"scale_max": 0.5},
        {"lr_min": -1.0},
        {"lr_max": -0.5},
        {"lr_min": 2.0, "lr_max": 1.0},
    ],
    ids=str,
)
def test_constants_outside_their_ranges_are_refused(bad):
    with pytest.raises(UsageError):
        Rule(**bad)


def test_observing_draws_no_random_number_and_passes_over_what_has_no_gradient():
    parameters, gradients = problem()
    optimizer = torch.optim.Adam(parameters)
    gradients()
    optimizer.step()
    before = torch.get_rng_state()
    gradients()
    parameters[1].grad = None
    dots = observe(optimizer)
    g, m = parameters[0].grad.double(), optimizer.state[parameters[0]]["exp_avg"].double()
    assert (dots.gm, dots.gg, dots.mm) == pytest.approx(
        ((g * m).sum().item(), (g * g).sum().item(), (m * m).sum().item()), rel=1e-5
    )
    assert torch.equal(before, torch.get_rng_state())
    optimizer.zero_grad()
    assert observe(optimizer).cosine == 0.0


def test_bounds_that_are_not_given_are_those_that_the_gain_implies():
    assert Rule(gain=0.25).scale_bounds == (0.75, 1.25)
    assert Rule(gain=0.25, scale_min=0.5, scale_max=2.0).scale_bounds == (0.5, 2.0)


def test_without_gradients_every_product_is_zero():
    optimizer = DCLR([torch.nn.Parameter(torch.ones(2))])
    assert astuple(observe(optimizer)) == (0.0, 0.0, 0.0)


def test_products_are_summed_in_float64():
    """In float32 each of the small squares would be lost beside the large one."""
    parameters = [torch.nn.Parameter(torch.zeros(1)) for _ in range(3)]
    for p, size in zip(parameters, (2.0**13, 1.0, 1.0), strict=True):
        p.grad = torch.full((1,), size)
    assert observe(DCLR(parameters)).gg == 2.0**26 + 2

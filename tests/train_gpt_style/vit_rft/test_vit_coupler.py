"""pytest tests/train_gpt_style/vit_rft/test_vit_coupler.py — what drift and coherence show."""

import math
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from train_gpt_style.vit_rft.coupler import (
    Coupling,
    Dots,
    Observed,
    coherence,
    next_drift,
    push,
    wrap,
)

DEFAULT = Coupling(1.0, 0.1)
alignments = st.floats(-1, 1)


def test_noise_alone_keeps_drift_small_and_coherence_near_one():
    """The reason why neither is evidence about training."""
    rng, drift, drifts = random.Random(1), 0.0, []
    for _ in range(5000):
        drift = next_drift(drift, rng.uniform(-1, 1), DEFAULT)
        drifts.append(drift)
    assert 0.09 < max(drifts) <= 0.1
    assert 0 <= min(drifts)
    assert min(map(coherence, drifts)) >= 0.99875


@given(st.lists(alignments, max_size=50))
def test_drift_never_exceeds_its_cap(stream):
    drift = 0.0
    for a in stream:
        drift = next_drift(drift, a, DEFAULT)
        assert 0 <= drift <= 0.1 + 1e-15


@given(st.floats(1e-6, math.pi - 1e-6), st.floats(1e-3, 2.0), st.sampled_from((1, -1)))
def test_without_a_push_drift_shrinks(drift, strength, sign):
    moved = next_drift(sign * drift, 1.0, Coupling(strength, 0.1))
    assert push(1.0, 0.1) == 0
    assert abs(moved) <= drift
    if drift > 1e-2:  # below, the change is less than a double shows at a small strength
        assert abs(moved) < drift


@given(st.floats(-1e300, 1e300))
def test_wrapped_angles_lie_in_their_range_and_their_coherence_too(x):
    assert -math.pi <= wrap(x) <= math.pi
    assert 0 <= coherence(wrap(x)) <= 1


@given(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=40), st.floats(0, 0.99))
def test_retained_energy_and_flux_lie_in_their_ranges(gradients, beta1):
    seen, moment = Observed(), 0.0
    for step, g in enumerate(gradients, start=1):
        seen = seen.after(Dots(g * moment, g * g, moment * moment), DEFAULT, beta1)
        moment = beta1 * moment + (1 - beta1) * g
        assert seen.step == step
        assert 0 <= seen.flux <= math.pi
        assert seen.retained is None or 0 <= seen.retained <= 1
        assert -1 <= seen.alignment <= 1


def test_retained_energy_is_one_for_a_constant_gradient_and_small_for_noise():
    def last(stream, beta1=0.9):
        seen, moment, values = Observed(), 0.0, []
        for g in stream:
            seen = seen.after(Dots(g * moment, g * g, moment * moment), DEFAULT, beta1)
            moment = beta1 * moment + (1 - beta1) * g
            values.append(seen.retained)
        return values

    assert last([2.0] * 20)[-1] == pytest.approx(1)
    rng = random.Random(2)
    values = last([rng.gauss(0, 1) for _ in range(20000)])
    # One dimension: the mean of the ratio is near the ratio of the means, (1 - b) / (1 + b).
    assert sum(values) / len(values) == pytest.approx(0.0526, abs=0.015)


def by_hand(stream, strength, cap, beta1):
    """The published quantities after a stream of (gradient, first moment), both vectors.

    From their definitions: two phases, the angle between them, and averages as plain sums.
    """
    psi = omega = flux = 0.0
    for g, m in stream:
        alignment = g @ m / (math.sqrt((g @ g) * (m @ m)) + 1e-12)
        shift = math.sin(cap) * (1 - alignment) / 4
        pull = strength / 2 * math.sin(omega - psi)
        before = psi - omega
        psi, omega = psi + shift + pull, omega - shift - pull
        flux = 0.9 * flux + 0.1 * abs(psi - omega - before)
    weights = [(1 - beta1) * beta1 ** (len(stream) - k) for k in range(1, len(stream) + 1)]
    mean_square = sum(w * (g @ g) for w, (g, _) in zip(weights, stream, strict=True))
    mean = sum(w * g for w, (g, _) in zip(weights, stream, strict=True)) / sum(weights)
    return alignment, psi - omega, flux, mean_square, mean @ mean / (mean_square / sum(weights))


@pytest.mark.parametrize("strength", [0.5, 1.0, 1.75])
@pytest.mark.parametrize("cap", [0.1, 0.75])
@pytest.mark.parametrize("beta1", [0.25, 0.9])
def test_each_quantity_follows_its_definition(strength, cap, beta1):
    rng, moment, stream, seen = np.random.default_rng(5), np.zeros(3), [], Observed()
    for step in range(1, 8):
        g = rng.normal(0.3, 1.0, 3)
        stream.append((g, moment))
        dots = Dots(float(g @ moment), float(g @ g), float(moment @ moment))
        seen = seen.after(dots, Coupling(strength, cap), beta1)
        moment = beta1 * moment + (1 - beta1) * g
        found = (seen.alignment, seen.drift, seen.flux, seen.mean_square, seen.retained)
        expected = by_hand(stream, strength, cap, beta1)
        assert found == pytest.approx(expected, rel=1e-12)
        assert (seen.step, seen.nonfinite) == (step, 0)


def test_rounding_never_leads_out_of_the_ranges():
    assert Dots(4.0, 1.0, 1.0).cosine == 1.0
    assert Dots(-4.0, 1.0, 1.0).cosine == -1.0
    assert Dots(0.0, 0.0, 0.0).cosine == 0.0
    assert Observed().after(Dots(9.0, 1.0, 1.0), DEFAULT, 0.5).retained == 1.0
    assert Observed().after(Dots(-9.0, 1.0, 1.0), DEFAULT, 0.5).retained == 0.0
    assert Observed().after(Dots(0.0, 0.0, 0.0), DEFAULT, 0.5).retained is None


@pytest.mark.parametrize("place", [0, 1, 2])
def test_any_product_that_is_not_finite_makes_the_cosine_unknown(place):
    products = [1.0, 1.0, 1.0]
    products[place] = math.nan
    assert Dots(*products).cosine is None


def test_the_drift_is_the_angle_between_the_phases_whatever_their_turns():
    assert wrap(3.0 - math.tau) == pytest.approx(3.0 - math.tau + math.tau)
    assert wrap(math.tau + 0.25) == pytest.approx(0.25)
    assert next_drift(3.0, -1.0, Coupling(0.0, 1.0)) == pytest.approx(
        3.0 + math.sin(1.0) - math.tau
    )
    assert coherence(0.0) == 1.0
    assert coherence(1.0) == pytest.approx(math.sqrt((1 + math.cos(1.0)) / 2))


def test_the_observer_is_a_pure_function():
    before, dots = Observed(step=3, drift=0.05, mean_square=2.0), Dots(1.0, 4.0, 1.0)
    first, second = (before.after(dots, DEFAULT, 0.9) for _ in range(2))
    assert first == second
    assert before == Observed(step=3, drift=0.05, mean_square=2.0)
    assert first.alignment == pytest.approx(0.5)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_what_is_not_finite_is_counted_and_left_out(bad):
    before = Observed().after(Dots(0.0, 4.0, 0.0), DEFAULT, 0.5)
    after = before.after(Dots(bad, bad, 1.0), DEFAULT, 0.5)
    assert (after.alignment, after.retained, after.nonfinite) == (None, None, 1)
    assert after.mean_square == before.mean_square
    assert math.isfinite(after.drift)
    assert after.after(Dots(1.0, 1.0, 1.0), DEFAULT, 0.5).nonfinite == 1

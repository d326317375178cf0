"""pytest tests/train_gpt_style/geometry/test_constellation.py — anchors, patchwork, gradients."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.train_gpt_style.geometry.clouds import gaussian, generator, sphere
from train_gpt_style.geometry import anchors, clouds
from train_gpt_style.geometry.constellation import Constellation, Patchwork
from train_gpt_style.geometry.gradient import (
    embedding_autograd,
    nearest_directions,
    separated,
    tangential,
)
from verify.errors import UsageError


def norms(rows):
    return rows.norm(dim=1)


def test_orthogonal_anchors_are_orthonormal_while_there_is_room():
    rows = anchors.orthogonal_anchors(6, 8, generator())
    assert torch.allclose(rows @ rows.T, torch.eye(6), atol=1e-6)
    more = anchors.orthogonal_anchors(12, 4, generator())
    assert torch.allclose(norms(more), torch.ones(12), atol=1e-6)
    near = (more @ more.T - 2 * torch.eye(12)).max()
    drawn = anchors.random_anchors(12, 4, generator())
    assert near < (drawn @ drawn.T - 2 * torch.eye(12)).max()


def test_farthest_points_are_rows_of_the_cloud_each_far_from_the_others():
    four = torch.eye(4).repeat(5, 1) + 1e-3 * gaussian(20, 4).float()
    chosen = anchors.farthest_point_anchors(four, 4)
    assert (chosen @ chosen.T - torch.eye(4)).abs().max() < 0.02
    copies = torch.ones(3, 2)
    assert anchors.farthest_point_anchors(copies, 3).shape == (3, 2)
    with pytest.raises(UsageError, match="4 anchors need as many rows"):
        anchors.farthest_point_anchors(copies, 4)


def test_kmeans_finds_the_middle_of_each_group():
    middles = sphere(3, 6, 4)
    cloud = middles.repeat(30, 1) + 0.05 * gaussian(90, 6)
    found = anchors.kmeans_anchors(cloud, 3)
    assert (found @ middles.T).max(dim=1).values.min() > 0.99
    assert torch.allclose(norms(found), torch.ones(3, dtype=torch.float64))
    opposed = torch.tensor([[1.0, 0.0], [-1.0, 0.0]])
    assert anchors.kmeans_anchors(opposed, 1).isfinite().all()


def test_what_is_drawn_comes_from_the_generator_that_is_given():
    before = torch.get_rng_state()
    a, b = (anchors.orthogonal_anchors(5, 4, generator(1)) for _ in range(2))
    assert a.equal(b)
    assert torch.get_rng_state().equal(before)


def test_triangulation_is_one_less_the_cosine_and_drops_whole_columns_in_training():
    c = Constellation(2 * sphere(8, 4).float(), drop=0.5)
    e = sphere(6, 4, 1).float()
    c.eval()
    tri = c(e)
    assert torch.allclose(tri, 1 - e @ c.directions().T)
    c.train()
    torch.manual_seed(3)
    dropped = c(e)
    gone = (dropped == 0).all(dim=0)
    assert 0 < gone.sum() < 8
    assert torch.equal(dropped[:, ~gone], tri[:, ~gone])


@given(st.integers(1, 6), st.integers(1, 5))
@settings(max_examples=20, deadline=None)
def test_each_anchor_is_read_by_the_compartment_of_its_remainder_and_no_other(n, per):
    net = Patchwork(n * per, n, 3)
    tri = gaussian(4, n * per).float()
    before = net(tri)
    assert before.shape == (4, 3 * n)
    for j in range(n * per):
        moved = tri.clone()
        moved[:, j] += 1
        changed = (net(moved) - before).abs().view(4, n, 3).amax(dim=(0, 2)) > 0
        assert set(changed.nonzero().flatten().tolist()) <= {j % n}


def test_compartments_must_divide_the_anchors():
    with pytest.raises(UsageError, match="3 compartments must divide 8 anchors"):
        Patchwork(8, 3, 4)


# -- gradients ------------------------------------------------------------------------------------


@given(st.integers(0, 2**32), st.floats(0, 1))
@settings(max_examples=25, deadline=None)
def test_the_tangential_part_is_orthogonal_and_taking_it_twice_changes_nothing(seed, tau):
    e, g = sphere(5, 7, seed), gaussian(5, 7, seed + 1)
    once = tangential(g, e, 1.0)
    assert (once * e).sum(dim=1).abs().max() < 1e-12
    assert torch.allclose(tangential(once, e, tau), once, atol=1e-12)


def test_after_a_normalisation_tau_alone_changes_no_gradient_and_with_sigma_it_does():
    directions = sphere(6, 5, 2)

    def grad(tau, sigma, sign="library"):
        x = gaussian(9, 5).requires_grad_(True)
        e = embedding_autograd(anchors.unit(x), directions, tau, sigma, sign)
        (e * gaussian(9, 5, 3)).sum().backward()
        return x.grad

    plain = grad(0.0, 0.0)
    assert (grad(1.0, 0.0) - plain).abs().max() < 1e-15
    for sign in ("library", "described"):
        assert (grad(1.0, 0.25, sign) - grad(0.0, 0.25, sign)).abs().max() > 1e-4
    assert (grad(1.0, 0.5) - grad(1.0, 0.5, "described")).abs().max() > 1e-3


@given(st.integers(0, 2**32), st.floats(0, 1))
@settings(max_examples=25, deadline=None)
def test_the_library_sign_attracts_and_the_described_one_never_does(seed, sigma):
    g, n = gaussian(8, 6, seed), sphere(8, 6, seed + 1)
    step = {sign: -separated(g, n, sigma, sign) for sign in ("library", "described")}
    towards = {sign: (s * n).sum(dim=1) for sign, s in step.items()}
    plain = -(g * n).sum(dim=1)
    assert (towards["library"] >= plain - 1e-12).all()
    assert (towards["described"] <= plain + 1e-12).all()


def test_the_value_is_the_embedding_itself_and_other_signs_are_refused():
    e = sphere(4, 3)
    assert embedding_autograd(e, sphere(2, 3, 1), 1.0, 0.5).equal(e)
    with pytest.raises(UsageError, match="library, described"):
        embedding_autograd(e, e, 1.0, 0.5, "other")
    with pytest.raises(UsageError, match="sign other"):
        separated(e, e, 1.0, "other")
    assert nearest_directions(e, e).equal(e)


# -- clouds ---------------------------------------------------------------------------------------


@given(st.integers(1, 6), st.integers(0, 2**32))
@settings(max_examples=20, deadline=None)
def test_r_equal_singular_values_are_r_effective_dimensions(r, seed):
    basis = torch.linalg.qr(gaussian(20, r + 1, seed) - gaussian(20, r + 1, seed).mean(dim=0))[0]
    basis = torch.linalg.qr(basis[:, :r] - basis[:, :r].mean(dim=0))[0]
    assert clouds.effective_dimension(basis) == pytest.approx(r, rel=1e-6)
    assert clouds.energy_shares(basis, (r,))[r] == pytest.approx(1)


def test_a_single_point_has_no_dimension_and_full_similarity():
    one = torch.ones(4, 3)
    assert clouds.effective_dimension(one) == 0
    assert clouds.energy_shares(one) == dict.fromkeys((3, 5, 10, 20, 50), 0.0)
    assert clouds.self_similarity(one) == pytest.approx((1, 0))
    assert clouds.self_similarity(one[:1]) == (1.0, 0.0)
    mean, sd = clouds.self_similarity(torch.eye(5))
    assert (mean, sd) == (0, 0)


@pytest.mark.parametrize("count", [2, 7, 64])
def test_one_used_anchor_and_uniform_use_are_the_two_ends(count):
    one = clouds.anchor_usage(torch.zeros(30, dtype=torch.int64), count)
    assert (one.active, one.entropy) == (1, 0)
    assert one.gini == pytest.approx(1 - 1 / count)
    even = clouds.anchor_usage(torch.arange(count).repeat(3), count)
    assert even.active == count
    assert even.entropy == pytest.approx(100)
    assert even.gini == pytest.approx(0, abs=1e-12)
    assert clouds.anchor_usage(torch.zeros(0, dtype=torch.int64), count).active == 0
    assert math.isfinite(clouds.anchor_usage(torch.zeros(3, dtype=torch.int64), 1).entropy)

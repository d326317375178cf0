"""pytest tests/train_gpt_style/geometry/test_simplex.py — volumes, both formulas, gradients."""

import math
import warnings

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from goldenseal.errors import UsageError
from tests.train_gpt_style.geometry.clouds import gaussian, generator
from train_gpt_style.geometry import simplex, volumes
from train_gpt_style.geometry.ksimplex import KSimplex

ALL_ONE = {n: torch.ones(n, n, dtype=torch.float64).fill_diagonal_(0) for n in range(2, 9)}


@pytest.mark.parametrize("n", range(2, 9))
def test_the_determinant_of_a_regular_simplex_is_n_with_alternating_sign(n):
    found = float(torch.linalg.det(simplex.bordered(ALL_ONE[n])))
    assert found == pytest.approx((-1) ** n * n, rel=1e-12)


KNOWN = {
    "edge one": (ALL_ONE[5], 5 / 9216),
    "edge root two": (2 * ALL_ONE[5], 5 / 576),
    "origin and axes": (
        simplex.squared_distances(torch.eye(5, 4, dtype=torch.float64)),
        1 / 576,
    ),
    "five points that are flat": (
        simplex.squared_distances(torch.eye(5, 3, dtype=torch.float64)),
        0,
    ),
    "a triangle of 3 4 5": (
        torch.tensor([[0, 9, 16], [9, 0, 25], [16, 25, 0]], dtype=torch.float64),
        36,
    ),
    "the largest of unit vectors": (2.5 * ALL_ONE[5], 5 / 9216 * 2.5**4),
}


@pytest.mark.parametrize(("distances", "volume2"), KNOWN.values(), ids=KNOWN)
def test_known_volumes_by_both_formulas(distances, volume2):
    for formula in (simplex.volume2_by_cayley_menger, simplex.volume2_by_gram):
        assert float(formula(distances)) == pytest.approx(volume2, abs=1e-12)


@pytest.mark.parametrize(("edge", "determinant"), [(2, -4), (8 / 3, 0), (3, 1.25)])
def test_one_longer_edge_flattens_the_regular_simplex_and_then_there_is_none(edge, determinant):
    distances = ALL_ONE[5].clone()
    distances[1, 2] = distances[2, 1] = edge
    found = float(torch.linalg.det(simplex.bordered(distances)))
    if edge == 3:
        assert found > 0
        assert float(volumes.volume2(volumes.pair_rows(distances))) < 0
    else:
        assert found == pytest.approx(determinant, abs=1e-12)


@given(st.integers(0, 2**32), st.integers(4, 12), st.integers(3, 6))
@settings(max_examples=40, deadline=None)
def test_both_formulas_agree_and_no_volume_of_points_is_negative(seed, dim, points):
    distances = simplex.squared_distances(gaussian(points, dim, seed))
    a, b = simplex.volume2_by_cayley_menger(distances), simplex.volume2_by_gram(distances)
    assert float(a) == pytest.approx(float(b), rel=1e-9, abs=1e-12)
    assert float(b) > -1e-12


@given(st.integers(0, 2**32), st.permutations(range(5)), st.floats(0.25, 4))
@settings(max_examples=40, deadline=None)
def test_moving_keeps_a_volume_and_scaling_multiplies_its_square_by_the_eighth_power(
    seed, order, scale
):
    points = gaussian(5, 6, seed)
    turn = torch.linalg.qr(gaussian(6, 6, seed + 1))[0]
    moved = points[list(order)] @ turn + gaussian(1, 6, seed + 2)
    of = [
        float(volumes.volume2(volumes.pair_rows(simplex.squared_distances(p))))
        for p in (points, moved, scale * points)
    ]
    assert of[1] == pytest.approx(of[0], rel=1e-8, abs=1e-13)
    assert of[2] == pytest.approx(of[0] * scale**8, rel=1e-8, abs=1e-13)


def test_the_batched_kernel_is_each_determinant():
    distances = simplex.squared_distances(gaussian(64 * 5, 7).view(64, 5, 7))
    whole = volumes.volume2(volumes.pair_rows(distances))
    for one, d in zip(whole, distances, strict=True):
        assert float(one) == pytest.approx(float(simplex.volume2_by_gram(d)), rel=1e-9)


def test_the_closed_form_gradient_is_that_of_autograd_and_of_differences():
    d = volumes.pair_rows(simplex.squared_distances(gaussian(8 * 5, 5).view(8, 5, 5)))
    d.requires_grad_(True)
    weights = gaussian(1, 8)[0]
    (closed,) = torch.autograd.grad((volumes.volume2(d) * weights).sum(), d)
    (auto,) = torch.autograd.grad((volumes.expanded(d) * weights).sum(), d)
    assert torch.allclose(closed, auto, atol=1e-15, rtol=1e-12)
    assert torch.autograd.gradcheck(volumes.volume2, d)


def test_the_gradient_of_points_is_the_published_closed_form():
    points = gaussian(5, 6).requires_grad_(True)
    volumes.volume2(volumes.pair_rows(simplex.squared_distances(points))).backward()
    edges = (points[1:] - points[0]).detach()
    gram = edges @ edges.T
    adjugate = torch.linalg.det(gram) * torch.linalg.inv(gram)
    moved = 2 / 576 * adjugate @ edges
    assert torch.allclose(points.grad[1:], moved, rtol=1e-9, atol=1e-12)
    assert torch.allclose(points.grad[0], -moved.sum(dim=0), rtol=1e-9, atol=1e-12)


def test_coincident_points_have_volume_zero_and_a_finite_gradient():
    d = torch.zeros(10, 3, requires_grad=True)
    found = volumes.volume2(d)
    found.sum().backward()
    assert found.eq(0).all()
    assert d.grad.eq(0).all()


def test_the_fused_kernel_is_the_eager_one():
    d = volumes.pair_rows(simplex.squared_distances(gaussian(4096 * 5, 8).view(4096, 5, 8))).float()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's own, while it builds
        fused = volumes.volume2_fused(d)
    eager = volumes.volume2(d)
    assert torch.allclose(fused, eager, rtol=1e-6, atol=1e-6 * float(eager.max()))


def test_a_kernel_that_cannot_be_built_stays_eager_and_says_so(monkeypatch):
    def broken(function, dynamic):
        def call(d):
            raise RuntimeError("no compiler\nand more")

        return call

    monkeypatch.setattr(torch, "compile", broken)
    volumes.fused.cache_clear()
    with pytest.warns(UserWarning, match="stays unfused: no compiler$"):
        found = volumes.volume2_fused(torch.ones(10, 2))
    volumes.fused.cache_clear()
    assert found.tolist() == pytest.approx([5 / 9216] * 2)


def test_half_precision_is_cast_before_anything_is_subtracted():
    d = torch.full((10, 1), 1.0, dtype=torch.bfloat16)
    assert volumes.volume2(d).dtype == torch.float32
    assert simplex.volume2_by_gram(ALL_ONE[5].bfloat16()).dtype == torch.float32


def test_the_regular_template_has_edges_one_and_is_centred():
    points = simplex.regular_simplex(5, 8)
    d = simplex.squared_distances(points)
    assert torch.allclose(d, ALL_ONE[5], atol=1e-15)
    assert points.sum(dim=0).abs().max() < 1e-15
    least = simplex.regular_simplex(5, 4)
    assert torch.allclose(simplex.squared_distances(least), ALL_ONE[5], atol=1e-15)
    assert least.sum(dim=0).abs().max() < 1e-15
    with pytest.raises(UsageError, match="needs 4 axes, not 3"):
        simplex.regular_simplex(5, 3)


def test_distances_come_back_from_a_gram_matrix_and_are_never_negative():
    points = gaussian(6, 4)
    found = simplex.distances_of_gram(points @ points.T)
    assert torch.allclose(found, simplex.squared_distances(points), atol=1e-12)
    same = torch.full((2, 2), 1.0)
    same[0, 1] = same[1, 0] = 1.5
    assert simplex.distances_of_gram(same).min() == 0


@pytest.mark.parametrize("shape", [(3,), (2, 3), (1, 1)])
def test_what_is_no_table_of_distances_is_refused(shape):
    with pytest.raises(UsageError, match="squared distances"):
        simplex.volume2_by_gram(torch.zeros(shape))
    with pytest.raises(UsageError, match="squared distances"):
        simplex.edge_gram(torch.zeros(shape))
    with pytest.raises(UsageError, match="10 squared distances"):
        volumes.volume2(torch.zeros(shape))


# -- the channel ----------------------------------------------------------------------------------


def test_a_token_that_deforms_nothing_reads_the_regular_simplex():
    channel = KSimplex(6)
    torch.nn.init.zeros_(channel.deform.weight)
    torch.nn.init.zeros_(channel.deform.bias)
    distances, volume2 = channel.raw(torch.ones(2, 3, 6))
    assert torch.allclose(distances, torch.ones(10, 2, 3))
    assert volume2.flatten().tolist() == pytest.approx([5 / 9216] * 6, rel=1e-5)


def test_no_random_deformation_has_a_negative_volume_and_the_loss_on_it_is_dead():
    channel = KSimplex(16)
    with torch.no_grad():
        for scale in (0.1, 1.0, 10.0, 100.0):
            x = scale * torch.randn(4, 25_000, 16, generator=generator(1))
            assert channel.raw(x)[1].min() >= -1e-9
    _, volume2 = channel(torch.randn(2, 50, 16, generator=generator(2)))
    dead = torch.autograd.grad(torch.relu(-volume2).sum(), channel.deform.weight, retain_graph=True)
    alive = torch.autograd.grad(torch.relu(0.01 - volume2).sum(), channel.deform.weight)
    assert dead[0].eq(0).all()
    assert alive[0].abs().max() > 0


def test_the_channel_has_the_published_number_of_parameters_and_eleven_features():
    channel = KSimplex(192)
    assert sum(p.numel() for p in channel.parameters()) == 7720 + 22
    features, volume2 = channel(torch.randn(2, 3, 192, generator=generator()))
    assert features.shape == (2, 3, 11)
    assert volume2.shape == (2, 3)
    assert math.isclose(float(features.detach().mean()), 0, abs_tol=1e-6)
    assert not channel.state_dict().keys() & {"template", "left", "right"}

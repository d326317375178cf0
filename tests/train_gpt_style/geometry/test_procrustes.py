"""pytest tests/train_gpt_style/geometry/test_procrustes.py — fits, controls, consensus."""

import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from goldenseal.errors import UsageError
from tests.train_gpt_style.geometry.clouds import gaussian, generator
from train_gpt_style.geometry.gpa import generalised_procrustes, polar
from train_gpt_style.geometry.procrustes import (
    held_out,
    inverse_root,
    mean_cosine,
    orthogonal_procrustes,
    whitened_procrustes,
)


def turn(dim, seed):
    return torch.linalg.qr(gaussian(dim, dim, seed))[0]


@given(st.integers(0, 2**32), st.booleans())
@settings(max_examples=20, deadline=None)
def test_a_rotation_is_found_again(seed, proper):
    r = turn(5, seed)
    if proper and float(torch.linalg.det(r)) < 0:
        r[:, 0] *= -1
    x = gaussian(30, 5, seed + 1)
    assert torch.allclose(orthogonal_procrustes(x, x @ r, proper), r, atol=1e-9)


def test_a_proper_fit_is_no_reflection():
    x = gaussian(30, 4)
    mirror = torch.diag(torch.tensor([-1.0, 1, 1, 1], dtype=torch.float64))
    r = orthogonal_procrustes(x, x @ mirror, proper=True)
    assert float(torch.linalg.det(r)) == pytest.approx(1)
    assert float(torch.linalg.det(orthogonal_procrustes(x, x @ mirror))) == pytest.approx(-1)


def test_any_linear_map_is_undone_by_whitening_and_mapped_back_exactly():
    x = gaussian(400, 6)
    y = x @ gaussian(6, 6, 5) + 3
    fit = whitened_procrustes(x, y)
    assert fit.quality == pytest.approx(1)
    assert fit.plain < 0.99
    assert torch.allclose(fit.apply(x), y, atol=1e-8)


def test_a_direction_without_spread_is_dropped_and_a_cloud_without_any_refused():
    x = gaussian(50, 4)
    x[:, 3] = 1
    fit = whitened_procrustes(x, x)
    assert fit.quality == pytest.approx(1)
    assert fit.apply(x).isfinite().all()
    root = inverse_root(torch.diag(torch.tensor([4.0, 1.0, 1e-12], dtype=torch.float64)))
    assert root.diagonal().tolist() == pytest.approx([0.5, 1, 0])
    small = torch.diag(torch.tensor([1e-6, 1e-8, 1e-18], dtype=torch.float64))
    assert inverse_root(small).diagonal().tolist() == pytest.approx([1e3, 1e4, 0])
    with pytest.raises(UsageError, match="without any spread"):
        whitened_procrustes(torch.ones(5, 3), torch.ones(5, 3))


BAD = {
    "other shapes": lambda: orthogonal_procrustes(gaussian(5, 3), gaussian(5, 4)),
    "no cloud": lambda: orthogonal_procrustes(gaussian(5, 3)[0], gaussian(5, 3)[0]),
    "one row": lambda: whitened_procrustes(gaussian(1, 3), gaussian(1, 3)),
    "three rows": lambda: held_out(gaussian(3, 3), gaussian(3, 3), generator()),
    "one cloud": lambda: generalised_procrustes([gaussian(5, 3)]),
    "other rows": lambda: generalised_procrustes([gaussian(5, 3), gaussian(6, 3)]),
}


@pytest.mark.parametrize("call", BAD.values(), ids=BAD)
def test_bad_clouds_are_refused_in_one_line(call):
    with pytest.raises(UsageError) as caught:
        call()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("rows", [12, 17])
def test_few_rows_fit_any_two_clouds_and_the_held_out_ones_tell(rows):
    fit = whitened_procrustes(gaussian(rows, 16), gaussian(rows, 16, 1))
    assert fit.quality == pytest.approx(1)
    found = held_out(gaussian(2 * rows, 16), gaussian(2 * rows, 16, 1), generator())
    assert found.fitted == pytest.approx(1)
    assert abs(found.held_out) < 0.3
    assert found.rows == rows


@pytest.mark.parametrize("whiten", [True, False])
def test_a_true_alignment_holds_outside_the_fit_and_not_with_permuted_pairs(whiten):
    x = gaussian(400, 8)
    found = held_out(x, x @ turn(8, 3) + 0.1 * gaussian(400, 8, 4), generator(), whiten)
    assert found.fitted > 0.95
    assert found.held_out > 0.95
    assert abs(found.permuted) < 0.2


@given(st.integers(0, 2**32), st.lists(st.integers(2, 6), min_size=2, max_size=4))
@settings(max_examples=20, deadline=None)
def test_the_objective_of_a_consensus_never_rises(seed, widths):
    clouds = [gaussian(20, w, seed + i) for i, w in enumerate(widths)]
    found = generalised_procrustes(clouds)
    for before, after in itertools.pairwise(found.objectives):
        assert after <= before * (1 + 1e-12)
    assert found.centre.shape == (20, max(widths))
    assert 0 < found.agreement <= 1 + 1e-12


def test_equal_clouds_agree_fully_whatever_their_rotation_and_do_not_shrink():
    x = gaussian(40, 5)
    found = generalised_procrustes([x, x @ turn(5, 1), x @ turn(5, 2)], rounds=50)
    assert found.agreement == pytest.approx(1, rel=1e-4)
    assert torch.allclose(found.centre @ found.centre.T, x @ x.T, atol=1e-2)
    wide = torch.nn.functional.pad(x, (0, 2))
    mixed = generalised_procrustes([x, wide @ turn(7, 3)], rounds=50)
    assert mixed.agreement == pytest.approx(1, rel=1e-4)


def test_unrelated_clouds_agree_less():
    found = generalised_procrustes([gaussian(300, 6, s) for s in range(3)])
    assert 0.5 < found.agreement < 0.8
    assert mean_cosine(gaussian(9, 3), gaussian(9, 3)) == pytest.approx(1)


@given(st.integers(1, 12), st.integers(0, 15), st.integers(0, 2**32))
@settings(max_examples=40, deadline=None)
def test_the_nearest_rotation_is_that_of_an_svd_however_near_to_singular(columns, digits, seed):
    """From well-conditioned, where it is by eigenvalues, to past where squaring would lose it."""
    spectrum = torch.logspace(0, -digits, columns, dtype=torch.float64)
    m = turn(columns, seed) * spectrum @ turn(columns, seed + 1)
    found, loose = polar(m), polar(m, exact=False)
    eye = torch.eye(columns, dtype=torch.float64)
    assert torch.allclose(found.T @ found, eye, atol=1e-13)
    assert torch.allclose(loose.T @ loose, eye, atol=1e-5)
    expected = polar(m, torch.linalg.svd)
    assert float((expected * m).sum() - (found * m).sum()) <= 1e-13 * float(spectrum.sum())
    if digits < 12:  # beyond, an SVD does not know the last directions either
        assert torch.allclose(found, expected, atol=1e-4)


def test_the_nearest_rotation_of_a_singular_matrix_is_a_rotation_too():
    for m in (torch.zeros(3, 3), torch.diag(torch.tensor([2.0, 1.0, 0.0]))):
        u = polar(m.double())
        assert torch.allclose(u.T @ u, torch.eye(3, dtype=torch.float64))

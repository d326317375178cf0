"""pytest tests/train_gpt_style/soup/test_soup_consensus.py — consensus, calibration, detectors."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from goldenseal.errors import ContradictedError, UsageError
from train_gpt_style.geometry.anchors import unit
from train_gpt_style.geometry.clouds import anchor_usage
from train_gpt_style.geometry.collapse import halved, reasons
from train_gpt_style.geometry.gpa import generalised_procrustes
from train_gpt_style.geometry.jacobi import jacobi_eigh, jacobi_svd, rounds_of
from train_gpt_style.kit.metrics import (
    average_precision,
    macro_f1,
    mean_average_precision,
    micro_f1,
    rank_one,
    top_rate,
    with_positives,
)
from train_gpt_style.soup.consensus import (
    NATIVE,
    PORTABLE,
    calibrate,
    make,
    principal,
    scales,
)
from train_gpt_style.soup.quality import pairs, qualities


def gaussian(rows, columns, seed=0):
    return torch.randn(
        rows, columns, generator=torch.Generator().manual_seed(seed), dtype=torch.float64
    )


def turn(columns, seed):
    return torch.linalg.qr(gaussian(columns, columns, seed))[0]


# -- GPA ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "svd", [None, NATIVE.svd, PORTABLE.svd], ids=["by itself", "native", "portable"]
)
def test_gpa_finds_three_rotations_of_one_cloud(svd):
    x = gaussian(60, 8) * torch.arange(1, 9)
    found = generalised_procrustes([x @ turn(8, seed) for seed in range(3)], svd=svd)
    energy = 3 * float(x.square().sum())
    assert found.objectives[-1] / energy < 1e-8
    assert found.agreement == pytest.approx(1, abs=1e-8)
    assert torch.allclose(found.centre @ found.centre.T, x @ x.T, atol=1e-6)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(1, 7), min_size=2, max_size=4), st.integers(0, 99))
def test_the_objective_is_that_of_the_rows_and_never_rises(widths, seed):
    clouds = [gaussian(15, w, seed + i) for i, w in enumerate(widths)]
    found = generalised_procrustes(clouds, rounds=6, tolerance=0.0)
    for before, after in itertools.pairwise(found.objectives):
        assert after <= before * (1 + 1e-9)
    wide = [torch.nn.functional.pad(c, (0, max(widths) - c.shape[1])) for c in clouds]
    turned = [c @ r for c, r in zip(wide, found.rotations, strict=True)]
    by_rows = sum(float((t - found.centre).square().sum()) for t in turned)
    assert found.objectives[-1] == pytest.approx(by_rows, rel=1e-9, abs=1e-9)


def test_a_wrong_rotation_raises_the_objective_and_is_caught():
    clouds = [gaussian(20, 4, seed) for seed in range(3)]
    calls = iter(range(99))

    def broken(m):
        u, s, vh = torch.linalg.svd(m)
        return (-u if next(calls) == 3 else u), s, vh  # one cloud, in the second round

    with pytest.raises(ContradictedError, match="objective rose"):
        generalised_procrustes(clouds, tolerance=0.0, svd=broken)


def test_float32_rows_give_the_consensus_of_float64_rows():
    clouds = [gaussian(50, 6, seed) for seed in range(3)]
    wide = generalised_procrustes(clouds)
    narrow = generalised_procrustes([c.float() for c in clouds])
    assert narrow.centre.dtype is torch.float32
    assert torch.allclose(narrow.centre.double(), wide.centre, atol=1e-4)


@pytest.mark.parametrize("noise", [0.0, 1e-4])
def test_what_rounding_alone_raises_is_no_rise(noise):
    for seed in range(6):  # float32 products of clouds of rank 8 in 48 columns that nearly agree
        x = gaussian(500, 8, seed) @ gaussian(8, 48, seed + 9)
        turns = [turn(48, seed + i) for i in range(3)]
        clouds = [(x @ r + noise * gaussian(500, 48, i)).float() for i, r in enumerate(turns)]
        found = generalised_procrustes(clouds, tolerance=0.0)
        assert found.agreement == pytest.approx(1, abs=1e-4)


# -- the portable lane's routine ------------------------------------------------------------------


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 9), st.integers(0, 4), st.integers(0, 99))
def test_jacobi_is_a_singular_value_decomposition(columns, more, seed):
    m = gaussian(columns + more, columns, seed)
    u, s, vh = jacobi_svd(m)
    assert torch.allclose(u * s @ vh, m, atol=1e-12)
    eye = torch.eye(columns, dtype=torch.float64)
    assert torch.allclose(u.T @ u, eye, atol=1e-12)
    assert torch.allclose(vh @ vh.T, eye, atol=1e-12)
    assert torch.allclose(s, torch.linalg.svdvals(m), atol=1e-12)
    values, vectors = jacobi_eigh(m.T @ m)
    assert torch.allclose(vectors * values @ vectors.T, m.T @ m, atol=1e-11)
    assert bool((values.diff() >= -1e-12).all())


def test_columns_that_are_copies_have_a_singular_value_of_zero():
    m = gaussian(6, 3)
    m[:, 2] = m[:, 0]
    assert float(jacobi_svd(m)[1][2]) < 1e-14


@pytest.mark.parametrize("rank", [0, 1, 5, 11])
def test_jacobi_settles_whatever_the_rank_and_its_columns_stay_orthonormal(rank):
    eye = torch.eye(12, dtype=torch.float64)
    for seed in range(5):
        zero_rows, dense = gaussian(12, 12, seed), gaussian(12, rank, seed) @ gaussian(rank, 12)
        zero_rows[rank:] = 0  # as a narrow expert's products have them
        for m in (zero_rows, zero_rows.T, dense, torch.cat((dense, dense))):
            u, s, vh = jacobi_svd(m)
            assert torch.allclose(u * s @ vh, m, atol=1e-12)
            assert int((s > 1e-12).sum()) == rank
            assert torch.allclose(u.T @ u, eye, atol=1e-12)
            assert torch.allclose(vh @ vh.T, eye, atol=1e-12)


def test_the_portable_lane_takes_experts_of_unequal_widths():
    train = [unit(gaussian(40, w, w).float()) for w in (12, 5, 9)]
    found, native = (make(train, train, 12, 4, (20, 1e-6), way) for way in (PORTABLE, NATIVE))
    assert found.agreement == pytest.approx(native.agreement, rel=1e-3)


@given(st.integers(0, 12))
def test_every_pair_of_columns_meets_once_a_sweep(columns):
    met = [tuple(sorted(p)) for a, b in rounds_of(columns) for p in zip(a, b, strict=True)]
    assert sorted(met) == list(itertools.combinations(range(columns), 2))
    for a, b in rounds_of(columns):
        assert len({*a, *b}) == 2 * len(a)


# -- principal columns, calibration ---------------------------------------------------------------


def test_principal_columns_have_fixed_signs_and_descending_variance():
    x = gaussian(200, 5) * torch.tensor([1, 5, 2, 4, 3])
    for solver in (NATIVE, PORTABLE):
        found = principal(x, 3, solver)
        assert bool((found.values.diff() <= 0).all())
        for column in found.basis.T:
            assert float(column[column.abs().argmax()]) > 0
        assert torch.allclose(found(x).var(dim=0), found.values)


@pytest.mark.parametrize("solver", [NATIVE, PORTABLE], ids=["native", "portable"])
def test_an_exact_rotation_comes_back_exactly(solver):
    x = gaussian(400, 6) * torch.arange(1, 7) + 3
    goal = x @ turn(6, 1) + torch.arange(6)
    part = principal(x, 6, solver)
    for whiten in (True, False):
        way = calibrate(part, part(x), goal, whiten, solver=solver)
        assert torch.allclose(way(x), goal, atol=1e-9), whiten
    linear = gaussian(6, 6, 2)
    assert torch.allclose(calibrate(part, part(x), x @ linear)(x), x @ linear, atol=1e-8)


@pytest.mark.parametrize(("width", "output"), [(9, 4), (3, 5)])
def test_experts_of_other_widths_have_a_way_to_the_sphere(width, output):
    x, goal = gaussian(100, width), unit(gaussian(100, output, 1))
    way = calibrate(principal(x, width, NATIVE), principal(x, width, NATIVE)(x), goal)
    assert way(x).shape == (100, output)
    assert bool(way.weight.isfinite().all())


def test_constant_columns_fall_to_the_floor_and_a_constant_cloud_is_refused():
    x = gaussian(50, 4)
    x[:, 2] = 7
    part = principal(x, 4, NATIVE)
    way = calibrate(part, part(x), unit(gaussian(50, 3, 1)))
    assert bool(way.weight.isfinite().all())
    assert float(way.weight[:, 2].abs().max()) < 1e-9
    flat = principal(torch.ones(50, 4), 4, NATIVE)
    with pytest.raises(UsageError, match="the same row for every image"):
        calibrate(flat, flat(torch.ones(50, 4)), unit(gaussian(50, 3)))
    roots, inverse = scales(torch.tensor([4.0, 1e-9], dtype=torch.float64), 1e-6)
    assert (roots.tolist(), inverse.tolist()) == ([2, 0], [0.5, 0])


@pytest.mark.parametrize(("rows", "expected"), [(256, 0.64), (512, 0.44), (1024, 0.30)])
def test_unrelated_clouds_fit_as_well_as_chance_lets_them(rows, expected):
    x, y = gaussian(rows, 128), gaussian(rows, 128, 1)
    from train_gpt_style.geometry.procrustes import whitened_procrustes

    assert whitened_procrustes(x, y).quality == pytest.approx(expected, abs=0.02)


@pytest.mark.parametrize("gpa", [None, (20, 1e-6)], ids=["mean", "gpa"])
def test_clouds_that_have_nothing_to_do_with_each_other_pass_no_control(gpa):
    clouds = [unit(gaussian(600, 16, seed).float()) for seed in range(3)]
    for told in qualities(clouds, 16, 8, gpa, floor=1e-6):
        for name, each in told.measures.items():
            assert abs(each.held_out - each.permuted) < 0.12, name
            assert (each.rows, each.columns) == (300, 16)
    for _, whitened, plain in pairs(clouds, 16, 1e-6):
        for each in (whitened, plain):
            assert abs(each.held_out) < 0.1
            assert abs(each.permuted) < 0.1


def test_clouds_that_show_one_thing_pass_the_control_by_far():
    hidden = gaussian(600, 4)
    clouds = [
        unit((hidden @ gaussian(4, 8, s) + 0.1 * gaussian(600, 8, s + 5)).float())
        for s in (1, 2, 3)
    ]
    for told in qualities(clouds, 8, 4, (20, 1e-6), floor=1e-6):
        for name in ("back", "whitened"):
            assert told.measures[name].held_out > told.measures[name].permuted + 0.25, told
        words = str(told).split()
        assert len(words) == 3 * 3 + 2
        assert words[0].startswith("back_fit:")
        assert words[-2:] == ["n:300", "D:8"]
    for _, whitened, _ in pairs(clouds, 4, 1e-6):
        assert whitened.held_out > whitened.permuted + 0.5


def test_few_rows_are_called_few():
    clouds = [unit(gaussian(16, 8, seed)) for seed in range(3)]
    told = qualities(clouds, 8, 3)[0]
    assert str(told).endswith("n:8 D:8; rows <= columns + 1: any clouds would fit")


def test_a_consensus_takes_unequal_widths_and_refuses_too_few_rows():
    train = [unit(gaussian(40, w, w).float()) for w in (3, 9, 6)]
    for gpa in (None, (5, 1e-6)):
        found = make(train, [t[:4] for t in train], 7, 5, gpa)
        assert found.train.shape == (40, 5)
        assert torch.allclose(found.train.norm(dim=1), torch.ones(40), atol=1e-6)
        assert torch.allclose(found.val, found.train[:4], atol=1e-5)
        assert [p.basis.shape[1] for p in found.parts] == [3, 7, 6]
    assert 0 < found.agreement <= 1
    with pytest.raises(UsageError, match="OUTPUT_DIM=40 needs more rows"):
        make(train, train, 7, 40)
    with pytest.raises(UsageError, match="OUTPUT_DIM=8: the widest expert has 7"):
        make(train, train, 7, 8, (2, 1e-6))


# -- metrics and detectors ------------------------------------------------------------------------


def test_average_precision_by_hand_with_ties_by_place():
    scores, positive = np.array([0.9, 0.9, 0.5, 0.1]), np.array([0, 1, 0, 1])
    assert average_precision(scores, positive) == pytest.approx((1 / 2 + 2 / 4) / 2)
    labels = np.array([[1, 0, 0], [0, 0, 1], [1, 0, 0], [0, 0, 1]])
    table = np.array([[3, 9, 1], [2, 9, 2], [1, 9, 3], [0, 9, 0]], float)
    # Class 0: hits at ranks 1 and 3; class 1 has no positive; class 2: at ranks 2 and 4.
    assert mean_average_precision(table, labels) == pytest.approx((5 / 6 + 1 / 2) / 2)
    assert np.isnan(mean_average_precision(table, np.zeros_like(labels)))
    assert macro_f1(np.array([[1.0, -1], [1, 1]]), np.array([[1, 0], [0, 0]])) == pytest.approx(
        1 / 3
    )
    # Over all classes: 1 true yes, 2 other yeses, no other positive.
    f1 = micro_f1(np.array([[1.0, -1], [1, 1]]), np.array([[1, 0], [0, 0]]))
    assert f1 == pytest.approx(2 / 4)
    assert micro_f1(-np.ones((2, 2)), np.zeros((2, 2))) == 0
    assert [with_positives(labels), with_positives(np.zeros_like(labels))] == [2, 0]
    assert top_rate(table, labels) == 0  # the second class is always highest


def test_rank_one_counts_a_tie_against():
    assert rank_one(np.array([[1.0, 0.5], [1.0, 1.0]])) == 0.5
    assert rank_one(np.eye(3)) == 1


def test_one_anchor_has_entropy_zero_and_the_largest_gini():
    usage = anchor_usage(torch.full((50,), 65), 256)
    assert (usage.active, usage.entropy) == (1, 0)
    assert usage.gini == pytest.approx(1 - 1 / 256)


def test_the_detector_fires_on_the_first_experiment_and_not_on_the_second():
    assert len(reasons(1, 256, 0.0, 0.969)) == 3
    for active in (94, 95, 96, 99, 113, 226):
        assert reasons(active, 256) == []
    assert reasons(95, 256, 78.0, 0.02) == []
    assert reasons(12, 256)
    assert not reasons(13, 256)
    published = [(1, 226), (2, 200), (3, 161), (4, 131), (5, 113)]
    assert halved(published) == "active anchors went from 226 to 113 in 4 epochs"
    assert halved(published[:-1]) is None
    assert halved([(1, 226), (7, 100)]) is None  # more than five epochs apart

"""pytest tests/train_gpt_style/geometry/test_spread.py — CV, its loss, its closed form."""

from collections import Counter

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from goldenseal.errors import UsageError
from tests.train_gpt_style.geometry.clouds import gaussian, generator, sphere
from train_gpt_style.geometry import pool, simplex, spread, volumes
from train_gpt_style.geometry import sphere as closed
from train_gpt_style.geometry.portable import portable_cv, portable_volume2

# d: (CV, mean volume), the published closed form.
TABLE = {
    5: (0.6252, 0.03462),
    8: (0.3624, 0.05610),
    12: (0.2533, 0.06836),
    14: (0.2244, 0.07189),
    15: (0.2129, 0.07331),
    16: (0.2030, 0.07454),
    17: (0.1942, 0.07564),
    18: (0.1864, 0.07661),
    24: (0.1531, 0.08074),
    32: (0.1272, 0.08385),
    64: (0.0845, 0.08851),
    128: (0.0578, 0.09084),
    256: (0.0402, 0.09200),
}


@pytest.mark.parametrize("d", TABLE)
def test_the_closed_form_of_uniform_points(d):
    cv, mean = TABLE[d]
    assert closed.uniform_cv(d) == pytest.approx(cv, abs=5e-5)
    assert closed.mean_volume(d) == pytest.approx(mean, abs=5e-6)
    assert closed.volume_moment(d, 2) == pytest.approx(float(closed.mean_square_volume(d)))
    assert closed.uniform_dimension(closed.uniform_cv(d)) == pytest.approx(d, rel=1e-6)


def test_the_mean_square_volume_at_sixteen_is_the_published_rational():
    assert closed.mean_square_volume(16) * 2359296 == 13650
    sizes = [round(closed.uniform_cv(16, r), 3) for r in range(2, 8)]
    assert sizes == [0.157, 0.179, 0.203, 0.231, 0.263, 0.3]


def test_fewer_dimensions_than_points_need_are_refused():
    with pytest.raises(UsageError, match="need 4 dimensions, not 3"):
        closed.uniform_cv(3)
    with pytest.raises(UsageError, match="not 0"):
        closed.mean_square_volume(0)
    assert closed.uniform_dimension(10.0) == pytest.approx(4)


def test_a_uniform_cloud_has_the_closed_form():
    found = [spread.cv_metric(sphere(512, 16, s), generator(s), 4000)[0] for s in range(4)]
    error = np.std(found, ddof=1) / 2
    assert abs(np.mean(found) - 0.20297) < 3 * max(error, 0.001)


def test_orthonormal_rows_have_no_spread_and_their_loss_no_gradient():
    points = torch.eye(32, 64).requires_grad_(True)
    assert spread.cv_metric(points.detach(), generator())[0] < 1e-6
    loss = spread.cv_loss(points, 0.25, 64, generator())
    loss.backward()
    assert float(loss.detach()) == pytest.approx(0.0625, abs=1e-6)
    assert points.grad.isfinite().all()


@pytest.mark.parametrize("kernel", ["gram", "det"])
def test_a_pools_volumes_are_those_of_each_simplex_alone(kernel):
    points = gaussian(40, 9)
    corners = pool.draw_simplices(40, 50, generator())
    whole = spread.volume2_of(points, corners, kernel)
    for one, c in zip(whole, corners, strict=True):
        alone = simplex.volume2_by_gram(simplex.squared_distances(points[c]))
        assert float(one) == pytest.approx(float(alone), rel=1e-8)


@pytest.mark.parametrize("kernel", ["gram", "det"])
def test_the_loss_has_the_gradient_of_differences(kernel):
    points = gaussian(12, 6).requires_grad_(True)

    def loss(x):
        return spread.cv_loss(x, 0.25, 24, generator(3), kernel=kernel)

    assert torch.autograd.gradcheck(loss, points, atol=1e-6)


def test_all_kernels_have_the_same_loss_and_gradient():
    losses, grads = [], []
    for kernel in ("gram", "det", "fused"):
        x = gaussian(30, 8).requires_grad_(True)
        loss = spread.cv_loss(x, 0.2, 64, generator(5), kernel=kernel)
        loss.backward()
        losses.append(float(loss.detach()))
        grads.append(x.grad)
    assert losses[0] == pytest.approx(losses[1], rel=1e-9)
    assert losses[0] == pytest.approx(losses[2], rel=1e-9)
    assert torch.allclose(grads[0], grads[1], rtol=1e-7, atol=1e-12)
    assert torch.allclose(grads[0], grads[2], rtol=1e-7, atol=1e-12)
    with pytest.raises(UsageError, match="gram, fused or det"):
        spread.cv_loss(gaussian(9, 4), 0.2, 8, generator(), kernel="best")


@given(st.integers(0, 2**32), st.floats(0.5, 8))
@settings(max_examples=25, deadline=None)
def test_cv_is_the_same_after_a_rotation_and_a_scaling(seed, scale):
    points = sphere(24, 5, seed)
    turn = torch.linalg.qr(gaussian(5, 5, seed + 1))[0]
    a, b = (spread.cv_metric(x, generator(seed))[0] for x in (points, scale * points @ turn))
    assert a == pytest.approx(b, rel=1e-3)


def test_a_nearly_collapsed_cloud_keeps_its_volumes_in_single_precision():
    points = (1 + 0.01 * gaussian(512, 128)).float()
    corners = pool.draw_simplices(512, 1000, generator())
    exact = pool.pool_volume2(points.double(), corners)
    error = (pool.pool_volume2(points, corners) / exact - 1).abs().max()
    assert error < 4e-6
    kept = [
        spread.cv_of_volume2(pool.pool_volume2(t, corners), 5)[0]
        for t in (points.bfloat16(), points.bfloat16().double())
    ]
    assert float(kept[0]) == pytest.approx(float(kept[1]), rel=1e-5)


FLAT = torch.cat((gaussian(20, 3), torch.zeros(20, 5, dtype=torch.float64)), dim=1)
TURN = torch.linalg.qr(gaussian(8, 8, 9))[0]
DEGENERATE = {
    "four rows": gaussian(4, 6),
    "no row": gaussian(0, 6),
    "one point": torch.ones(20, 6, dtype=torch.float64),
    "a flat cloud": FLAT,
    "a flat cloud, single": FLAT.float(),
    "a flat cloud, turned": FLAT @ TURN,
    "a flat cloud, turned, single": (FLAT @ TURN).float(),
}


@pytest.mark.parametrize("kernel", ["gram", "det"])
@pytest.mark.parametrize("points", DEGENERATE.values(), ids=DEGENERATE)
def test_a_degenerate_cloud_has_a_loss_of_zero_and_a_finite_gradient(points, kernel):
    x = points.clone().requires_grad_(True)
    loss = spread.cv_loss(x * 1.0, 0.25, 64, generator(), kernel=kernel)
    assert float(loss.detach()) == 0
    if loss.requires_grad:
        loss.backward()
        assert x.grad.isfinite().all()
    assert spread.cv_metric(points, generator()) == (0.0, 0.0)


def test_a_flat_cloud_far_from_the_origin_has_no_volume_by_rounding():
    """Its rows, rounded to single precision where they lie, are not quite flat any more."""
    flat = gaussian(64, 3) @ gaussian(3, 16, 9)
    assert spread.counted_cv((flat + 100).float(), generator()) == (0.0, 0.0, 0)


@pytest.mark.parametrize("base", [0.3, 0.2, 0.1])
def test_the_metric_sees_a_thin_cloud_in_single_precision(base):
    cloud = gaussian(512, 16) * base ** torch.arange(16)
    exact = spread.counted_cv(cloud, generator(), 1000)
    found = spread.counted_cv(cloud.float(), generator(), 1000)
    assert found[2] == exact[2]
    assert exact[2] > 900
    assert found[0] == pytest.approx(exact[0], rel=1e-3)
    assert exact[0] > 1


def test_the_least_height_of_a_simplex():
    points = torch.cat((torch.zeros(1, 4), torch.diag(torch.tensor([1.0, 1, 1, 0.1])))).double()
    d = volumes.pair_rows(simplex.squared_distances(points)).unsqueeze(1)
    volume2 = volumes.volume2(d)
    assert float(volumes.least_height2(d, volume2)) == pytest.approx(0.01)
    assert float(volumes.least_height2(0 * d, 0 * volume2)) == 0


def test_five_random_rows_are_distinct_and_all_choices_equally_likely():
    corners = pool.draw_simplices(6, 60_000, generator())
    assert all(len(set(row)) == 5 for row in corners[:500].tolist())
    left_out = Counter((15 - corners.sum(dim=1)).tolist())
    assert set(left_out) == set(range(6))
    assert all(abs(n - 10_000) < 400 for n in left_out.values())
    first = Counter(corners[:, 0].tolist())
    assert all(abs(n - 10_000) < 400 for n in first.values())
    with pytest.raises(UsageError, match="not 4"):
        pool.draw_simplices(4, 1, generator())


def test_drawing_moves_no_global_generator():
    before = torch.get_rng_state()
    spread.cv_loss(gaussian(9, 4), 0.2, 8, generator())
    assert torch.get_rng_state().equal(before)


def test_only_the_first_rows_make_the_pool():
    points = gaussian(40, 6)
    other = torch.cat((points[:20], 100 * points[20:]))
    assert spread.cv_loss(points, 0, 32, generator(), pool=20) == spread.cv_loss(
        other, 0, 32, generator(), pool=20
    )


def test_memory_never_holds_the_corners_of_every_simplex():
    points, corners = torch.randn(512, 128), pool.draw_simplices(512, 65_536, generator())
    sizes = []

    class Watch(torch.utils._python_dispatch.TorchDispatchMode):
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            out = func(*args, **(kwargs or {}))
            sizes.extend(t.numel() for t in (out if isinstance(out, tuple) else (out,)))
            return out

    points.requires_grad_(True)
    with Watch():
        pool.pool_volume2(points, corners).sum().backward()
    assert max(sizes) <= 10 * 65_536 < 65_536 * 5 * 128


def test_the_portable_kernel_is_the_same_number_and_ignores_the_thread_count():
    points, corners = sphere(64, 12).numpy(), pool.draw_simplices(64, 300, generator()).numpy()
    exact = pool.pool_volume2(torch.from_numpy(points), torch.from_numpy(corners))
    assert np.allclose(portable_volume2(points, corners), exact, rtol=1e-9)
    cv, mean, count = portable_cv(points, corners)
    theirs = [float(v) for v in spread.cv_of_volume2(exact, 5)]
    assert [cv, mean, count] == pytest.approx(theirs, rel=1e-9)
    assert portable_cv(points[:5] * 0, corners[:4] * 0) == (0.0, 0.0, 0)
    flat, drawn = (FLAT @ TURN).numpy(), pool.draw_simplices(20, 300, generator()).numpy()
    assert portable_cv(flat, drawn) == (0.0, 0.0, 0)
    few = pool.pool_volume2(torch.from_numpy(points), torch.from_numpy(corners[:3]))
    theirs = [float(v) for v in spread.cv_of_volume2(few, 5)]
    assert list(portable_cv(points, corners[:3])) == pytest.approx(theirs, rel=1e-9)


@pytest.mark.parametrize("kernel", ["gram", "det"])
def test_autocast_changes_nothing(kernel):
    found = []
    for enabled in (False, True):
        x = gaussian(30, 8).float().requires_grad_(True)
        with torch.autocast("cpu", torch.bfloat16, enabled=enabled):
            loss = spread.cv_loss(x, 0.2, 64, generator(5), kernel=kernel)
        loss.backward()
        found.append(x.grad)
    assert found[0].equal(found[1])

"""pytest tests/train_gpt_style/credit/test_credit_calibration.py — beside fresh feedback."""

import math

import pytest

from goldenseal.errors import UsageError
from train_gpt_style.credit.protocol import calibration


def test_the_published_calibration():
    """Trained +0.1627; fresh +0.0022 +- 0.0220, of 20: z 7.3, and a rank that is exact."""
    fresh = [0.0022 + 0.0220 * (-1) ** i * math.sqrt(19 / 20) for i in range(20)]
    found = calibration.calibrated(0.1627, fresh)
    assert (found.mean, found.sd) == (pytest.approx(0.0022), pytest.approx(0.0220))
    assert (round(found.z, 1), found.p) == (7.3, 1 / 21)
    assert calibration.calibrated(-1.0, fresh).p == 1.0
    assert round(calibration.expected_sd(256, 10), 4) == 0.0208
    with pytest.raises(UsageError, match="at least 2"):
        calibration.calibrated(0.1, [0.2])


def test_draws_that_do_not_differ_have_no_z():
    found = calibration.calibrated(0.1 + 0.2, [0.1 + 0.2] * 7)
    assert (found.sd, found.z, found.p) == (0.0, None, 1.0)


@pytest.mark.parametrize(
    ("cosines", "warns"),
    [
        ([0.0, 0.3, 0.2], False),  # one of two always has more than half
        ([0.0, 0.9, 0.1], True),
        ([0.042, 0.113, 0.114, 0.108, 1.0], True),
        ([0.0, 0.3, 0.1, 0.1, 0.05], False),
    ],
)
def test_a_share_is_held_against_that_of_equal_layers(cosines, warns):
    assert bool(calibration.layers(cosines).warning) == warns


@pytest.mark.parametrize("depth", [2, 4, 6, 8, 12])
def test_one_layer_of_cosine_one_gives_one_over_l_and_is_named(depth):
    found = calibration.layers([0.0] * depth + [1.0])
    assert found.deep == pytest.approx(1 / depth)
    assert found.without_top == 0.0
    assert found.warning == f"layer {depth} alone carries 100% of the deep cosine"
    assert calibration.layers([0.3] * (depth + 1)).warning == ""

"""Null calibration: a trained cosine against those of fresh feedback, and what layers hide."""

import math
from dataclasses import dataclass

from goldenseal.errors import UsageError
from train_gpt_style.credit.protocol.numbers import deviation, mean


@dataclass(frozen=True)
class Calibration:
    """A trained cosine among fresh ones. p: share of ranks as high, at least 1 / (n + 1)."""

    trained: float
    mean: float
    sd: float
    n: int
    p: float

    @property
    def z(self):
        """Distance from the mean of the fresh, in their deviations; None without a spread.

        FA's exact gradient at the top is the same under every draw.
        """
        return (self.trained - self.mean) / self.sd if self.sd > 0 else None


def calibrated(trained, fresh):
    """`Calibration` of a cosine by those of n fresh draws; one-sided, exact by ranks.

    Raises UsageError for fewer than two draws.
    """
    if len(fresh) < 2:
        raise UsageError(f"{len(fresh)} fresh draws: at least 2 are needed, 20 are usual")
    higher = sum(value >= trained for value in fresh)
    spread = deviation(fresh, 1) if min(fresh) < max(fresh) else 0.0  # not that of rounding
    return Calibration(trained, mean(fresh), spread, len(fresh), (1 + higher) / (len(fresh) + 1))


def expected_sd(width, classes):
    """Deviation of a batch-mean cosine of fresh B in R^{d x C}: 1 / sqrt(d (C - 1))."""
    return 1 / math.sqrt(width * (classes - 1))


@dataclass(frozen=True)
class Layers:
    """Means of per-layer cosines c_0..c_L, and whether one layer makes most of them."""

    gamma: float
    deep: float
    without_top: float
    warning: str


def layers(cosines):
    """Gamma over l = 0..L, deep over l = 1..L, and deep without the top layer.

    One cosine of 1 among L near 0 gives a deep mean of 1 / L: that is no credit in L layers. The
    warning asks for a share nearer to 1, that of one layer alone, than to 1 / L, that of equals.
    """
    deep = cosines[1:]
    total = math.fsum(abs(c) for c in deep)
    most = max(range(len(deep)), key=lambda i: abs(deep[i]), default=0)
    warning = ""
    if len(deep) > 1 and abs(deep[most]) > total * (1 + 1 / len(deep)) / 2:
        share = abs(deep[most]) / total
        warning = f"layer {most + 1} alone carries {share:.0%} of the deep cosine"
    return Layers(
        mean(cosines),
        mean(deep) if deep else math.nan,
        mean(deep[:-1]) if len(deep) > 1 else math.nan,
        warning,
    )

"""The four diagnostics: what is asked of a network, when each fires, and what each needs.

    (a) growth      max over l of med||h_{l+1}|| / med||h_l||           fires above 50
    (b) floor       med||g_L|| of a mean loss over N_ref examples       fires below 1e-7
    (c) stability   mean pairwise cosine of batch gradients at L/2      fires above 0.30
    (d) depth       accuracy less that of the frozen baseline           fires below 0.02

The printed floor belongs to the gradient of a batch's MEAN loss, which is that of one example over
N: one network has as many verdicts as there are batch sizes. So the gradient here is that of each
example's own loss, and N_ref, the batch that the floor was printed for, is part of the threshold:
the verdict then does not depend on the evaluation batch.
"""

import math
from dataclasses import dataclass, fields
from itertools import pairwise

from goldenseal.errors import UsageError
from train_gpt_style.credit.constants import CREDIT_FLOOR, CREDIT_MARGIN, CREDIT_STABLE
from train_gpt_style.credit.protocol.numbers import exact, finite

LEAST_BATCHES, LEAST_SIZE = 8, 128  # of (c)
ROUNDING = 2.0**-40  # of a mean of cosines in float64


@dataclass(frozen=True)
class Thresholds:
    """Where each diagnostic fires. n_ref: the batch whose mean loss the floor is of."""

    growth: float = 50.0
    floor: float = CREDIT_FLOOR
    n_ref: int = 128
    stability: float = CREDIT_STABLE
    margin: float = CREDIT_MARGIN


@dataclass(frozen=True)
class Finding:
    """One diagnostic. fires: None where it was not evaluated, with the reason."""

    letter: str
    value: float | None
    threshold: float
    fires: bool | None
    reason: str = ""


@dataclass(frozen=True)
class Setting:
    """What two accuracies must share for (d): width, depth, data, steps, seeds, schedule."""

    width: int
    depth: int
    data: str
    epochs: float
    seeds: tuple[int, ...]
    schedule: str = ""

    def same(self, other):
        """Raises UsageError, naming the first that differs."""
        for field in fields(self):
            ours, theirs = getattr(self, field.name), getattr(other, field.name)
            if ours != theirs:
                raise UsageError(
                    f"(d): the baseline's {field.name} is {theirs}, the network's {ours}: "
                    "train the frozen baseline at the same setting"
                )


def growth(norms, thresholds):
    """(a) of median norms of h_0..h_L. A norm of 0 makes it undefined, and is not divided by.

    Raises UsageError for a norm that is not finite.
    """
    t = thresholds.growth
    if norms is None or len(norms) < 2:
        return Finding("a", None, t, None, "no norms of h_0..h_L")
    for layer, norm in enumerate(norms):
        finite(norm, f"the norm of layer {layer}")
    zero = next((place for place, norm in enumerate(norms) if norm == 0), None)
    if zero is not None:
        return Finding("a", None, t, None, f"undefined: the norm of h_{zero} is 0")
    value = max(after / before for before, after in pairwise(norms))
    return Finding("a", value, t, value > t)


def of_batch_mean(norm, examples):
    """The norm of an example's own gradient from that of a mean loss over `examples`."""
    return norm * examples


def floor(gradient, thresholds):
    """(b) of the median norm at h_L of the gradient of each example's OWN loss."""
    t = thresholds.floor
    if gradient is None:
        return Finding("b", None, t, None, "no gradient at h_L")
    finite(gradient, "the gradient at h_L")
    if thresholds.n_ref < 1:
        raise UsageError(f"(b): N_ref={thresholds.n_ref} must be at least 1")
    value = gradient / thresholds.n_ref
    return Finding("b", value, t, exact(gradient) < exact(t) * thresholds.n_ref)


def stability(value, batches, size, thresholds):
    """(c) of a mean pairwise cosine over `batches` disjoint batches of `size` examples.

    Raises UsageError for too few batches or examples, and for a value that no batches can have.
    """
    t = thresholds.stability
    if value is None:
        n, m = max(batches, LEAST_BATCHES), max(size, LEAST_SIZE)
        words = f"{n} batches of {m} gradients at layer L/2 are needed: {n * m} examples"
        return Finding("c", None, t, None, words)
    if batches < LEAST_BATCHES or size < LEAST_SIZE:
        raise UsageError(
            f"(c): {batches} batches of {size}; at least {LEAST_BATCHES} of {LEAST_SIZE} are "
            f"needed, {LEAST_BATCHES * LEAST_SIZE} examples"
        )
    if math.isnan(value):
        return Finding("c", None, t, None, "undefined: a batch's gradient is 0")
    if not -1 / (batches - 1) - ROUNDING <= value <= 1 + ROUNDING:
        raise UsageError(
            f"(c): {value} is no mean pairwise cosine of {batches} batches: it lies between "
            f"{-1 / (batches - 1):.4f} and 1"
        )
    return Finding("c", value, t, value > t)


def depth(accuracy, baseline, setting, baseline_setting, thresholds):
    """(d) of two accuracies at one setting. Raises UsageError where the settings differ.

    Where one is not stated, nothing says that they are the same, and (d) is not evaluated.
    """
    t = thresholds.margin
    if accuracy is None or baseline is None:
        return Finding("d", None, t, None, "no frozen baseline")
    if setting is None or baseline_setting is None:
        whose = "the network" if setting is None else "the frozen baseline"
        return Finding("d", None, t, None, f"the setting of {whose} is not stated")
    setting.same(baseline_setting)
    for value in (accuracy, baseline):
        if not 0 <= value <= 1:
            raise UsageError(f"(d): accuracy {value} must be between 0 and 1")
    value = exact(accuracy) - exact(baseline)
    return Finding("d", float(value), t, value < exact(t))

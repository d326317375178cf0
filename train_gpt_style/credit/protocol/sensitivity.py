"""How much a verdict leans on its threshold: the interval in which none changes."""

from dataclasses import dataclass

UP, DOWN = "above", "below"  # (a) and (c) fire above their threshold, (b) and (d) below
SIDES = {"a": UP, "b": DOWN, "c": UP, "d": DOWN}


@dataclass(frozen=True)
class Interval:
    """Thresholds between which no verdict changes; an end that is None is open.

    With `UP` it is [low, high): a value fires when it is above. With `DOWN` it is (low, high].
    """

    low: float | None
    high: float | None
    side: str

    @property
    def ratio(self):
        """high over low: how far the threshold may be moved; None where an end is open or 0."""
        return None if not self.low or self.high is None else self.high / self.low


def fires(letter, value, threshold):
    """Whether a value fires at a threshold."""
    return value > threshold if SIDES[letter] == UP else value < threshold


def interval(letter, values, threshold):
    """Around `threshold`, where the same of `values` fire."""
    firing = [v for v in values if fires(letter, v, threshold)]
    rest = [v for v in values if not fires(letter, v, threshold)]
    if SIDES[letter] == UP:
        return Interval(max(rest, default=None), min(firing, default=None), UP)
    return Interval(max(firing, default=None), min(rest, default=None), DOWN)


def separating(letter, healthy, degenerate):
    """Thresholds that part two groups; None where they overlap."""
    if SIDES[letter] == UP:
        low, high = max(healthy), min(degenerate)
    else:
        low, high = max(degenerate), min(healthy)
    return Interval(low, high, SIDES[letter]) if low < high else None


def table(letter, values, thresholds):
    """By threshold, which of `values` (by name) fire."""
    return {
        threshold: [name for name, v in values.items() if fires(letter, v, threshold)]
        for threshold in thresholds
    }

"""When the mastery queue grows and shrinks: two published rules, as pure functions.

gap: train minus validation accuracy, in points, one an epoch from activation on. The first decides
nothing. After a change of size at epoch e none follows at e + 1 .. e + cooldown.

    B  delta = gap - the gap before: above drift grow, below -drift shrink
    A  gap above `grow` grow, below `shrink` shrink; else as B with the gap `window` epochs ago
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Rule:
    """The constants: thresholds in points, sizes in rows, window and cooldown in epochs."""

    variant: str
    drift: float
    grow: float
    shrink: float
    window: int
    cooldown: int
    least: int
    most: int
    step: int


def decision(gaps, rule):
    """1 to grow, -1 to shrink, 0 for neither, given the gaps so far."""
    if len(gaps) < 2:
        return 0
    back = 1 if rule.variant == "B" else rule.window
    if rule.variant == "A" and (gaps[-1] > rule.grow or gaps[-1] < rule.shrink):
        return 1 if gaps[-1] > rule.grow else -1
    if len(gaps) <= back:
        return 0
    delta = gaps[-1] - gaps[-1 - back]
    return (delta > rule.drift) - (delta < -rule.drift)


def resized(size, decided, rule):
    """The size after a decision: a step up or down, within [least, most]."""
    if decided > 0:
        return max(size, min(size + rule.step, rule.most))
    if decided < 0:
        return min(size, max(size - rule.step, rule.least))
    return size


def may_change(epoch, last, rule):
    """Whether the cool-down after the change at epoch `last` is over; last 0: there was none."""
    return last == 0 or epoch - last > rule.cooldown

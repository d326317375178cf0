"""What a device can have used in a time. What lies outside was misread, whatever the source said.

    most     its enforced power limit, and an eighth of it, over the time and two refreshes more
    least    a sixty-fourth of a watt: a chip that answers draws more. A weak bound, and the only
             honest one: no source tells what its device draws idle

Bounds are kept by device: among eight boards one misreading would hide below the sum of limits.
"""

import math
from dataclasses import dataclass

SLACK = 9 / 8  # sensors, and the loops that hold a device at its limit, are off by a few percent
LAG = 2  # refreshes: each end of a window may be off by one
PEAK = 2.0  # times the limit, for the power of an instant: limits hold on average over a while
LEAST_WATTS = 1 / 64
MOST_WATTS = 4000.0  # of a device whose limit nobody tells: no board or package uses more


@dataclass(frozen=True)
class Used:
    """What one device used so far, and what its limit allowed it to."""

    amount: float = 0  # in the source's units; whole, of a counter
    allowed: float = 0.0  # joules
    watts: float = 0.0  # the limit, as of the last reading


def most(watts, seconds, refresh_ms):
    """Joules that a device with this limit can have used, as seen by a source of this refresh."""
    return SLACK * watts * (seconds + LAG * refresh_ms / 1000)


def number(found):
    """A reading that can be one: a number, finite and not negative; else None."""
    known = isinstance(found, int | float) and not isinstance(found, bool)
    return found if known and math.isfinite(found) and found >= 0 else None


def breaches(begin, end, units, seconds, refresh_ms):
    """The flags of a window of one device between two states of its account."""
    used = (end.amount - begin.amount) / units
    if used == 0:
        return {"no-change"}
    if used < LEAST_WATTS * seconds:
        return {"below-floor"}
    late = most(max(begin.watts, end.watts), 0, refresh_ms)
    return {"above-limit"} if used > end.allowed - begin.allowed + late else set()

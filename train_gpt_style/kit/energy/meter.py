"""What every source of joules shares: windows over totals that only ever grow, a total a device.

A source adds what a device used since its last reading to that device's account, and notes what
went wrong. A window is the difference of two states of the accounts; several may be open at once.
Joules are null as soon as anything went wrong within the window, or a device used more than its
power limit allows, or nothing (bounds.py).

    reading = {joules, seconds, source, scope, refresh_ms, flags}
"""

import math
import threading
import time
from dataclasses import replace

from goldenseal.errors import UsageError
from train_gpt_style.kit.energy.bounds import MOST_WATTS, SLACK, Used, breaches, most, number

JITTER_S = 1 / 1024  # of the system's clocks against each other
LEAST_REFRESHES = 100  # a shorter window is flagged: the ends may be off by a refresh each
SPOILING = (
    *("above-limit", "below-floor", "clock-backwards", "counter-reset", "gap", "may-have-wrapped"),
    *("no-change", "not-measured", "suspended", "unreadable", "zero-length"),
)


def asleep():
    """(at least, at most) the seconds that this machine has been suspended since it was booted.

    None where the system does not tell. The clock of a run stands still meanwhile; counters do not.
    """
    if not hasattr(time, "CLOCK_BOOTTIME"):
        return None
    before = time.clock_gettime(time.CLOCK_MONOTONIC)
    boot = time.clock_gettime(time.CLOCK_BOOTTIME)
    return boot - time.clock_gettime(time.CLOCK_MONOTONIC), boot - before


class Meter:
    """The base of every source; by itself it measures nothing.

    units: of a counter, in a joule. refresh_ms: how often the source is renewed, as estimated;
    None where nothing is read. clock: seconds, for tests.
    """

    source, scope, units, refresh_ms = "none", "nothing", 1, None

    def __init__(self, clock=time.perf_counter):
        self.clock, self.accounts = clock, []
        self.standing = []  # flags of every reading
        self.turn, self.faults = 0, {}  # by name, the reading at which each was last noted
        self._at, self._asleep = self.clock(), asleep()
        self._lock, self._window = threading.Lock(), None

    def advance(self, seconds):
        """Add what was used in the seconds since the last reading to `accounts`; note faults."""

    def fault(self, name):
        """Note what went wrong at this reading: every window that is open shows it."""
        self.faults[name] = self.turn

    def read(self):
        """(seconds on the clock, accounts, number of this reading), read together."""
        with self._lock:
            self.turn += 1
            now = self.clock()
            seconds, self._at = now - self._at, now
            if not 0 <= seconds < math.inf:  # NaN too
                self.fault("clock-backwards")
                seconds = 0.0
            before, self._asleep = self._asleep, asleep()
            if before and self._asleep and self._asleep[0] > before[1] + JITTER_S:
                self.fault("suspended")
            self.advance(seconds)
            return now, list(self.accounts), self.turn

    @property
    def total(self):
        """What all devices used so far, in the source's units."""
        return sum(account.amount for account in self.accounts)

    def use(self, place, amount, seconds, watts):
        """Put on a device's account what it used, unless its limit, None if unknown, forbids it."""
        if watts is None:
            self.fault("unbounded")
            watts = MOST_WATTS
        account = self.accounts[place]
        account = replace(account, allowed=account.allowed + SLACK * watts * seconds, watts=watts)
        if amount / self.units > most(watts, seconds, self.refresh_ms):
            self.fault("above-limit")
        else:
            account = replace(account, amount=account.amount + amount)
        self.accounts[place] = account

    def window(self):
        """A window that begins now."""
        return Window(self)

    def start(self):
        """Begin the one window that `stop` ends. The device has just been waited for."""
        self._window = self.window()

    def stop(self):
        """End the window; returns its reading. Raises UsageError when none was begun."""
        if self._window is None:
            raise UsageError("the meter was stopped, but not started")
        window, self._window = self._window, None
        return window.close()

    def temperature(self):
        """Degrees Celsius now; None where nobody can tell."""
        return None

    def state(self):
        """What the device says of itself now, by name: clocks, limits, temperature."""
        return {}

    def conditions(self):
        """Flags that hold now, such as `throttled`."""
        return []

    def close(self):
        """Let go of whatever was opened."""


class Counters(Meter):
    """The base of sources that count, in `units` a joule: one counter a device, in `last`."""

    def __init__(self, clock):
        super().__init__(clock)
        self.last = []

    def begin(self, readings):
        """The first readings. Raises ValueError for one that is no number of a counter."""
        self.last = [number(found) for found in readings]
        if None in self.last:
            raise ValueError("the counter is no number")
        self.accounts = [Used() for _ in self.last]
        self._since = [0.0] * len(self.last)  # the last one that could be read

    def count(self, place, found, seconds, watts, top=None):
        """A counter's reading after so many seconds; `top` is where it begins anew, if it does."""
        self._since[place] += seconds
        found = number(found)
        if found is None:
            self.fault("unreadable")
            return
        seconds, self._since[place] = self._since[place], 0.0
        used, self.last[place] = found - self.last[place], found
        limit = most(watts or MOST_WATTS, seconds, self.refresh_ms)
        if top is not None and watts is not None and limit >= top / self.units:
            self.fault("may-have-wrapped")  # more than once, unseen
        if used < 0:
            used += top or 0
            if not 0 <= used / self.units <= limit:
                self.fault("counter-reset")
                used = 0
        self.use(place, used, seconds, watts)


class Window:
    """From now until `close`."""

    def __init__(self, meter):
        self.meter = meter
        self.conditions = meter.conditions()
        self.began, self.accounts, self.turn = meter.read()

    def close(self):
        """The reading."""
        meter = self.meter
        ended, accounts, _ = meter.read()
        seconds = ended - self.began
        flags = {*meter.standing, *self.conditions, *meter.conditions()}
        flags.update(name for name, turn in meter.faults.items() if turn > self.turn)
        if not 0 < seconds < math.inf:
            flags.add("zero-length")
        both = list(zip(self.accounts, accounts, strict=True))
        if meter.refresh_ms is not None and not flags.intersection(SPOILING):
            for begin, end in both:
                flags |= breaches(begin, end, meter.units, seconds, meter.refresh_ms)
            if "no-change" not in flags and seconds * 1000 < LEAST_REFRESHES * meter.refresh_ms:
                flags.add("short-window")
        measured = meter.source != "none" and not flags.intersection(SPOILING)
        used = sum(end.amount - begin.amount for begin, end in both)
        return {
            "joules": used / meter.units if measured else None,
            "seconds": seconds if math.isfinite(seconds) else None,
            "source": meter.source,
            "scope": meter.scope,
            "refresh_ms": meter.refresh_ms,
            "flags": sorted(flags),
        }


class NoMeter(Meter):
    """Nothing can be read, or nothing shall be; `reasons` say why."""

    def __init__(self, reasons=(), clock=time.perf_counter):
        super().__init__(clock)
        self.reasons = list(reasons)
        self.scope = "; ".join(["nothing", *self.reasons])
        self.standing = ["not-measured"]


class Model(Meter):
    """A power that the caller names times the clock: no measurement, and no claim rests on it.

    Under it "fewer joules" only ever means "faster".
    """

    source = "model"

    def __init__(self, watts, clock=time.perf_counter):
        super().__init__(clock)
        if not 0 < watts < float("inf"):
            raise UsageError(f"ENERGY=model needs a positive ENERGY_WATTS, not {watts}")
        self.watts, self.scope = watts, f"{watts} W as given, not measured"
        self.standing, self.accounts = ["model"], [Used()]

    def advance(self, seconds):
        """The clock's seconds times the power."""
        (account,) = self.accounts
        self.accounts = [replace(account, amount=account.amount + self.watts * seconds)]


class Checked(Meter):
    """A source held against a second one of the same device; the joules are the first one's.

    A gap of more than a twentieth is flagged `sources-disagree`, a second one that measured nothing
    `unchecked`.
    """

    def __init__(self, first, second):
        super().__init__(first.clock)
        self.first, self.second = first, second
        self.source, self.scope, self.refresh_ms = first.source, first.scope, first.refresh_ms

    def window(self):
        """Both windows."""
        return CheckedWindow(self.first.window(), self.second.window())

    def temperature(self):
        """The first one's."""
        return self.first.temperature()

    def state(self):
        """The first one's."""
        return self.first.state()

    def close(self):
        """Close both."""
        self.first.close()
        self.second.close()


class CheckedWindow:
    """Two windows at once."""

    def __init__(self, first, second):
        self.first, self.second = first, second

    def close(self):
        """The first one's reading, with `check_joules` of the second."""
        found, other = self.first.close(), self.second.close()
        found["check_joules"] = other["joules"]
        a, b = found["joules"], other["joules"]
        if b is None:
            found["flags"] = sorted({*found["flags"], "unchecked"})
        elif a is not None and abs(a - b) * 20 > a:
            found["flags"] = sorted({*found["flags"], "sources-disagree"})
        return found


class Sampler:
    """Reads a meter now and then from a thread, until it is stopped."""

    def __init__(self, meter, seconds):
        self.meter, self.seconds = meter, seconds
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True, name="energy meter")
        self._thread.start()

    def _run(self):
        while not self._end.wait(self.seconds):
            self.meter.read()

    def stop(self):
        """Return when the thread has ended."""
        self._end.set()
        self._thread.join()

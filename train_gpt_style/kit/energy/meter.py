"""What every source of joules shares: windows over a total that only ever grows.

A source adds what it read since its last reading to a running total, in whole units of its own
(mJ, uJ), and notes what went wrong. A window is the difference of two totals; several may be open
at once. Joules are null as soon as anything went wrong within the window.

    reading = {joules, seconds, source, scope, refresh_ms, flags}
"""

import threading
import time

from verify.errors import UsageError

LEAST_REFRESHES = 100  # a shorter window is flagged: the ends may be off by a refresh each
SPOILING = ("counter-reset", "unreadable", "zero-length", "no-change", "not-measured")


class Meter:
    """The base of every source; by itself it measures nothing.

    units: of the total, in a joule. refresh_ms: how often the source is renewed, as estimated;
    None where nothing is read. clock: seconds, for tests.
    """

    source, scope, units, refresh_ms = "none", "nothing", 1, None

    def __init__(self, clock=time.perf_counter):
        self.clock, self.total, self.faults = clock, 0, []
        self.standing = []  # flags of every reading
        self._lock, self._window = threading.Lock(), None

    def advance(self):
        """Add what was used since the last reading to `total`; note faults."""

    def read(self):
        """(seconds, total, number of faults), read together."""
        with self._lock:
            self.advance()
            return self.clock(), self.total, len(self.faults)

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


class Window:
    """From now until `close`."""

    def __init__(self, meter):
        self.meter = meter
        self.conditions = meter.conditions()
        self.began, self.total, self.faults = meter.read()

    def close(self):
        """The reading."""
        meter = self.meter
        ended, total, faults = meter.read()
        seconds, used = ended - self.began, total - self.total
        flags = {*meter.standing, *self.conditions, *meter.conditions()}
        flags.update(meter.faults[self.faults : faults])
        if seconds <= 0:
            flags.add("zero-length")
        elif meter.refresh_ms is not None and used == 0:
            flags.add("no-change")
        elif meter.refresh_ms is not None and seconds * 1000 < LEAST_REFRESHES * meter.refresh_ms:
            flags.add("short-window")
        measured = meter.source != "none" and not flags.intersection(SPOILING)
        return {
            "joules": used / meter.units if measured else None,
            "seconds": seconds,
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
        self.standing, self._last = ["model"], self.clock()

    def advance(self):
        """The clock's seconds times the power."""
        now = self.clock()
        self.total += self.watts * (now - self._last)
        self._last = now


class Checked(Meter):
    """A source held against a second one of the same device; the joules are the first one's.

    A gap of more than a twentieth is flagged `sources-disagree`.
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
        if a is not None and b is not None and abs(a - b) * 20 > a:
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

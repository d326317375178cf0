"""Joules of CPU packages, by the kernel's powercap files: three small files a zone, no package.

    <root>/intel-rapl:0/{name,energy_uj,max_energy_range_uj}        a package
    <root>/intel-rapl:0:2/…                                          its memory, where exposed

The counter wraps at max_energy_range_uj, after minutes at full power, so a thread reads it more
often than that. Zones are nested: the package holds its cores and `psys` holds the package, so only
packages and their memory are added. Whole sockets are measured, not a process; not the memory chips
where no zone shows them, no discrete GPU, no power supply. Since Linux 5.10 only root may read it.
"""

import time
from pathlib import Path

from train_gpt_style.kit.energy.meter import Meter, Sampler
from verify.errors import CannotCheckError

POWERCAP = Path("/sys/class/powercap")
MOST_WATTS = (
    4000  # no zone uses more: a difference that would need more is a counter that restarted
)
COUNTED = ("package", "dram")


class Zone:
    """One counter."""

    def __init__(self, folder):
        self.folder = folder
        self.name = (folder / "name").read_text(encoding="ascii").strip()
        self.range = int((folder / "max_energy_range_uj").read_text(encoding="ascii"))
        self.last = self.energy()

    def energy(self):
        """The counter, uJ."""
        return int((self.folder / "energy_uj").read_text(encoding="ascii"))


class Rapl(Meter):
    """Every package, and its memory where there is a zone of it.

    Raises CannotCheckError where there is no zone, or it may not be read. sample: seconds between
    the readings of the thread; None chooses half the shortest time in which a zone can wrap, 0 has
    no thread.
    """

    source, units, refresh_ms = "rapl", 10**6, 1

    def __init__(self, root=POWERCAP, clock=time.perf_counter, sample=None):
        super().__init__(clock)
        self.zones = zones(root)
        self.scope = "CPU: " + ", ".join(zone.name for zone in self.zones)
        self._at = self.clock()
        shortest = min(zone.range for zone in self.zones) // self.units / MOST_WATTS
        pause = shortest / 2 if sample is None else sample
        self._sampler = Sampler(self, pause) if pause > 0 else None

    def advance(self):
        """The differences of all zones."""
        now = self.clock()
        most = MOST_WATTS * self.units * max(0, now - self._at) + self.units
        self._at = now
        for zone in self.zones:
            try:
                found = zone.energy()
            except (OSError, ValueError):
                self.faults.append("unreadable")
                continue
            used, zone.last = found - zone.last, found
            if used < 0:
                used += zone.range
            if not 0 <= used <= most:
                self.faults.append("counter-reset")
                continue
            self.total += used

    def close(self):
        """End the thread."""
        if self._sampler is not None:
            self._sampler.stop()


def zones(root):
    """The zones that are added. Raises CannotCheckError, saying what is missing."""
    found, hidden = [], None
    for folder in sorted(Path(root).glob("intel-rapl:*")):
        try:
            zone = Zone(folder)
        except PermissionError:
            hidden = folder
        except (OSError, ValueError):
            continue
        else:
            if zone.name.startswith(COUNTED):
                found.append(zone)
    if hidden is not None:
        raise CannotCheckError(f"{hidden}: energy_uj may be read by root alone")
    if not any(zone.name.startswith("package") for zone in found):
        raise CannotCheckError(f"{root}: no zone of a CPU package is there")
    return found

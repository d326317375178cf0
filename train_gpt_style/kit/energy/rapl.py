"""Joules of CPU packages, by the kernel's powercap files: three small files a zone, no package.

    <root>/intel-rapl:0/{name,energy_uj,max_energy_range_uj}        a package
    <root>/intel-rapl:0:2/…                                          its memory, where exposed
    …/enabled, constraint_*_{name,power_limit_uw,max_power_uw}       its power limits, where told

The counter wraps at max_energy_range_uj, after minutes at full power, so a thread reads it more
often than that. Zones are nested: the package holds its cores and `psys` holds the package, so only
packages and their memory are added. Whole sockets are measured, not a process; not the memory chips
where no zone shows them, no discrete GPU, no power supply. Since Linux 5.10 only root may read it.
"""

import os
import time
from pathlib import Path

from goldenseal.errors import CannotCheckError
from train_gpt_style.kit.energy.bounds import MOST_WATTS
from train_gpt_style.kit.energy.meter import Counters, Sampler

POWERCAP = Path("/sys/class/powercap")
COUNTED = ("package", "dram")
MICRO = 10**6
INSTANT = "peak_power"  # the one constraint that does not hold on average


class Zone:
    """One counter."""

    def __init__(self, folder):
        self.name = (folder / "name").read_text(encoding="ascii").strip()
        self.range = number_in(folder / "max_energy_range_uj")
        self.counter, self.enabled = folder / "energy_uj", folder / "enabled"
        self.limits = [
            path.with_name(path.name.replace("_name", "_power_limit_uw"))
            for path in sorted(folder.glob("constraint_*_name"))
            if path.read_text(encoding="ascii").strip() != INSTANT
        ]
        self.built_for = sorted(folder.glob("constraint_*_max_power_uw"))
        self.energy()  # else it is none

    def energy(self):
        """The counter, uJ."""
        return number_in(self.counter)

    def limit(self):
        """W that the zone is held at: the largest limit that is enforced, since a short one lies
        above a long one. Where none is, what it was built for; None when nothing is told.
        """
        enforced = self.limits if told(self.enabled) != 0 else []
        for paths in (enforced, self.built_for):
            if (found := max((told(path) or 0 for path in paths), default=0)) > 0:
                return found / MICRO
        return None


def number_in(path):
    """The whole number in a file of the kernel's. Raises OSError or ValueError without one."""
    file = os.open(path, os.O_RDONLY)  # a fifth of what Path.read_text takes: a reading is many
    try:
        return int(os.read(file, 64))
    finally:
        os.close(file)


def told(path):
    """The same; None without one."""
    try:
        return number_in(path)
    except (OSError, ValueError):
        return None


class Rapl(Counters):
    """Every package, and its memory where there is a zone of it.

    Raises CannotCheckError where there is no zone, or it may not be read. sample: seconds between
    the readings of the thread; None chooses half the shortest time in which a zone can wrap, 0 has
    no thread.
    """

    source, units, refresh_ms = "rapl", MICRO, 1

    def __init__(self, root=POWERCAP, clock=time.perf_counter, sample=None):
        super().__init__(clock)
        self.zones = zones(root)
        self.scope = "CPU: " + ", ".join(zone.name for zone in self.zones)
        self.begin([zone.energy() for zone in self.zones])
        shortest = min(zone.range for zone in self.zones) // self.units / MOST_WATTS
        pause = shortest / 2 if sample is None else sample
        self._sampler = Sampler(self, pause) if pause > 0 else None

    def advance(self, seconds):
        """The differences of all zones."""
        for place, zone in enumerate(self.zones):
            try:
                found = zone.energy()
            except (OSError, ValueError):
                found = None
            self.count(place, found, seconds, zone.limit(), zone.range)

    def state(self):
        """The power limits of all zones together, W; None when one of them does not tell."""
        limits = [zone.limit() for zone in self.zones]
        return {"power_limit_w": None if None in limits else sum(limits)}

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

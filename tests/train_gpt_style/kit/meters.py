"""Fakes for the tests of the meter: a clock, powercap's folder, NVML."""

from types import SimpleNamespace


class Clock:
    """Seconds that a test sets."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


class Powercap:
    """A folder as the kernel makes it. Limits in W: of a zone that tells one."""

    def __init__(self, root):
        self.root = root

    def zone(self, place, name, energy, top=262_143_328_850, limit=250, **constraints):
        """limit: of the long-term constraint; more by name, such as short_term=300."""
        folder = self.root / place
        folder.mkdir(parents=True)
        (folder / "name").write_text(f"{name}\n")
        (folder / "max_energy_range_uj").write_text(f"{top}\n")
        known = constraints if limit is None else {"long_term": limit, **constraints}
        for number, (constraint, watts) in enumerate(known.items()):
            (folder / f"constraint_{number}_name").write_text(f"{constraint}\n")
            self.limit(place, watts, number)
        self.set(place, energy)

    def limit(self, place, watts, number=0, kind="power_limit_uw"):
        (self.root / place / f"constraint_{number}_{kind}").write_text(f"{watts * 10**6}\n")

    def enable(self, place, wish):
        (self.root / place / "enabled").write_text(f"{int(wish)}\n")

    def set(self, place, energy):
        new = self.root / place / "new"
        new.write_text(f"{energy}\n")
        new.replace(self.root / place / "energy_uj")  # whole, as the kernel's are


class NVMLError(Exception):
    pass


class FakeNvml:
    """Boards by UUID. `lacks` names functions that a board does not support."""

    NVMLError, NVML_SUCCESS = NVMLError, 0
    NVML_TEMPERATURE_GPU, NVML_CLOCK_SM = 0, 1

    def __init__(self, boards, driver=True, lacks=()):
        self.boards, self.driver, self.lacks = boards, driver, set(lacks)
        self.begun = 0

    def __getattr__(self, name):
        answers = {
            "nvmlDeviceGetTotalEnergyConsumption": lambda board: board["mj"],
            "nvmlDeviceGetPowerUsage": lambda board: board["mw"],
            "nvmlDeviceGetFieldValues": self.field,
            "nvmlDeviceGetTemperature": lambda board, sensor: board.get("c", 40),
            "nvmlDeviceGetMigMode": lambda board: [board.get("mig", 0), 0],
            "nvmlDeviceGetCurrentClocksThrottleReasons": lambda board: board.get("slow", 0),
            "nvmlDeviceGetComputeRunningProcesses": lambda board: [0] * board.get("users", 1),
            "nvmlDeviceGetEnforcedPowerLimit": lambda board: board.get("limit", 700_000),
            "nvmlDeviceGetClockInfo": lambda board, kind: 1980,
            "nvmlSystemGetDriverVersion": lambda: "555.1",
        }
        if name not in answers:
            raise AttributeError(name)

        def answer(*arguments):
            if name in self.lacks:
                raise NVMLError("Not Supported")
            return answers[name](*arguments)

        return answer

    def nvmlInit(self):
        if not self.driver:
            raise NVMLError("Driver Not Loaded")
        self.begun += 1

    def nvmlShutdown(self):
        self.begun -= 1

    def nvmlDeviceGetHandleByUUID(self, uuid):
        if uuid not in self.boards:
            raise NVMLError("Not Found")
        return self.boards[uuid]

    def field(self, board, wanted):
        found = board.get("fields", {}).get(wanted[0])
        if found is None:
            return [SimpleNamespace(nvmlReturn=3, value=None)]
        return [SimpleNamespace(nvmlReturn=0, value=SimpleNamespace(uiVal=found))]


def refused(found, *flags):
    """Whether it is null and says why."""
    return found["joules"] is None and set(flags) <= set(found["flags"])

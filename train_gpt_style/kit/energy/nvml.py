"""Joules of NVIDIA boards, by NVML: the board's own counter, or its power, integrated.

NVML is imported as `pynvml`; the package that holds it is `nvidia-ml-py` (the one called pynvml
holds no bindings, and warns when torch is imported). Devices are named by UUID, because NVML's
indices ignore CUDA_VISIBLE_DEVICES. A board is GPU, memory and regulators, not host or supply.
"""

import time

from goldenseal.errors import CannotCheckError
from train_gpt_style.kit.energy.bounds import LEAST_WATTS, PEAK, number
from train_gpt_style.kit.energy.meter import Counters, Sampler

POWER_FIELDS = (186, 185)  # NVML_FI_DEV_POWER_INSTANT, and the average
SLOWED = 0x8 | 0x20 | 0x40 | 0x80  # hardware and thermal slow-down, power brake
MIG_ON = 1
LONGEST_GAP_S = 1.0  # between two readings of power; what lies between is taken to be linear


def load():
    """The module, with NVML begun. Raises CannotCheckError without module or driver."""
    try:
        import pynvml
    except ImportError:
        raise CannotCheckError("no `pynvml` to import: pip install nvidia-ml-py") from None
    return begin(pynvml)


def begin(library):
    """`library` with NVML begun. Raises CannotCheckError when there is no driver."""
    try:
        library.nvmlInit()
    except library.NVMLError as error:
        raise CannotCheckError(f"NVML: {error}") from None
    return library


class Boards(Counters):
    """What both sources share: the handles, and what the boards say of themselves.

    uuids: texts such as GPU-5f…; at least one. Raises CannotCheckError when one is not there.
    """

    units, refresh_ms = 1000, 100

    def __init__(self, uuids, library=None, clock=time.perf_counter):
        super().__init__(clock)
        self.uuids = list(dict.fromkeys(uuids))
        if not self.uuids:
            raise CannotCheckError("NVML: no GPU is used, so none is metered")
        self.nvml = load() if library is None else begin(library)
        self.scope = "GPU board: " + ", ".join(self.uuids)
        try:
            self.handles = [self.nvml.nvmlDeviceGetHandleByUUID(uuid) for uuid in self.uuids]
        except self.nvml.NVMLError as error:
            raise CannotCheckError(f"NVML, {', '.join(self.uuids)}: {error}") from None
        modes = [self._ask(self.nvml.nvmlDeviceGetMigMode, handle) for handle in self.handles]
        sliced = any(uuid.startswith("MIG-") for uuid in self.uuids)
        if sliced or any(mode is not None and mode[0] == MIG_ON for mode in modes):
            self.standing = ["shared-counter"]  # the slices of a board have one counter

    def limit(self, handle):
        """The board's enforced power limit, W; None when it does not tell."""
        found = number(self._ask(self.nvml.nvmlDeviceGetEnforcedPowerLimit, handle))
        return found / 1000 if found else None

    def _ask(self, question, *arguments):
        """The answer; None when the board does not know."""
        try:
            return question(*arguments)
        except self.nvml.NVMLError:
            return None

    def temperature(self):
        """Of the hottest board."""
        sensor = self.nvml.NVML_TEMPERATURE_GPU
        ask = self.nvml.nvmlDeviceGetTemperature
        found = [self._ask(ask, handle, sensor) for handle in self.handles]
        return max((float(t) for t in found if t is not None), default=None)

    def state(self):
        """Clocks in MHz, the power limit in W, the temperature in degrees Celsius, the driver."""
        nvml, first = self.nvml, self.handles[0]
        return {
            "driver": self._ask(nvml.nvmlSystemGetDriverVersion),
            "power_limit_w": self.limit(first),
            "sm_mhz": self._ask(nvml.nvmlDeviceGetClockInfo, first, nvml.NVML_CLOCK_SM),
            "temperature_c": self.temperature(),
            "uuids": self.uuids,
        }

    def conditions(self):
        """`throttled`, and `foreign-process` when a second process computes there."""
        flags = []
        for handle in self.handles:
            reasons = self._ask(self.nvml.nvmlDeviceGetCurrentClocksThrottleReasons, handle)
            if reasons is not None and reasons & SLOWED:
                flags.append("throttled")
            running = self._ask(self.nvml.nvmlDeviceGetComputeRunningProcesses, handle)
            if running is not None and len(running) > 1:
                flags.append("foreign-process")
        return flags

    def close(self):
        """NVML counts who began it."""
        self._ask(self.nvml.nvmlShutdown)


class NvmlCounter(Boards):
    """The counter of millijoules since the driver was loaded; Volta and newer.

    Raises CannotCheckError where a board has none.
    """

    source = "nvml-counter"

    def __init__(self, uuids, library=None, clock=time.perf_counter):
        super().__init__(uuids, library, clock)
        try:
            self.begin([self._counter(handle) for handle in self.handles])
        except (self.nvml.NVMLError, ValueError) as error:
            self.close()
            raise CannotCheckError(f"NVML, energy counter: {error}") from None

    def _counter(self, handle):
        return self.nvml.nvmlDeviceGetTotalEnergyConsumption(handle)

    def advance(self, seconds):
        """The differences of all boards."""
        for place, handle in enumerate(self.handles):
            found = self._ask(self._counter, handle)
            self.count(place, found, seconds, self.limit(handle))  # anew with the driver: a reset


class NvmlPower(Boards):
    """Power integrated by the trapezoid rule, from readings of a thread.

    The field of instant power where the board has it, then the field of average power, then what
    nvmlDeviceGetPowerUsage gives: an average over a second on many boards. sample: seconds between
    readings; 0 has no thread.
    """

    source = "nvml-power"

    def __init__(self, uuids, library=None, clock=time.perf_counter, sample=1 / 16):
        super().__init__(uuids, library, clock)
        self._sampler = None
        try:
            self.begin([self._power(handle) for handle in self.handles])
        except ValueError:
            self.close()
            raise CannotCheckError("NVML: a board does not tell its power") from None
        if sample > 0:
            self._sampler = Sampler(self, sample)

    def _power(self, handle):
        """mW, or None."""
        for field in POWER_FIELDS:
            values = self._ask(self.nvml.nvmlDeviceGetFieldValues, handle, [field])
            if values and values[0].nvmlReturn == self.nvml.NVML_SUCCESS:
                return values[0].value.uiVal
        return self._ask(self.nvml.nvmlDeviceGetPowerUsage, handle)

    def advance(self, seconds):
        """Mean of this and the last power, times the seconds between."""
        if self._sampler is not None and seconds > LONGEST_GAP_S:
            self.fault("gap")
        for place, handle in enumerate(self.handles):
            limit, power = self.limit(handle), number(self._power(handle))
            before, self.last[place] = self.last[place], None
            if power is None:
                self.fault("unreadable")
            elif power / 1000 < LEAST_WATTS:
                self.fault("below-floor")
            elif limit is not None and power / 1000 > PEAK * limit:
                self.fault("above-limit")
            else:
                self.last[place] = power
                if before is None:
                    self.fault("unreadable")  # at the last reading: nobody knows what was used
                else:
                    self.use(place, (power + before) / 2 * seconds, seconds, limit)  # mW s = mJ

    def close(self):
        """End the thread first."""
        if self._sampler is not None:
            self._sampler.stop()
        super().close()

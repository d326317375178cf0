"""pytest tests/train_gpt_style/kit/test_energy.py — every source on fakes; no GPU, no root."""

import sys
import threading
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from train_gpt_style.kit.energy import ENERGY_KNOBS, meter_for, nvml, open_meter, rapl
from train_gpt_style.kit.energy.choose import uuids_of
from train_gpt_style.kit.energy.meter import Checked, Meter, Model, NoMeter
from verify.errors import CannotCheckError, UsageError
from verify.knobs import read_settings

KEYS = {"joules", "seconds", "source", "scope", "refresh_ms", "flags"}


class Clock:
    """Seconds that a test sets."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


# -- RAPL ---------------------------------------------------------------------------------------


class Powercap:
    """A folder as the kernel makes it."""

    def __init__(self, root):
        self.root = root

    def zone(self, place, name, energy, top=262_143_328_850):
        folder = self.root / place
        folder.mkdir(parents=True)
        (folder / "name").write_text(f"{name}\n")
        (folder / "max_energy_range_uj").write_text(f"{top}\n")
        self.set(place, energy)

    def set(self, place, energy):
        new = self.root / place / "new"
        new.write_text(f"{energy}\n")
        new.replace(self.root / place / "energy_uj")  # whole, as the kernel's are


@pytest.fixture
def powercap(tmp_path):
    return Powercap(tmp_path / "powercap")


def rapl_meter(powercap, clock):
    return rapl.Rapl(powercap.root, clock, sample=0)


def test_rapl_microjoules_of_a_package_become_joules(powercap, clock):
    powercap.zone("intel-rapl:0", "package-0", 5_000_000)
    meter = rapl_meter(powercap, clock)
    meter.start()
    clock.now += 10
    powercap.set("intel-rapl:0", 255_500_000)
    found = meter.stop()
    assert found["joules"] == 250.5
    assert (found["seconds"], found["source"], found["flags"]) == (10, "rapl", [])
    assert set(found) == KEYS


def test_rapl_adds_packages_and_their_memory_and_no_nested_zone(powercap, clock):
    names = {
        "intel-rapl:0": "package-0",
        "intel-rapl:0:0": "core",
        "intel-rapl:0:1": "dram",
        "intel-rapl:1": "package-1",
        "intel-rapl:2": "psys",
    }
    for place, name in names.items():
        powercap.zone(place, name, 0)
    meter = rapl_meter(powercap, clock)
    assert meter.scope == "CPU: package-0, dram, package-1"
    meter.start()
    clock.now += 1
    for i, place in enumerate(names):
        powercap.set(place, 10**i * 1_000_000)
    assert meter.stop()["joules"] == 1 + 100 + 1000


def test_a_rapl_counter_that_wraps_goes_on(powercap, clock):
    powercap.zone("intel-rapl:0", "package-0", 999_000_000, top=1_000_000_000)
    meter = rapl_meter(powercap, clock)
    meter.start()
    clock.now += 10
    powercap.set("intel-rapl:0", 4_000_000)
    assert meter.stop()["joules"] == 5.0


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=30), st.integers(0, 10**9 - 1))
def test_whatever_wraps_between_readings_no_joule_is_lost(tmp_path_factory, steps, start):
    powercap, clock, top = Powercap(tmp_path_factory.mktemp("cap")), Clock(), 10**9
    powercap.zone("intel-rapl:0", "package-0", start, top)
    meter = rapl_meter(powercap, clock)
    window, at = meter.window(), start
    for used in steps:
        used = min(used, top - 1)
        at = (at + used) % top
        clock.now += 1.0
        powercap.set("intel-rapl:0", at)
        meter.read()
    assert meter.total == sum(min(used, top - 1) for used in steps)
    found = window.close()
    assert found["joules"] == (meter.total / 10**6 if meter.total else None)


def test_a_rapl_counter_that_restarted_is_not_taken_for_a_wrap(powercap, clock):
    powercap.zone("intel-rapl:0", "package-0", 200_000_000_000)
    meter = rapl_meter(powercap, clock)
    meter.start()
    clock.now += 10
    powercap.set("intel-rapl:0", 1_000_000)  # as a wrap: 62 kJ in ten seconds
    found = meter.stop()
    assert found["joules"] is None
    assert found["flags"] == ["counter-reset", "no-change"]
    meter.start()
    clock.now += 10
    powercap.set("intel-rapl:0", 2_000_000)
    assert meter.stop()["joules"] == 1.0, "the next window is whole again"


def test_a_rapl_file_that_vanishes_leaves_null(powercap, clock):
    powercap.zone("intel-rapl:0", "package-0", 0)
    meter = rapl_meter(powercap, clock)
    meter.start()
    clock.now += 10
    (powercap.root / "intel-rapl:0" / "energy_uj").unlink()
    found = meter.stop()
    assert found["joules"] is None
    assert "unreadable" in found["flags"]


def test_rapl_that_only_root_may_read_says_so(powercap, monkeypatch):
    powercap.zone("intel-rapl:0", "package-0", 0)

    def refuse(self):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(rapl.Zone, "energy", refuse)
    with pytest.raises(CannotCheckError, match=r"intel-rapl:0: energy_uj may be read by root"):
        rapl.Rapl(powercap.root, sample=0)
    found = open_meter("auto", powercap=powercap.root)
    assert found.source == "none"
    assert "root" in found.reasons[0]


@pytest.mark.parametrize("names", [[], ["psys"], ["dram"]])
def test_no_package_zone_is_no_meter(powercap, names):
    for i, name in enumerate(names):
        powercap.zone(f"intel-rapl:{i}", name, 0)
    with pytest.raises(CannotCheckError, match="no zone of a CPU package"):
        rapl.Rapl(powercap.root, sample=0)


def test_the_thread_of_rapl_reads_between_and_ends(powercap):
    powercap.zone("intel-rapl:0", "package-0", 900_000, top=1_000_000)
    meter = rapl.Rapl(powercap.root, sample=1 / 256)
    window, pause = meter.window(), threading.Event()
    for energy in (100_000, 900_000, 50_000):  # it wraps twice: the ends alone would lose a joule
        at = meter.total
        powercap.set("intel-rapl:0", energy)
        for _ in range(2000):
            if meter.total != at:
                break
            pause.wait(1 / 256)
    meter.close()
    assert meter.total == 200_000 + 800_000 + 150_000
    assert window.close()["joules"] == 1.15
    assert not meter._sampler._thread.is_alive()


# -- NVML ---------------------------------------------------------------------------------------


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
            "nvmlDeviceGetEnforcedPowerLimit": lambda board: 700_000,
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


def test_nvml_millijoules_become_joules(clock):
    library = FakeNvml({"GPU-a": {"mj": 1_000_000}})
    meter = nvml.NvmlCounter(["GPU-a"], library, clock)
    meter.start()
    clock.now += 30
    library.boards["GPU-a"]["mj"] += 9_123_456
    found = meter.stop()
    assert found["joules"] == 9123.456
    assert (found["source"], found["scope"]) == ("nvml-counter", "GPU board: GPU-a")
    assert (found["refresh_ms"], found["flags"]) == (100, [])


def test_several_boards_are_chosen_by_uuid_and_added(clock):
    library = FakeNvml({name: {"mj": 0} for name in ("GPU-a", "GPU-b", "GPU-c")})
    meter = nvml.NvmlCounter(["GPU-c", "GPU-a", "GPU-c"], library, clock)
    meter.start()
    clock.now += 30
    for used, board in zip((1000, 20_000, 300_000), library.boards.values(), strict=True):
        board["mj"] += used
    assert meter.stop()["joules"] == 301.0


def test_a_uuid_that_is_not_there_is_named():
    with pytest.raises(CannotCheckError, match="GPU-x: Not Found"):
        nvml.NvmlCounter(["GPU-x"], FakeNvml({}))


def test_a_counter_that_was_reset_leaves_null_and_the_next_window_is_whole(clock):
    library = FakeNvml({"GPU-a": {"mj": 5_000_000}})
    meter = nvml.NvmlCounter(["GPU-a"], library, clock)
    meter.start()
    clock.now += 30
    library.boards["GPU-a"]["mj"] = 40_000
    found = meter.stop()
    assert found["joules"] is None
    assert "counter-reset" in found["flags"]
    meter.start()
    clock.now += 30
    library.boards["GPU-a"]["mj"] = 50_000
    assert meter.stop()["joules"] == 10.0


def test_a_reset_in_the_midst_of_a_window_is_seen_though_the_ends_look_well(clock):
    library = FakeNvml({"GPU-a": {"mj": 10_000}})
    meter = nvml.NvmlCounter(["GPU-a"], library, clock)
    window = meter.window()
    library.boards["GPU-a"]["mj"] = 0
    meter.read()
    library.boards["GPU-a"]["mj"] = 90_000
    clock.now += 30
    assert window.close()["joules"] is None


def test_no_driver_no_module_no_counter_are_each_told(monkeypatch):
    boards = {"GPU-a": {"mj": 0, "mw": 0}}
    with pytest.raises(CannotCheckError, match="Driver Not Loaded"):
        nvml.NvmlCounter(["GPU-a"], FakeNvml(boards, driver=False))
    monkeypatch.setitem(sys.modules, "pynvml", None)
    with pytest.raises(CannotCheckError, match="pip install nvidia-ml-py"):
        nvml.NvmlCounter(["GPU-a"])
    old = FakeNvml(boards, lacks={"nvmlDeviceGetTotalEnergyConsumption"})
    with pytest.raises(CannotCheckError, match="energy counter: Not Supported"):
        nvml.NvmlCounter(["GPU-a"], old)
    assert old.begun == 0, "NVML was begun and not ended"


def test_auto_takes_the_counter_then_power_then_nothing_and_never_the_model():
    boards = {"GPU-a": {"mj": 0, "mw": 300_000}}
    lacks = {"nvmlDeviceGetTotalEnergyConsumption"}

    def source(library, **given):
        meter = open_meter("auto", watts=100.0, uuids=["GPU-a"], library=library, **given)
        meter.close()
        return meter.source

    assert source(FakeNvml(boards)) == "nvml-counter"
    assert source(FakeNvml(boards, lacks=lacks)) == "nvml-power"
    lacks |= {"nvmlDeviceGetPowerUsage"}
    assert source(FakeNvml(boards, lacks=lacks)) == "none"
    assert source(FakeNvml(boards, driver=False)) == "none"


def test_on_a_gpu_the_energy_of_the_cpu_is_no_substitute(powercap):
    powercap.zone("intel-rapl:0", "package-0", 0)
    found = open_meter(
        "auto", uuids=["GPU-a"], library=FakeNvml({}, driver=False), powercap=powercap.root
    )
    assert found.source == "none"
    assert open_meter("auto", powercap=powercap.root).source == "rapl"


def test_power_is_integrated_by_trapezoids_from_the_best_field(clock):
    board = {"mw": 1, "fields": {185: 2, 186: 100_000}}
    meter = nvml.NvmlPower(["GPU-a"], FakeNvml({"GPU-a": board}), clock, sample=0)
    meter.start()
    clock.now += 10
    board["fields"][186] = 300_000
    meter.read()
    clock.now += 10
    found = meter.stop()
    assert found["joules"] == 10 * 200 + 10 * 300
    del board["fields"][186]
    assert meter._power(board) == 2
    del board["fields"][185]
    assert meter._power(board) == 1


def test_two_sources_that_disagree_are_flagged(clock):
    board = {"mj": 0, "mw": 100_000}
    library = FakeNvml({"GPU-a": board})
    power = nvml.NvmlPower(["GPU-a"], library, clock, sample=0)
    meter = Checked(nvml.NvmlCounter(["GPU-a"], library, clock), power)
    for joules, flags in ((1040, []), (1100, ["sources-disagree"])):
        meter.start()
        clock.now += 10
        board["mj"] += joules * 1000
        found = meter.stop()
        assert (found["joules"], found["check_joules"]) == (joules, 1000)
        assert found["flags"] == flags


def test_what_a_board_says_of_itself_becomes_flags(clock):
    board = {"mj": 0, "c": 61, "slow": 0x40, "users": 2, "mig": 1}
    meter = nvml.NvmlCounter(["GPU-a"], FakeNvml({"GPU-a": board}), clock)
    meter.start()
    clock.now += 30
    board["mj"] += 1000
    assert meter.stop()["flags"] == ["foreign-process", "shared-counter", "throttled"]
    assert meter.temperature() == 61.0
    assert meter.state()["power_limit_w"] == 700.0


# -- windows ------------------------------------------------------------------------------------


def test_a_window_of_no_length_is_null(clock):
    library = FakeNvml({"GPU-a": {"mj": 0}})
    meter = nvml.NvmlCounter(["GPU-a"], library, clock)
    meter.start()
    library.boards["GPU-a"]["mj"] += 1000
    found = meter.stop()
    assert (found["joules"], found["flags"]) == (None, ["zero-length"])


def test_a_counter_that_did_not_move_is_not_zero_joules(clock):
    meter = nvml.NvmlCounter(["GPU-a"], FakeNvml({"GPU-a": {"mj": 7}}), clock)
    meter.start()
    clock.now += 0.05
    found = meter.stop()
    assert (found["joules"], found["flags"]) == (None, ["no-change"])


def test_a_window_of_few_refreshes_is_flagged(clock):
    library = FakeNvml({"GPU-a": {"mj": 0}})
    meter = nvml.NvmlCounter(["GPU-a"], library, clock)
    for seconds, flags in ((9, ["short-window"]), (10, [])):
        meter.start()
        clock.now += seconds
        library.boards["GPU-a"]["mj"] += 1000
        assert meter.stop()["flags"] == flags


def test_windows_may_overlap(clock):
    library = FakeNvml({"GPU-a": {"mj": 0}})
    meter = nvml.NvmlCounter(["GPU-a"], library, clock)
    whole = meter.window()
    for _ in range(3):
        meter.start()
        clock.now += 20
        library.boards["GPU-a"]["mj"] += 5000
        assert meter.stop()["joules"] == 5.0
    assert whole.close()["joules"] == 15.0


def test_a_meter_that_was_not_started_cannot_stop():
    with pytest.raises(UsageError, match="stopped, but not started"):
        NoMeter().stop()


@pytest.mark.parametrize("meter", [NoMeter(), Meter()], ids=["none", "base"])
def test_what_measures_nothing_gives_null(meter):
    meter.start()
    found = meter.stop()
    assert (found["joules"], found["source"]) == (None, "none")
    assert found["seconds"] >= 0
    assert meter.temperature() is None


def test_the_model_is_a_clock_and_says_so(clock):
    meter = Model(250.0, clock)
    meter.start()
    clock.now += 4
    found = meter.stop()
    assert (found["joules"], found["source"], found["flags"]) == (1000, "model", ["model"])
    assert "not measured" in found["scope"]


@pytest.mark.parametrize("watts", [0.0, -1.0, float("inf"), float("nan")])
def test_a_model_without_a_power_is_refused(watts):
    with pytest.raises(UsageError, match="ENERGY_WATTS"):
        open_meter("model", watts)


# -- knobs --------------------------------------------------------------------------------------

CPU = SimpleNamespace(type="cpu")


def test_off_is_no_meter_at_all():
    assert meter_for(read_settings({}, ENERGY_KNOBS), CPU) is None


@pytest.mark.parametrize(
    "environ", [{"ENERGY": "model"}, {"ENERGY_WATTS": "5"}, {"ENERGY": "rapl", "ENERGY_WATTS": "5"}]
)
def test_watts_belong_to_the_model_alone(environ):
    with pytest.raises(UsageError, match="takes a power above 0"):
        meter_for(read_settings(environ, ENERGY_KNOBS), CPU)


def test_an_unknown_source_is_refused():
    with pytest.raises(UsageError, match="one of none, auto"):
        read_settings({"ENERGY": "guess"}, ENERGY_KNOBS)
    with pytest.raises(UsageError, match="one of none, auto"):
        open_meter("guess")


def test_a_cpu_has_no_uuid():
    assert uuids_of(CPU) == []

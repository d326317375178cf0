"""pytest tests/train_gpt_style/kit/test_energy_nvml.py — NVML on a fake; no GPU, no driver."""

import sys

import pytest

from goldenseal.errors import CannotCheckError
from tests.train_gpt_style.kit.meters import Clock, FakeNvml, Powercap
from train_gpt_style.kit.energy import nvml, open_meter
from train_gpt_style.kit.energy.meter import Checked


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def powercap(tmp_path):
    return Powercap(tmp_path / "powercap")


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

"""pytest tests/train_gpt_style/kit/test_energy.py — windows, RAPL and knobs, on fakes."""

from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goldenseal.errors import CannotCheckError, UsageError
from goldenseal.knobs import Knob, read_settings
from tests.patience import wait_until
from tests.train_gpt_style.kit.meters import Clock, FakeNvml, Powercap
from train_gpt_style.kit.energy import ENERGY_KNOBS, meter_for, nvml, open_meter, rapl
from train_gpt_style.kit.energy.choose import check_energy, uuids_of
from train_gpt_style.kit.energy.meter import Meter, Model, NoMeter

KEYS = {"joules", "seconds", "source", "scope", "refresh_ms", "flags"}


@pytest.fixture
def clock():
    return Clock()


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
    names = {  # no more than 250 W each
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
    clock.now += 10
    for i, place in enumerate(names):
        powercap.set(place, 10**i * 1_000_000)
    assert meter.stop()["joules"] == 1 + 100 + 1000


def test_a_rapl_counter_that_wraps_goes_on(powercap, clock):
    powercap.zone("intel-rapl:0", "package-0", 9_999_000_000, top=10_000_000_000)
    meter = rapl_meter(powercap, clock)
    meter.start()
    clock.now += 10
    powercap.set("intel-rapl:0", 4_000_000)
    found = meter.stop()
    assert (found["joules"], found["flags"]) == (5.0, [])


@settings(deadline=None)
@given(st.lists(st.integers(0, 990 * 10**6), min_size=1, max_size=30), st.integers(0, 10**9 - 1))
def test_whatever_wraps_between_readings_no_joule_is_lost(tmp_path_factory, steps, start):
    powercap, clock, top = Powercap(tmp_path_factory.mktemp("cap")), Clock(), 10**9
    powercap.zone("intel-rapl:0", "package-0", start, top, limit=880)
    meter = rapl_meter(powercap, clock)
    window, at = meter.window(), start
    for used in steps:
        used = min(used, top - 1)
        at = (at + used) % top
        clock.now += 1.0
        powercap.set("intel-rapl:0", at)
        meter.read()
    assert meter.total == sum(min(used, top - 1) for used in steps)
    found, joules = window.close(), meter.total / 10**6
    least, most = len(steps) / 64, 1.125 * 880 * (len(steps) + 0.002)
    assert found["joules"] == (joules if least <= joules <= most else None)


def test_a_rapl_counter_that_restarted_is_not_taken_for_a_wrap(powercap, clock):
    powercap.zone("intel-rapl:0", "package-0", 200_000_000_000)
    meter = rapl_meter(powercap, clock)
    meter.start()
    clock.now += 10
    powercap.set("intel-rapl:0", 1_000_000)  # as a wrap: 62 kJ in ten seconds
    found = meter.stop()
    assert found["joules"] is None
    assert found["flags"] == ["counter-reset"]
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
    powercap.zone("intel-rapl:0", "package-0", 9_000_000, top=10_000_000, limit=None)
    meter = rapl.Rapl(powercap.root, sample=1 / 256)
    window = meter.window()
    for energy in (
        1_000_000,
        9_000_000,
        500_000,
    ):  # it wraps twice: the ends alone would lose a joule
        at = meter.total
        powercap.set("intel-rapl:0", energy)
        wait_until(lambda at=at: meter.total != at, 20, "the thread does not read", pause=1 / 256)
    meter.close()
    assert meter.total == 2_000_000 + 8_000_000 + 1_500_000
    assert window.close()["joules"] == 11.5
    assert not meter._sampler._thread.is_alive()


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
        check_energy(read_settings(environ, ENERGY_KNOBS))


def test_joules_that_nobody_would_write_are_refused():
    writer = Knob("RUN_LOG", bool, False, "write a log", on="1")
    known = (*ENERGY_KNOBS, writer)
    check_energy(read_settings({"ENERGY": "auto", "RUN_LOG": "1"}, known))
    with pytest.raises(UsageError, match="ENERGY=auto needs RUN_LOG=1"):
        check_energy(read_settings({"ENERGY": "auto"}, known))


def test_an_unknown_source_is_refused():
    with pytest.raises(UsageError, match="one of none, auto"):
        read_settings({"ENERGY": "guess"}, ENERGY_KNOBS)
    with pytest.raises(UsageError, match="one of none, auto"):
        open_meter("guess")


def test_a_cpu_has_no_uuid():
    assert uuids_of(CPU) == []

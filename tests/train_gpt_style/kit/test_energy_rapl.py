"""pytest tests/train_gpt_style/kit/test_energy_rapl.py — joules that a package cannot have used."""

import pytest

from tests.train_gpt_style.kit.meters import Clock, Powercap, refused
from train_gpt_style.kit.energy import rapl


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def powercap(tmp_path):
    return Powercap(tmp_path / "powercap")


def rapl_window(powercap, clock, joules, seconds=30):
    """What a window over so many joules of zone 0 says."""
    meter = rapl.Rapl(powercap.root, clock, sample=0)
    before = meter.zones[0].energy()
    meter.start()
    clock.now += seconds
    powercap.set("intel-rapl:0", (before + round(joules * 10**6)) % meter.zones[0].range)
    return meter.stop()


def test_a_package_is_bounded_by_the_largest_limit_that_holds_for_a_while(powercap, clock):
    limits = {"short_term": 300, "peak_power": 900}
    powercap.zone("intel-rapl:0", "package-0", 0, limit=250, **limits)
    assert rapl_window(powercap, clock, 300 * 30)["flags"] == []
    assert refused(rapl_window(powercap, clock, 340 * 30), "above-limit")
    assert rapl.Rapl(powercap.root, clock, sample=0).state() == {"power_limit_w": 300}


def test_a_limit_that_is_not_enforced_is_none_and_what_a_zone_was_built_for_is_one(powercap, clock):
    powercap.zone("intel-rapl:0", "package-0", 0)
    powercap.enable("intel-rapl:0", False)
    assert rapl_window(powercap, clock, 3000)["flags"] == ["unbounded"]
    powercap.limit("intel-rapl:0", 150, kind="max_power_uw")
    assert rapl_window(powercap, clock, 150 * 30)["flags"] == []
    assert refused(rapl_window(powercap, clock, 200 * 30), "above-limit")
    powercap.enable("intel-rapl:0", True)
    assert rapl_window(powercap, clock, 200 * 30)["flags"] == []


def test_a_zone_without_constraints_is_unbounded(powercap, clock):
    powercap.zone("intel-rapl:0", "package-0", 0, limit=None)
    found = rapl_window(powercap, clock, 6000)
    assert (found["joules"], found["flags"]) == (6000, ["unbounded"])
    powercap.zone("intel-rapl:1", "dram", 0, limit=0)
    assert rapl.Rapl(powercap.root, clock, sample=0).state() == {"power_limit_w": None}


@pytest.mark.parametrize("joules", [-1000, 7000, 0.001])
def test_a_zone_that_was_misread_is_null_in_either_direction(powercap, clock, joules):
    powercap.zone("intel-rapl:0", "package-0", 200_000_000_000, limit=200)
    flag = {-1000: "above-limit", 7000: "above-limit", 0.001: "below-floor"}[joules]
    found = rapl_window(powercap, clock, joules)
    assert refused(found, "counter-reset" if joules < 0 else flag)


def test_a_zone_that_can_have_wrapped_unseen_is_null(powercap, clock):
    """262 kJ are used up in twenty minutes at 250 W; nobody read for an hour."""
    powercap.zone("intel-rapl:0", "package-0", 0)
    assert rapl_window(powercap, clock, 100_000, seconds=900)["flags"] == []
    assert refused(rapl_window(powercap, clock, 100_000, seconds=3600), "may-have-wrapped")


def test_a_zone_that_could_not_be_read_for_a_while_may_catch_up(powercap, clock):
    powercap.zone("intel-rapl:0", "package-0", 0)
    meter = rapl.Rapl(powercap.root, clock, sample=0)
    (powercap.root / "intel-rapl:0" / "energy_uj").unlink()
    clock.now += 60
    meter.read()
    powercap.set("intel-rapl:0", 60 * 200 * 10**6)
    meter.start()
    assert "above-limit" not in meter.faults
    clock.now += 10
    powercap.set("intel-rapl:0", 70 * 200 * 10**6)
    assert meter.stop()["joules"] == 2000

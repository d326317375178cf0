"""pytest tests/train_gpt_style/kit/test_energy_bounds.py — joules that a device cannot have used.

Every meter, in both directions; what lies outside is null, with a flag that says which bound.
"""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldenseal.grids.blocks import windows as blocks
from tests.train_gpt_style.kit.meters import Clock, FakeNvml, Powercap, refused
from train_gpt_style.kit.energy import meter as shared
from train_gpt_style.kit.energy import nvml, rapl
from train_gpt_style.kit.energy.bounds import LEAST_WATTS, MOST_WATTS, SLACK, most
from train_gpt_style.kit.energy.meter import Checked, Model


@pytest.fixture
def clock():
    return Clock()


def counter(clock, *names, **board):
    """(meter, boards) on NVML's counter of one board or more."""
    boards = {name: {"mj": 5_000_000} | board for name in names or ("GPU-a",)}
    return nvml.NvmlCounter(list(boards), FakeNvml(boards), clock), boards


def power(clock, mw=300_000, **board):
    """(meter, board) on NVML's power, with no thread."""
    boards = {"GPU-a": {"mw": mw, **board}}
    return nvml.NvmlPower(["GPU-a"], FakeNvml(boards), clock, sample=0), boards["GPU-a"]


# -- a misreading at either end, in either direction ---------------------------------------------


def test_one_low_reading_at_a_windows_start_is_not_five_million_joules(clock):
    meter, boards = counter(clock, mj=5_000_000_000)
    boards["GPU-a"]["mj"] = 0
    meter.start()
    clock.now += 30
    boards["GPU-a"]["mj"] = 5_008_800_000
    found = meter.stop()
    assert (found["joules"], found["flags"]) == (None, ["above-limit"])


@pytest.mark.parametrize(
    ("start", "end", "flag"),
    [
        (0, 9_000_000_000, "above-limit"),  # low at the start
        (9_000_000_000, 9_000_030_000, None),  # high from the start on: a reset before the window
        (9_000_000_000, 9_000_000, "counter-reset"),  # high at the start alone
        (5_000_000, 0, "counter-reset"),  # low at the end
        (5_000_000, 30_000_000_000, "above-limit"),  # high at the end
        (5_000_000, 5_000_000, "no-change"),
        (5_000_000, 5_000_001, "below-floor"),  # a millijoule in thirty seconds
    ],
)
def test_a_misreading_at_an_end_of_a_window_is_null_and_told(clock, start, end, flag):
    meter, boards = counter(clock)
    boards["GPU-a"]["mj"] = start
    meter.start()
    clock.now += 30
    boards["GPU-a"]["mj"] = end
    found = meter.stop()
    assert refused(found, flag) if flag else found["flags"] == []


def test_the_window_after_a_misreading_is_whole_again(clock):
    meter, boards = counter(clock)
    boards["GPU-a"]["mj"] = 0
    meter.start()
    for mj in (5_000_000_000, 5_003_000_000):
        clock.now += 30
        boards["GPU-a"]["mj"] = mj
        found = meter.stop()
        meter.start()
    assert (found["joules"], found["flags"]) == (3000, [])


def test_a_long_window_does_not_hide_a_jump_that_its_sum_would_allow(clock):
    """An hour at 100 of 700 W leaves room for two megajoules; the minute of the jump does not."""
    meter, boards = counter(clock)
    whole = meter.window()
    for minute in range(60):
        clock.now += 60
        boards["GPU-a"]["mj"] += 6_000_000 + (1_000_000_000 if minute == 30 else 0)
        meter.read()
    assert refused(whole.close(), "above-limit")


def test_many_short_readings_cannot_add_up_to_more_than_the_limit(clock):
    """Each may be late by two refreshes, but not all of them."""
    meter, boards = counter(clock)
    window = meter.window()
    for _ in range(1000):
        clock.now += 0.05
        boards["GPU-a"]["mj"] += round(0.05 * 1_400_000)
        meter.read()
    assert "above-limit" not in meter.faults
    assert refused(window.close(), "above-limit")


def test_among_several_boards_none_hides_behind_the_others(clock):
    names = [f"GPU-{letter}" for letter in "abcdefgh"]
    for place in (0, 7):
        meter, boards = counter(clock, *names)
        meter.start()
        clock.now += 30
        for number, board in enumerate(boards.values()):  # 8 x 700 W would allow 168 kJ
            board["mj"] += 90_000_000 if number == place else 3_000_000
        assert refused(meter.stop(), "above-limit")
        meter.start()
        clock.now += 30
        for number, board in enumerate(boards.values()):
            board["mj"] += 0 if number == place else 3_000_000
        assert refused(meter.stop(), "no-change")


# -- the limit -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("watts", "held"), [(700, True), (790, True), (795, False)])
def test_the_slack_is_an_eighth_and_two_refreshes(clock, watts, held):
    meter, boards = counter(clock)
    meter.start()
    clock.now += 30
    boards["GPU-a"]["mj"] += watts * 30_000
    assert (meter.stop()["joules"] == watts * 30) is held
    assert most(700, 30, 100) == pytest.approx(1.125 * 700 * 30.2)


def test_a_limit_that_was_lowered_meanwhile_bounds_what_comes_after_it(clock):
    meter, boards = counter(clock)
    window = meter.window()
    for watts, limit in ((690, 300_000), (290, 300_000)):
        clock.now += 30
        boards["GPU-a"]["mj"] += watts * 30_000
        meter.read()
        boards["GPU-a"]["limit"] = limit
    assert window.close()["joules"] == (690 + 290) * 30
    meter.start()
    clock.now += 30
    boards["GPU-a"]["mj"] += 690 * 30_000
    assert refused(meter.stop(), "above-limit")


def test_a_limit_that_cannot_be_read_is_told_and_the_joules_stay(clock):
    boards = {"GPU-a": {"mj": 0}}
    library = FakeNvml(boards, lacks={"nvmlDeviceGetEnforcedPowerLimit"})
    meter = nvml.NvmlCounter(["GPU-a"], library, clock)
    for used, joules in ((9_000_000, 9000), (1000 * MOST_WATTS * 40, None)):
        meter.start()
        clock.now += 30
        boards["GPU-a"]["mj"] += used
        found = meter.stop()
        assert found["joules"] == joules
        assert "unbounded" in found["flags"]
    assert "above-limit" in found["flags"], "no board at all uses four kilowatts"


@pytest.mark.parametrize("limit", [0, -1, math.nan, math.inf, None])
def test_a_limit_that_is_none_bounds_nothing(clock, limit):
    meter, boards = counter(clock, limit=limit)
    meter.start()
    clock.now += 30
    boards["GPU-a"]["mj"] += 9_000_000
    found = meter.stop()
    assert (found["joules"], found["flags"]) == (9000, ["unbounded"])


# -- power, sampled ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mw", "flag"),
    [
        (0xFFFFFFFF, "above-limit"),
        (1_500_000, "above-limit"),
        (0, "below-floor"),
        (math.nan, "unreadable"),
        (-5, "unreadable"),
        (None, "unreadable"),
    ],
)
@pytest.mark.parametrize("at", [0, 1, 2])
def test_one_misread_power_spoils_the_windows_that_it_touches(clock, mw, flag, at):
    meter, board = power(clock)
    window = meter.window()
    for number in range(3):
        clock.now += 10
        board["mw"] = mw if number == at else 300_000
        meter.read()
    assert refused(window.close(), flag)
    board["mw"] = mw
    meter.start()  # the first reading of a window
    clock.now += 10
    board["mw"] = 300_000
    assert refused(meter.stop(), "unreadable")
    meter.start()
    clock.now += 10
    assert meter.stop()["joules"] == 3000


def test_power_above_the_limit_all_along_is_no_spike(clock):
    meter, board = power(clock, mw=900_000)
    meter.start()
    clock.now += 30
    assert refused(meter.stop(), "above-limit")
    meter, board = power(clock)
    window = meter.window()
    for mw in [300_000] * 100 + [1_000_000] + [300_000] * 100:
        clock.now += 1 / 16
        board["mw"] = mw
        meter.read()
    assert window.close()["joules"] == pytest.approx(201 * 300 / 16 + 700 / 16)


def test_power_that_nobody_read_for_a_while_is_not_made_up(clock):
    boards = {"GPU-a": {"mw": 300_000}}
    meter = nvml.NvmlPower(["GPU-a"], FakeNvml(boards), clock, sample=3600)
    meter.start()
    clock.now += 30
    assert refused(meter.stop(), "gap")
    meter.close()


# -- the clock -----------------------------------------------------------------------------------


@pytest.mark.parametrize("to", [999.0, -1e9, math.nan, math.inf, -math.inf])
def test_a_clock_that_goes_wrong_within_a_window_leaves_null(clock, to):
    meter, boards = counter(clock)
    window = meter.window()
    clock.now = to
    meter.read()
    clock.now = 1030.0
    boards["GPU-a"]["mj"] += 9_000_000
    assert refused(window.close(), "clock-backwards")
    meter.start()
    clock.now = to
    boards["GPU-a"]["mj"] += 9_000_000
    found = meter.stop()
    assert found["joules"] is None
    assert found["seconds"] is None or math.isfinite(found["seconds"])


def test_a_machine_that_was_suspended_meanwhile_leaves_null(clock, monkeypatch):
    meter, boards = counter(clock)
    told = iter([(5.0, 5.01), (65.0, 65.01), (65.005, 65.02), (65.0, 65.01)])
    meter._asleep = (5.0, 5.01)
    monkeypatch.setattr(shared, "asleep", lambda: next(told))
    for flags in (["suspended"], []):
        meter.start()
        clock.now += 30
        boards["GPU-a"]["mj"] += 9_000_000
        found = meter.stop()
        assert (found["joules"] is None, found["flags"]) == (bool(flags), flags)


def test_this_machine_is_not_suspended_while_it_is_asked():
    low, high = shared.asleep() or (0, 0)
    assert 0 <= high - low
    meter = Model(5.0)
    window = meter.window()
    assert "suspended" not in window.close()["flags"]


# -- every meter ---------------------------------------------------------------------------------


@pytest.mark.parametrize("found", [None, math.nan, math.inf, -1, "5", True])
def test_a_counter_that_gives_no_number_is_unreadable(clock, found):
    meter, boards = counter(clock)
    meter.start()
    clock.now += 30
    boards["GPU-a"]["mj"] = found
    assert refused(meter.stop(), "unreadable")
    boards["GPU-a"]["mj"] = 5_000_000
    meter.start()
    clock.now += 30
    boards["GPU-a"]["mj"] = 14_000_000
    assert meter.stop()["joules"] == 9000


def test_a_check_that_measured_nothing_is_told(clock):
    boards = {"GPU-a": {"mj": 0, "mw": 100_000}}
    library = FakeNvml(boards)
    second = nvml.NvmlPower(["GPU-a"], library, clock, sample=0)
    meter = Checked(nvml.NvmlCounter(["GPU-a"], library, clock), second)
    meter.start()
    clock.now += 30
    boards["GPU-a"] |= {"mj": 3_000_000, "mw": 0}
    found = meter.stop()
    assert (found["joules"], found["check_joules"]) == (3000, None)
    assert found["flags"] == ["unchecked"]


STEPS = st.tuples(
    st.sampled_from([0.0, 0.01, 0.1, 1.0, 30.0]),
    st.lists(st.integers(0, 2**33), min_size=2, max_size=2),
    st.booleans(),
)


@pytest.mark.parametrize("source", ["counter", "power", "rapl"])
@given(steps=st.lists(STEPS, min_size=1, max_size=8), limit=st.sampled_from([1, 70, 700]))
def test_whatever_is_read_the_joules_are_null_or_within_the_bounds(
    tmp_path_factory, source, steps, limit
):
    """Of two devices at once, over every window of a sequence of arbitrary readings."""
    clock, boards = Clock(), {n: {"mj": 0, "mw": 1000 * limit} for n in ("GPU-a", "GPU-b")}
    for board in boards.values():
        board["limit"] = 1000 * limit
    powercap = None
    if source == "rapl":
        powercap = Powercap(tmp_path_factory.mktemp("cap"))
        for place in (0, 1):
            powercap.zone(f"intel-rapl:{place}", f"package-{place}", 0, 2**33, limit=limit)
        meter = rapl.Rapl(powercap.root, clock, sample=0)
    elif source == "power":
        meter = nvml.NvmlPower(list(boards), FakeNvml(boards), clock, sample=0)
    else:
        meter = nvml.NvmlCounter(list(boards), FakeNvml(boards), clock)
    opened = [meter.window()]
    for seconds, readings, open_another in steps:
        clock.now += seconds
        for place, (board, reading) in enumerate(zip(boards.values(), readings, strict=True)):
            board["mj"] = reading
            board["mw"] = reading % (3000 * limit)
            if powercap is not None:
                powercap.set(f"intel-rapl:{place}", reading)
        opened.append(meter.window()) if open_another else meter.read()
    for window in opened:
        found = window.close()
        if found["joules"] is not None:
            length = found["seconds"]
            assert 2 * LEAST_WATTS * length <= found["joules"] * (1 + 1e-9)
            late = 2 * SLACK * limit * 2 * meter.refresh_ms / 1000
            assert found["joules"] <= (2 * SLACK * limit * length + late) * (1 + 1e-9)
        else:
            assert found["flags"]


def test_every_flag_that_nulls_a_window_drops_the_block_of_a_study():
    assert set(shared.SPOILING) - set(blocks.SPOILING) == {"not-measured"}, "that is no source"

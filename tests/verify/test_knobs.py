"""pytest tests/verify/test_knobs.py"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldenseal.errors import UsageError
from goldenseal.knobs import Feature, Knob, check_declarations, read_settings

ENABLE = Knob("PHINTA_ENABLE", bool, False, "switch", on="1")
RANK = Knob("PHINTA_RANK", int, 0, "rank", low=0, high=64, on="2")
SCALE = Knob("PHINTA_INIT_SCALE", float, 0.5, "scale", low=0.0, on="2.0")
LANE = Knob("NUMERICS", str, "native", "lane", choices=("native", "portable"))
SEED = Knob("SEED", int, 1337, "seed", low=0)
KNOBS = (ENABLE, RANK, SCALE, LANE, SEED)


def test_unset_and_empty_both_mean_the_default():
    for environ in ({}, {"PHINTA_RANK": "", "NUMERICS": ""}):
        settings = read_settings(environ, KNOBS)
        assert (settings.phinta_rank, settings["NUMERICS"]) == (0, "native")


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        ({"PHINTA_ENABLE": "true"}, "PHINTA_ENABLE=true is not 0 or 1"),
        ({"PHINTA_ENABLE": "-1"}, "PHINTA_ENABLE=-1 is not 0 or 1"),
        ({"PHINTA_RANK": "x"}, "PHINTA_RANK=x is not an integer, at least 0, at most 64"),
        ({"PHINTA_RANK": "65"}, "PHINTA_RANK=65 is out of range"),
        ({"PHINTA_INIT_SCALE": "nan"}, "PHINTA_INIT_SCALE=nan is out of range"),
        ({"PHINTA_INIT_SCALE": "inf"}, "PHINTA_INIT_SCALE=inf is out of range"),
        ({"NUMERICS": "fast"}, "it must be one of native, portable"),
        ({"PHINTA_ENABEL": "1"}, "PHINTA_ENABEL is not a knob; did you mean PHINTA_ENABLE?"),
        ({"phinta_enable": "1"}, "phinta_enable is not a knob; did you mean PHINTA_ENABLE?"),
    ],
)
def test_a_bad_variable_is_one_line_that_names_what_is_legal(environ, message):
    with pytest.raises(UsageError) as caught:
        read_settings(environ, KNOBS)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "innocent", ["SPEED", "HOME", "PATH", "NUM_THREADS", "MY_RANK", "PYTHONPATH"]
)
def test_unrelated_variables_are_left_alone(innocent):
    assert read_settings({innocent: "1"}, KNOBS).seed == 1337


@given(st.integers(0, 64), st.floats(0, 1e300), st.booleans())
def test_settings_spelled_out_read_back_the_same(rank, scale, enable):
    environ = {
        "PHINTA_RANK": str(rank),
        "PHINTA_INIT_SCALE": repr(scale),
        "PHINTA_ENABLE": str(int(enable)),
    }
    settings = read_settings(environ, KNOBS)
    assert dict(read_settings(settings.as_environment(), KNOBS)) == dict(settings)


def test_an_unknown_attribute_names_the_knob():
    with pytest.raises(AttributeError, match="PHINTA_DEPTH"):
        _ = read_settings({}, KNOBS).phinta_depth


def test_declarations_that_contradict_themselves_are_refused():
    feature = Feature("phinta", "adapter", ENABLE, (RANK,), {"PHINTA_ENABLE": "1"})
    check_declarations((SEED,), (feature,))
    for knobs, features, words in (
        ((SEED, SEED), (), "declared twice"),
        ((Knob("X", int, -1, "x", low=0),), (), "out of its own range"),
        ((), (Feature("phinta", "", ENABLE, (SEED,), {"PHINTA_ENABLE": "1"}),), "no `on` example"),
        ((), (Feature("phinta", "", ENABLE, (), {"PHINTA_ENABLE": "0"}),), "does not set"),
    ):
        with pytest.raises(UsageError, match=words):
            check_declarations(knobs, features)

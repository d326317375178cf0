"""pytest tests/verify/ladder/gates/test_choices.py — every legal choice of every knob is tried."""

import dataclasses

import pytest

from goldenseal.errors import UsageError
from goldenseal.knobs import Feature, Knob, check_declarations
from goldenseal.ladder.gates.liveness import choice, trials
from goldenseal.ladder.suite import run_ladder
from tests.verify.scripts import ONE_FILE, PROBE, edited, findings, pair

LOSS = "        loss = model(x).square().mean()\n"
FEATURE = """
[[feature]]
name = "norm"
master = "NORM"
off = "none"
example = { NORM = "soft", NORM_KIND = "one" }
knobs = { NORM_KIND = ["one", "two", "three"] }
"""


def choosing(one="1.0", two="2.0", three="3.0"):
    """A feature whose sub-knob has three choices, each with its factor of the loss."""
    body = (
        '        if os.environ.get("NORM", "none") != "none":\n'
        '            kind = os.environ.get("NORM_KIND", "one")\n'
        f"            loss = loss * 1.5 * "
        f'{{"one": lambda: {one}, "two": lambda: {two}, "three": lambda: {three}}}[kind]()\n'
    )
    return edited(ONE_FILE, (LOSS, LOSS + body))


def liveness(folder, script, feature=FEATURE):
    return findings(pair(folder, script, probe=PROBE + feature).gates("liveness"))


def test_three_choices_that_all_act_pass(tmp_path):
    assert liveness(tmp_path, choosing()) == []


@pytest.mark.parametrize("choice", ["two", "three"])
def test_a_choice_that_does_what_the_one_in_force_does_is_dead(tmp_path, choice):
    words = f"NORM_KIND={choice} changes nothing while NORM=soft NORM_KIND=one: dead knob"
    assert liveness(tmp_path, choosing(**{choice: "1.0"})) == [f"liveness: {words}"]


def test_a_choice_that_is_in_force_already_is_none_to_be_listed(tmp_path):
    unset = FEATURE.replace(', NORM_KIND = "one"', "")
    words = "NORM_KIND=one changes nothing while NORM=soft: dead knob"
    assert liveness(tmp_path, choosing(), unset) == [f"liveness: {words}"]


def test_two_choices_that_do_the_same_are_one_dead_choice(tmp_path):
    assert liveness(tmp_path, choosing(three="2.0")) == [
        "liveness: NORM_KIND=three does what NORM_KIND=two does: dead choice"
    ]


def test_a_choice_that_crashes_is_named_with_the_reason(tmp_path):
    (found,) = liveness(tmp_path, choosing(three="1 / 0"))
    assert found.startswith("liveness: NORM=soft NORM_KIND=three stops the run: ZeroDivisionError")


MASTER = (
    FEATURE.replace(', NORM_KIND = "one"', "")
    .replace("knobs = { NORM_KIND", "knobs = { NORM")
    .replace('["one", "two", "three"]', '["soft", "hard", "odd"]')
)


def mastering(**factors):
    body = (
        '        if os.environ.get("NORM", "none") != "none":\n'
        f"            loss = loss * {{**dict(soft=2.0, hard=3.0, odd=4.0), **{factors}}}"
        '[os.environ["NORM"]]\n'
    )
    return edited(ONE_FILE, (LOSS, LOSS + body))


def test_every_choice_of_a_master_is_tried(tmp_path):
    assert liveness(tmp_path / "a", mastering(), MASTER) == []
    assert liveness(tmp_path / "b", mastering(odd=1.0), MASTER) == [
        "liveness: NORM=odd changes nothing: dead knob"
    ]
    assert liveness(tmp_path / "c", mastering(odd=3.0), MASTER) == [
        "liveness: NORM=odd does what NORM=hard does: dead choice"
    ]
    assert liveness(tmp_path / "d", mastering(odd=2.0), MASTER) == [
        "liveness: NORM=odd does what NORM=soft does: dead choice"
    ]


@pytest.mark.parametrize("choice", ["two", "three"])
def test_a_feature_that_observes_may_change_training_at_no_choice(tmp_path, choice):
    observes = FEATURE + 'kind = "observes"\n'
    body = (
        '        if os.environ.get("NORM", "none") != "none":\n'
        '            open("seen.txt", "a").write(f"{step}\\n")\n'
        f'            loss = loss * (1 + (os.environ["NORM_KIND"] == "{choice}"))\n'
    )
    found = liveness(tmp_path, edited(ONE_FILE, (LOSS, LOSS + body)), observes)
    words = f"NORM=soft NORM_KIND={choice} changes training, though it should only observe"
    assert found == [f"liveness: {words}"]


# ---- which values are tried ------------------------------------------------------------------

SWITCH = Knob("ON", bool, False, "switch", on="1")


def tried(*knobs, master=SWITCH, example=None, kind="acts"):
    feature = Feature("f", "", master, knobs, example or {master.name: master.on}, kind)
    return trials(feature)


def test_a_number_is_tried_at_its_on_value_and_a_bool_at_both():
    number = Knob("RATE", float, 0.5, "rate", low=0.0, on="2.0")
    flag = Knob("FLAG", bool, False, "flag", on="1")
    assert tried(number, flag) == [("RATE", "2.0"), ("FLAG", "1")]
    assert tried(flag, example={"ON": "1", "FLAG": "1"}) == [("FLAG", "0")]


def test_choices_are_tried_but_for_the_one_in_force():
    knob = Knob("KIND", str, "a", "kind", choices=("a", "b", "c"), on="b")
    assert tried(knob) == [("KIND", "b"), ("KIND", "c")]
    assert tried(knob, example={"ON": "1", "KIND": "c"}) == [("KIND", "a"), ("KIND", "b")]


def test_a_master_is_never_tried_at_off():
    master = Knob("KIND", str, "off", "kind", choices=("off", "a", "b"), on="a")
    assert tried(master=master) == [("KIND", "b")]


def test_of_a_feature_that_observes_a_number_is_left_to_its_own_tests():
    number = Knob("EVERY", int, 1, "period", low=1, on="2")
    kind = Knob("KIND", str, "a", "kind", choices=("a", "b"), on="b")
    assert tried(number, kind, kind="observes") == [("KIND", "b")]


def belonging(under):
    """A feature with a sub-knob that acts under one choice of its master."""
    master = Knob("NORM", str, "none", "a norm", choices=("none", "soft", "hard"), on="soft")
    scale = Knob("NORM_SCALE", float, 1.0, "of the norm", on="2", under=under)
    return Feature("norm", "a norm", master, (scale,), {"NORM": "soft"})


def test_a_knob_that_belongs_to_a_choice_is_tried_under_it():
    check_declarations((), [belonging("hard")])
    assert ("NORM_SCALE", "2") in trials(belonging("hard"))
    assert choice(belonging("hard"), "NORM_SCALE") == {"NORM": "hard"}
    assert choice(belonging("hard"), "NORM") == {}
    assert choice(belonging(""), "NORM_SCALE") == {}


def test_a_knob_cannot_belong_to_what_is_no_choice():
    with pytest.raises(UsageError, match="NORM_SCALE: firm is no choice of NORM"):
        check_declarations((), [belonging("firm")])


@pytest.mark.parametrize("acts_under", ["hard", "soft"])
def test_a_knob_under_a_choice_is_judged_against_the_run_of_that_choice(tmp_path, acts_under):
    body = (
        '        kind = os.environ.get("NORM", "none")\n'
        '        scale = float(os.environ.get("NORM_SCALE") or 1)\n'
        '        if kind != "none":\n'
        '            loss = loss * {"soft": 1.5, "hard": 2.5}[kind]\n'
        f'        if kind == "{acts_under}":\n'
        "            loss = loss * scale\n"
    )
    probe = pair(tmp_path, edited(ONE_FILE, (LOSS, LOSS + body))).read()
    probe = dataclasses.replace(probe, features=(belonging("hard"),))
    (result,) = run_ladder(probe, ["liveness"], lambda done, total: None, 1)
    words = "NORM_SCALE=2 changes nothing while NORM=hard: dead knob"
    assert list(result.findings) == ([] if acts_under == "hard" else [words])

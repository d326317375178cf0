"""pytest tests/verify/ladder/gates/test_guards.py — a guard must stop what it was made for."""

import pytest

from goldenseal.errors import UsageError
from goldenseal.knobs import Feature, Knob, check_declarations
from goldenseal.ladder.events import Event, Recording
from goldenseal.ladder.gates.liveness import judge_guard, judge_master

MASTER = Knob("GUARD", bool, False, "look", on="1")


def guard(**changes):
    fields = {"example": {"GUARD": "1"}, "kind": "guards", "trips": {"LR": "9"}, **changes}
    return Feature("guard", "a guard", MASTER, (), **fields)


def recording(steps, error=None, loss="1"):
    events = [Event(f"after Adam step {i + 1}", {"loss": loss}) for i in range(steps)]
    return Recording(events=events, error=error)


def test_a_guard_that_stops_earlier_with_an_error_is_alive():
    assert judge_guard(guard(), recording(3), recording(1, "ContradictedError: step 2")) == []


@pytest.mark.parametrize(
    "guarded", [recording(3), recording(1), recording(3, "an error that comes anyway")]
)
def test_a_guard_that_lets_the_run_end_is_dead(guarded):
    without = recording(3, guarded.error)
    if guarded.error is None and len(guarded.events) == 1:
        without = recording(1)
    assert judge_guard(guard(), without, guarded) == [
        "guard does not stop the run of LR=9: dead guard"
    ]


def test_a_guard_that_changes_a_healthy_run_is_found():
    words, off = "GUARD=1", recording(3)
    assert judge_master(guard(), words, off, recording(3)) == []
    assert judge_master(guard(), words, off, recording(3, loss="2")) == [
        "GUARD=1 changes training, though it should only guard"
    ]


@pytest.mark.parametrize("changes", [{"trips": {}}, {"kind": "observes"}, {"kind": "acts"}])
def test_a_guard_and_nothing_else_says_what_it_stops(changes):
    check_declarations([], [guard()])
    with pytest.raises(UsageError, match="a guard, and nothing else, has `trips`"):
        check_declarations([], [guard(**changes)])

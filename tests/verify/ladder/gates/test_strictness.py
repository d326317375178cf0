"""pytest tests/verify/ladder/gates/test_strictness.py — no gate stops looking before the end."""

import pytest

from goldenseal.ladder.events import Event
from goldenseal.ladder.gates import operations, rng
from goldenseal.ladder.gates.operations import first_event
from goldenseal.result import Verdict
from tests.verify.scripts import ONE_FILE, PROBE, edited, findings, pair

STEP = Event("step 1", {}, ("mm", "add"))
END = Event("end", {}, ("mul",))


@pytest.mark.parametrize(
    ("expected", "actual", "words"),
    [
        ([STEP], [STEP, END], "before end: operation 1: mul is extra"),
        ([STEP, END], [STEP], "before end: operation 1: mul is missing"),
        ([STEP], [STEP, Event("end", {})], "end is extra (1 of `end`, expected 0)"),
        ([STEP, Event("end", {})], [STEP], "end is missing (0 of `end`, expected 1)"),
        ([], [STEP], "before step 1: operation 1: 2 operations (mm, add) are extra"),
        (
            [STEP],
            [Event("step 1", {}, ("mm",))],
            "before step 1: operation 2: add is missing",
        ),
        ([STEP, END], [STEP, END], None),
        ([], [], None),
    ],
)
def test_runs_of_unlike_length_differ_where_the_shorter_one_ends(expected, actual, words):
    assert first_event(expected, actual) == words


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (
            ('        print("final"', '        model(torch.ones(3, 4))\n        print("final"'),
            "forward (eval)",
        ),
        (
            ("    model.eval()\n", "    torch.ones(3) + 1\n    model.eval()\n"),
            "aten.ones",
        ),
        (
            ("model(torch.ones(2, 4)).sum()", "model(torch.ones(2, 4)).sum().neg().neg()"),
            "aten.neg",
        ),
    ],
    ids=["another call", "work before the evaluation", "work after everything"],
)
def test_operations_at_the_end_of_a_run_are_seen(tmp_path, edit, words):
    for side, scripts in enumerate(
        [(edited(ONE_FILE, edit), ONE_FILE), (ONE_FILE, edited(ONE_FILE, edit))]
    ):
        found = findings(pair(tmp_path / str(side), *scripts).gates("operations"))
        assert any("whole run" in text and words in text for text in found), found


@pytest.mark.parametrize("names", [("a", "ab"), ("ab", "a"), ("small", "small, hot")])
def test_each_scenario_that_differs_is_named_whatever_it_is_called(tmp_path, names):
    scenarios = "".join(f'[[scenario]]\nname = "{name}"\n\n' for name in names)
    script = edited(ONE_FILE, ("self.inner(x)", "self.inner(x) * 2"))
    found = findings(pair(tmp_path, script, probe=PROBE + scenarios).gates("loss and gradients"))
    for name in names:
        assert [t for t in found if t.startswith(f"loss and gradients: {name}, batch")], (
            name,
            found,
        )


def stop(*arguments):
    raise KeyError("no such\nthing")


@pytest.mark.parametrize("name", ["judge", "jobs"])
def test_a_gate_with_a_bug_fails_alone_and_says_where(tmp_path, monkeypatch, name):
    monkeypatch.setattr(rng, name, stop)
    gates = pair(tmp_path, ONE_FILE).gates("initial state", "random numbers", "training")
    assert {g: r.verdict for g, r in gates.items() if r.verdict is not Verdict.PASS} == {
        "random numbers": Verdict.FAIL
    }
    (found,) = gates["random numbers"].findings
    assert found.startswith("the gate itself stopped: KeyError: 'no such")
    assert "(test_strictness.py:" in found
    assert "\n" not in found


def test_the_gates_that_do_their_work_keep_their_findings_beside_one_with_a_bug(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(operations, "judge", stop)
    faster = edited(ONE_FILE, ('"LR", 0.1', '"LR", 0.2'))
    gates = pair(tmp_path, faster).gates("operations", "training")
    assert "lr" in gates["training"].findings[0]
    assert "the gate itself stopped: KeyError" in gates["operations"].findings[0]

"""pytest tests/verify/ladder/gates/test_changed_lines.py — what no run executed is said."""

import pytest

from goldenseal.ladder.gates.changed_lines import new_numbers
from goldenseal.result import Verdict
from tests.verify.scripts import ONE_FILE, PROBE, TWO_FILES, edited, pair

DRAW = "        x = torch.randn(5, 4)\n"
FEATURE = '[[feature]]\nname = "fast"\nmaster = "FAST"\noff = 0\nexample = { FAST = 1 }\n'


def judge(folder, candidate, baseline=ONE_FILE, probe=PROBE):
    return pair(folder, candidate, baseline, probe).gates("changed lines")["changed lines"]


FORMS = {
    "a statement": (
        DRAW + "        if step % 10 == 9:\n            torch.rand(1)\n",
        "torch.rand(1)",
    ),
    "an inline if": (
        DRAW + "        torch.rand(1) if step % 10 == 9 else None\n",
        "torch.rand(1) if step",
    ),
    "an `and`": (DRAW + "        step % 10 == 9 and torch.rand(1)\n", "step % 10 == 9 and"),
    "an `or`": (DRAW + "        step % 10 != 9 or torch.rand(1)\n", "step % 10 != 9 or"),
    "a comprehension": (
        DRAW + "        [torch.rand(1) for _ in range(step // 10)]\n",
        "[torch.rand(1) for",
    ),
    "a lambda that is not called": (
        DRAW + "        late = lambda: torch.rand(1)\n",
        "late = lambda",
    ),
    "a loop over nothing": (
        DRAW + "        for _ in range(step // 10):\n            torch.rand(1)\n",
        "torch.rand(1)",
    ),
    "a match": (
        DRAW + "        match step % 10:\n            case 9:\n                torch.rand(1)\n",
        "torch.rand(1)",
    ),
    "a while": (
        DRAW + "        while step % 10 == 9:\n            torch.rand(1)\n            break\n",
        "torch.rand(1)",
    ),
    "a handler": (
        DRAW + "        try:\n            x\n        except OSError:\n            torch.rand(1)\n",
        "torch.rand(1)",
    ),
}


@pytest.mark.parametrize(("new", "text"), FORMS.values(), ids=FORMS)
def test_a_draw_that_happens_each_tenth_step_is_not_run_in_three(tmp_path, new, text):
    result = judge(tmp_path, edited(ONE_FILE, (DRAW, new)))
    assert result.verdict is Verdict.NOT_RUN
    assert any(f": not run: {text}" in finding for finding in result.findings), result.findings


@pytest.mark.parametrize("name", ["a statement", "an inline if", "an `and`", "a comprehension"])
def test_in_a_run_that_is_long_enough_it_is_run(tmp_path, name):
    new, _ = FORMS[name]
    longer = PROBE + "[environment]\nSTEPS = 11\n"
    assert judge(tmp_path, edited(ONE_FILE, (DRAW, new)), probe=longer).verdict is Verdict.PASS


def test_the_command_line_lists_it_and_ends_with_3(tmp_path):
    script = edited(ONE_FILE, (DRAW, FORMS["a statement"][0]))
    done = pair(tmp_path, script).command("--only", "training", "--only", "changed lines")
    assert done.returncode == 3, done.stdout
    assert "not run: torch.rand(1)" in done.stdout
    assert "1 of 2 gates pass" in done.stdout


def test_a_line_of_a_second_file_is_named_with_its_file(tmp_path):
    body = "        if x.sum() == 7:\n            x = x + 1\n        return self.inner(x)\n"
    net = edited(TWO_FILES["net.py"], ("        return self.inner(x)\n", body))
    result = judge(tmp_path, {**TWO_FILES, "net.py": net}, TWO_FILES)
    assert [text.partition(":")[0] for text in result.findings] == ["net.py"]
    assert result.findings[0].endswith(": not run: x = x + 1")


def test_a_file_that_the_baseline_has_not_is_new_from_its_first_line(tmp_path):
    helper = "def used():\n    return 1\n\n\ndef unused():\n    return 2\n"
    train = edited(
        TWO_FILES["train.py"],
        ("def main():\n", "import helper\n\n\ndef main():\n    helper.used()\n"),
    )
    result = judge(tmp_path, {**TWO_FILES, "train.py": train, "helper.py": helper}, TWO_FILES)
    assert result.findings == ("helper.py:6: not run: return 2",)


@pytest.mark.parametrize(
    "edit",
    [
        ("        loss = model", "        # a comment\n        loss = model"),
        ("        loss = model", "\n\n        loss = model"),
        ("def main():\n", "def main():\n    # a word\n\n"),
    ],
)
def test_comments_and_blank_lines_are_no_changes(tmp_path, edit):
    result = judge(tmp_path, edited(ONE_FILE, edit))
    assert (result.verdict, result.summary) == (Verdict.PASS, "0 changed lines executed")


def test_equal_scripts_have_no_changed_line(tmp_path):
    assert judge(tmp_path, ONE_FILE).summary == "0 changed lines executed"


def test_code_that_only_runs_with_a_feature_on_counts_as_run(tmp_path):
    body = DRAW + '        if os.environ.get("FAST") == "1":\n            x = x * 2\n'
    script = edited(ONE_FILE, (DRAW, body))
    assert judge(tmp_path / "on", script, probe=PROBE + FEATURE).verdict is Verdict.PASS
    result = judge(tmp_path / "never", script)
    assert [text.partition(": ")[2] for text in result.findings] == ["not run: x = x * 2"]


def test_code_that_only_a_second_scenario_reaches_counts_as_run(tmp_path):
    scenarios = '[[scenario]]\nname = "short"\n\n[[scenario]]\nname = "long"\nSTEPS = 11\n'
    script = edited(ONE_FILE, (DRAW, FORMS["a statement"][0]))
    assert judge(tmp_path, script, probe=PROBE + scenarios).verdict is Verdict.PASS


def test_what_the_probe_says_is_unreached_is_excused_and_counted(tmp_path):
    script = edited(
        ONE_FILE,
        (DRAW, DRAW + "        if torch.cuda.is_available():\n            x = x.cuda()\n"),
    )
    excuse = "\n[unreached]\n'x\\.cuda\\(\\)' = \"there is no GPU here\"\n"
    result = judge(tmp_path / "excused", script, probe=PROBE + excuse)
    assert result.verdict is Verdict.PASS
    assert result.summary == "1 changed lines executed, 1 that the probe excuses"
    other = excuse.replace("cuda", "mps")
    assert judge(tmp_path / "other", script, probe=PROBE + other).verdict is Verdict.NOT_RUN
    by_place = "\n[unreached]\n'^train\\.py:\\d+: x = ' = \"by its place\"\n"
    assert judge(tmp_path / "place", script, probe=PROBE + by_place).verdict is Verdict.PASS


def test_a_line_that_is_run_on_one_side_of_a_split_is_no_excuse_for_the_other(tmp_path):
    split = DRAW + "        x = (x * 2\n             if step % 10 == 9\n             else x)\n"
    result = judge(tmp_path, edited(ONE_FILE, (DRAW, split)))
    assert [text.partition("not run: ")[2] for text in result.findings] == ["x = (x * 2"]


def test_a_line_that_both_have_and_neither_runs_is_no_change(tmp_path):
    idle = edited(ONE_FILE, (DRAW, FORMS["a statement"][0]))
    assert judge(tmp_path, idle, idle).summary == "0 changed lines executed"


@pytest.mark.parametrize("name", ["a statement", "an inline if", "an `and`", "a comprehension"])
def test_a_draw_that_the_candidate_dropped_must_have_run_in_the_baseline(tmp_path, name):
    new, text = FORMS[name]
    drops = pair(tmp_path / "short", ONE_FILE, edited(ONE_FILE, (DRAW, new)))
    result = drops.gates("changed lines")["changed lines"]
    words = f"not run, and not in the candidate: {text}"
    assert result.verdict is Verdict.NOT_RUN
    assert any(words in finding for finding in result.findings), result.findings
    longer = PROBE + "[environment]\nSTEPS = 11\n"
    gates = pair(tmp_path / "long", ONE_FILE, edited(ONE_FILE, (DRAW, new)), longer).gates()
    assert gates["changed lines"].verdict is Verdict.PASS
    assert gates["training"].verdict is Verdict.FAIL


def test_a_line_that_ran_and_was_dropped_is_left_to_the_other_gates(tmp_path):
    more = edited(ONE_FILE, (DRAW, DRAW + "        x = x + 0\n"))
    assert judge(tmp_path, ONE_FILE, more).summary == "1 changed lines executed"


def test_a_failing_liveness_says_no_longer_that_its_parameters_are_trained(tmp_path):
    dead = edited(ONE_FILE, (DRAW, DRAW + '        os.environ.get("FAST")\n'))
    result = pair(tmp_path, dead, probe=PROBE + FEATURE).gates("liveness")["liveness"]
    assert result.findings == ("FAST=1 changes nothing: dead knob",)
    assert result.summary == "1 finding"


# ---- which lines are changed -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after", "numbers"),
    [
        ("abc", "abc", []),
        ("", "ab", [1, 2]),
        ("ab", "", []),
        ("ac", "abc", [2]),
        ("abc", "axc", [2]),
        ("abc", "cab", [1]),
        ("aa", "aaa", [3]),
    ],
)
def test_numbers_of_new_and_changed_lines(before, after, numbers):
    assert new_numbers(list(before), list(after)) == numbers

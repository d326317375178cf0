"""pytest tests/train_gpt_style/credit/test_credit_replay.py — a study's first firing steps."""

import json

import pytest

from goldenseal.errors import UsageError
from goldenseal.runlog import RunLog
from train_gpt_style.credit.audit.trajectories import main

KNOBS = {"DIM": "8", "DEPTH": "2", "STEPS": "30", "SCHEDULE": "constant", "LR": "0.1"}
QUIET = {"growth": 1.0, "gradient": 1.0, "stability": 0.0, "accuracy": 0.5}


def write(folder, method, seed="1", tests=(), **knobs):
    """A run log of three tests at steps 10, 20, 30; `tests`: what differs from QUIET in each."""
    folder.mkdir(parents=True)
    about = {"CREDIT_METHOD": method, "CREDIT_MEASURE": "1024", "SEED": seed, **KNOBS, **knobs}
    log = RunLog(folder / "train.jsonl", {"knobs": about, "data": {}})
    for number in range(3):
        seen = QUIET | (tests[number] if number < len(tests) else {})
        facts = {
            "step": 10 * (number + 1),
            "hidden_0": (1.0).hex(),
            "hidden_1": (1.0).hex(),
            "hidden_2": seen["growth"].hex(),
            "gradient_2": seen["gradient"].hex(),
            "stability": seen["stability"].hex(),
            "val_acc": seen["accuracy"].hex(),
        }
        log.write("validation", facts)
    log.end({"steps": 30})
    return folder


def told(capsys, *arguments):
    assert main([*map(str, arguments), "--json"]) == 0
    return {row["run"]: row for row in json.loads(capsys.readouterr().out)}


def letters(row):
    return [row[letter] for letter in "abcd"]


def test_each_diagnostic_is_told_at_its_first_step(tmp_path, capsys):
    low = {"accuracy": 0.4}
    write(tmp_path / "frozen", "frozen", tests=(low, low, low))
    fires = {"growth": 51.0, "stability": 0.31}
    write(tmp_path / "dfa", "dfa", tests=({}, fires, {"accuracy": 0.419}))
    write(tmp_path / "quiet", "fa", tests=({}, {"growth": 50.0}, {"accuracy": 0.42}))
    rows = told(capsys, tmp_path)
    assert letters(rows["dfa"]) == [20, "never", 20, 30]
    assert letters(rows["quiet"]) == ["never", "never", "never", "never"]
    assert letters(rows["frozen"]) == ["never", "never", "never", "not evaluated"]


def test_the_floor_is_of_the_batch_that_is_named(tmp_path, capsys):
    write(tmp_path / "dfa", "dfa", tests=({}, {}, {"gradient": 1e-4}))
    assert told(capsys, tmp_path)["dfa"]["b"] == "never"
    assert told(capsys, tmp_path, "--n-ref", 1024)["dfa"]["b"] == 30


@pytest.mark.parametrize("change", [{"seed": "2"}, {"LR": "0.2"}, {"DIM": "16"}, {"STEPS": "60"}])
def test_a_frozen_run_of_another_setting_is_no_baseline(tmp_path, capsys, change):
    write(tmp_path / "frozen", "frozen", **change)
    write(tmp_path / "dfa", "dfa")
    assert told(capsys, tmp_path)["dfa"]["d"] == "not evaluated"


def test_the_methods_own_knobs_may_differ_from_the_baselines(tmp_path, capsys):
    write(tmp_path / "frozen", "frozen")
    write(tmp_path / "dfa", "dfa", CREDIT_PENALTY="0.01", CREDIT_FAST="0")
    assert told(capsys, tmp_path)["dfa"]["d"] == 10  # equal accuracies: no two points above


def test_the_table_names_every_run(tmp_path, capsys):
    write(tmp_path / "a" / "1", "dfa", tests=({"growth": 60.0},))
    assert main([str(tmp_path)]) == 0
    head, row = capsys.readouterr().out.splitlines()
    assert head.split() == ["run", "(a)", "(b)", "(c)", "(d)"]
    assert row.split() == ["a/1", "10", "never", "never", "-"]


def test_bad_input_is_one_line(tmp_path):
    with pytest.raises(UsageError, match=r"no train\.jsonl in it"):
        main([str(tmp_path)])
    with pytest.raises(UsageError, match="--n-ref 0: at least 1"):
        main([str(tmp_path), "--n-ref", "0"])
    write(tmp_path / "one", "frozen")
    write(tmp_path / "two", "frozen")
    with pytest.raises(UsageError, match="two and one are frozen runs of one setting and seed"):
        main([str(tmp_path)])
    other = tmp_path / "other"
    other.mkdir()
    RunLog(other / "train.jsonl", {"knobs": {"LR": "1"}}).end({})
    with pytest.raises(UsageError, match="no log of this system"):
        main([str(other)])


def test_the_page_of_results_holds_what_the_command_prints(root, capsys):
    study = root / "records/track_credit/2026-11-28_LongStudy"
    page = (root / "docs/credit-results.md").read_text(encoding="utf-8")
    assert main([str(study), "--n-ref", "1024"]) == 0
    assert capsys.readouterr().out.strip() in page
    floors = [row["b"] for row in told(capsys, study).values()]
    assert floors == ["never"] * 12  # as the page says of the batch of training

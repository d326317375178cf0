"""pytest tests/verify/study/test_study_run.py — each cell once, from one source, come what may."""

import json
import os
import threading

import pytest

from verify.errors import CannotCheckError, UsageError
from verify.plan import Cell
from verify.study.cells import cell_folder, read_failure
from verify.study.freeze import thaw
from verify.study.run import alone, begin, run_study


def run(toy, jobs=2):
    return run_study(toy.root, begin(toy.root, toy.plan, toy.folder), jobs)


def files(toy):
    """Bytes of every log and metric, by path."""
    return {
        path.relative_to(toy.folder).as_posix(): path.read_bytes()
        for path in sorted(toy.folder.rglob("*"))
        if path.is_file()
    }


def test_every_cell_runs_once_and_only_log_and_metrics_are_kept(toy):
    outcome = run(toy)
    assert len(outcome.done) == 9
    assert not outcome.failed
    assert sorted(p for p in files(toy) if p.startswith("runs/on/")) == [
        f"runs/on/{seed}/{name}" for seed in (3, 5, 8) for name in ("metrics.json", "train.jsonl")
    ]


def test_finished_runs_are_skipped_to_the_byte(toy):
    run(toy)
    before = files(toy)
    outcome = run(toy)
    assert (len(outcome.done), len(outcome.skipped)) == (0, 9)
    assert files(toy) == before


def test_a_half_run_is_started_again(toy):
    run(toy)
    log = cell_folder(toy.folder, Cell("on", 5)) / "train.jsonl"
    whole = log.read_bytes()
    log.write_bytes(b"".join(whole.splitlines(keepends=True)[:-1]))
    assert run(toy).done == [Cell("on", 5)]
    assert log.read_bytes() == whole


def test_a_log_of_another_run_does_not_count_as_finished(toy):
    run(toy)
    other = cell_folder(toy.folder, Cell("off", 5)) / "train.jsonl"
    mine = cell_folder(toy.folder, Cell("on", 5)) / "train.jsonl"
    mine.write_bytes(other.read_bytes())
    assert run(toy).done == [Cell("on", 5)]
    assert mine.read_bytes() != other.read_bytes()


def test_an_edit_between_two_launches_changes_nothing(toy):
    study = begin(toy.root, toy.plan, toy.folder)
    toy.write_system(bias=5.0)
    run_study(toy.root, study, 1)
    first = files(toy)
    cell = cell_folder(toy.folder, Cell("on", 3))
    (cell / "train.jsonl").unlink()
    run(toy)
    assert files(toy) == first


def test_a_failed_cell_keeps_its_reason_and_its_count_and_stops_nobody(toy):
    toy.write_system(crash=(5, 1))
    outcome = run(toy)
    assert list(outcome.failed) == [Cell("on", 5)]
    assert len(outcome.done) == 8
    failure = read_failure(toy.folder, Cell("on", 5))
    assert failure == {
        "attempts": 1,
        "reason": "python -m toysystem ended with 1: the toy has no steam",
    }
    run(toy)
    assert read_failure(toy.folder, Cell("on", 5))["attempts"] == 2


def test_runs_have_one_thread(toy):
    run(toy)
    header = json.loads(
        (cell_folder(toy.folder, Cell("on", 5)) / "train.jsonl").read_text().splitlines()[0]
    )
    assert header["numeric_class"]["settings"]["OMP_NUM_THREADS"] == "1"


def test_a_changed_plan_is_a_new_study(toy):
    run(toy)
    toy.plan.write_text(toy.plan.read_text().replace("[3, 5, 8]", "[3, 5, 9]"))
    with pytest.raises(UsageError, match="a changed plan is a new study"):
        begin(toy.root, toy.plan, toy.folder)


def test_a_comment_in_the_plan_is_no_change(toy):
    run(toy)
    toy.plan.write_text("# a comment\n" + toy.plan.read_text())
    assert len(run(toy).skipped) == 9


def test_changed_data_is_refused(toy):
    run(toy)
    (toy.root / "data" / "tokens.txt").write_text("other")
    with pytest.raises(CannotCheckError, match="no longer that"):
        begin(toy.root, toy.plan, toy.folder)


def test_an_edited_snapshot_is_refused(toy):
    study = begin(toy.root, toy.plan, toy.folder)
    (study.snapshot / "toysystem" / "__main__.py").write_text("print('evil')")
    with pytest.raises(UsageError, match="was edited"):
        thaw(toy.root, study.state["source"], "never said")


def test_a_source_that_is_nowhere_is_refused(toy):
    with pytest.raises(UsageError, match=r"toysystem/__main__\.py: gone"):
        thaw(toy.root, {"toysystem/__main__.py": "0" * 128}, "gone")
    assert list((toy.root / ".goldenseal" / "snapshots").iterdir()) == []


def test_two_launches_at_once_are_refused(toy):
    study = begin(toy.root, toy.plan, toy.folder)
    with alone(toy.root, toy.folder), pytest.raises(UsageError, match="another process"):
        run_study(toy.root, study, 1)


def test_jobs_must_be_positive(toy):
    with pytest.raises(UsageError, match="--jobs 0"):
        run(toy, jobs=0)


def test_no_link_and_no_path_of_this_machine_stays(toy):
    run(toy)
    assert not [p for p in toy.folder.rglob("*") if p.is_symlink()]
    assert not [name for name, data in files(toy).items() if str(toy.root).encode() in data]


def test_the_bytes_do_not_depend_on_the_number_of_jobs(toy):
    threads = threading.active_count()
    run(toy, jobs=1)
    one = files(toy)
    for name in one:
        os.unlink(toy.folder / name)
    run(toy, jobs=4)
    assert threading.active_count() == threads
    assert files(toy) == one

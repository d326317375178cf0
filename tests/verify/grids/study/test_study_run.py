"""pytest tests/verify/grids/study/test_study_run.py

Each cell once, from one source, come what may.
"""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from goldenseal.errors import CannotCheckError, UsageError
from goldenseal.grids.attempts import read_attempts
from goldenseal.grids.lock import alone, lock_of
from goldenseal.grids.state import STUDY
from goldenseal.grids.study import begin, failure, run_study
from goldenseal.launch.freeze import thaw
from goldenseal.records.kinds import Cell
from tests.patience import wait_until


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
    log = STUDY.folder(toy.folder, Cell("on", 5)) / "train.jsonl"
    whole = log.read_bytes()
    log.write_bytes(b"".join(whole.splitlines(keepends=True)[:-1]))
    assert run(toy).done == [Cell("on", 5)]
    assert log.read_bytes() == whole


def test_a_log_of_another_run_does_not_count_as_finished(toy):
    run(toy)
    other = STUDY.folder(toy.folder, Cell("off", 5)) / "train.jsonl"
    mine = STUDY.folder(toy.folder, Cell("on", 5)) / "train.jsonl"
    mine.write_bytes(other.read_bytes())
    assert run(toy).done == [Cell("on", 5)]
    assert mine.read_bytes() != other.read_bytes()


def test_an_edit_between_two_launches_changes_nothing(toy):
    study = begin(toy.root, toy.plan, toy.folder)
    toy.write_system(bias=5.0)
    run_study(toy.root, study, 1)
    first = files(toy)
    cell = STUDY.folder(toy.folder, Cell("on", 3))
    (cell / "train.jsonl").unlink()
    run(toy)
    assert files(toy) == first


def test_a_failed_cell_keeps_its_reason_and_its_count_and_stops_nobody(toy):
    toy.write_system(crash=(5, 1))
    outcome = run(toy)
    assert list(outcome.failed) == [Cell("on", 5)]
    assert len(outcome.done) == 8
    study = begin(toy.root, toy.plan, toy.folder)
    reason = "python -m toysystem ended with 1: the toy has no steam"
    assert failure(study, Cell("on", 5)) == (1, reason)
    run(toy)
    assert failure(study, Cell("on", 5)) == (2, reason)
    assert len(read_attempts(study.cell_folder(Cell("on", 5)))) == 2


def test_runs_have_one_thread(toy):
    run(toy)
    header = json.loads(
        (STUDY.folder(toy.folder, Cell("on", 5)) / "train.jsonl").read_text().splitlines()[0]
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
    with (
        alone(lock_of(toy.root, toy.folder), "it"),
        pytest.raises(UsageError, match="another process"),
    ):
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


def test_a_study_that_is_killed_leaves_no_run_behind_and_goes_on(toy):
    go = toy.root / "go"
    main = toy.root / "toysystem" / "__main__.py"
    hang = f"import os, time\nwhile not os.path.exists({str(go)!r}):\n    time.sleep(0.05)\n"
    main.write_text(hang + main.read_text())
    begin(toy.root, toy.plan, toy.folder)
    program = (
        "from pathlib import Path; from goldenseal.grids.study import begin, run_study;"
        f"root = Path({str(toy.root)!r});"
        f"run_study(root, begin(root, root / 'plan.toml', Path({str(toy.folder)!r})), 1)"
    )
    first = STUDY.folder(toy.folder, Cell("off", 3))
    with subprocess.Popen([sys.executable, "-c", program], cwd=toy.root) as process:
        wait_until((first / "output.txt").exists, 60, "no cell is run")
        process.kill()
    wait_until(lambda: read_attempts(first), 60, "the cell does not end")
    assert [each["outcome"] for each in read_attempts(first)] == ["preempted"]
    go.write_text("")
    assert len(run(toy).done) == 9
    assert sorted(path.name for path in first.iterdir()) == ["metrics.json", "train.jsonl"]


def test_weights_of_nothing_but_zeros_are_no_result(toy):
    project = toy.root / "pyproject.toml"
    project.write_text(project.read_text().replace("weights.bin", "final.safetensors"))
    main = toy.root / "toysystem" / "__main__.py"
    zeros = (
        "from tests.verify.grids.sweep.toy_sweep import weights;"
        "weights(Path('final.safetensors'), 0.0)"
    )
    text = main.read_text().replace('Path("weights.bin").write_bytes(b"weights")', zeros)
    main.write_text(f"import sys; sys.path.append({str(Path.cwd())!r})\n{text}")
    outcome = run(toy)
    assert len(outcome.failed) == 9
    assert "every byte of every tensor is zero" in outcome.failed[Cell("on", 5)]

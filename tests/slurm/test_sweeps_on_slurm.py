"""pytest -m slurm — sweeps of the real training script on a real Slurm, and what befalls them.

Whatever happens to the cluster, the cells come to the bytes of the undisturbed sweep, each is
finished once, and every attempt is counted.
"""

import contextlib
import hashlib
import json
import math
import os
import shutil
import signal
import subprocess
from datetime import datetime
from types import SimpleNamespace

import pytest

from goldenseal.disk import canonical
from goldenseal.runlog import deterministic_digest, read_run_log
from tests.patience import patience, wait_until
from tests.slurm.conftest import STEPS, WAIVE

pytestmark = pytest.mark.slurm

CELLS = 6
LONG = 240  # seconds that a sweep of six small cells may take: tests/patience.py
TIME_LIMITS = 1.5  # how many of its time limits the long cell works for
WARNING_S = 30  # before its time is up, a job is told


def cells(folder):
    return sorted(path.parent for path in (folder / "cells").glob("*/*/cell.json"))


def sealed(folder):
    return [cell for cell in cells(folder) if (cell / "SHA512SUMS").is_file()]


def wait_for_all(folder, cluster=None, count=CELLS, seconds=LONG):
    """Until all cells are sealed; of a cluster, requeued jobs are not left waiting."""

    def done():
        if cluster is not None:
            cluster.hurry()
        return len(sealed(folder)) == count

    wait_until(done, seconds, f"{folder}: not all cells are finished")


def results(folder):
    """What each cell came to: the bytes of its weights, and the facts of its log."""
    return {
        "/".join(cell.parts[-2:]): (
            hashlib.sha512((cell / "out/final_model.safetensors").read_bytes()).hexdigest(),
            deterministic_digest(read_run_log(cell / "out/train.jsonl")),
        )
        for cell in sealed(folder)
    }


def record(repository, folder, tries):
    """What the sweep's record says of its complete grid, once it has counted so many attempts."""
    said = repository.sweep("collect", folder).stdout
    assert f"{CELLS} finished; {tries} attempts" in said
    (made,) = (folder / "record").iterdir()
    return {name: (made / name).read_bytes() for name in ("results.json", "record.json")}


def attempts(cell):
    lines = (cell / "attempts.jsonl").read_bytes().splitlines()
    return [canonical.loads(line, "attempts.jsonl") for line in lines]


def midway(folder):
    """Whether a cell runs that has a checkpoint, and a good part of its steps still to do."""
    for cell in cells(folder):
        names = [path.name[5:] for path in cell.glob("out/checkpoints/*/step-*")]
        steps = [int(name) for name in names if name.isdigit()]
        if steps and max(steps) <= STEPS // 2 and (cell / "running.json").is_file():
            return True
    return False


@pytest.fixture(scope="module")
def undisturbed(repository, tmp_path_factory):
    """The sweep and its results, run by the local executor with nothing in its way."""
    folder = tmp_path_factory.mktemp("undisturbed") / "sweep"
    said = repository.run(repository.plan(), folder, executor="local").stdout
    assert "6 cells launched by local" in said
    wait_for_all(folder)
    assert repository.sweep("status", folder, "--json").returncode == 0
    made = record(repository, folder, tries=CELLS)
    return SimpleNamespace(folder=folder, results=results(folder), record=made)


def test_two_launches_a_lost_terminal_and_an_edited_source_change_nothing(
    repository, cluster, undisturbed, tmp_path
):
    folder, plan = tmp_path / "sweep", repository.plan()
    choices = ("--executor", "slurm", "--folder", folder, "--jobs", "2", *WAIVE)
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "start_new_session": True}
    both = [
        subprocess.Popen(**repository.command("run", plan, *choices), **pipes) for _ in range(2)
    ]
    said = [process.communicate(timeout=patience(LONG)) for process in both]
    launched = [out for out, _ in said if "6 cells launched by slurm" in out]
    assert len(launched) == 1, said  # the other waited its turn in vain, or was told to go away
    for process in both:  # the terminals of both are closed
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGHUP)
    wait_until(lambda: cluster.queue() or sealed(folder), 30, "no job was submitted")

    edited = repository.folder / "train_gpt_style/gpt/train.py"
    text = edited.read_text()
    edited.write_text("raise SystemExit('edited while jobs wait')\n")
    try:
        assert len(sealed(folder)) < CELLS
        wait_for_all(folder)
    finally:
        edited.write_text(text)
    assert results(folder) == undisturbed.results
    assert [len(attempts(cell)) for cell in cells(folder)] == [1] * CELLS
    again = repository.sweep("run", plan, "--executor", "slurm", "--folder", folder)
    assert "0 cells launched" in again.stdout
    assert record(repository, folder, tries=CELLS) == undisturbed.record


def test_a_killed_controller_and_a_lost_node_lose_and_repeat_nothing(
    repository, cluster, undisturbed, tmp_path
):
    folder = tmp_path / "sweep"
    repository.run(repository.plan(), folder)
    wait_until(lambda: midway(folder), LONG, "no checkpoint was written")
    began = max(path.stat().st_mtime for path in folder.glob("cells/*/*/running.json"))
    wait_until(lambda: cluster.has_saved(began), 60, "the controller saves nothing")
    cluster.kill("slurmctld")
    cluster.start("slurmctld")
    wait_until(lambda: midway(folder) and len(sealed(folder)) < CELLS, LONG, "nothing went on")
    cluster.kill("slurmd")
    lost = [cell for cell in cells(folder) if (cell / "running.json").is_file()]
    assert lost
    wait_until(
        lambda: set(cluster.queue().values()) == {"PENDING"}, 120, "the lost jobs were not requeued"
    )
    cluster.start("slurmd")
    wait_for_all(folder, cluster)
    assert results(folder) == undisturbed.results
    tries = 0
    for cell in cells(folder):  # the controller may have forgotten, and ended, a job or two
        *before, last = [attempt["outcome"] for attempt in attempts(cell)]
        assert last == "finished"
        assert set(before) <= {"lost", "preempted"}
        assert before or cell not in lost
        tries += 1 + len(before)
    assert any(attempts(cell)[-1]["resumed_from_step"] for cell in lost)
    assert record(repository, folder, tries=tries) == undisturbed.record


def test_a_crash_is_kept_with_its_reason_and_a_full_disk_is_survived(
    repository, cluster, undisturbed, tmp_path
):
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", disk], check=True)
    try:
        folder, filler = disk / "sweep", disk / "filler"
        plan = repository.plan("crash", STOP_NONFINITE="1", SCALAR_LR="1e30")
        free = shutil.disk_usage(disk).free
        filler.write_bytes(bytes(free - 400_000))  # room for the plan, not for weights
        repository.run(plan, folder)
        wait_until(lambda: not cluster.queue(), LONG, "the jobs do not end")
        assert not sealed(folder)
        filler.unlink()
        assert "6 cells launched by slurm" in repository.sweep("resume", folder).stdout
        wait_until(lambda: not cluster.queue(), LONG, "the jobs do not end")
        baseline = {
            name: found for name, found in undisturbed.results.items() if "baseline" in name
        }
        assert results(folder) == baseline
        status = repository.sweep("status", folder, "--json", check=False)
        assert status.returncode == 1
        states = {cell["cell"]: cell for cell in json.loads(status.stdout)["cells"]}
        for seed in (1597, 2584, 4181):
            crashed = states[f"crash/{seed}"]
            assert crashed["name"] == "failed"
            assert "not finite" in crashed["reason"]
            # With no room for its first line an attempt is not begun, and not counted.
            assert crashed["attempts"] in (1, 2)
        collected = repository.sweep("collect", folder, check=False)
        assert collected.returncode == 3
        assert "incomplete" in collected.stdout
    finally:
        subprocess.run(["umount", "-l", disk], check=True)


def measured(cell):
    """(seconds a step, seconds of everything else) of a cell that ran undisturbed."""
    lines = read_run_log(cell / "out/train.jsonl")
    marks = [line["clock"]["train_ms"] / 1000 for line in lines if line["kind"] == "step"]
    started, ended = (
        datetime.fromisoformat(attempts(cell)[0][key]) for key in ("started", "ended")
    )
    step = (marks[-1] - marks[0]) / (len(marks) - 1)
    return step, (ended - started).total_seconds() - len(marks) * step


def test_a_job_past_its_time_limit_goes_on_from_its_checkpoint(
    repository, cluster, undisturbed, tmp_path
):
    """One cell, longer than Slurm lets it run at a time: warned, requeued, resumed to the end.

    The limit leaves time to start and to work a while before the warning, and the steps take
    TIME_LIMITS limits, both by what a step and a start took here a moment ago.
    """
    name = "cells/baseline/1597"
    step, start = measured(undisturbed.folder / name)
    minutes = math.ceil((WARNING_S + 3 * start) / 60)
    steps = max(STEPS, round(TIME_LIMITS * 60 * minutes / step))
    facts = canonical.loads((undisturbed.folder / name / "cell.json").read_bytes(), "")
    facts["environment"]["ITERATIONS"] = str(steps)
    facts["environment"]["CHECKPOINT_EVERY"] = str(max(1, round(2 / step)))  # each two seconds
    facts["resources"]["minutes"] = minutes
    whole, limited = (tmp_path / folder / name for folder in ("whole", "limited"))
    for cell in (whole, limited):
        cell.mkdir(parents=True)
        (cell / "cell.json").write_bytes(canonical.dumps(facts))
    code = (
        "import sys; from pathlib import Path; from goldenseal.grids.executor import launch;"
        "cell = Path(sys.argv[1]);"
        f"launch([cell], 'slurm', 1, cell.parents[2], signal_delay_s={WARNING_S})"
    )
    by_hand = ("goldenseal.grids.cell", str(whole))
    with repository.start("-m", *by_hand) as undisturbed_one:
        assert repository.start("-c", code, str(limited)).wait() == 0
        # Two run side by side, and each round starts anew and may be requeued only after a while.
        seconds = LONG + 4 * TIME_LIMITS * 60 * minutes
        wait_for_all(tmp_path / "limited", cluster, count=1, seconds=seconds)
        assert undisturbed_one.wait() == 0
    assert results(tmp_path / "limited") == results(tmp_path / "whole")
    outcomes = [attempt["outcome"] for attempt in attempts(limited)]
    assert outcomes[0] == "preempted"
    assert outcomes.count("finished") == 1
    assert attempts(limited)[-1]["resumed_from_step"] > 0

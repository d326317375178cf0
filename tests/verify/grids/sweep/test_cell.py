"""Cells with small commands: run once, counted, resumed, sealed; nothing of a failed one counts."""

import os
import signal
import subprocess
import sys

import pytest

from goldenseal.disk import canonical
from goldenseal.disk.files import hash_file
from goldenseal.errors import UsageError
from goldenseal.grids import attempts
from goldenseal.grids.cell import is_sealed, lock_of, run_cell
from goldenseal.grids.lock import held
from goldenseal.grids.progress import state_of
from goldenseal.records.check import check
from tests.patience import patience, wait_until

RUN = """
import os, pathlib, signal, sys, time
from tests.verify.grids.sweep.toy_sweep import weights
from goldenseal.runlog import RunLog
HOW = {how!r}
open("ran", "a").write("x")
if HOW == "crash":
    sys.exit("the toy broke")
if HOW == "kill":
    os.kill(os.getpid(), signal.SIGKILL)
if HOW == "slow":
    time.sleep(600)
knobs = {{"SEED": os.environ["SEED"], "TOY": "2" if HOW == "other knobs" else os.environ["TOY"]}}
log = RunLog(pathlib.Path("train.jsonl"), {{"seed": os.environ["SEED"], "knobs": knobs}})
log.write("trained", {{"step": 2, "state": {{"model": weights(pathlib.Path("w.safetensors"))}}}})
log.end({{"steps": 2, "loss": (1.5).hex()}})
if HOW == "new dtype":
    weights(pathlib.Path("w.safetensors"), dtype="F3_E1M1")
if HOW == "lingers":
    open("over", "w").close()
    time.sleep(600)
if HOW == "tampered":
    text = pathlib.Path("train.jsonl").read_text()
    pathlib.Path("train.jsonl").write_text(text.replace('"step":2', '"step":3'))
"""


@pytest.fixture
def cell(tmp_path, request):
    folder = tmp_path / "cells" / "base" / "7"
    folder.mkdir(parents=True)
    data = tmp_path / "data.bin"
    data.write_bytes(b"data")

    def write(how="", **changed):
        facts = {
            "schema": 1, "checkpoints": None, "configuration": "base", "seed": 7,
            "command": [sys.executable, "-c", RUN.format(how=how)],
            "cwd": str(request.config.rootpath), "data": {str(data): hash_file(data)},
            "environment": {"SEED": "7", "TOY": "1"}, "log": "train.jsonl",
            "outputs": ["w.safetensors"],
            "resources": {"cpus": 1, "gpus": 0, "minutes": 1, "nodes": 1},
        }  # fmt: skip
        (folder / "cell.json").write_bytes(canonical.dumps(facts | changed))
        return folder

    return write


def outcomes(folder):
    return [line["outcome"] for line in attempts.read_attempts(folder)]


def test_a_cell_runs_once_however_often_it_is_asked_for(cell):
    folder = cell()
    assert [run_cell(folder), run_cell(folder)] == [0, 0]
    assert (folder / "out" / "ran").read_text() == "x"
    assert outcomes(folder) == ["finished"]
    assert state_of(folder).name == "finished"
    assert check(folder).holds


@pytest.mark.parametrize(
    ("how", "words"),
    [("crash", "the toy broke"), ("kill", ""), ("tampered", "train.jsonl"), ("other knobs", "TOY")],
)
def test_a_cell_that_goes_wrong_says_why_and_is_not_sealed(cell, how, words):
    folder = cell(how)
    assert run_cell(folder) == 1
    assert not is_sealed(folder)
    assert words in state_of(folder).reason
    assert state_of(folder).name == "failed"


def test_weights_that_cannot_be_checked_are_neither_sealed_nor_contradicted(cell):
    folder = cell("new dtype")
    assert run_cell(folder) == 3
    assert not is_sealed(folder)
    assert state_of(folder).reason.startswith("could not check: w.safetensors: tensor 'w' has the")


def test_every_attempt_is_counted_and_a_good_one_is_sealed(cell):
    folder = cell("crash")
    run_cell(folder)
    cell("tampered")
    run_cell(folder)
    cell()
    assert run_cell(folder) == 0
    assert outcomes(folder) == ["failed", "failed", "finished"]
    assert [line["n"] for line in attempts.read_attempts(folder)] == [1, 2, 3]


def test_a_cell_that_another_process_runs_is_left_to_it(cell):
    folder = cell()
    with held(lock_of(folder)) as mine:
        assert mine
        assert run_cell(folder, wait=False) == 3
    assert not (folder / "out").exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2])
def test_a_stopped_cell_ends_its_run_and_says_so(cell, number):
    folder = cell("slow")
    process = subprocess.Popen([sys.executable, "-m", "goldenseal.grids.cell", str(folder)])
    wait_for(folder / "out" / "ran")
    assert state_of(folder).name == "running"
    process.send_signal(number)
    assert process.wait(patience(15)) == 3
    (last,) = attempts.read_attempts(folder)
    assert (last["outcome"], last["signal"]) == ("preempted", number.name)
    assert state_of(folder).name == "interrupted"


def test_a_run_that_was_whole_when_it_was_stopped_is_finished(cell):
    folder = cell("lingers")
    process = subprocess.Popen([sys.executable, "-m", "goldenseal.grids.cell", str(folder)])
    wait_for(folder / "out" / "over")
    process.send_signal(signal.SIGTERM)
    assert process.wait(patience(15)) == 0
    assert outcomes(folder) == ["finished"]
    assert check(folder).holds


def test_a_cell_that_is_killed_is_counted_as_lost_and_leaves_no_run_behind(cell):
    folder = cell("slow")
    process = subprocess.Popen([sys.executable, "-m", "goldenseal.grids.cell", str(folder)])
    wait_for(folder / "out" / "ran")
    process.kill()
    process.wait()
    assert state_of(folder).name == "interrupted"
    cell()
    assert run_cell(folder) == 0
    assert outcomes(folder) == ["lost", "finished"]


def test_a_cell_that_was_killed_while_it_was_sealed_is_only_sealed(cell):
    folder = cell()
    run_cell(folder)
    for name in ("SHA512SUMS", "seal.json"):
        os.unlink(folder / name)
    assert run_cell(folder) == 0
    assert (folder / "out" / "ran").read_text() == "x"
    assert outcomes(folder) == ["finished"]
    assert check(folder).holds


def test_a_folder_that_holds_no_cell_is_refused(cell):
    folder = cell(schema=2)
    with pytest.raises(UsageError, match="no cell, schema 1"):
        run_cell(folder)


def wait_for(path):
    wait_until(path.exists, 20, f"{path} does not come")

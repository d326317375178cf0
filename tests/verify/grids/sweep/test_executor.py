"""pytest tests/verify/grids/sweep/test_executor.py

What is handed to submitit, and to torchrun.
"""

import os
import sys

import pytest

from goldenseal.disk import canonical
from goldenseal.errors import CannotCheckError, UsageError
from goldenseal.grids import executor
from goldenseal.grids.executor import RunCells, launch, slurm_parameters
from goldenseal.grids.torchrun import launched
from tests.patience import wait_until

PROGRAM = ["python", "-P", "-m", "toysystem"]
ONE = {"gpus": 0, "nodes": 1, "cpus": 2, "minutes": 30}


# -- torchrun ------------------------------------------------------------------------------------


@pytest.mark.parametrize("gpus", [0, 1])
def test_one_process_runs_the_command_as_it_is(gpus):
    assert launched(PROGRAM, {**ONE, "gpus": gpus}, {}) == PROGRAM


def test_several_gpus_get_a_process_each():
    command = launched(PROGRAM, {**ONE, "gpus": 8}, {})
    assert command[:4] == ["python", "-P", "-m", "torch.distributed.run"]
    assert command[4:] == ["--nproc-per-node=8", "--standalone", "-m", "toysystem"]


def test_several_nodes_meet_on_the_first_one():
    slurm = {"SLURM_JOB_ID": "77", "SLURM_NODEID": "1", "SLURM_LAUNCH_NODE_IPADDR": "10.0.0.1"}
    command = launched(PROGRAM, {**ONE, "gpus": 4, "nodes": 2}, slurm)
    assert command[4:] == [
        "--nproc-per-node=4", "--nnodes=2", "--node-rank=1", "--master-addr=10.0.0.1",
        "--master-port=20077", "-m", "toysystem",
    ]  # fmt: skip
    with pytest.raises(CannotCheckError, match="a cell on 2 nodes runs under Slurm"):
        launched(PROGRAM, {**ONE, "nodes": 2}, {})


# -- Slurm's words -------------------------------------------------------------------------------


def test_what_a_cell_takes_in_submitits_names():
    found = slurm_parameters({**ONE, "gpus": 8, "memory_gb": 64, "partition": "gpu"})
    assert found == {
        "cpus_per_task": 2, "gpus_per_node": 8, "mem": "64GB", "nodes": 1, "ntasks_per_node": 1,
        "partition": "gpu", "time": 30,
    }  # fmt: skip
    assert "gpus_per_node" not in slurm_parameters(ONE)


def test_jobs_that_are_over_are_not_listed(commands):
    commands("squeue", "printf '7_0 RUNNING\\n7_1 PENDING\\n9 RUNNING\\n'")
    jobs = [{"id": name, "executor": "slurm", "cells": []} for name in ("7_0", "7_1", "8")]
    jobs.append({"id": "999999999", "executor": "local", "cells": []})
    assert executor.job_states(jobs) == {"7_0": "RUNNING", "7_1": "PENDING"}


def test_a_job_is_resubmitted_as_it_was():
    unit = RunCells(("--list", "x"))
    assert unit.checkpoint().function == unit


# -- this machine --------------------------------------------------------------------------------


def write_cell(state, name, root):
    folder = state / "cells" / "a" / name
    folder.mkdir(parents=True)
    facts = {
        "schema": 1, "configuration": "a", "seed": int(name), "checkpoints": None,
        "command": [sys.executable, "-c", "raise SystemExit('no steam')"], "cwd": str(root),
        "data": {}, "environment": {"SEED": name}, "log": "train.jsonl", "outputs": [],
        "resources": ONE,
    }  # fmt: skip
    (folder / "cell.json").write_bytes(canonical.dumps(facts))
    return folder


# The workers outlive the object that started them, as they are meant to.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_local_workers_share_a_list_and_are_gone_when_it_is_done(tmp_path, root):
    folders = [write_cell(tmp_path, str(seed), root) for seed in (1, 2, 3)]
    ids = launch(folders, "local", 2, tmp_path)
    assert len(ids) == 2
    assert launch(folders, "local", 2, tmp_path) == []  # they have a job

    def over():
        os.waitpid(-1, os.WNOHANG)
        return not executor.live_jobs(tmp_path)

    wait_until(over, 120, "the workers do not end")
    assert [(f / "attempts.jsonl").read_bytes().count(b"\n") for f in folders] == [1, 1, 1]


def test_an_executor_that_does_not_exist_is_refused(tmp_path, root):
    with pytest.raises(UsageError, match="expected local or slurm"):
        launch([write_cell(tmp_path, "1", root)], "cloud", 1, tmp_path)


def test_jobs_json_of_another_form_is_refused(tmp_path):
    (tmp_path / "jobs.json").write_text("{}")
    with pytest.raises(UsageError, match="expected `at_once`, `executor` and `jobs`"):
        executor.read_jobs(tmp_path)

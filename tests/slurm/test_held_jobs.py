"""pytest -m slurm tests/slurm/test_held_jobs.py — jobs that will never start by themselves.

The reasons come from a real Slurm, the cells from a real sweep.
"""

import json
import os
import subprocess
from unittest import mock

import pytest

from goldenseal.grids import slurm
from tests.patience import wait_until

pytestmark = pytest.mark.slurm


def submit(cluster, *options):
    """A job that sleeps; its number."""
    silent = ("--parsable", "--output=/dev/null", "--wrap", "sleep 600")
    return cluster.ask("sbatch", *options, *silent).strip()


def stuck(cluster):
    """{job: the line to type} as the launcher sees this cluster's queue; None for the others."""
    with mock.patch.dict(os.environ, cluster.environment):
        jobs = slurm.queue(set(cluster.queue()))
    return {name: job.stuck and job.stuck.command for name, job in jobs.items()}


def wait_for(cluster, job, command):
    wait_until(
        lambda: stuck(cluster).get(job, "") == command,
        60,
        f"{job} is not as expected: {stuck(cluster)}",
    )


@pytest.fixture
def mute(cluster):
    """No job is left to the next test."""
    yield
    for job in cluster.queue():
        cluster.ask("scancel", job, check=False)
    wait_until(lambda: not cluster.queue(), 60, "the jobs do not end")


def test_each_way_to_hold_a_job_is_told_with_the_line_that_releases_it(cluster, mute):
    by_user, by_admin = submit(cluster, "--hold"), submit(cluster, "--begin=now+1hour")
    assert cluster.ask("scontrol", "hold", by_admin) == ""
    for job in (by_user, by_admin):
        wait_for(cluster, job, f"scontrol release {job}")
    for extra in ((), ("State=SpecialExit",)):
        job = submit(cluster, "--requeue")
        wait_until(lambda job=job: cluster.queue().get(job) == "RUNNING", 60, "it does not run")
        cluster.ask("scontrol", "requeuehold", *extra, job)
        wait_for(cluster, job, f"scontrol release {job}")
        cluster.ask("scontrol", "release", job)
        wait_for(cluster, job, None)
        cluster.ask("scancel", job)


def test_a_job_whose_launch_failed_is_held_and_goes_on_when_it_is_released(cluster, mute):
    cluster.refuse_launches(True)
    job = submit(cluster, "--requeue")
    wait_for(cluster, job, f"scontrol release {job}")
    with mock.patch.dict(os.environ, cluster.environment):
        assert slurm.queue({job})[job].stuck.reason == "launch_failed_requeued_held"
    cluster.refuse_launches(False)
    cluster.ask("scontrol", "release", job)
    wait_for(cluster, job, None)


def test_a_running_job_that_is_marked_to_be_held_still_runs(cluster, mute):
    job = submit(cluster)
    wait_until(lambda: cluster.queue().get(job) == "RUNNING", 60, "it does not run")
    cluster.ask("scontrol", "hold", job)
    assert stuck(cluster) == {job: None}


def test_a_job_that_cannot_start_as_it_was_asked_for_is_to_be_cancelled(cluster, mute):
    long, closed = submit(cluster, "-p", "short", "-t", "5"), submit(cluster, "-p", "closed")
    never = submit(cluster, f"--dependency=afterok:{submit(cluster, '-p', 'short', '-t', '5')}")
    cluster.ask("scancel", str(int(never) - 1))
    wait_for(cluster, long, f"scancel {long}")
    wait_for(cluster, never, f"scancel {never}")
    wait_for(cluster, closed, "scontrol update PartitionName=closed State=UP")


def test_jobs_that_wait_for_their_turn_are_not_stuck(cluster, mute):
    first = submit(cluster, "--exclusive")
    second, third = submit(cluster), submit(cluster, f"--dependency=afterok:{first}")
    later, row = submit(cluster, "--begin=now+1hour"), submit(cluster, "--array=0-2%1")
    wait_until(lambda: len(cluster.queue()) == 7, 60, f"{cluster.queue()}")
    assert set(stuck(cluster)) == {first, second, third, later, *(f"{row}_{n}" for n in range(3))}
    assert set(stuck(cluster).values()) == {None}


def test_a_held_cell_is_shown_is_not_launched_again_and_goes_on_when_it_is_released(
    repository, cluster, tmp_path
):
    folder = tmp_path / "sweep"
    cluster.refuse_launches(True)
    said = repository.run(repository.plan(), folder, jobs=1).stdout
    assert "note: JobRequeue=0" in said
    assert "note: partition main: PreemptMode=CANCEL" in said
    jobs = cluster.ask("scontrol", "--oneliner", "show", "job").splitlines()
    ours = [job for job in jobs if "JobName=goldenseal" in job]
    assert ours
    assert all(" Requeue=1 " in job for job in ours), "by default this cluster requeues nothing"

    def status():
        done = repository.sweep("status", folder, "--json", check=False)
        return json.loads(done.stdout)

    wait_until(lambda: status()["counts"]["held"], 60, "no cell is held", pause=1)
    held = [cell for cell in status()["cells"] if cell["name"] == "held"]
    again = repository.sweep("resume", folder).stdout
    assert "0 cells launched by slurm" in again
    for cell in held:
        assert cell["reason"] == "launch_failed_requeued_held"
        assert cell["command"].startswith("scontrol release ")
        assert f"held: {cell['cell']}: {cell['reason']} → {cell['command']}" in again
    cluster.refuse_launches(False)
    for cell in [cell for cell in status()["cells"] if cell["name"] == "held"]:
        subprocess.run(cell["command"].split(), env=cluster.environment, check=True)

    def all_finished():
        cluster.hurry()
        return status()["counts"]["finished"] == 6

    wait_until(all_finished, 240, "the cells do not end", pause=1)
    assert status()["scheduler"] is None


def test_this_cluster_requeues_only_a_job_that_asks_for_it(cluster, mute):
    """What submitit does at a time limit would be refused without the option that we set."""
    silent, asking = submit(cluster), submit(cluster, "--requeue")
    wait_until(lambda: set(cluster.queue().values()) == {"RUNNING"}, 60, "they do not run")
    answers = [
        subprocess.run(["scontrol", "requeue", job], env=cluster.environment, capture_output=True)
        for job in (silent, asking)
    ]
    assert [answer.returncode for answer in answers] == [1, 0]

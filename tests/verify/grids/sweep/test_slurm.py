"""pytest tests/verify/grids/sweep/test_slurm.py

What Slurm's answers mean; the commands are fakes.
"""

import json

import pytest

from goldenseal.disk import canonical
from goldenseal.errors import CannotCheckError
from goldenseal.grids import executor, slurm, watch
from goldenseal.grids.slurm import Job, largest_array, notes
from goldenseal.grids.sweep_command import run
from tests.verify.grids.sweep.toy_sweep import finish

# Every one was printed by, or is in the list of reasons of, Slurm 22.05 or 24.11.
HELD = (
    "JobHeldUser", "JobHeldAdmin", "JobHoldMaxRequeue", "launch_failed_requeued_held",
    "launch failed requeued held", "job_requeued_in_held_state",
)  # fmt: skip
NEVER = (
    "DependencyNeverSatisfied", "BadConstraints", "PartitionTimeLimit", "PartitionNodeLimit",
    "PartitionConfig", "InvalidAccount", "InvalidQOS", "AccountNotAllowed", "QOSNotAllowed",
    "DeadLine", "ReservationDeleted", "MaxMemPerLimit", "AssociationTimeLimit", "QOSTimeLimit",
    "AssocMaxCpuPerJobLimit", "AssocMaxWallDurationPerJobLimit", "QOSMaxWallDurationPerJobLimit",
    "QOSMaxGRESPerJob", "AssocMaxMemPerNode", "QOSMaxCpuPerNode", "QOSMinGRES",
    "QOSMinCpuNotSatisfied", "AssocGrpCPUMinutesLimit", "QOSGrpGRESMinutes", "AssocGrpWallLimit",
    "QOSMaxCpuMinutesPerJobLimit", "AssocMaxNodeMinutesPerJob",
)  # fmt: skip
WAITING = (
    "None", "Resources", "Priority", "Dependency", "BeginTime", "JobArrayTaskLimit", "Licenses",
    "Reservation", "Cleaning", "NodeDown", "ReqNodeNotAvail, Reserved for maintenance",
    "QOSUsageThreshold", "AssocGrpCpuLimit", "AssocGrpJobsLimit", "AssocGrpCPURunMinutesLimit",
    "QOSGrpGRESRunMinutes", "QOSGrpNodeLimit", "QOSMaxJobsPerUserLimit", "QOSMaxCpuPerUserLimit",
    "MaxGRESPerAccount", "AssocMaxJobsLimit", "Prolog", "", "SomethingNewInSlurm99",
)  # fmt: skip
CONFIG = "MaxArraySize = 1001\nJobRequeue = {requeue}\nPreemptMode = {mode}\nPreemptType = {kind}\n"
PARTITIONS = (
    "PartitionName=main AllowGroups=ALL Default=YES PreemptMode={main} State=UP\n"
    "PartitionName=gpu AllowGroups=ALL Default=NO PreemptMode={gpu} State=UP\n"
)


# -- reasons -------------------------------------------------------------------------------------


@pytest.mark.parametrize("reason", HELD)
def test_a_held_job_is_stuck_until_it_is_released(reason):
    found = Job("7_1", "PENDING", "gpu", reason).stuck
    assert found.reason == reason.replace(" ", "_")
    assert found.command == "scontrol release 7_1"


@pytest.mark.parametrize("state", ["REQUEUE_HOLD", "SPECIAL_EXIT", "RESV_DEL_HOLD"])
@pytest.mark.parametrize("reason", ["", "None", "JobHeldAdmin"])
def test_a_state_that_is_held_needs_no_reason(state, reason):
    found = Job("7_1", state, "gpu", reason).stuck
    assert found.command == "scontrol release 7_1"
    assert found.reason == ("JobHeldAdmin" if reason == "JobHeldAdmin" else state)


@pytest.mark.parametrize("reason", NEVER)
def test_a_job_that_asks_for_what_it_cannot_get_is_stuck_until_it_is_cancelled(reason):
    found = Job("9", "PENDING", "gpu", reason).stuck
    assert found.reason == f"{reason}: cannot start as it was asked for"
    assert found.command == "scancel 9"


@pytest.mark.parametrize("reason", ["PartitionDown", "PartitionInactive"])
def test_a_partition_that_is_down_is_named(reason):
    found = Job("9", "PENDING", "gpu", reason).stuck
    assert found.command == "scontrol update PartitionName=gpu State=UP"


@pytest.mark.parametrize("reason", WAITING)
def test_a_job_that_waits_for_its_turn_is_not_stuck(reason):
    assert Job("9", "PENDING", "gpu", reason).stuck is None


@pytest.mark.parametrize("state", ["RUNNING", "COMPLETING", "CONFIGURING", "SUSPENDED"])
def test_a_job_that_was_started_is_not_stuck_though_it_is_marked_to_be_held(state):
    assert Job("9", state, "gpu", "JobHeldAdmin").stuck is None


# -- the queue -----------------------------------------------------------------------------------


def test_the_queue_is_read_with_partition_and_reason(commands):
    commands(
        "squeue",
        "printf '7_0 RUNNING main None\\n7_1 PENDING gpu ReqNodeNotAvail, May be reserved\\n"
        "8 PENDING main launch_failed_requeued_held\\n11 PENDING main Priority\\n'",
    )
    assert slurm.queue({"7_0", "7_1", "8", "9"}) == {
        "7_0": Job("7_0", "RUNNING", "main", "None"),
        "7_1": Job("7_1", "PENDING", "gpu", "ReqNodeNotAvail, May be reserved"),
        "8": Job("8", "PENDING", "main", "launch_failed_requeued_held"),
    }


def test_the_longest_array_is_asked_of_the_cluster(commands):
    commands("scontrol", "echo 'MaxArraySize            = 1001'")
    assert largest_array() == 1000
    for text in ("MaxArraySize            = 0", "nothing of the kind"):
        commands("scontrol", f"echo '{text}'")
        with pytest.raises(CannotCheckError, match="allows no job arrays"):
            largest_array()


def test_a_controller_that_does_not_answer_is_one_line(commands):
    commands(
        "squeue", "echo 'slurm_load_jobs error: Unable to contact slurm controller' >&2; exit 1"
    )
    with pytest.raises(CannotCheckError, match="squeue: slurm_load_jobs error: Unable to contact"):
        executor.job_states([{"id": "1", "executor": "slurm", "cells": []}])


# -- what a launch is told -----------------------------------------------------------------------


@pytest.fixture
def cluster(commands):
    """Sets what `scontrol show` says."""

    def set_up(requeue=1, mode="REQUEUE", kind="preempt/partition_prio", main=None, gpu=None):
        config = CONFIG.format(requeue=requeue, mode=mode, kind=kind)
        partitions = PARTITIONS.format(main=main or mode, gpu=gpu or mode)
        commands(
            "scontrol",
            f"case \"$*\" in *config*) printf '{config}';; *) printf '{partitions}';; esac",
        )

    return set_up


def test_a_cluster_that_requeues_needs_no_word(cluster):
    cluster()
    assert notes({""}) == []


def test_a_cluster_that_does_not_requeue_is_told(cluster):
    cluster(requeue=0)
    (note,) = notes({""})
    assert note.startswith("JobRequeue=0")
    assert "goldenseal sweep resume" in note


@pytest.mark.parametrize("mode", ["CANCEL", "GANG,CANCEL", "cancel", "WITHIN,CANCEL"])
def test_preemption_that_cancels_is_told(cluster, mode):
    cluster(mode=mode)
    (note,) = notes({""})
    assert note.startswith(f"partition main: PreemptMode={mode}")


def test_the_mode_of_the_partition_that_is_asked_for_decides(cluster):
    cluster(mode="REQUEUE", gpu="CANCEL")
    assert notes({""}) == []
    assert notes({"gpu"})[0].startswith("partition gpu: PreemptMode=CANCEL")
    cluster(mode="CANCEL", gpu="REQUEUE")
    assert notes({"gpu"}) == []
    assert len(notes({"gpu", "main"})) == 1
    assert notes({"elsewhere"})[0].startswith("this cluster: PreemptMode=CANCEL")


def test_where_a_qos_decides_the_mode_of_the_partition_does_not(cluster):
    cluster(mode="REQUEUE", main="CANCEL", kind="preempt/qos")
    assert notes({""}) == []
    cluster(mode="CANCEL", main="REQUEUE", kind="preempt/qos")
    assert len(notes({""})) == 1


# -- what status and resume make of it -----------------------------------------------------------


@pytest.fixture
def launched(toy, commands):
    """A sweep whose first four cells were given to Slurm, as jobs 5_0 to 5_3; the first is done."""
    folders = toy.prepare(waivers={"verdict": "a toy has none"})
    names = [folder.relative_to(toy.folder).as_posix() for folder in folders[:4]]
    jobs = [
        {"cells": [name], "executor": "slurm", "id": f"5_{number}"}
        for number, name in enumerate(names)
    ]
    facts = {"at_once": 2, "executor": "slurm", "jobs": jobs}
    (toy.folder / executor.JOBS).write_bytes(canonical.dumps(facts))
    finish(folders[0])
    return [name.removeprefix("cells/") for name in names]


def queue_of(commands, *lines):
    commands("squeue", "\n".join(f"echo '{line}'" for line in lines))


def test_a_held_cell_is_shown_with_the_line_to_type_and_is_nothing_to_wait_for(
    toy, launched, commands, capsys
):
    held = "5_1 PENDING main launch_failed_requeued_held"
    queue_of(commands, held, "5_2 PENDING main Priority")
    assert watch.status(toy.folder, as_json=True) == 3
    found = json.loads(capsys.readouterr().out)
    cells = {cell["cell"]: cell for cell in found["cells"]}
    assert cells[launched[1]]["name"] == "held"
    assert cells[launched[1]]["reason"] == "launch_failed_requeued_held"
    assert cells[launched[1]]["command"] == "scontrol release 5_1"
    assert cells[launched[2]]["name"] == "planned"
    assert (found["counts"]["held"], found["scheduler"]) == (1, None)
    assert watch.look(toy.folder).waits
    queue_of(commands, held)
    assert not watch.look(toy.folder).waits, "a held job does not count as live"
    watch.status(toy.folder, as_json=False, once=True)
    assert "scontrol release 5_1" in capsys.readouterr().out


def test_a_cell_whose_other_job_goes_on_is_not_held(toy, launched, commands):
    path = toy.folder / executor.JOBS
    facts = json.loads(path.read_bytes())
    facts["jobs"].append({**facts["jobs"][1], "id": "6_0"})
    path.write_bytes(canonical.dumps(facts))
    queue_of(commands, "5_1 PENDING main JobHeldUser", "6_0 PENDING main Priority")
    assert executor.queue(toy.folder).stuck == {}


def test_a_finished_cell_is_finished_though_its_job_is_held(toy, launched, commands):
    queue_of(commands, "5_0 PENDING main JobHeldUser")
    states = {state.cell: state.name for state in watch.look(toy.folder).cells}
    assert states[launched[0]] == "finished"


def test_without_slurm_the_files_are_shown_and_that_it_was_not_heard(
    toy, launched, monkeypatch, capsys
):
    monkeypatch.setenv("PATH", "/nowhere")
    assert watch.status(toy.folder, as_json=True) == 3
    found = json.loads(capsys.readouterr().out)
    assert "squeue is not here" in found["scheduler"]
    assert found["counts"]["finished"] == 1
    watch.status(toy.folder, as_json=False, once=True)
    assert "held jobs are not shown: squeue is not here" in capsys.readouterr().out


def test_a_launch_says_what_is_held_and_what_the_cluster_does_and_submits_no_held_cell_again(
    toy, launched, commands, cluster, monkeypatch, capsys
):
    given = []

    def launch(folders, executor, at_once, state):
        given.extend(folders)
        return ["6_0"]

    monkeypatch.setattr(executor, "launch", launch)
    queue_of(commands, "5_1 PENDING main JobHeldAdmin", "5_2 RUNNING main None")
    cluster(requeue=0, mode="CANCEL")
    for as_json in (True, False):
        assert run(toy.file, toy.folder, "slurm", 2, [], False, as_json) == 0
    text = capsys.readouterr().out
    found, _ = json.JSONDecoder().raw_decode(text)
    assert found["held"] == [
        {"cell": launched[1], "command": "scontrol release 5_1", "reason": "JobHeldAdmin"}
    ]
    assert (found["running"], found["sealed"], len(found["notes"])) == (1, 1, 2)
    names = {f"{path.parent.name}/{path.name}" for path in given}
    assert not names & {launched[1], launched[2]}
    assert launched[3] in names, "its job is gone, and nothing came of it"
    assert f"held: {launched[1]}: JobHeldAdmin → scontrol release 5_1" in text
    assert "note: JobRequeue=0" in text
    assert "note: partition main: PreemptMode=CANCEL" in text

"""What Slurm is asked: which jobs wait and why, how long an array may be, what becomes of jobs.

A job that waits for resources starts by itself. One that is held, or can never start as it was
asked for, stays in the queue for ever; `Job.stuck` tells the two apart, with the line to type.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Collection
from dataclasses import dataclass

from goldenseal.errors import CannotCheckError

WAITING = "PENDING"
HELD_STATES = ("REQUEUE_HOLD", "RESV_DEL_HOLD", "SPECIAL_EXIT")
DOWN = ("partitiondown", "partitioninactive")
# Reasons that no other job's end takes away. What an association's or a QOS's running jobs use up
# for now (AssocGrpCpuLimit, QOSMaxJobsPerUserLimit…) is none of them; a budget that is spent is.
NEVER = re.compile(
    r"accountnotallowed|associationtimelimit|badconstraints|deadline|dependencyneversatisfied|"
    r"invalidaccount|invalidqos|maxmemperlimit|partitionconfig|partition(node|time)limit|"
    r"qosnotallowed|qostimelimit|reservationdeleted|"
    r"(assoc|qos)max.*per(job|node)(limit)?|(assoc|qos)grp(wall|.*(?<!run)minutes).*|qosmin.*"
)


@dataclass(frozen=True)
class Stuck:
    """Why a job does not start by itself, and the line to type."""

    reason: str
    command: str


@dataclass(frozen=True)
class Job:
    """A job that is not over, in Slurm's words."""

    id: str
    state: str
    partition: str = ""
    reason: str = ""

    @property
    def stuck(self) -> Stuck | None:
        """Why it will not start by itself; None for one that runs, or waits for its turn."""
        if self.state not in (WAITING, *HELD_STATES):
            return None  # `scontrol hold` marks a running job too: that counts when it is requeued
        word = self.reason.replace(" ", "_")
        key = word.lower()
        if self.state in HELD_STATES or "held" in key or key.startswith("jobhold"):
            said = self.state if word in ("", "None") else word
            return Stuck(said, f"scontrol release {self.id}")
        if key in DOWN:
            return Stuck(word, f"scontrol update PartitionName={self.partition} State=UP")
        if NEVER.fullmatch(key):
            return Stuck(f"{word}: cannot start as it was asked for", f"scancel {self.id}")
        return None


def queue(ids: Collection[str]) -> dict[str, Job]:
    """Those of the jobs that are not over, by id; an array's elements one by one.

    Raises CannotCheckError when the controller does not answer.
    """
    form = "--format=%i %T %P %r"
    found = {}
    for line in ask("squeue", "--noheader", "--array", form, f"--user={os.getuid()}").splitlines():
        words = line.strip().split(" ", 3)
        if len(words) > 1 and words[0] in ids:
            found[words[0]] = Job(*words)
    return found


def largest_array() -> int:
    """How many elements an array may have here. Raises CannotCheckError without an answer."""
    found = _setting("MaxArraySize", ask("scontrol", "show", "config"))
    if not found.isdecimal() or int(found) < 2:
        raise CannotCheckError("this Slurm allows no job arrays: MaxArraySize")
    return int(found) - 1  # the largest index is one less than the setting


def notes(partitions: Collection[str]) -> list[str]:
    """What a launch should know of this cluster: jobs that it would end instead of requeueing.

    partitions: names, an empty one for the cluster's default. Raises CannotCheckError when the
    controller does not answer.
    """
    config = ask("scontrol", "show", "config")
    found = []
    if _setting("JobRequeue", config) == "0":
        found.append(
            "JobRequeue=0: this cluster requeues no job that does not ask for it; these ask "
            "(--requeue). A cell that stays interrupted goes on with `goldenseal sweep resume`"
        )
    for name in sorted(set(partitions)):
        partition, mode = _preemption(name, config)
        if "CANCEL" in mode.upper().split(","):
            found.append(
                f"{partition}: PreemptMode={mode}: a preempted job is ended, not requeued; its "
                "cell stays interrupted until `goldenseal sweep resume`"
            )
    return found


def _preemption(name: str, config: str) -> tuple[str, str]:
    """(which partition, its PreemptMode): the cluster's where the partition's does not count."""
    lines = ask("scontrol", "--oneliner", "show", "partition").splitlines()
    every = [dict(re.findall(r"(\w+)=(\S*)", line)) for line in lines]
    mode = _setting("PreemptMode", config)
    for facts in every:
        asked = facts.get("PartitionName") in name.split(",")
        if asked or (not name and facts.get("Default") == "YES"):
            own = facts.get("PreemptMode", mode)
            if "qos" in _setting("PreemptType", config):  # the mode of a QOS, or the cluster's
                own = mode
            return f"partition {facts.get('PartitionName')}", own
    return "this cluster", mode


def _setting(name: str, config: str) -> str:
    """A line of `scontrol show config`; empty without one."""
    found = re.search(rf"^{name}\s*=\s*(\S+)", config, re.M)
    return found[1] if found else ""


def ask(*command: str) -> str:
    """What a command of Slurm prints. Raises CannotCheckError when it is missing or fails."""
    if shutil.which(command[0]) is None:
        raise CannotCheckError(f"{command[0]} is not here: no part of a Slurm cluster?")
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        words = (done.stderr.strip() or f"exit {done.returncode}").splitlines()[0]
        raise CannotCheckError(f"{command[0]}: {words}")
    return done.stdout

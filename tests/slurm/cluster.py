"""A Slurm cluster of one node on loopback, with all its state in one folder. Needs root.

    with Cluster(folder) as cluster:
        subprocess.run(["sbatch", …], env=cluster.environment)

Its daemons can be killed and started again, as machines do by themselves.
"""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

from tests.patience import patience, wait_until

DAEMONS = ("munged", "slurmctld", "slurmd")
HOST = socket.gethostname().partition(".")[0]
CPUS = 2
SETTLED_S = 4  # a requeued job is left alone so long
NODE_TIMEOUT_S = 10  # without a word from the node, its jobs are requeued
# Neither requeueing by default nor after preemption: what a launch must cope with, and tell.
CONFIGURATION = """
ClusterName=goldenseal
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
ReturnToService=2
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
SlurmdTimeout={timeout}
MessageTimeout={message_timeout}
TCPTimeout={message_timeout}
KillWait={kill_wait}
JobRequeue=0
PreemptType=preempt/partition_prio
PreemptMode=CANCEL
Prolog={folder}/prolog
MaxArraySize=5
SchedulerParameters=sched_interval=1,sched_min_interval=10000,bf_interval=1,batch_sched_delay=1
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} State=UNKNOWN
PartitionName=main Nodes={host} Default=YES MaxTime=INFINITE State=UP
PartitionName=short Nodes={host} MaxTime=1 State=UP
PartitionName=closed Nodes={host} State=DOWN
"""


def why_not():
    """Why there can be no cluster here; empty when there can be one."""
    missing = [name for name in (*DAEMONS, "sbatch", "srun") if shutil.which(name) is None]
    if missing:
        return f"{missing[0]} is not here: apt-get install slurm-wlm munge"
    return "" if os.geteuid() == 0 else "a cluster is started by root"


class Cluster:
    """Use as a context manager: it ends every daemon and every job that it started."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.environment = {**os.environ, "SLURM_CONF": str(self.folder / "slurm.conf")}
        self.daemons = {}
        self.pending = {}  # jobs: since when they were seen to wait

    def __enter__(self):
        for name in ("state", "spool"):
            (self.folder / name).mkdir(parents=True)
        self.folder.chmod(0o755)
        key = self.folder / "munge.key"
        key.write_bytes(os.urandom(1024))
        key.chmod(0o400)
        text = CONFIGURATION.format(
            host=HOST,
            ports=free_ports(2),
            folder=self.folder,
            timeout=round(patience(NODE_TIMEOUT_S)),
            message_timeout=min(round(patience(10)), 100),  # above 100 Slurm warns
            kill_wait=round(patience(5)),
            cpus=CPUS,
        )
        prolog = self.folder / "prolog"  # a job cannot be launched while `no-launch` is there
        prolog.write_text(f"#!/bin/sh\ntest ! -e {self.folder}/no-launch\n")
        prolog.chmod(0o755)
        (self.folder / "slurm.conf").write_text(text)
        for name in DAEMONS:
            self.start(name)
        return self

    def __exit__(self, *args):
        self.ask("scancel", "--full", f"--user={os.getuid()}", check=False)
        for name in reversed(DAEMONS):
            self.kill(name, signal.SIGTERM)

    def start(self, name):
        """Start a daemon, in the foreground of this process's own making, and wait for it."""
        conf = str(self.folder / "slurm.conf")
        command = {
            "munged": [
                "munged", "--foreground", "--force",
                *(f"--{part}-file={self.folder}/munge.{part}" for part in ("key", "pid", "seed")),
                f"--log-file={self.folder}/munge.log",
                f"--socket={self.folder}/munge.socket",
            ],
            "slurmctld": ["slurmctld", "-D", "-f", conf],
            "slurmd": ["slurmd", "-D", "-f", conf],
        }[name]  # fmt: skip
        output = open(self.folder / f"{name}.out", "ab")
        with output:
            self.daemons[name] = subprocess.Popen(
                command, stdout=output, stderr=output, env=self.environment, start_new_session=True
            )
        ready = {
            "munged": lambda: (self.folder / "munge.socket").exists(),
            "slurmctld": lambda: "UP" in self.ask("scontrol", "ping", check=False),
            "slurmd": lambda: self.node_state() in ("idle", "mixed", "allocated"),
        }[name]
        wait_until(ready, 40, f"{name} does not start: see {self.folder}/{name}.out")

    def kill(self, name, number=signal.SIGKILL):
        """End a daemon; of the node's, its job steps too, as when the machine is gone."""
        process = self.daemons.pop(name, None)
        if process is None:
            return
        steps = job_processes(self.folder / "slurm.conf") if name == "slurmd" else []
        process.send_signal(number)
        process.wait()
        for pid in steps:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def revive(self):
        """Start what is dead and end what runs: the next test meets a whole, idle cluster."""
        for name in DAEMONS:
            if name not in self.daemons or self.daemons[name].poll() is not None:
                self.start(name)
        for job in self.queue():
            self.ask("scancel", job, check=False)
        self.refuse_launches(False)

    def has_saved(self, moment):
        """Whether the controller wrote its jobs to disk after that: what it did not, it forgets."""
        state = self.folder / "state" / "job_state"
        return state.is_file() and state.stat().st_mtime > moment

    def refuse_launches(self, wish):
        """Let every launch of a job fail at the node, or none; a failure drains the node."""
        mark = self.folder / "no-launch"
        if wish:
            mark.touch()
        elif mark.exists():
            mark.unlink()
            wait_until(lambda: "drain" in self.node_state(), 20, "the node is not drained")
            self.ask("scontrol", "update", f"NodeName={HOST}", "State=RESUME")

    def node_state(self):
        """idle, mixed, allocated, down…, as sinfo has it."""
        return self.ask("sinfo", "--noheader", "--format=%T", check=False).strip().rstrip("*")

    def queue(self):
        """{job: state} of what is not over."""
        lines = self.ask("squeue", "--noheader", "--array", "--format=%i %T").splitlines()
        return dict(line.split() for line in lines)

    def hurry(self):
        """Let what has waited a little start now: Slurm lets a requeued job wait two minutes.

        Not at once: a job that starts in the second of its own requeueing is refused for good.
        """
        now = time.monotonic()
        pending = [job for job, state in self.queue().items() if state == "PENDING"]
        self.pending = {job: self.pending.get(job, now) for job in pending}
        for job, since in self.pending.items():
            if now - since > patience(SETTLED_S):
                self.ask("scontrol", "update", f"JobId={job}", "StartTime=now", check=False)

    def ask(self, *command, check=True):
        """What a command of Slurm prints."""
        done = subprocess.run(
            command,
            env=self.environment,
            capture_output=True,
            text=True,
            check=check,
            timeout=patience(30),
        )
        return done.stdout


def job_processes(configuration):
    """Every process of a cluster's job steps. Their daemon is a child of init, not of slurmd."""
    mark = f"SLURM_CONF={configuration}".encode()
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            daemon = path.joinpath("comm").read_text().startswith("slurmstepd")
            if daemon and mark in path.joinpath("environ").read_bytes().split(b"\0"):
                found += [*below(int(path.name)), int(path.name)]
    return found


def below(pid):
    """The processes below one."""
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            for child in map(int, path.read_text().split()):
                yield from below(child)
                yield child


def free_ports(count):
    """Ports that nobody uses now."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]

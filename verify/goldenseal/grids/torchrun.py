"""A cell's command under torchrun, where it takes several GPUs or nodes."""

from collections.abc import Mapping, Sequence
from typing import Any

from goldenseal.errors import CannotCheckError

PORT_BASE, PORTS = 20_000, 20_000  # where the nodes of a job meet: a port by the job's number


def launched(
    command: Sequence[str], resources: Mapping[str, Any], environ: Mapping[str, str]
) -> list[str]:
    """The command line of this node: as it is for one process, else with torchrun in front.

    `command` begins with the interpreter and -P. Of several nodes, Slurm's variables say which this
    is and where the first one is. Raises CannotCheckError when they do not.
    """
    gpus, nodes = int(resources["gpus"]), int(resources["nodes"])
    if max(gpus, 1) * nodes == 1:
        return list(command)
    python, *program = command
    program = program[1:] if program[:1] == ["-P"] else program
    run = [python, "-P", "-m", "torch.distributed.run", f"--nproc-per-node={max(gpus, 1)}"]
    if nodes == 1:
        return [*run, "--standalone", *program]
    try:
        job, rank, first = (
            environ[name] for name in ("SLURM_JOB_ID", "SLURM_NODEID", "SLURM_LAUNCH_NODE_IPADDR")
        )
    except KeyError as error:
        raise CannotCheckError(
            f"a cell on {nodes} nodes runs under Slurm: {error} is not set here"
        ) from None
    port = PORT_BASE + int(job) % PORTS
    meeting = [f"--master-addr={first}", f"--master-port={port}"]
    return [*run, f"--nnodes={nodes}", f"--node-rank={rank}", *meeting, *program]

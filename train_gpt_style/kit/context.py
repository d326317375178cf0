"""Where a process runs: its device and its rank, and each number that the host waits for."""

import gc
import time
from contextlib import nullcontext

import torch
import torch.distributed as dist

from goldenseal.errors import UsageError


def is_distributed():
    """Whether a process group is up."""
    return dist.is_available() and dist.is_initialized()


class Context:
    """This process, as torchrun describes it in the environment; alone when that says nothing.

    `parts`: a global batch is computed in so many parts, which the ranks share out evenly; None: in
    one, by one process.
    """

    def __init__(self, environ, parts=None):
        self.rank, self.world_size = int(environ.get("RANK", 0)), int(environ.get("WORLD_SIZE", 1))
        if parts is None:
            if self.world_size != 1:
                raise UsageError(f"WORLD_SIZE={self.world_size}: this system trains in one process")
        else:
            if self.world_size < 1 or parts % self.world_size:
                raise UsageError(f"WORLD_SIZE={self.world_size} must divide {parts}")
            self.grad_accum_steps = parts // self.world_size
        self.cuda = torch.cuda.is_available()
        self.device = torch.device("cpu")
        # What products and attention round their inputs to; None: nothing is rounded.
        self.autocast_type = None
        if self.cuda:
            self.device = torch.device("cuda", int(environ.get("LOCAL_RANK", 0)))
            if torch.cuda.is_bf16_supported():
                self.autocast_type = torch.bfloat16  # as the baselines do on cuda
        self.started_group = parts is not None and "RANK" in environ and not is_distributed()
        if self.cuda:
            torch.cuda.set_device(self.device)
        if self.started_group:
            dist.init_process_group("nccl" if self.cuda else "gloo")

    def __enter__(self):
        return self

    def __exit__(self, kind, error, traceback):
        try:
            if kind is None:
                self.wait_for_others()
        finally:
            self.close()

    def wait_for_others(self):
        """Meet the other ranks: gloo aborts a process whose peer has left the group before it."""
        if self.started_group:
            dist.barrier()

    def close(self):
        """Leave the process group, if this object joined it."""
        if self.started_group:
            gc.collect()  # what still holds the group would end its threads too late
            dist.destroy_process_group()

    def autocast(self):
        """bfloat16 activations on CUDA; plain fp32 on CPU, unless a feature says otherwise."""
        if self.autocast_type is None:
            return nullcontext()
        return torch.autocast(self.device.type, self.autocast_type)

    def synchronize(self):
        """Wait for the device, so that the clock reads what was really done."""
        if self.cuda:
            torch.cuda.synchronize()

    def now(self):
        """Seconds on a clock that never goes back, once the device has done its work."""
        self.synchronize()
        return time.perf_counter()

    def read(self, t):
        """The number in a tensor, or the list of them; the host waits for the device."""
        return t.tolist() if t.ndim else t.item()

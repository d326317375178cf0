"""Where a process runs: its device, its rank, and how the global batch is divided."""

import gc
from contextlib import nullcontext

import torch
import torch.distributed as dist

from train_gpt_style.gpt.settings import MICRO_BATCHES
from verify.errors import UsageError


def is_distributed():
    """Whether a process group is up."""
    return dist.is_available() and dist.is_initialized()


class Context:
    """This process, as torchrun describes it in the environment; alone when nobody does."""

    def __init__(self, environ):
        self.rank, self.world_size = int(environ.get("RANK", 0)), int(environ.get("WORLD_SIZE", 1))
        if self.world_size < 1 or MICRO_BATCHES % self.world_size:
            raise UsageError(f"WORLD_SIZE={self.world_size} must divide {MICRO_BATCHES}")
        self.grad_accum_steps = MICRO_BATCHES // self.world_size
        self.cuda = torch.cuda.is_available()
        self.device = torch.device("cpu")
        if self.cuda:
            self.device = torch.device("cuda", int(environ.get("LOCAL_RANK", 0)))
        # What products and attention round their inputs to; None: nothing is rounded.
        self.autocast_type = torch.bfloat16 if self.cuda else None
        self.started_group = "RANK" in environ and not is_distributed()
        if self.cuda:
            torch.cuda.set_device(self.device)
        if self.started_group:
            dist.init_process_group("nccl" if self.cuda else "gloo")

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

"""Where the process runs, and each number that the host reads from the device."""

import time
from contextlib import nullcontext

import torch


class Context:
    """The device of this process. `reads` counts what the host waited for."""

    def __init__(self, environ):
        self.cuda = torch.cuda.is_available()
        self.device = torch.device("cuda" if self.cuda else "cpu")
        self.bf16 = self.cuda and torch.cuda.is_bf16_supported()
        self.reads = 0

    def autocast(self):
        """bfloat16 activations where the device has them."""
        return torch.autocast(self.device.type, torch.bfloat16) if self.bf16 else nullcontext()

    def synchronize(self):
        """Wait for the device, so that the clock reads what was really done."""
        if self.cuda:
            torch.cuda.synchronize()

    def now(self):
        """Seconds on a clock that never goes back, once the device has done its work."""
        self.synchronize()
        return time.perf_counter()

    def read(self, t):
        """The number in a tensor, or the list of them; a host synchronisation, counted as one."""
        self.reads += 1
        return t.tolist() if t.ndim else t.item()

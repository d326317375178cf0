"""Run a system up to one optimizer step and write down every tensor of that step, in order.

    python -P verify/goldenseal/reproduce/step_trace.py MODULE STEP FOLDER

Started by path, with the system's own source on PYTHONPATH: so it can trace a source that is older
than itself, and imports nothing of this package but the run log that the system writes to. A step
is what lies between two `step` lines of that log. Written: FOLDER/events.jsonl, one line a tensor
(what, dtype, shape, SHA-512, where its bytes lie), and FOLDER/events.bin, the bytes themselves as
far as MAX_KEPT goes.
"""

import hashlib
import json
import os
import runpy
import sys
from pathlib import Path
from typing import Any

MAX_KEPT = 1 << 30  # bytes of tensors on the disk; of what comes later, the digests are kept


class Tracer:
    """Watches forward passes, gradients and parameters through torch's global hooks."""

    def __init__(self, step: int, folder: Path):
        self.step, self.current, self.count = step, 1, 0
        self.names: dict[int, str] = {}
        self.index = (folder / "events.jsonl").open("w", encoding="utf-8")
        self.bytes = (folder / "events.bin").open("wb")

    def install(self) -> None:
        """Once torch is there: the system decides in which numeric lane it is imported."""
        from torch.nn.modules import module
        from torch.optim import optimizer

        module.register_module_forward_pre_hook(lambda m, args: self.adopt(m))
        module.register_module_forward_hook(self.after_forward)
        optimizer.register_optimizer_step_pre_hook(lambda o, *_: self.gradients(o))
        last = optimizer.register_optimizer_step_post_hook(lambda o, *_: self.parameters(o))
        # Before the system's own hooks: one that removes itself would end the round of calls.
        hooks: Any = optimizer._global_optimizer_post_hooks
        hooks.move_to_end(last.id, last=False)

    def adopt(self, module: Any) -> None:
        """Learn the names below the outermost module that is called."""
        if id(module) not in self.names:
            for name, inner in module.named_modules():
                self.names.setdefault(id(inner), name or type(module).__name__)
            for name, p in module.named_parameters():
                self.names.setdefault(id(p), name)

    def after_forward(self, module: Any, args: Any, output: Any) -> None:
        """The output of a module; of several, each tensor."""
        outputs = output if isinstance(output, tuple | list) else [output]
        for i, value in enumerate(outputs):
            where = f" [{i}]" if len(outputs) > 1 else ""
            self.note(f"output of {self.names[id(module)]}{where}", value)

    def gradients(self, optimizer: Any) -> None:
        """What an optimizer is about to use."""
        for name, p in self.owned(optimizer):
            if p.grad is not None:
                self.note(f"gradient of {name}", p.grad)

    def parameters(self, optimizer: Any) -> None:
        """What it made of them."""
        for name, p in self.owned(optimizer):
            self.note(f"parameter {name} after {type(optimizer).__name__}", p)

    def owned(self, optimizer: Any) -> Any:
        """(name, parameter) of all groups, in order."""
        parameters = [p for group in optimizer.param_groups for p in group["params"]]
        return [(self.names.get(id(p), f"number {i}"), p) for i, p in enumerate(parameters)]

    def note(self, what: str, value: Any) -> None:
        """One tensor, if this is the step that was asked for."""
        import torch

        if self.current != self.step or not torch.is_tensor(value):
            return
        tensor = value.detach().cpu().resolve_conj().resolve_neg().contiguous()
        raw = tensor.reshape(-1).view(torch.uint8).numpy().tobytes()
        kept = self.bytes.tell() + len(raw) <= MAX_KEPT
        event = {
            "what": what,
            "dtype": str(tensor.dtype).removeprefix("torch."),
            "shape": list(tensor.shape),
            "sha512": hashlib.sha512(raw).hexdigest(),
            "at": self.bytes.tell() if kept else None,
        }
        self.index.write(json.dumps(event) + "\n")
        if kept:
            self.bytes.write(raw)

    def logged(self, kind: str, facts: dict[str, Any]) -> None:
        """A line of the run log: the end of a step, and of the trace when it was the one."""
        if kind != "step":
            return
        if facts["step"] >= self.step:
            self.index.close()
            self.bytes.close()
            sys.stdout.flush()
            os._exit(0)  # nothing of what a run does at its end is wanted
        self.current = facts["step"] + 1


def main(module: str, step: int, folder: Path) -> None:
    """Run `module` under the trace."""
    from goldenseal.runlog import RunLog

    tracer = Tracer(step, folder)
    begin, write = RunLog.__init__, RunLog.write

    def traced_begin(self: Any, *args: Any, **kwargs: Any) -> None:
        tracer.install()
        begin(self, *args, **kwargs)

    def traced_write(self: Any, kind: str, facts: Any, *args: Any, **kwargs: Any) -> None:
        write(self, kind, facts, *args, **kwargs)
        tracer.logged(kind, facts)

    RunLog.__init__, RunLog.write = traced_begin, traced_write  # type: ignore[method-assign]
    sys.argv = [module]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))

"""The operations that the portable lane covers: a list, a guard that refuses others, a tracer.

A run in the portable lane is guarded until its first training step is over, then pays nothing more.
Evaluation and export are for the check run, train_gpt_style/kit/check_run.py.

covered.txt is written by `python -m benchmarks.portable --write-covered`, which adds an operation
only when its results had the same bytes on every CPU model tried. A line is an ATen operation and
the floating types of its tensors. `sqrt` is not there: MKL's vector version starts from the CPU's
approximate reciprocal root, and its last bit depends on the maker.
"""

import hashlib
import pkgutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

import torch
from torch.optim.optimizer import register_optimizer_step_post_hook
from torch.utils import _pytree as pytree
from torch.utils._python_dispatch import TorchDispatchMode, _get_current_dispatch_mode

from goldenseal.errors import UsageError

COVERED_FILE = Path(__file__).with_name("covered.txt")
# Their second argument chooses the routine: x**2 is a product, x**0.5 the uncovered root.
EXPONENT_CHOOSES = ("pow.Tensor_Scalar", "linalg_vector_norm.default", "_foreach_norm.Scalar")


def covered_operations() -> frozenset[str]:
    """The lines of covered.txt."""
    # Asked of whatever loaded this module: the file is beside it in a folder, or in a bundle.
    return frozenset(pkgutil.get_data(__name__, COVERED_FILE.name).decode("utf-8").splitlines())


def tensors_in(values) -> list[torch.Tensor]:
    """Every tensor in nested arguments, in order."""
    return [leaf for leaf in pytree.tree_leaves(values) if isinstance(leaf, torch.Tensor)]


def signature(func, args, tensors) -> str:
    """Such as `aten.mm.default bfloat16`: the operation and the floating types that it meets.

    Powers and norms carry their exponent, `aten.pow.Tensor_Scalar(2) float32`.
    """
    types = {str(t.dtype).removeprefix("torch.") for t in tensors if t.is_floating_point()}
    exponent = ""
    if func.__name__ in EXPONENT_CHOOSES:
        exponent = f"({args[1] if len(args) > 1 else 2:g})"
    return " ".join([f"{func}{exponent}", *sorted(types)])


def computes(func) -> bool:
    """Whether the operation makes new numbers; views, fresh memory and the profiler do not."""
    return func.namespace == "aten" and not func.is_view and "empty" not in func.__name__


class Guard(TorchDispatchMode):
    """Lets covered operations through. An uncovered one raises UsageError with its name."""

    def __init__(self, covered=None):
        super().__init__()
        self.covered = covered_operations() if covered is None else covered

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        """Check, then compute."""
        kwargs = kwargs or {}
        if computes(func):
            name = signature(func, args, tensors_in((args, kwargs)))
            if name not in self.covered:
                raise UsageError(
                    f"NUMERICS=portable does not cover the operation {name}: "
                    "use NUMERICS=native, or cover it with make portable"
                )
        return func(*args, **kwargs)


def refuse_uncovered_at_first() -> None:
    """Guard this process until an optimizer steps for the second time."""
    guard, stepped = Guard(), set()

    def after_step(optimizer, args, kwargs):
        # A check run's tracer may lie above the guard, which then stays for the whole run.
        if id(optimizer) in stepped and _get_current_dispatch_mode() is guard:
            guard.__exit__(None, None, None)
            handle.remove()
        stepped.add(id(optimizer))

    handle = register_optimizer_step_post_hook(after_step)
    guard.__enter__()


# ----------------------------------------------------------------------------------------------
# Tracing: one line an operation, with the digest of what it computed
# ----------------------------------------------------------------------------------------------


def bytes_digest(t: torch.Tensor) -> str:
    """The start of the SHA-256 over the tensor's bytes."""
    if t.numel() == 0:
        return "empty"
    flat = t.detach().contiguous().reshape(-1).view(torch.uint8)
    return hashlib.sha256(flat.numpy().tobytes()).hexdigest()[:16]


def written_arguments(func, args, kwargs) -> list[torch.Tensor]:
    """The tensors that the operation changes in place."""
    written = []
    for i, argument in enumerate(func._schema.arguments):
        if argument.alias_info is not None and argument.alias_info.is_write:
            written.append(args[i] if i < len(args) else kwargs.get(argument.name))
    return tensors_in(written)


class Tracer(TorchDispatchMode):
    """Writes `operation types shapes -> digests` for all that is computed: values, gradients,
    parameters and optimizer states alike, since each is some operation's result."""

    def __init__(self, file: TextIO):
        super().__init__()
        self.file = file

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        """Compute, then write."""
        kwargs = kwargs or {}
        inputs = tensors_in((args, kwargs))
        name = signature(func, args, inputs)  # before: an in-place operation may change what it met
        shapes = " ".join(str(list(t.shape)).replace(" ", "") for t in inputs)
        result = func(*args, **kwargs)
        if computes(func):
            outputs = [*tensors_in(result), *written_arguments(func, args, kwargs)]
            digests = " ".join(map(bytes_digest, outputs))
            self.file.write(f"{name} | {shapes} -> {digests}\n")
        return result


@contextmanager
def tracing(path: Path) -> Iterator[None]:
    """Trace the block into a file."""
    with path.open("w", encoding="utf-8") as file, Tracer(file):
        yield

"""A CPU that answers calls for CUDA, for scripts that know nothing else. What it answered is said.

Tensors and modules that are sent to CUDA stay on the CPU, process groups meet by gloo, and what
CUDA's allocator, streams and events would report is empty.
"""

import contextlib
import functools
import os
import shutil
import tempfile
import types
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

import torch
from torch.overrides import TorchFunctionMode

NOTHING = (
    *("set_device", "synchronize", "empty_cache", "reset_peak_memory_stats", "ipc_collect"),
    *("reset_max_memory_allocated", "reset_accumulated_memory_stats", "init", "manual_seed"),
    *("manual_seed_all", "set_per_process_memory_fraction", "set_rng_state", "set_rng_state_all"),
    *("set_stream", "reset_max_memory_cached", "seed", "seed_all"),
)
ANSWERS: dict[str, Any] = {
    **dict.fromkeys(("memory_allocated", "max_memory_allocated", "memory_reserved"), 0),
    **dict.fromkeys(("max_memory_reserved", "memory_cached", "max_memory_cached"), 0),
    "utilization": 0,
    "current_device": 0,
    "get_device_name": "CPU",
    "get_device_capability": (9, 0),
    "mem_get_info": (1 << 34, 1 << 34),
    "memory_stats": {},
    "memory_summary": "",
    "is_available": True,
    "is_bf16_supported": True,
    "get_rng_state_all": [],
}


@contextlib.contextmanager
def answered_by_cpu(replaced: list[str]) -> Iterator[None]:
    """Inside, CUDA is this CPU; each kind of call that was answered is added to `replaced`."""

    def said(what: str) -> None:
        if what not in replaced:
            replaced.append(what)

    with contextlib.ExitStack() as stack:

        def put(owner: Any, name: str, value: Any) -> None:
            if hasattr(owner, name):
                stack.enter_context(mock.patch.object(owner, name, value))

        for name in NOTHING:
            put(torch.cuda, name, _answer(f"torch.cuda.{name}", None, said))
        for name, value in ANSWERS.items():
            put(torch.cuda, name, _answer(f"torch.cuda.{name}", value, said))
        put(torch.cuda, "device_count", _answer("torch.cuda.device_count", 1, said))
        put(torch.cuda, "is_initialized", lambda: False)
        put(torch.cuda, "get_rng_state", lambda *_, **__: torch.empty(0, dtype=torch.uint8))
        put(torch.cuda, "get_device_properties", lambda *_, **__: PROPERTIES)
        put(torch.cuda, "Event", _Event)
        put(torch.cuda, "Stream", _Stream)
        for name in ("current_stream", "default_stream"):
            put(torch.cuda, name, lambda *_, **__: _Stream())
        for name in ("stream", "device"):
            put(torch.cuda, name, lambda *_, **__: contextlib.nullcontext())
        for owner, name in ((torch.Tensor, "cuda"), (torch.nn.Module, "cuda")):
            put(owner, name, _same(f".{name}()", said))
        put(torch.Tensor, "pin_memory", _same("pin_memory", said))
        put(torch, "set_default_device", _on_cpu(torch.set_default_device))
        put(torch, "load", _on_cpu(torch.load))  # of a map_location
        _patch_constructors(put, said)
        _patch_distributed(put, said)
        stack.enter_context(_OnCpu(said))
        stack.enter_context(_a_program_that_reports_no_gpu())
        yield


@contextlib.contextmanager
def _a_program_that_reports_no_gpu() -> Iterator[None]:
    """A `nvidia-smi` for scripts that log what it says, where there is none."""
    if shutil.which("nvidia-smi") is not None:
        yield
        return
    with tempfile.TemporaryDirectory() as folder:
        program = os.path.join(folder, "nvidia-smi")
        with open(program, "w") as file:
            file.write("#!/bin/sh\necho 'no GPU: the CPU answers'\n")
        os.chmod(program, 0o755)
        path = os.pathsep.join((folder, os.environ.get("PATH", os.defpath)))
        os.environ["PATH"] = path  # for good: the process is this run's, and set back would show
        yield


def _answer(name: str, value: Any, said: Callable[[str], None]) -> Callable[..., Any]:
    def answered(*args: Any, **kwargs: Any) -> Any:
        said(name)
        return value

    return answered


def _same(name: str, said: Callable[[str], None]) -> Callable[..., Any]:
    def unmoved(this: Any, *args: Any, **kwargs: Any) -> Any:
        said(name)
        return this

    return unmoved


def _is_cuda(value: Any) -> bool:
    if isinstance(value, str):
        return value.partition(":")[0] == "cuda"
    return isinstance(value, torch.device) and value.type == "cuda"


def moved(value: Any) -> Any:
    """The CPU in place of a CUDA device, by name or object; anything else as it is."""
    if not _is_cuda(value):
        return value
    return "cpu" if isinstance(value, str) else torch.device("cpu")


GENERATOR = torch.Generator
CUDA = "cuda"  # what a device's number stands for
TO = (torch.Tensor.to, torch._C._nn._parse_to)


def _numbered_on_cpu(
    func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """A device that is given by its number, as a rank, by its name."""
    if type(kwargs.get("device")) is int:
        kwargs = {**kwargs, "device": CUDA}
    if func in TO:
        args = tuple(CUDA if type(each) is int else each for each in args)
    return args, kwargs


def _on_cpu(real: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(real)
    def call(*args: Any, **kwargs: Any) -> Any:
        return real(*map(moved, args), **{name: moved(value) for name, value in kwargs.items()})

    return call


class _OnCpu(TorchFunctionMode):
    """Every function of torch that is asked for CUDA uses the CPU."""

    def __init__(self, said: Callable[[str], None]):
        super().__init__()
        self._said = said

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if kwargs.get("pin_memory"):
            self._said("pin_memory")
            kwargs = {**kwargs, "pin_memory": False}
        args, kwargs = _numbered_on_cpu(func, args, kwargs)
        if any(map(_is_cuda, args)) or any(map(_is_cuda, kwargs.values())):
            self._said(f"device cuda of {getattr(func, '__name__', func)}")
            args = tuple(map(moved, args))
            kwargs = {name: moved(value) for name, value in kwargs.items()}
        return func(*args, **kwargs)


def _patch_constructors(put: Callable[[Any, str, Any], None], said: Callable[[str], None]) -> None:
    """Objects that are told a device as they are made, and pinned memory of loaders."""
    from torch.amp import autocast_mode, grad_scaler
    from torch.utils.data import DataLoader

    for kind in (autocast_mode.autocast, grad_scaler.GradScaler):
        real = kind.__init__

        def __init__(this: Any, *args: Any, real: Any = real, **kwargs: Any) -> None:
            if any(map(_is_cuda, (*args, *kwargs.values()))):
                said(f"{type(this).__name__} on cuda")
            real(this, *map(moved, args), **{name: moved(each) for name, each in kwargs.items()})

        put(kind, "__init__", functools.wraps(real)(__init__))
    make = DataLoader.__init__

    @functools.wraps(make)
    def unpinned(this: Any, *args: Any, **kwargs: Any) -> None:
        if kwargs.get("pin_memory"):
            said("pin_memory of a data loader")
            kwargs = {**kwargs, "pin_memory": False, "pin_memory_device": ""}
        make(this, *args, **kwargs)

    put(DataLoader, "__init__", unpinned)
    put(torch, "Generator", _Generator)


def _patch_distributed(put: Callable[[Any, str, Any], None], said: Callable[[str], None]) -> None:
    import torch.distributed as dist

    if not dist.is_available():
        return
    join, reduce = dist.init_process_group, dist.all_reduce
    parallel = torch.nn.parallel.DistributedDataParallel
    put(parallel, "__init__", _without_devices(parallel.__init__, said))

    def init_process_group(backend: Any = None, *args: Any, **kwargs: Any) -> Any:
        said("nccl, by gloo")
        kwargs.pop("device_id", None)
        return join("gloo", *args, **kwargs)

    def all_reduce(tensor: Any, op: Any = dist.ReduceOp.SUM, **kwargs: Any) -> Any:
        if op != dist.ReduceOp.AVG:
            return reduce(tensor, op=op, **kwargs)
        tensor.div_(dist.get_world_size())  # gloo has no average
        return reduce(tensor, op=dist.ReduceOp.SUM, **kwargs)

    put(dist, "init_process_group", init_process_group)
    put(dist, "all_reduce", all_reduce)


def _without_devices(real: Callable[..., None], said: Callable[[str], None]) -> Callable[..., None]:
    """The constructor of what is told the GPUs of a module, which on the CPU has none."""

    @functools.wraps(real)
    def __init__(this: Any, module: Any, *args: Any, **kwargs: Any) -> None:
        given = [name for name in ("device_ids", "output_device") if kwargs.get(name) is not None]
        if given or args:
            said("GPUs of DistributedDataParallel")
        real(
            this,
            module,
            *((None, None, *args[2:]) if args else ()),
            **{name: value for name, value in kwargs.items() if name not in given},
        )

    return __init__


class _Generators(type):
    """Of a class that is asked for, as by `isinstance`, in place of torch's own."""

    def __instancecheck__(cls, each: object) -> bool:
        return isinstance(each, GENERATOR)


class _Generator(metaclass=_Generators):
    """Makes torch's generators, on the CPU."""

    def __new__(cls, device: Any = "cpu") -> Any:
        return GENERATOR(moved(device))


class _Stream:
    """A stream of a device that does everything at once."""

    def __init__(self, *args: Any, **kwargs: Any):
        self.cuda_stream = 0

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *_, **__: None

    def __enter__(self) -> "_Stream":
        return self

    def __exit__(self, *exc_info: object) -> None:
        pass


class _Event:
    """An event that has always happened already."""

    def __init__(self, *args: Any, **kwargs: Any):
        pass

    def record(self, *args: Any) -> None:
        """Nothing to wait for."""

    def wait(self, *args: Any) -> None:
        """Nothing to wait for."""

    def synchronize(self) -> None:
        """Nothing to wait for."""

    def query(self) -> bool:
        """It has happened."""
        return True

    def elapsed_time(self, other: object) -> float:
        """No time, in milliseconds."""
        return 0.0


PROPERTIES = types.SimpleNamespace(
    name="CPU", major=9, minor=0, total_memory=1 << 34, multi_processor_count=1
)

"""Notes what a Python process reads, imports, writes and asks of its environment, and where it ran.

`goldenseal record -- COMMAND` puts a copy of this file, called sitecustomize.py, first on
PYTHONPATH, so that every Python that the command starts imports it before anything else. That may
be any Python from 3.8, in any environment, so nothing but the standard library is imported. Lines
go to the file that GOLDENSEAL_NOTES names, each as soon as it is known, for a process may be killed
or leave by os._exit.
"""

from __future__ import annotations

import atexit
import functools
import hashlib
import importlib.machinery
import importlib.util
import json
import os
import platform
import sys
from typing import Any

HERE = os.path.dirname(os.path.abspath(__file__))
NOTES = os.environ.get("GOLDENSEAL_NOTES", "")
SYSTEM = tuple(
    prefix.rstrip(os.sep) + os.sep
    for prefix in {"/proc", "/sys", "/dev", "/etc", "/usr", HERE, sys.prefix, sys.base_prefix}
    if prefix.rstrip(os.sep)
)
INSTALLED = tuple(os.sep + name + os.sep for name in ("site-packages", "dist-packages"))
# Through which a variable is read; since Python 3.11 they are frozen, and no files.
LIBRARY = ("os.py", "_collections_abc.py", "<frozen os>", "<frozen _collections_abc>")
# What decides how torch and its libraries compute: a name, and how its value is had.
TORCH = (
    "get_default_dtype",
    "get_float32_matmul_precision",
    "are_deterministic_algorithms_enabled",
    "is_deterministic_algorithms_warn_only_enabled",
    "get_num_threads",
)
BACKENDS = (
    "cudnn.benchmark",
    "cudnn.deterministic",
    "cudnn.allow_tf32",
    "cuda.matmul.allow_tf32",
    "mkldnn.enabled",
)
VARIABLES: tuple[str, ...] = ("ATEN_", "CUBLAS_", "CUDA_", "KMP_", "MKL_", "NCCL_", "NVIDIA_TF32_")
VARIABLES += ("OMP_", "ONEDNN_", "OPENBLAS_", "PYTHONHASHSEED", "PYTORCH_", "TORCH_")


class Watch:
    """One process; a forked one goes on with the notes of its parent."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self.seen: set[tuple[Any, ...]] = set()
        self.busy = False
        self.told = False

    def note(self, kind: str, *facts: Any) -> None:
        """Append one line, the first time that it would be written."""
        key = (kind, *facts)
        if self.busy or key in self.seen:
            return
        self.busy = True
        try:
            self.seen.add(key)
            line = json.dumps([kind, *facts]).encode() + b"\n"
            file = os.open(NOTES, os.O_WRONLY | os.O_APPEND)
            try:
                os.write(file, line)
            finally:
                os.close(file)
        except OSError:
            pass  # a run must never fail for being watched
        finally:
            self.busy = False

    def hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        """The audit hook: files that are opened or take another's place, loaded modules."""
        if self.busy:
            return
        if event == "open":
            path, _, flags = arguments
            writes = isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR)
            self.file("wrote" if writes else "read", path)
        elif event == "import" and arguments[1]:
            self.file("read", arguments[1])
        elif event == "cpython.run_file":
            self.file("read", arguments[0])
        elif event == "os.rename":
            self.file("wrote", arguments[1])

    def file(self, kind: str, path: Any) -> None:
        """Note a file of the user's; those of Python, of the system and of libraries are not."""
        try:
            text = os.path.abspath(os.fsdecode(path))
        except (TypeError, ValueError, OSError):
            return  # a descriptor, or a name that is none
        if text.endswith(tuple(importlib.machinery.BYTECODE_SUFFIXES)):
            if kind == "wrote":
                return  # Python's own cache
            try:
                text = importlib.util.source_from_cache(text)
            except (ValueError, NotImplementedError):
                return
        if not foreign(text):
            self.note(kind, text)

    def variable(self, name: Any, value: str | None) -> None:
        """Note a variable that code of the user's asks for, and which file asked."""
        frame: Any = sys._getframe(2)
        while frame and os.path.basename(frame.f_code.co_filename) in LIBRARY:
            frame = frame.f_back
        asked = os.path.abspath(frame.f_code.co_filename) if frame else ""
        if isinstance(name, str) and os.path.isfile(asked) and not foreign(asked):
            self.note("variable", name, value, asked)

    def end(self) -> None:
        """Note where the process ran, once, if it is the one that was started and no fork of it."""
        if os.getpid() == self.pid and not self.told:
            self.told = True
            self.note("ran", json.dumps([environment(), numeric_class()], sort_keys=True))


def foreign(path: str) -> bool:
    """Whether a file is of Python, of an installed library or of the operating system."""
    return path.startswith(SYSTEM) or any(part in path for part in INSTALLED)


def environment() -> dict[str, Any]:
    """Python and the packages that are installed for it."""
    from importlib import metadata

    found: dict[str, str] = {}
    for each in metadata.distributions():
        name = each.metadata["Name"]
        if name:
            found.setdefault(name, each.version)  # the first on the path is the one that counts
    return {
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "platform": platform.platform(),
        "packages": dict(sorted(found.items())),
    }


def numeric_class() -> dict[str, Any]:
    """What decides the bytes of a result besides source, knobs and data, as far as it is known."""
    facts: dict[str, Any] = {
        "machine": platform.machine(),
        "byteorder": sys.byteorder,
        "libc": " ".join(platform.libc_ver()),
        "settings": {k: v for k, v in sorted(os.environ.items()) if k.startswith(VARIABLES)},
    }
    if "numpy" in sys.modules:
        facts["numpy"] = getattr(sys.modules["numpy"], "__version__", None)
    torch: Any = sys.modules.get("torch")
    if hasattr(torch, "__config__"):
        facts["torch"] = torch.__version__
        facts["build"] = hashlib.sha512(torch.__config__.show().encode()).hexdigest()
        facts["cpu_capability"] = value_of(torch, "backends.cpu.get_cpu_capability")
        facts["flags"] = {f"torch.{name}": value_of(torch, name) for name in TORCH}
        for name in BACKENDS:
            facts["flags"][f"torch.backends.{name}"] = value_of(torch, f"backends.{name}")
        if "torch.cuda" in sys.modules and torch.cuda.is_initialized():
            count = torch.cuda.device_count()
            facts["cuda"] = torch.version.cuda
            facts["cuda_devices"] = [torch.cuda.get_device_name(i) for i in range(count)]
    return facts


def value_of(torch: Any, name: str) -> str | None:
    """A switch as text; null where this torch has no such thing."""
    try:
        found = functools.reduce(getattr, name.split("."), torch)
        return str(found() if callable(found) else found)
    except (AttributeError, RuntimeError):
        return None


def start() -> None:
    """Hook in."""
    watch = Watch()
    sys.addaudithook(watch.hear)
    environment_class: Any = type(os.environ)
    plain_read: Any = environment_class.__getitem__
    plain_exit: Any = os._exit

    @functools.wraps(plain_read)
    def read(self: Any, name: Any) -> Any:
        try:
            value = plain_read(self, name)
        except KeyError:
            watch.variable(name, None)
            raise
        watch.variable(name, value)
        return value

    @functools.wraps(plain_exit)
    def leave(status: int) -> None:
        watch.end()
        plain_exit(status)

    environment_class.__getitem__ = read
    os._exit = leave  # type: ignore[assignment]
    atexit.register(watch.end)
    watch.note("python", sys.executable, platform.python_version())


def go_on() -> None:
    """Give way to the sitecustomize that this one hides, if there is one."""
    sys.path[:] = [folder for folder in sys.path if os.path.abspath(folder) != HERE]
    spec = importlib.machinery.PathFinder.find_spec("sitecustomize")
    if spec and spec.loader:
        module = importlib.util.module_from_spec(spec)
        sys.modules["sitecustomize"] = module
        spec.loader.exec_module(module)


if NOTES:
    start()
go_on()

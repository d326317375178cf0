"""Numeric lanes and numeric classes: which code paths compute, and how a run says so.

    native     what torch chooses on this machine: fast, and other bytes on another CPU
    portable   scalar and SSE code paths, one thread, no GPU: the same bytes on each CPU model that
               `make portable` tries, for the operations in covered.txt

The lane is decided before torch is imported, since torch and its libraries read their settings
when they are loaded: call `enter_lane(os.environ)` first thing. This module imports no torch.
"""

import hashlib
import os
import platform
import sys
from collections.abc import Mapping
from typing import Any

from goldenseal.errors import UsageError
from goldenseal.knobs import Knob

NUMERICS = Knob(
    "NUMERICS",
    str,
    "native",
    "numeric lane: native is fast, portable gives the same bytes on other CPUs",
    choices=("native", "portable"),
)

# Each line was needed for equal bytes, or rules out a difference that the trial cannot see.
PORTABLE_SETTINGS = {
    "ATEN_CPU_CAPABILITY": "default",  # torch's own kernels: no AVX2, no AVX-512
    "MKL_CBWR": "COMPATIBLE",  # matrix products that do not look at the CPU
    "ONEDNN_MAX_CPU_ISA": "SSE41",
    "OMP_NUM_THREADS": "1",  # sums are split by the number of threads
    "MKL_NUM_THREADS": "1",
    "CUDA_VISIBLE_DEVICES": "",  # a GPU is another class altogether
}

# Variables that change results without being part of torch; unset ones are reported as null.
NUMERIC_VARIABLES = (
    *sorted(PORTABLE_SETTINGS),
    "CUBLAS_WORKSPACE_CONFIG",
    "DNNL_MAX_CPU_ISA",
    "GLIBC_TUNABLES",
    "MKL_ENABLE_INSTRUCTIONS",
    "NVIDIA_TF32_OVERRIDE",
    "ONEDNN_DEFAULT_FPMATH_MODE",
    "TORCHINDUCTOR_BATCH_INVARIANT",
    "TORCHINDUCTOR_DETERMINISTIC",
    "TORCHINDUCTOR_MAX_AUTOTUNE",
    "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE",
    "TORCH_BLAS_PREFER_CUBLASLT",
    "TORCH_LINALG_PREFER_CUSOLVER",
    # In which order NCCL adds up what the ranks hold: its algorithm, and what that is chosen by.
    *("NCCL_ALGO", "NCCL_PROTO", "NCCL_BUFFSIZE", "NCCL_NTHREADS", "NCCL_CONF_FILE"),
    *("NCCL_MIN_NCHANNELS", "NCCL_MAX_NCHANNELS", "NCCL_MIN_CTAS", "NCCL_MAX_CTAS"),
    *("NCCL_COLLNET_ENABLE", "NCCL_NVLS_ENABLE", "NCCL_P2P_LEVEL", "NCCL_CROSS_NIC"),
    *("NCCL_GRAPH_FILE", "NCCL_TOPO_FILE", "NCCL_TUNER_PLUGIN", "NCCL_TUNER_CONFIG_FILE"),
)


def enter_lane(environ: Mapping[str, str], guarded: bool = True) -> str:
    """Put this process into the lane that `NUMERICS` names in `environ`; returns the lane.

    Portable: sets PORTABLE_SETTINGS, whatever was there before, and imports torch with one thread;
    when guarded, an uncovered operation is refused until the first training step is over. Native:
    changes nothing. Entering the same lane again is harmless.

    Raises UsageError for an unknown lane, and when torch was imported in the other one.
    """
    lane = str(NUMERICS.parse(environ.get("NUMERICS", "")))
    if "torch" in sys.modules:
        if lane != lane_in_force():
            raise UsageError(
                f"NUMERICS={lane}, but torch is already imported in the {lane_in_force()} lane: "
                "enter the lane before the first import of torch"
            )
        return lane
    if lane == "native":
        if all(os.environ.get(name) == value for name, value in PORTABLE_SETTINGS.items()):
            raise UsageError(
                "NUMERICS=native, but the environment holds the portable lane's settings: "
                f"unset {', '.join(PORTABLE_SETTINGS)}"
            )
        return lane
    os.environ.update(PORTABLE_SETTINGS)
    import torch

    torch.set_num_threads(1)
    if guarded:
        from train_gpt_style.kit.covered import refuse_uncovered_at_first

        refuse_uncovered_at_first()
    return lane


def lane_in_force() -> str:
    """The lane of this process, as torch sees it; imports torch.

    The environment alone is no evidence: torch fixes its code paths with the first operation.
    """
    import torch

    settings = all(os.environ.get(name) == text for name, text in PORTABLE_SETTINGS.items())
    scalar = torch.backends.cpu.get_cpu_capability() == "DEFAULT"
    return "portable" if settings and scalar and torch.get_num_threads() == 1 else "native"


def deterministic(fill_memory: bool = True) -> None:
    """Make torch choose deterministic algorithms, on every device; an error where there is none.

    fill_memory: fill new uninitialised memory with NaN, so that a read of garbage shows. It costs
        time and must change no digest.
    """
    # cuBLAS reads this when its first handle is made.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    import torch

    torch.use_deterministic_algorithms(True)
    torch.utils.deterministic.fill_uninitialized_memory = fill_memory
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.deterministic = True


def numeric_class() -> dict[str, Any]:
    """Everything that decides the bytes of a result besides source, knobs, seed and data.

    Two runs of equal class are expected to agree to the bit. JSON: texts, numbers, booleans, null.
    In the portable lane the CPU is left out: that it does not matter is what the lane claims.
    """
    import torch

    from goldenseal.ladder.flags import global_flags

    lane = lane_in_force()
    backends = torch.backends
    flags = global_flags()
    if lane == "portable":  # what quantised layers run on is chosen by the CPU
        del flags["torch.backends.quantized.engine"]
    return {
        "build": _build_digest(torch.__config__.show()),
        "cpu": None if lane == "portable" else _cpu(torch.cpu.get_capabilities()),
        "cpu_capability": backends.cpu.get_cpu_capability(),
        "cuda_devices": _cuda_devices() if torch.cuda.is_available() else [],
        "collectives": _collectives(),
        "deterministic": {
            "algorithms": torch.are_deterministic_algorithms_enabled(),
            "cudnn_benchmark": backends.cudnn.benchmark,
            "cudnn_deterministic": backends.cudnn.deterministic,
            "warn_only": torch.is_deterministic_algorithms_warn_only_enabled(),
        },
        "flags": flags,
        "lane": lane,
        "libc": " ".join(platform.libc_ver()),  # its exp, log and pow are called by torch
        "machine": platform.machine(),
        "matmul_precision": torch.get_float32_matmul_precision(),
        "mkldnn": backends.mkldnn.is_available() and backends.mkldnn.enabled,
        "settings": {name: os.environ.get(name) for name in NUMERIC_VARIABLES},
        "tf32": {
            "cudnn": backends.cudnn.allow_tf32,
            "matmul": backends.cuda.matmul.allow_tf32,
        },
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
    }


def _collectives() -> str | None:
    """The version of NCCL, where a run may use it."""
    import torch

    if not torch.cuda.is_available() or not torch.distributed.is_nccl_available():
        return None
    return ".".join(map(str, torch.cuda.nccl.version()))


def _build_digest(config: str) -> str:
    """SHA-512 of torch's build description, without the line on the capability in force."""
    kept = [line for line in config.splitlines() if "CPU capability usage" not in line]
    return hashlib.sha512("\n".join(kept).encode()).hexdigest()


def _cpu(capabilities: Mapping[str, Any]) -> str:
    """The CPU's name and instruction sets, by which math libraries choose their code."""
    flags = sorted(name for name, has in capabilities.items() if has is True)
    return f"{capabilities.get('cpu_name', platform.processor())}: {' '.join(flags)}"


def _cuda_devices() -> list[dict[str, Any]]:
    """Name, capability and driver of each visible device; the driver is null without pynvml."""
    import torch

    devices = []
    for index in range(torch.cuda.device_count()):
        properties = torch.cuda.get_device_properties(index)
        capability = f"{properties.major}.{properties.minor}"
        devices.append({"name": properties.name, "capability": capability, "driver": _driver()})
    return devices


def _driver() -> str | None:
    try:
        import pynvml

        pynvml.nvmlInit()
    except Exception:  # no bindings, no library, no permission: each means that we cannot tell
        return None
    try:
        return str(pynvml.nvmlSystemGetDriverVersion())
    finally:
        pynvml.nvmlShutdown()

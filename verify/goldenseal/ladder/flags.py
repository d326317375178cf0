"""The global switches by which torch chooses how to compute, each by the name that sets it.

A module that sets one of them when it is imported changes every run of the process, whatever its
own knobs say, and on a CPU perhaps no byte. So they are compared as facts of a run, and they belong
to its numeric class.
"""

import os
import sys
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch

# Modules that replace themselves by objects with properties, which mypy cannot see.
backends: Any = torch.backends
core: Any = torch._C
deterministic: Any = torch.utils.deterministic

# torch's own compilers keep their switches in modules that cost a second to import; where they were
# not imported nobody has set them, and their environment variables are in the numeric class.
COMPILERS = ("torch._dynamo.config", "torch._functorch.config", "torch._inductor.config")

HALF = 0.5  # a name, so that no compiler computes the product ahead of time


def _core(name: str) -> Callable[[], Any]:
    """A reader of torch's own, looked up when it is called: older builds lack some of them."""
    return lambda: getattr(core, name)()


SWITCHES: Mapping[str, Callable[[], Any]] = {
    "torch.default_dtype": torch.get_default_dtype,
    "torch.default_device": torch.get_default_device,
    "torch.float32_matmul_precision": torch.get_float32_matmul_precision,
    "torch.deterministic_algorithms": torch.are_deterministic_algorithms_enabled,
    "torch.deterministic_algorithms(warn_only)": (
        torch.is_deterministic_algorithms_warn_only_enabled
    ),
    "torch.utils.deterministic.fill_uninitialized_memory": (
        lambda: deterministic.fill_uninitialized_memory
    ),
    "torch.num_threads": torch.get_num_threads,
    "torch.grad_enabled": torch.is_grad_enabled,
    "torch.inference_mode": torch.is_inference_mode_enabled,
    "torch.anomaly_detection": torch.is_anomaly_enabled,
    "torch.anomaly_detection(check_nan)": torch.is_anomaly_check_nan_enabled,
    "torch.autograd.multithreading": _core("_is_multithreading_enabled"),
    "torch.autocast(cpu)": lambda: _autocast("cpu"),
    "torch.autocast(cuda)": lambda: _autocast("cuda"),
    "torch.autocast(cache)": torch.is_autocast_cache_enabled,
    "torch.flush_denormal": lambda: sys.float_info.min * HALF == 0.0,
    "torch.backends.fp32_precision": lambda: backends.fp32_precision,
    "torch.backends.cpu.allow_fp16_reduced_precision_reduction": (
        _core("_get_cpu_allow_fp16_reduced_precision_reduction")
    ),
    "torch.backends.cuda.matmul.allow_tf32": lambda: backends.cuda.matmul.allow_tf32,
    "torch.backends.cuda.matmul.fp32_precision": lambda: backends.cuda.matmul.fp32_precision,
    "torch.backends.cuda.matmul.allow_fp16_reduced_precision_reduction": (
        _core("_get_cublas_allow_fp16_reduced_precision_reduction")
    ),
    "torch.backends.cuda.matmul.allow_bf16_reduced_precision_reduction": (
        _core("_get_cublas_allow_bf16_reduced_precision_reduction")
    ),
    "torch.backends.cuda.matmul.allow_fp16_accumulation": (
        _core("_get_cublas_allow_fp16_accumulation")
    ),
    "torch.backends.cuda.preferred_blas_library": _core("_get_blas_preferred_backend"),
    "torch.backends.cuda.preferred_linalg_library": _core("_get_linalg_preferred_backend"),
    "torch.backends.cuda.flash_sdp": backends.cuda.flash_sdp_enabled,
    "torch.backends.cuda.mem_efficient_sdp": backends.cuda.mem_efficient_sdp_enabled,
    "torch.backends.cuda.math_sdp": backends.cuda.math_sdp_enabled,
    "torch.backends.cuda.cudnn_sdp": backends.cuda.cudnn_sdp_enabled,
    "torch.backends.cuda.fa3_sdp": lambda: core._get_fa3_sdp_enabled(),
    "torch.backends.cuda.overrideable_sdp": lambda: core._get_overrideable_sdp_enabled(),
    "torch.backends.cuda.preferred_rocm_fa_library": (
        lambda: core._get_rocm_fa_preferred_backend()
    ),
    "torch.backends.cuda.sm_carveout": lambda: core._get_sm_carveout_experimental(),
    "torch.backends.cuda.fp16_bf16_reduction_math_sdp": (
        lambda: backends.cuda.fp16_bf16_reduction_math_sdp_allowed()
    ),
    "torch.nn.attention.sdp_priority_order": _core("_get_sdp_priority_order"),
    "torch.backends.cudnn.enabled": lambda: backends.cudnn.enabled,
    "torch.backends.cudnn.benchmark": lambda: backends.cudnn.benchmark,
    "torch.backends.cudnn.benchmark_limit": lambda: backends.cudnn.benchmark_limit,
    "torch.backends.cudnn.deterministic": lambda: backends.cudnn.deterministic,
    "torch.backends.cudnn.allow_tf32": lambda: backends.cudnn.allow_tf32,
    "torch.backends.cudnn.depthwise_kernel": lambda: backends.cudnn.depthwise_kernel,
    "torch.backends.cudnn.fp32_precision": lambda: backends.cudnn.fp32_precision,
    "torch.backends.cudnn.conv.fp32_precision": lambda: backends.cudnn.conv.fp32_precision,
    "torch.backends.cudnn.rnn.fp32_precision": lambda: backends.cudnn.rnn.fp32_precision,
    "torch.backends.miopen.immediate": lambda: backends.miopen.immediate,
    "torch.backends.mkldnn.enabled": lambda: backends.mkldnn.enabled,
    "torch.backends.mkldnn.deterministic": lambda: backends.mkldnn.deterministic,
    "torch.backends.mkldnn.allow_tf32": lambda: backends.mkldnn.allow_tf32,
    "torch.backends.mkldnn.fp32_precision": lambda: backends.mkldnn.fp32_precision,
    "torch.backends.mkldnn.matmul.fp32_precision": lambda: backends.mkldnn.matmul.fp32_precision,
    "torch.backends.mkldnn.conv.fp32_precision": lambda: backends.mkldnn.conv.fp32_precision,
    "torch.backends.mkldnn.rnn.fp32_precision": lambda: backends.mkldnn.rnn.fp32_precision,
    "torch.backends.mha.fastpath": backends.mha.get_fastpath_enabled,
    "torch.backends.nnpack.enabled": _core("_get_nnpack_enabled"),
    "torch.backends.opt_einsum.enabled": lambda: backends.opt_einsum.enabled,
    "torch.backends.opt_einsum.strategy": lambda: backends.opt_einsum.strategy,
    "torch.backends.python_native": lambda: _disabled_overrides(),
    "torch.backends.quantized.engine": lambda: backends.quantized.engine,
    "numpy.errstate": np.geterr,
}


# Of these, the ones that decide what an operation computes and cost nothing to read.
QUICK: tuple[Callable[[], Any], ...] = (
    torch.get_default_dtype,
    torch.are_deterministic_algorithms_enabled,
    torch.is_autocast_cache_enabled,
    *(
        getattr(core, name)
        for name in (
            "_get_float32_matmul_precision",
            "_get_cublas_allow_tf32",
            "_get_cublas_allow_fp16_reduced_precision_reduction",
            "_get_cublas_allow_bf16_reduced_precision_reduction",
            "_get_cublas_allow_fp16_accumulation",
            "_get_flash_sdp_enabled",
            "_get_mem_efficient_sdp_enabled",
            "_get_math_sdp_enabled",
            "_get_cudnn_sdp_enabled",
            "_get_math_sdp_allow_fp16_bf16_reduction",
            "_get_cudnn_enabled",
            "_get_cudnn_benchmark",
            "_get_cudnn_deterministic",
            "_get_cudnn_allow_tf32",
            "_get_mkldnn_enabled",
            "_get_mkldnn_deterministic",
            "_get_onednn_allow_tf32",
        )
        if hasattr(core, name)
    ),
)


def glance() -> list[Any]:
    """The values of QUICK, cheap enough for a look at each operation."""
    try:
        return [get() for get in QUICK]
    except RuntimeError:
        return [_read(get) for get in QUICK]


def global_flags() -> dict[str, str]:
    """Every switch by name, as text; `unreadable` where torch itself refuses to say.

    It refuses, for one, to read the older of two switches once the newer has been set.
    """
    return {name: _read(get) for name, get in SWITCHES.items()} | {
        name: _changed(sys.modules.get(name)) for name in COMPILERS
    }


def _read(get: Callable[[], Any]) -> str:
    try:
        return str(get())
    except (AttributeError, RuntimeError):
        return "unreadable"


def _autocast(device: str) -> str:
    return f"{torch.is_autocast_enabled(device)} {torch.get_autocast_dtype(device)}"


def _disabled_overrides() -> str:
    """Which of torch's kernels in other languages are switched off: languages, operations, keys."""
    state = getattr(sys.modules.get("torch._native.registry"), "_filter_state", None)
    names = (vars(state).get(f"_{kind}") for kind in ("dsl_names", "op_symbols", "dispatch_keys"))
    return "; ".join(sorted(f"{name}" for each in names for name in each or ())) if state else ""


def _changed(config: Any) -> str:
    """What of a compiler's switches differs from its default, one a line; empty when nothing."""
    if config is None:
        return ""
    lines = str(config.codegen_config()).splitlines()
    return "; ".join(sorted(line for line in lines if line and not line.startswith("import")))


def changed(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """The switches that differ, in words."""
    return [
        f"{name} is {after.get(name)}, was {before.get(name)}"
        for name in sorted({*before, *after})
        if before.get(name) != after.get(name)
    ]


def switches() -> dict[str, str]:
    """torch's global switches, and the variables that libraries read theirs from."""
    return global_flags() | {f"variable {name}": text for name, text in os.environ.items()}

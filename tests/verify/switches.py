"""For each global switch of torch that a CPU lets one set: words that set it, and set it back."""

B = "torch.backends"
OPT_EINSUM = f"not {B}.opt_einsum.enabled"

# Name of the switch: (statement that sets it, statement that restores it).
SETTERS = {
    "torch.default_dtype": (
        "torch.set_default_dtype(torch.float64)",
        "torch.set_default_dtype(torch.float32)",
    ),
    "torch.default_device": (
        "torch.set_default_device('meta')",
        "torch.set_default_device(None)",
    ),
    "torch.float32_matmul_precision": (
        "torch.set_float32_matmul_precision('high')",
        "torch.set_float32_matmul_precision('highest')",
    ),
    "torch.deterministic_algorithms": (
        "torch.use_deterministic_algorithms(False)",
        "torch.use_deterministic_algorithms(True, warn_only=True)",
    ),
    "torch.deterministic_algorithms(warn_only)": (
        "torch.use_deterministic_algorithms(True)",
        "torch.use_deterministic_algorithms(True, warn_only=True)",
    ),
    "torch.utils.deterministic.fill_uninitialized_memory": (
        "torch.utils.deterministic.fill_uninitialized_memory = False",
        "torch.utils.deterministic.fill_uninitialized_memory = True",
    ),
    "torch.num_threads": ("torch.set_num_threads(2)", "torch.set_num_threads(1)"),
    "torch.grad_enabled": ("torch.set_grad_enabled(False)", "torch.set_grad_enabled(True)"),
    "torch.inference_mode": (
        "mode = torch.inference_mode(); mode.__enter__()",
        "mode.__exit__(None, None, None)",
    ),
    "torch.anomaly_detection": (
        "torch.autograd.set_detect_anomaly(True)",
        "torch.autograd.set_detect_anomaly(False)",
    ),
    "torch.anomaly_detection(check_nan)": (
        "torch.set_anomaly_enabled(False, False)",
        "torch.set_anomaly_enabled(False, True)",
    ),
    "torch.autograd.multithreading": (
        "torch.autograd.set_multithreading_enabled(False)",
        "torch.autograd.set_multithreading_enabled(True)",
    ),
    "torch.autocast(cpu)": (
        "torch.set_autocast_enabled('cpu', True)",
        "torch.set_autocast_enabled('cpu', False)",
    ),
    "torch.autocast(cuda)": (
        "torch.set_autocast_dtype('cuda', torch.bfloat16)",
        "torch.set_autocast_dtype('cuda', torch.float16)",
    ),
    "torch.autocast(cache)": (
        "torch.set_autocast_cache_enabled(False)",
        "torch.set_autocast_cache_enabled(True)",
    ),
    "torch.flush_denormal": ("torch.set_flush_denormal(True)", "torch.set_flush_denormal(False)"),
    f"{B}.fp32_precision": (
        f"{B}.fp32_precision = 'tf32'",
        f"{B}.fp32_precision = 'none'",
    ),
    f"{B}.cuda.matmul.allow_tf32": (
        f"{B}.cuda.matmul.allow_tf32 = True",
        f"{B}.cuda.matmul.allow_tf32 = False",
    ),
    f"{B}.cuda.matmul.fp32_precision": (
        f"{B}.cuda.matmul.fp32_precision = 'tf32'",
        f"{B}.cuda.matmul.fp32_precision = 'ieee'",
    ),
    f"{B}.cuda.matmul.allow_fp16_reduced_precision_reduction": (
        f"{B}.cuda.matmul.allow_fp16_reduced_precision_reduction = False",
        f"{B}.cuda.matmul.allow_fp16_reduced_precision_reduction = True",
    ),
    f"{B}.cuda.matmul.allow_bf16_reduced_precision_reduction": (
        f"{B}.cuda.matmul.allow_bf16_reduced_precision_reduction = False",
        f"{B}.cuda.matmul.allow_bf16_reduced_precision_reduction = True",
    ),
    f"{B}.cuda.matmul.allow_fp16_accumulation": (
        f"{B}.cuda.matmul.allow_fp16_accumulation = True",
        f"{B}.cuda.matmul.allow_fp16_accumulation = False",
    ),
    **{
        f"{B}.cuda.{name}_sdp": (
            f"{B}.cuda.enable_{name}_sdp(False)",
            f"{B}.cuda.enable_{name}_sdp(True)",
        )
        for name in ("flash", "mem_efficient", "math", "cudnn")
    },
    f"{B}.cuda.fa3_sdp": (
        "torch._C._set_sdp_use_fa3(not torch._C._get_fa3_sdp_enabled())",
        "torch._C._set_sdp_use_fa3(not torch._C._get_fa3_sdp_enabled())",
    ),
    f"{B}.cuda.overrideable_sdp": (
        "torch._C._set_sdp_use_overrideable(False)",
        "torch._C._set_sdp_use_overrideable(True)",
    ),
    f"{B}.cuda.fp16_bf16_reduction_math_sdp": (
        f"{B}.cuda.allow_fp16_bf16_reduction_math_sdp(True)",
        f"{B}.cuda.allow_fp16_bf16_reduction_math_sdp(False)",
    ),
    f"{B}.cuda.sm_carveout": (
        "torch._C._set_sm_carveout_experimental(4)",
        "torch._C._set_sm_carveout_experimental(None)",
    ),
    "torch.nn.attention.sdp_priority_order": (
        "order = torch._C._get_sdp_priority_order(); torch._C._set_sdp_priority_order(order[::-1])",
        "torch._C._set_sdp_priority_order(order)",
    ),
    **{
        f"{B}.{name}": (f"{B}.{name} = {on}", f"{B}.{name} = {off}")
        for name, on, off in (
            ("opt_einsum.enabled", OPT_EINSUM, OPT_EINSUM),
            ("cudnn.enabled", False, True),
            ("cudnn.benchmark", True, False),
            ("cudnn.benchmark_limit", 3, 10),
            ("cudnn.deterministic", True, False),
            ("cudnn.allow_tf32", False, True),
            ("cudnn.fp32_precision", "'ieee'", "'none'"),
            ("cudnn.conv.fp32_precision", "'ieee'", "'tf32'"),
            ("cudnn.rnn.fp32_precision", "'ieee'", "'tf32'"),
            ("miopen.immediate", True, False),
            ("mkldnn.enabled", False, True),
            ("mkldnn.deterministic", True, False),
            ("mkldnn.fp32_precision", "'bf16'", "'none'"),
            ("mkldnn.matmul.fp32_precision", "'bf16'", "'none'"),
            ("mkldnn.conv.fp32_precision", "'bf16'", "'none'"),
            ("mkldnn.rnn.fp32_precision", "'bf16'", "'none'"),
            ("opt_einsum.strategy", "'greedy'", "'auto'"),
            ("quantized.engine", "'qnnpack'", "'x86'"),
        )
    },
    f"{B}.python_native": (
        f"import {B}.python_native as native; native.triton.enabled = False",
        "native.triton.enabled = True",
    ),
    f"{B}.cudnn.depthwise_kernel": (
        f"{B}.cudnn.depthwise_kernel = 'native'",
        f"{B}.cudnn.depthwise_kernel = 'auto'",
    ),
    f"{B}.mha.fastpath": (
        f"{B}.mha.set_fastpath_enabled(False)",
        f"{B}.mha.set_fastpath_enabled(True)",
    ),
    f"{B}.nnpack.enabled": (
        f"{B}.nnpack.set_flags(not torch._C._get_nnpack_enabled())",
        f"{B}.nnpack.set_flags(not torch._C._get_nnpack_enabled())",
    ),
    "numpy.errstate": (
        "import numpy; numpy.seterr(all='raise')",
        "numpy.seterr(divide='warn', over='warn', under='ignore', invalid='warn')",
    ),
    "torch._dynamo.config": (
        "import torch._dynamo.config as dynamo; dynamo.suppress_errors = True",
        "dynamo.suppress_errors = False",
    ),
    "torch._inductor.config": (
        "import torch._inductor.config as inductor; inductor.emulate_precision_casts = True",
        "inductor.emulate_precision_casts = False",
    ),
}

# Those that a build for the CPU alone, or one that lacks the library, does not let one set.
ELSEWHERE = {
    f"{B}.cpu.allow_fp16_reduced_precision_reduction": "needs a processor with float16 arithmetic",
    f"{B}.cuda.preferred_blas_library": "needs a build with cuBLAS",
    f"{B}.cuda.preferred_linalg_library": "needs a build with cuSOLVER or MAGMA",
    f"{B}.cuda.preferred_rocm_fa_library": "needs a build for ROCm",
    f"{B}.mkldnn.allow_tf32": "needs a processor with TF32",
}

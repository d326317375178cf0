"""pytest tests/verify/ladder/test_flags.py — every global switch of torch is known and seen."""

import inspect
import re
import sys
import warnings
from functools import partial
from types import ModuleType

import pytest
import torch

from goldenseal.ladder.flags import COMPILERS, SWITCHES, changed, global_flags
from goldenseal.ladder.processes import in_processes
from goldenseal.ladder.recorder import record, settle
from goldenseal.ladder.recordings import warm_up
from tests.verify.scripts import ONE_FILE, edited, pair
from tests.verify.switches import ELSEWHERE, SETTERS

STOPS = ("torch.grad_enabled", "torch.inference_mode", "torch.default_device")  # the run ends there
PLACES = ("import", "main")
SWITCHED = edited(
    ONE_FILE,
    (
        "def main():\n",
        "SPACE = {'torch': torch}\n\n\ndef put(place, which):\n"
        '    if os.environ["PLACE"] == place:\n        exec(os.environ[which], SPACE)\n\n\n'
        'put("import", "ON")\n\n\ndef main():\n    put("main", "ON")\n',
    ),
    ("        optimizer.step()\n", '        optimizer.step()\n        put("main", "OFF")\n'),
)


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    """Of each switch, set at each place: what a recording says of torch's switches."""
    probe = pair(tmp_path_factory.mktemp("switched"), SWITCHED, SWITCHED).read()

    def run(name, place):
        warnings.simplefilter("ignore")  # of torch, on experimental and deprecated switches
        on, off = SETTERS[name]
        variables = {"PLACE": place, "ON": on, "OFF": off}
        return record(probe, probe.candidate, variables, trace=False).flags

    settle()
    warm_up()  # before the fork, as the recordings does
    cases = [(name, place) for name in SETTERS for place in PLACES]
    tasks = [partial(run, *case) for case in cases]
    found = {}
    for number, ended in in_processes(tasks, 2):
        assert ended.value is not None, (cases[number], ended)
        found[cases[number]] = ended.value
    return found


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", SETTERS)
def test_a_switch_that_a_run_sets_is_in_its_recording(seen, name, place):
    found = [text for text in seen[name, place] if f": {name} is " in text]
    assert found, seen[name, place]
    when = found[0].partition(": ")[0]
    assert (when == "after the import") == (place == "import")
    if place == "main" and name not in STOPS:
        assert len(found) >= 2, "it is set back, and that is seen too"


def test_a_run_that_sets_nothing_has_no_switch_in_its_recording(tmp_path):
    probe = pair(tmp_path, SWITCHED, SWITCHED).read()
    run = partial(record, probe, probe.candidate, {"PLACE": "nowhere"}, trace=False)
    ((_, ended),) = in_processes([run], 1)
    assert ended.value.error is None
    assert [text for text in ended.value.flags if "torch.grad_enabled" not in text] == []
    assert len(ended.value.flags) == 2  # the toy evaluates without gradients


def test_every_switch_is_tried_or_says_why_not():
    assert {*SETTERS, *ELSEWHERE} == {*SWITCHES, *COMPILERS} - {"torch._functorch.config"}
    assert not {*SETTERS} & {*ELSEWHERE}


def test_the_switches_are_readable_here():
    settle()
    here = global_flags()
    assert [name for name, text in here.items() if text == "unreadable"] == []
    assert changed(here, global_flags()) == []


def test_a_difference_names_switch_old_value_and_new_value():
    assert changed({"a": "1", "b": "2"}, {"a": "1", "b": "3"}) == ["b is 3, was 2"]
    assert changed({"a": "1"}, {}) == ["a is None, was 1"]


# ---- a new release of torch, and a switch that nobody knows ----------------------------------

# Properties of torch.backends that are no switches, or that another name covers.
COVERED = {
    "torch.backends.python_native.all_dsls": "a list of names",
    "torch.backends.python_native.available_dsls": "a list of names",
    "torch.backends.python_native.cutedsl.available": "read only",
    "torch.backends.python_native.cutedsl.name": "read only",
    "torch.backends.python_native.cutedsl.version": "read only",
    "torch.backends.python_native.triton.available": "read only",
    "torch.backends.python_native.triton.name": "read only",
    "torch.backends.python_native.triton.version": "read only",
    "torch.backends.python_native.cutedsl.enabled": "torch.backends.python_native",
    "torch.backends.python_native.triton.enabled": "torch.backends.python_native",
    "torch.backends.cuda.cufft_plan_cache.max_size": "how many plans are kept",
}


def properties():
    """(name) of everything that can be set on torch.backends and what hangs below it."""
    found, seen, pending = set(), set(), [("torch.backends", torch.backends)]
    while pending:
        path, each = pending.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        for kind in type(each).__mro__:
            found |= {
                f"{path}.{name}"
                for name, value in vars(kind).items()
                if isinstance(value, property) or type(value).__name__ == "ContextProp"
            }
        setter = type(each).__setattr__
        if inspect.isfunction(setter):  # of one that tells names apart by hand
            names = re.findall(r'name == "(\w+)"', inspect.getsource(setter))
            found |= {f"{path}.{name}" for name in names}
        for name in sorted(set(dir(each)) - {"m"}):
            if not name.startswith("_"):
                value = getattr(each, name, None)
                own = value.__name__ if isinstance(value, ModuleType) else type(value).__module__
                if own.startswith("torch.backends") and not isinstance(value, type):
                    pending.append((f"{path}.{name}", value))
    return found


def test_every_property_of_the_backends_is_a_switch_that_is_read():
    found = properties()
    assert len(found) > 20, "the walk finds nothing any more"
    assert found - {*SWITCHES, *COVERED} == set()
    assert {*COVERED} <= found | {"torch.backends.cuda.cufft_plan_cache.max_size"}


# Setters of torch and of its core: the switch that each sets, or why it is none.
CORE = {
    "_set_blas_preferred_backend": "torch.backends.cuda.preferred_blas_library",
    "_set_cpu_allow_fp16_reduced_precision_reduction": (
        "torch.backends.cpu.allow_fp16_reduced_precision_reduction"
    ),
    **{
        f"_set_cublas_{name}": f"torch.backends.cuda.matmul.{name}"
        for name in (
            "allow_bf16_reduced_precision_reduction",
            "allow_fp16_accumulation",
            "allow_fp16_reduced_precision_reduction",
            "allow_tf32",
        )
    },
    **{
        f"_set_cudnn_{name}": f"torch.backends.cudnn.{name}"
        for name in ("allow_tf32", "benchmark", "depthwise_kernel", "deterministic", "enabled")
    },
    "_set_default_dtype": "torch.default_dtype",
    "_set_default_tensor_type": "torch.default_dtype",
    "_set_deterministic_algorithms": "torch.deterministic_algorithms",
    "_set_deterministic_fill_uninitialized_memory": (
        "torch.utils.deterministic.fill_uninitialized_memory"
    ),
    "_set_float32_matmul_precision": "torch.float32_matmul_precision",
    "_set_fp32_precision_setter": "torch.backends.fp32_precision",
    "_set_grad_enabled": "torch.grad_enabled",
    "_set_linalg_preferred_backend": "torch.backends.cuda.preferred_linalg_library",
    "_set_math_sdp_allow_fp16_bf16_reduction": ("torch.backends.cuda.fp16_bf16_reduction_math_sdp"),
    "_set_miopen_immediate": "torch.backends.miopen.immediate",
    "_set_mkldnn_deterministic": "torch.backends.mkldnn.deterministic",
    "_set_mkldnn_enabled": "torch.backends.mkldnn.enabled",
    "_set_multithreading_enabled": "torch.autograd.multithreading",
    "_set_nnpack_enabled": "torch.backends.nnpack.enabled",
    "_set_onednn_allow_tf32": "torch.backends.mkldnn.allow_tf32",
    "_set_qengine": "torch.backends.quantized.engine",
    "_set_rocm_fa_preferred_backend": "torch.backends.cuda.preferred_rocm_fa_library",
    "_set_sdp_priority_order": "torch.nn.attention.sdp_priority_order",
    "_set_sdp_use_cudnn": "torch.backends.cuda.cudnn_sdp",
    "_set_sdp_use_fa3": "torch.backends.cuda.fa3_sdp",
    "_set_sdp_use_flash": "torch.backends.cuda.flash_sdp",
    "_set_sdp_use_math": "torch.backends.cuda.math_sdp",
    "_set_sdp_use_mem_efficient": "torch.backends.cuda.mem_efficient_sdp",
    "_set_sdp_use_overrideable": "torch.backends.cuda.overrideable_sdp",
    "_set_sm_carveout_experimental": "torch.backends.cuda.sm_carveout",
    "set_anomaly_enabled": "torch.anomaly_detection",
    "set_autocast_cache_enabled": "torch.autocast(cache)",
    "set_autocast_cpu_dtype": "torch.autocast(cpu)",
    "set_autocast_cpu_enabled": "torch.autocast(cpu)",
    "set_autocast_dtype": "torch.autocast(cpu)",
    "set_autocast_enabled": "torch.autocast(cpu)",
    "set_autocast_gpu_dtype": "torch.autocast(cuda)",
    "set_default_device": "torch.default_device",
    "set_default_dtype": "torch.default_dtype",
    "set_default_tensor_type": "torch.default_dtype",
    "set_deterministic_debug_mode": "torch.deterministic_algorithms",
    "set_float32_matmul_precision": "torch.float32_matmul_precision",
    "set_flush_denormal": "torch.flush_denormal",
    "set_grad_enabled": "torch.grad_enabled",
    "set_num_threads": "torch.num_threads",
    "use_deterministic_algorithms": "torch.deterministic_algorithms",
}
NO_SWITCH = {
    "warnings and errors": """_set_autograd_fallback_mode _set_backcompat_broadcast_warn
        _set_backcompat_keepdim_warn _set_check_sparse_tensor_invariants
        _set_grad_layout_enforcement_enabled _set_print_stack_traces_on_fatal_signal
        _set_should_use_format_with_string_table _set_throw_on_mutable_data_ptr _set_warnAlways
        _set_warn_deprecated_on_mutable_data_ptr _set_warn_on_accumulate_grad_stream_mismatch
        set_warn_always set_printoptions""",
    "belongs to one tensor": "_set_conj _set_neg _set_tensor_metadata",
    "modes and traces that torch enters and leaves itself": """_set_dispatch_mode
        _set_generator_metaclass _set_meta_in_tls_dispatch_include _set_only_lift_cpu_tensors
        _set_override_stale_capture_stream _set_skip_next_torch_function
        _set_torch_function_state _set_tracing_state _set_value_trace _set_cached_tensors_enabled
        _set_dtensor_allow_implicit_replication _set_fwd_grad_enabled _set_view_replay_enabled""",
    "TorchScript": "_set_graph_exec_group _set_graph_executor_optimize",
    "memory and processes": """_set_default_mobile_cpu_allocator _set_thread_name
        _set_worker_pids _set_worker_signal_handlers set_num_interop_threads""",
    "the recorder's own facts": "set_rng_state",
    "devices that are not supported": """set_autocast_ipu_dtype set_autocast_ipu_enabled
        set_autocast_xla_dtype set_autocast_xla_enabled""",
}


def test_every_setter_of_torch_is_known():
    excused = {name for names in NO_SWITCH.values() for name in names.split()}
    setters = {
        name for home in (torch, torch._C) for name in dir(home) if re.match("(_?set|use)_", name)
    }
    assert setters - {*CORE} - excused == set()


def test_every_known_setter_belongs_to_a_switch():
    assert {*CORE.values()} <= {*SWITCHES}


def test_where_a_compiler_was_not_loaded_its_switches_are_empty(monkeypatch):
    for name in COMPILERS:
        monkeypatch.delitem(sys.modules, name, raising=False)
    assert {global_flags()[name] for name in COMPILERS} == {""}

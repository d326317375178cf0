"""pytest tests/train_gpt_style/kit/test_numerics.py — lanes, classes, covered operations."""

import json
import os
import subprocess
import sys

import pytest
import torch

from goldenseal.config import python_path
from goldenseal.errors import UsageError
from goldenseal.knobs import check_declarations
from train_gpt_style.kit import covered, numerics

PUBLISHED_NATIVE = "511dbc0164e03b1b3aff47ff22406e2fd8ffb095cea89441630e4349418c2e35"
PUBLISHED_SCALAR = "578f911506952625df2547bfb6cde5470cbff9ccb0b3db3176f7f9112d4a60f7"

INITIAL_DIGEST = """
import os
from train_gpt_style.kit import numerics
numerics.enter_lane(os.environ)
from train_gpt_style.gpt.figures import SMALL, build
from goldenseal.digest import published_digest
print(published_digest(build(SMALL).state_dict()))
"""


@pytest.fixture
def python(root, tmp_path):
    """Run code or arguments in a fresh interpreter, in an empty folder; returns what it did."""

    def run(*arguments, **variables):
        kept = {k: v for k, v in os.environ.items() if k not in numerics.PORTABLE_SETTINGS}
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=tmp_path,
            env={**kept, "PYTHONPATH": python_path(root), **variables},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def enter(then="", before="", environ="os.environ"):
    """Code that enters the lane and does something after it."""
    return (
        f"{before}\nimport os, sys\nfrom train_gpt_style.kit import numerics\n"
        f"lane = numerics.enter_lane({environ})\n{then}\n"
    )


# ---- the lane --------------------------------------------------------------------------------


def test_the_knob_is_declared_without_contradiction():
    check_declarations([numerics.NUMERICS], [])


def test_the_native_lane_sets_nothing_and_loads_nothing(python):
    then = "print(lane, 'torch' in sys.modules, [n for n in numerics.PORTABLE_SETTINGS "
    then += "if n in os.environ])"
    done = python("-c", enter(then), CUDA_VISIBLE_DEVICES="0", OMP_NUM_THREADS="2")
    assert done.stdout == "native False ['OMP_NUM_THREADS', 'CUDA_VISIBLE_DEVICES']\n", done.stderr


def test_the_portable_lane_is_in_force_whatever_the_environment_held(python):
    then = """
import json, torch
torch.ones(600, 600) @ torch.ones(600, 600)
print(json.dumps(numerics.numeric_class()))
"""
    done = python("-c", enter(then), NUMERICS="portable", OMP_NUM_THREADS="4", MKL_CBWR="AVX2")
    found = json.loads(done.stdout)
    assert found["lane"] == "portable"
    assert found["cpu_capability"] == "DEFAULT"
    assert found["threads"] == 1
    assert found["cpu"] is None, "the lane claims that the CPU does not matter"
    assert found["settings"].items() >= numerics.PORTABLE_SETTINGS.items()


def test_an_unknown_lane_is_refused_with_the_legal_ones():
    with pytest.raises(UsageError, match=r"NUMERICS=fast is out of range.*native, portable"):
        numerics.enter_lane({"NUMERICS": "fast"})


def test_settings_that_come_after_torch_make_no_portable_lane(python):
    before = "import torch, os\nfrom train_gpt_style.kit import numerics\ntorch.ones(2) + 1\n"
    before += "os.environ.update(numerics.PORTABLE_SETTINGS)"
    done = python("-c", enter(before=before), NUMERICS="portable")
    last = done.stderr.splitlines()[-1]
    assert last == (
        "goldenseal.errors.UsageError: NUMERICS=portable, but torch is already imported in the "
        "native lane: enter the lane before the first import of torch"
    )


def test_a_lane_may_be_entered_twice_and_the_other_one_not(python):
    then = "print(numerics.enter_lane(os.environ), flush=True)\nnumerics.enter_lane({})"
    done = python("-c", enter(then), NUMERICS="portable")
    assert done.stdout == "portable\n", done.stderr
    assert "NUMERICS=native, but torch is already imported in the portable lane" in done.stderr


def test_the_native_lane_is_refused_under_inherited_portable_settings(python):
    done = python("-c", enter(), **numerics.PORTABLE_SETTINGS)
    assert "the environment holds the portable lane's settings: unset" in done.stderr


# ---- what the lanes compute ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lane", "published"), [("native", PUBLISHED_NATIVE), ("portable", PUBLISHED_SCALAR)]
)
def test_each_lane_gives_its_published_initial_digest(python, lane, published):
    if lane == "native" and torch.backends.cpu.get_cpu_capability() not in ("AVX2", "AVX512"):
        pytest.skip("the published digest is the one of AVX2 and AVX-512 code paths")
    done = python("-c", INITIAL_DIGEST, NUMERICS=lane)
    assert done.stdout.strip() == published, done.stderr


STEPS = """
import torch
torch.manual_seed(3)
w = torch.nn.Parameter(torch.empty(33, 17).normal_())
adam = torch.optim.Adam([w], fused=True)
for step in range(3):
    loss = torch.nn.functional.cross_entropy(torch.empty(9, 33).normal_() @ w, torch.arange(9))
    loss.backward()
    adam.step()
from goldenseal.digest import tensor_digest
print(tensor_digest({"w": w, **{k: v for k, v in adam.state[w].items()}}))
"""


def test_two_portable_runs_are_equal_and_the_guard_changes_no_byte(python):
    """The root after the third step also shows that the guard is gone by then."""
    root = "w.detach().sqrt()"
    guarded = python("-c", enter(STEPS + root), NUMERICS="portable")
    plain = python("-c", enter(STEPS, environ="os.environ, guarded=False"), NUMERICS="portable")
    assert guarded.returncode == 0, guarded.stderr
    assert guarded.stdout == plain.stdout != "", guarded.stderr + plain.stderr


# ---- covered operations ----------------------------------------------------------------------


def test_the_list_is_sorted_and_holds_no_root():
    lines = covered.COVERED_FILE.read_text(encoding="utf-8").splitlines()
    assert lines == sorted(set(lines))
    assert "aten.mm.default bfloat16" in lines, "Muon's products"
    assert not [line for line in lines if line.startswith(("aten.sqrt", "aten.atan", "aten.log2"))]


def test_an_uncovered_operation_is_refused_by_name():
    with pytest.raises(UsageError, match=r"does not cover the operation aten.sqrt.default float32"):
        with covered.Guard():
            torch.ones(3).sqrt()


def test_coverage_of_a_type_says_nothing_about_another():
    with covered.Guard(frozenset({"aten.mul.Tensor float32"})):
        torch.empty(3) * 2
        torch.empty(3, 4).transpose(0, 1)
        with pytest.raises(UsageError, match=r"aten.mul.Tensor bfloat16"):
            torch.empty(3, dtype=torch.bfloat16) * 2


def test_a_square_covers_no_root():
    with covered.Guard(frozenset({"aten.pow.Tensor_Scalar(2) float32"})):
        torch.empty(3) ** 2
        with pytest.raises(UsageError, match=r"aten.pow.Tensor_Scalar\(0.5\) float32"):
            torch.empty(3) ** 0.5


def test_an_uncovered_operation_in_a_backward_pass_is_refused():
    x = torch.ones(3, requires_grad=True)
    y = x.sqrt().sum()
    with (
        pytest.raises(UsageError, match="aten"),
        covered.Guard(frozenset({"aten.ones_like.default float32"})),
    ):
        y.backward()


def test_the_first_training_step_is_guarded(python):
    step = STEPS.replace("    adam.step", "    w.detach().sqrt()\n    adam.step")
    done = python("-c", enter(step), NUMERICS="portable")
    assert "does not cover the operation aten.sqrt.default float32" in done.stderr


def test_a_check_run_ends_at_the_uncovered_operation_with_exit_code_2(python, tmp_path):
    program = tmp_path / "program.py"
    program.write_text("import torch\nprint('before')\ntorch.ones(3).atan()\nprint('after')\n")
    arguments = ("-m", "train_gpt_style.kit.check_run", str(program))
    done = python(*arguments, NUMERICS="portable")
    assert (done.returncode, done.stdout) == (2, "before\n")
    assert "NUMERICS=portable does not cover the operation aten.atan.default" in done.stderr


def test_a_trace_shows_values_and_what_is_written_in_place(tmp_path):
    path = tmp_path / "trace.txt"
    with covered.tracing(path):
        x = torch.ones(2, 3)
        x.add_(1)
        x.t()
    ones, add = path.read_text().splitlines()
    assert ones.startswith("aten.ones.default | ")
    assert add.startswith("aten.add_.Tensor float32 | [2,3] -> ")
    assert add.endswith(covered.bytes_digest(torch.full((2, 3), 2.0)))


# ---- numeric class ---------------------------------------------------------------------------


def test_the_class_is_json_and_the_same_when_asked_twice():
    assert json.loads(json.dumps(numerics.numeric_class())) == numerics.numeric_class()


def test_threads_determinism_and_settings_are_part_of_the_class(monkeypatch):
    base = numerics.numeric_class()
    threads, filled = torch.get_num_threads(), torch.utils.deterministic.fill_uninitialized_memory
    enabled = torch.are_deterministic_algorithms_enabled()
    cudnn = torch.backends.cudnn.deterministic
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", ":16:8")
    try:
        torch.set_num_threads(threads + 1)
        assert numerics.numeric_class()["threads"] == base["threads"] + 1
        numerics.deterministic(fill_memory=False)
        found = numerics.numeric_class()
        assert found["deterministic"]["algorithms"] is True
        assert found["deterministic"]["cudnn_deterministic"] is True
        assert found["settings"]["CUBLAS_WORKSPACE_CONFIG"] == ":16:8", "the user's choice stays"
        assert torch.utils.deterministic.fill_uninitialized_memory is False
    finally:
        torch.set_num_threads(threads)
        torch.use_deterministic_algorithms(enabled)
        torch.utils.deterministic.fill_uninitialized_memory = filled
        torch.backends.cudnn.deterministic = cudnn


def test_the_build_digest_ignores_the_capability_in_force_and_nothing_else():
    config = "PyTorch built with:\n  - GCC 13.3\n  - CPU capability usage: AVX512\n"
    digest = numerics._build_digest(config)
    assert digest == numerics._build_digest(config.replace("AVX512", "NO AVX"))
    assert digest != numerics._build_digest(config.replace("13.3", "13.4"))

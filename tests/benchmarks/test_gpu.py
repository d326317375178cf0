"""pytest tests/benchmarks/test_gpu.py — what benchmarks/gpu.py does, as far as a CPU can show it.

Not shown here: the same code on a CUDA device, and its peak memory, which a CPU keeps no count of.
"""

import importlib.util
import os
import subprocess
import sys
from dataclasses import replace
from unittest import mock

import pytest
import torch

from goldenseal.records.check import check
from goldenseal.records.record import read_record
from goldenseal.records.seal import seal
from train_gpt_style.gpt import probe_data

SMALL = {**probe_data.TINY, "VOCAB_SIZE": "64"}


@pytest.fixture(scope="module")
def gpu(root):
    """The benchmark as a module."""
    spec = importlib.util.spec_from_file_location("benchmark_gpu", root / "benchmarks/gpu.py")
    module = importlib.util.module_from_spec(spec)
    with mock.patch.dict(os.environ):  # it sets a variable, for itself
        spec.loader.exec_module(module)
    yield module
    torch.use_deterministic_algorithms(False)


def test_without_a_device_it_says_so_writes_nothing_and_exits_with_3(root, tmp_path):
    folder = tmp_path / "record"
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.gpu", folder],
        cwd=root,
        capture_output=True,
        text=True,
        env={**os.environ, "CUDA_VISIBLE_DEVICES": ""},
    )
    assert (done.stdout, done.returncode) == ("not run: no CUDA device\n", 3)
    assert not folder.exists()


def test_the_ladder_holds_in_one_process_for_a_run_that_compiles(gpu, monkeypatch):
    """Without that stance the recorder breaks the one graph, and the candidate stops."""
    original = gpu.run.train

    def train(settings, base_model, model, *rest):
        compiled = torch.compile(base_model, backend="eager", dynamic=False, fullgraph=True)
        return original(settings, base_model, compiled, *rest)

    monkeypatch.setattr(gpu.run, "train", train)
    monkeypatch.setattr(gpu, "RUNGS", ("training",))
    (result,) = gpu.climb().values()
    assert result["verdict"] == "pass"
    assert result["findings"] == []
    first = replace(gpu.PROBE, scenarios=gpu.PROBE.scenarios[:1])
    (result,) = gpu.run_ladder(first, ("training",), lambda done, total: None, workers=1)
    assert "the candidate stopped" in result.findings[0]


def test_every_rung_named_is_one_of_the_ladder(gpu):
    from goldenseal.ladder.suite import ladder

    assert set(gpu.RUNGS) <= {rung.NAME for rung in ladder()}


def test_both_sides_do_the_same_steps_and_a_changed_one_shows(gpu, monkeypatch):
    assert gpu.same_losses(SMALL)
    figure = gpu.measure(False, SMALL, 1, 3)
    assert set(figure["step_seconds"]) == set(gpu.SIDES)
    assert figure["ratio"]["low"] <= figure["ratio"]["median"] <= figure["ratio"]["high"]
    assert gpu.peak_memory("candidate", False, SMALL) is None
    monkeypatch.setattr(gpu.run, "build_optimizers", lambda values, model: {})
    assert not gpu.same_losses(SMALL)


FIGURES = {
    "device": "NVIDIA Example",
    "ladder": {"training": {"verdict": "pass", "summary": "2285 facts", "findings": []}},
    "losses_equal": True,
    "peak_bytes": {"eager": {"baseline": 10, "candidate": 9}},
    "steps": {
        "eager": {
            "first_step_seconds": {"baseline": 1.0, "candidate": 2.0},
            "ratio": {"low": 0.5, "median": 0.75, "high": 1.0},
            "step_seconds": {"baseline": 0.25, "candidate": 0.125},
        }
    },
    "torch": "2.0",
}


def test_the_folder_names_the_device_and_can_be_sealed(gpu, data_of_probe, tmp_path):
    folder = tmp_path / "2026-11-23_GpuSteps"
    gpu.write(folder, FIGURES, {**probe_data.TINY, **data_of_probe, "ITERATIONS": "2"})
    record = read_record(folder)
    assert record.status == "measured"
    assert "cuda_devices" in record.facts["numeric_class"]
    text = (folder / "README.md").read_text(encoding="utf-8")
    for words in ("NVIDIA Example", "| eager | 0.2500 | 0.1250 | 0.7500 (0.5000 to 1.0000) |"):
        assert words in text
    assert "| training | pass | 2285 facts |" in text
    assert "lose the same, bit for bit" in text
    assert "do NOT lose the same" in gpu.readme("x", {**FIGURES, "losses_equal": False})
    seal(folder)
    assert check(folder).holds


@pytest.fixture
def data_of_probe(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    return probe_data.write(folder)

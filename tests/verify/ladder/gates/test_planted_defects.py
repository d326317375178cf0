"""pytest tests/verify/ladder/gates/test_planted_defects.py

Each defect is planted into a copy of the real candidate, and the real gates are run on that copy.
"""

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass

import pytest

from goldenseal.config import python_path

GPT = "train_gpt_style/gpt"


@dataclass(frozen=True)
class Defect:
    """An edit of one file, the gate that must catch it, and words that its finding must hold."""

    name: str
    file: str
    old: str
    new: str
    gate: str
    words: str


DEFECTS = [
    Defect(
        "a rank that takes another's tokens",
        "train_gpt_style/kit/shards.py",
        "tokens[self.rank * span :",
        "tokens[(self.rank - 1) * span :",
        "training",
        "two ranks:",
    ),
    Defect(
        "gradients that the ranks do not exchange",
        f"{GPT}/train.py",
        "micro_step == ctx.grad_accum_steps - 1",
        "False",
        "training",
        "before Adam step 1: gradient of",
    ),
    Defect(
        "a check of the input that is gone",
        "train_gpt_style/kit/shards.py",
        "if version != VERSION:",
        "if False:",
        "refusals",
        "a shard of another version: accepted",
    ),
    Defect(
        "a check of the candidate alone that is gone",
        "train_gpt_style/kit/system.py",
        "check_energy(settings, sorted(writers))",
        "pass",
        "refusals",
        "joules that nobody writes: accepted",
    ),
    Defect(
        "a knob of the baseline that is ignored",
        f"{GPT}/model.py",
        "rope_base=settings.rope_base",
        "rope_base=10000.0",
        "loss and gradients",
        "single",
    ),
    Defect(
        "a scenario that tries a knob no more",
        f"{GPT}/probe_data.py",
        '"ROPE_BASE": "1000"',
        '"ROPE_BASE": "10000"',
        "knobs",
        "ROPE_BASE has its default in every scenario",
    ),
    Defect(
        "a model left in the wrong mode",
        f"{GPT}/ttt.py",
        "        p.requires_grad_(True)\n    model.train()",
        "        p.requires_grad_(True)",
        "evaluation and export",
        "training is False",
    ),
    Defect(
        "a dead knob",
        f"{GPT}/features/phinta.py",
        "settings.phinta_init_scale",
        "0.5",
        "liveness",
        "PHINTA_INIT_SCALE",
    ),
    Defect(
        "an extra random draw",
        f"{GPT}/model.py",
        "self.around_block, self.before_head =",
        "torch.rand(1)\n        self.around_block, self.before_head =",
        "random numbers",
        "rng torch is",
    ),
    Defect(
        "an extra operation while off",
        f"{GPT}/model.py",
        "x0, skips, auxiliary = x, [], []",
        "x0, skips, auxiliary = x + 0, [], []",
        "operations",
        "aten.add.Tensor",
    ),
    Defect(
        "a changed learning-rate default",
        f"{GPT}/knobs.py",
        'Knob("MATRIX_LR", float, KNOB_MATRIX_LR',
        'Knob("MATRIX_LR", float, KNOB_MATRIX_LR + 0.01',
        "knobs",
        "MATRIX_LR defaults to 0.05, in the baseline 0.04",
    ),
    Defect(
        "a swapped skip order, silent while projections are zero",
        f"{GPT}/model.py",
        "skips.pop()",
        "skips.pop(0)",
        "loss and gradients",
        "loss is float32",
    ),
    Defect(
        "a broken Muon step",
        f"{GPT}/muon.py",
        "X = a * X + (B.to",
        "X = a * X - (B.to",
        "training",
        "after Muon step",
    ),
    Defect(
        "an off-by-one in the loader",
        "train_gpt_style/kit/shards.py",
        "local[1:]",
        "local[:-1]",
        "training",
        "input.0.1 is int64",
    ),
    Defect(
        "a broken quantiser",
        f"{GPT}/export.py",
        "torch.round(",
        "torch.floor(",
        "evaluation and export",
        "file final_model.int8.safetensors.z differs",
    ),
    Defect(
        "a test-time-training state that leaks between documents",
        f"{GPT}/ttt.py",
        "value.zero_()",
        "value.add_(0)",
        "evaluation and export",
        "Adam step",
    ),
]


def gate_on_copy(root, tmp_path, defect):
    """Run one gate on a copy of the repository's code in which the defect is planted."""
    for folder in ("verify", "train_gpt_style", "records"):
        shutil.copytree(
            root / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__")
        )
    shutil.copy(root / "pyproject.toml", tmp_path)
    target = tmp_path / defect.file
    source = target.read_text(encoding="utf-8")
    assert source.count(defect.old) >= 1, f"{defect.file} no longer holds {defect.old!r}"
    target.write_text(source.replace(defect.old, defect.new), encoding="utf-8")
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "goldenseal",
            "verify",
            "--json",
            "--system",
            "gpt",
            "--only",
            defect.gate,
        ],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": python_path(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout, done.stderr
    (result,) = json.loads(done.stdout)["gates"]
    return done.returncode, result


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda d: d.name)
def test_the_intended_gate_catches_it_and_names_it(root, tmp_path, defect):
    code, result = gate_on_copy(root, tmp_path, defect)
    assert (code, result["verdict"]) == (1, "fail")
    assert any(defect.words in finding for finding in result["findings"]), result["findings"]


def test_a_parameter_outside_every_optimizer_is_refused_at_start(root, tmp_path):
    defect = Defect(
        "orphan", f"{GPT}/features/phinta.py", 'return "', 'return None and "', "liveness", ""
    )
    code, result = gate_on_copy(root, tmp_path, defect)
    assert (code, result["verdict"]) == (1, "fail")
    assert any("phinta" in f and "optimizer" in f for f in result["findings"]), result["findings"]


def test_an_edit_of_a_comment_passes(root, tmp_path):
    defect = Defect("comment", f"{GPT}/model.py", "# (B, T, V)", "# [B, T, V]", "operations", "")
    code, result = gate_on_copy(root, tmp_path, defect)
    assert (code, result["verdict"], result["findings"]) == (0, "pass", [])

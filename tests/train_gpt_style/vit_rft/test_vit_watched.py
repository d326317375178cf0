"""pytest tests/train_gpt_style/vit_rft/test_vit_watched.py — logs against a watcher of the run.

The watcher sees the model, each loss, and each optimizer step by torch's own hooks; from these
every line that a run writes is computed anew.
"""

import hashlib
import json
import math
import random
from types import SimpleNamespace

import numpy as np
import pytest
import safetensors.torch
import torch
from torch.optim.optimizer import (
    register_optimizer_step_post_hook,
    register_optimizer_step_pre_hook,
)

from goldenseal.digest import tensor_digest
from goldenseal.ladder.recorder import counting_clock
from goldenseal.runlog import read_run_log
from tests.train_gpt_style.vit_rft.test_vit_coupler import by_hand
from train_gpt_style.kit.numerics import numeric_class
from train_gpt_style.vit_rft import probe_data, run

ON = {
    "RUN_LOG": "1",
    "RUN_LOG_STATE_EVERY": "2",
    "TELEMETRY": "1",
    "DCLR_GAIN": "0.5",
    "COUPLER_STRENGTH": "0.75",
    "COUPLER_CAP": "0.5",
    "STEPS": "5",
    "SEED": "1597",
    "BETA2": "0.75",
}


def state_of(model, optimizer):
    """The three digests."""
    tensors = {
        f"adam.{i}.{key}": value
        for i, p in enumerate(model.parameters())
        for key, value in optimizer.state[p].items()
    }
    rng = tensor_digest({"torch": torch.get_rng_state()})
    digests = (tensor_digest(model.state_dict()), tensor_digest(tensors), rng)
    return dict(zip(("model", "optimizers", "rng"), digests, strict=True))


@pytest.fixture(scope="module")
def seen(data, tmp_path_factory):
    """What the watcher saw, and what the run wrote."""
    folder, real = tmp_path_factory.mktemp("watched"), (run.build_model, run.loss_and_correct)
    watched = SimpleNamespace(losses=[], validated=[], stream=[], states=[], folder=folder)

    def build(*arguments):
        watched.model = real[0](*arguments)
        watched.initial = tensor_digest(watched.model.state_dict())
        return watched.model

    def loss_and_correct(model, x, y):
        loss, correct = real[1](model, x, y)
        seen = watched.losses if model.training else watched.validated
        seen.append((loss.item(), correct.item(), len(y)))
        return loss, correct

    def before(optimizer, *_):
        def flat(tensors):
            return np.concatenate([t.detach().double().flatten().numpy() for t in tensors])

        own = list(watched.model.parameters())
        moments = [optimizer.state.get(p, {}).get("exp_avg", torch.zeros_like(p)) for p in own]
        watched.stream.append((flat(p.grad for p in own), flat(moments)))

    def after(optimizer, *_):
        watched.states.append(state_of(watched.model, optimizer))

    hooks = (register_optimizer_step_pre_hook(before), register_optimizer_step_post_hook(after))
    environ = {**probe_data.TINY, **data, **ON}
    with pytest.MonkeyPatch.context() as patch, counting_clock():
        patch.setattr(run, "build_model", build)
        patch.setattr(run, "loss_and_correct", loss_and_correct)
        patch.chdir(folder)
        random.seed(0)
        run.main(environ)
    for hook in hooks:
        hook.remove()
    last = watched.validated[-2:]
    watched.results = {
        "data": "folder",
        "parameters": sum(p.numel() for p in watched.model.parameters()),
        "steps": 5,
        "val_acc": sum(correct for _, correct, _ in last) / 9,
        "val_loss": sum(loss * count for loss, _, count in last) / 9,
    }
    watched.log = read_run_log(folder / "train.jsonl")
    watched.table, watched.raw = (
        [json.loads(line) for line in (folder / name).read_text("utf-8").splitlines()]
        for name in ("stage4_vit_tiny.jsonl", "stage4_alignment.jsonl")
    )
    return watched


def test_the_header_says_what_the_run_is(seen):
    header = {name: value for name, value in seen.log[0].items() if name != "chain"}
    knobs = header.pop("knobs")
    assert header == {
        "kind": "header",
        "schema": 1,
        "system": "vit_rft",
        "seed": "1597",
        "data": "folder",
        "numeric_class": numeric_class(),
    }
    assert "DATA_DIR" not in knobs
    assert len(knobs) == 38
    assert all(
        knobs[name] == value or float(knobs[name]) == float(value)
        for name, value in {**probe_data.TINY, **ON}.items()
    )


def test_each_step_of_the_run_log_is_what_the_watcher_saw(seen):
    lines = [line for line in seen.log if line["kind"] == "step"]
    assert len(lines) == len(seen.losses) == 5
    for step, (line, (loss, correct, _)) in enumerate(zip(lines, seen.losses, strict=True), 1):
        state = {"state": seen.states[step - 1]} if step % 2 == 0 else {}
        assert {name: value for name, value in line.items() if name != "chain"} == {
            "kind": "step",
            "data": "folder",
            "step": step,
            "loss": loss.hex(),
            "lr": float(probe_data.TINY["LR"]).hex(),
            "correct": correct,
            "clock": {"train_ms": 1000.0 * seen.table[step - 1]["t"]},
            **state,
        }


def test_the_log_ends_with_the_state_and_the_results_of_the_run(seen):
    *_, validation, trained, end = (
        {name: value for name, value in line.items() if name != "chain"} for line in seen.log
    )
    exact = {name: seen.results[name].hex() for name in ("val_loss", "val_acc")}
    assert validation == {"kind": "validation", "data": "folder", "step": 5, **exact}
    assert trained == {"kind": "trained", "step": 5, "state": seen.states[-1]}
    counts = {name: seen.results[name] for name in ("data", "parameters", "steps")}
    assert end == {"kind": "end", **counts, **exact}
    metrics = json.loads((seen.folder / "metrics.json").read_text("utf-8"))
    assert metrics == {**seen.results, "hex": exact, "seed": "1597"}
    weights = safetensors.torch.load((seen.folder / "final_model.safetensors").read_bytes())
    assert tensor_digest(weights) == seen.states[-1]["model"]


def test_each_line_of_the_telemetry_is_what_the_watcher_saw(seen):
    for step, (line, raw) in enumerate(zip(seen.table, seen.raw, strict=True), 1):
        alignment, drift, flux, _, retained = by_hand(seen.stream[:step], 0.75, 0.5, 0.5)
        loss, correct, _ = seen.losses[step - 1]
        assert {n: line[n] for n in ("mode", "step", "loss", "acc", "J_step", "tempC")} == {
            "mode": "RFT",
            "step": step,
            "loss": loss,
            "acc": correct / 5,
            "J_step": None,
            "tempC": None,
        }
        near = {"rel": 1e-4, "abs": 1e-6}  # inner products of single precision
        assert line["drift"] == pytest.approx(drift, **near)
        assert line["flux"] == pytest.approx(flux, **near)
        assert line["E_ret"] == pytest.approx(min(1.0, retained), **near)
        assert line["coh"] == math.cos(line["drift"] / 2)
        assert raw["alignment"] == pytest.approx(alignment, **near)
        assert {n: raw[n] for n in ("step", "nonfinite")} == {"step": step, "nonfinite": 0}
    times = [line["t"] for line in seen.table]
    assert times == sorted(times)
    assert times[0] > 0


def test_the_manifest_says_what_two_runs_must_share(seen):
    manifest = json.loads((seen.folder / "stage4_manifest.json").read_text("utf-8"))
    knobs = seen.log[0]["knobs"]
    results = {n: v.hex() if isinstance(v, float) else v for n, v in seen.results.items()}
    shared = manifest.pop("shared")
    own = {n: v for n, v in knobs.items() if n.startswith(("DCLR_", "COUPLER_"))}
    assert len(own) == 9
    assert manifest == {
        "schema": 1,
        "mode": "RFT",
        "optimizer": own,
        "energy": {"source": "none", "windows": []},
        "results": results,
    }
    generator, order = torch.Generator().manual_seed(1597), []
    while len(order) < 5 * 5:
        order += torch.randperm(18, generator=generator)[:15].tolist()
    labels = torch.arange(3).repeat_interleave(6)
    assert shared == {
        "data": {
            "kind": "folder",
            "train_images": 18,
            "val_images": 9,
            "classes": 4,
            "order": hashlib.sha512(np.array(order[:25], "<i8").tobytes()).hexdigest(),
            "labels": tensor_digest({"labels": labels}),
        },
        "batch": 5,
        "steps": 5,
        "lr": float(probe_data.TINY["LR"]).hex(),
        "flags": {
            "betas": [(0.5).hex(), (0.75).hex()],
            "eps": (1e-8).hex(),
            "weight_decay": (0.0).hex(),
            "path": "fused",
            "foreach": False,
            "fused": True,
            "autocast": "none",
            "compile": False,
        },
        # A step: its loss and accuracy for the line, both for telemetry, the inner products;
        # and the two validations before the last step.
        "host_reads": 5 * 4 + 2,
        "initial_weights": seen.initial,
        "metered": False,
        "knobs": {name: value for name, value in knobs.items() if name not in own},
        "numeric_class": numeric_class(),
    }

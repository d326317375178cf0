"""pytest tests/train_gpt_style/gpt/test_gpt_runlog.py — the run log observes and nothing more."""

import json
from pathlib import Path

import pytest
import safetensors.torch
import torch

from goldenseal.digest import tensor_digest
from goldenseal.errors import ContradictedError
from goldenseal.runlog import deterministic_digest, read_run_log
from train_gpt_style.gpt import SYSTEM, run
from train_gpt_style.kit.features.runlog import state_digests
from train_gpt_style.kit.seams import Run

ON = {"RUN_LOG": "1", "RUN_LOG_STATE_EVERY": "2"}


def lines_of(done):
    Path("copy.jsonl").write_bytes(done.files["train.jsonl"])
    return read_run_log(Path("copy.jsonl"))


def test_a_logged_run_prints_and_writes_the_same_and_two_files_more(tiny, perform):
    off, on = perform(run.main, tiny), perform(run.main, {**tiny, **ON})
    assert [line for line in on.lines if not line.startswith("feature runlog ")] == off.lines
    assert set(on.files) - set(off.files) == {"train.jsonl", "metrics.json"}
    for name in ("final_model.safetensors", "final_model.int8.safetensors.z"):
        assert on.files[name] == off.files[name]


def test_the_log_holds_every_step_in_order_and_agrees_with_what_is_printed(tiny, perform):
    done = perform(run.main, {**tiny, **ON, "GRAD_CLIP_NORM": "0.5"})
    header, *lines = lines_of(done)
    assert [(line["kind"], line.get("step")) for line in lines[:-1]] == [
        ("validation", 0),
        ("step", 1),
        ("step", 2),
        ("validation", 2),
        ("step", 3),
        ("validation", 3),
        ("trained", 3),
    ]
    steps = [line for line in lines if line["kind"] == "step"]
    printed = [line for line in done.lines if "train_loss:" in line]
    for line, text in zip(steps, printed, strict=True):
        assert f"train_loss:{float.fromhex(line['loss']):.4f} " in text
        assert line["tokens"] == 256 * line["step"]
        assert float.fromhex(line["grad_norm"]) > 0
    for line in [line for line in lines if line["kind"] == "validation"]:
        val_loss, val_bpb = (float.fromhex(line[name]) for name in ("val_loss", "val_bpb"))
        text = f"step:{line['step']}/3 val_loss:{val_loss:.4f} val_bpb:{val_bpb:.4f} "
        assert any(shown.startswith(text) for shown in done.lines)
    for line, text in zip(lines[:-2], [t for t in done.lines if "train_time:" in t], strict=True):
        assert f" train_time:{line['clock']['train_ms']:.0f}ms " in text
    # Linear warm-down over the last two of three steps.
    assert [float.fromhex(s["lr"]["matrices"]) for s in steps] == [0.04, 0.04, 0.02]
    assert header["seed"] == "1337"
    assert header["knobs"]["ITERATIONS"] == "3"
    assert not any("/" in value for value in header["knobs"].values())


def test_state_digests_come_at_their_cadence_and_at_the_end(tiny, perform):
    done = perform(run.main, {**tiny, **ON})
    lines = lines_of(done)
    assert [line["step"] for line in lines if "state" in line] == [2, 3]
    weights = safetensors.torch.load(done.files["final_model.safetensors"])
    trained = next(line for line in lines if line["kind"] == "trained")
    assert trained["state"]["model"] == tensor_digest(weights)
    never = perform(run.main, {**tiny, **ON, "RUN_LOG_STATE_EVERY": "0"})
    assert [line["step"] for line in lines_of(never) if "state" in line] == [3]


def test_each_part_of_the_state_has_a_digest_of_its_own(build, batch):
    model = build()
    optimizers = run.build_optimizers(SYSTEM.read({}), model)
    model(*batch()).backward()
    for optimizer in optimizers.values():
        optimizer.step()
    seen = Run(SYSTEM.read({}), None, model, optimizers)
    before = state_digests(seen)
    changes = {
        "model": lambda: model.skip_weights.data.add_(1),
        "optimizers": lambda: (
            optimizers["matrices"].state_dict()["state"][1]["momentum_buffer"].add_(1)
        ),
        "rng": lambda: torch.rand(1),
    }
    for part, change in changes.items():
        change()
        after = state_digests(seen)
        assert [name for name in before if after[name] != before[name]] == [part]
        before = after


def test_equal_runs_log_the_same_and_another_seed_does_not(tiny, perform):
    short = {**tiny, **ON, "ITERATIONS": "1", "VAL_LOSS_EVERY": "0"}
    first, again, other = (perform(run.main, {**short, "SEED": s}) for s in ("1", "1", "2"))
    assert first.files["train.jsonl"] == again.files["train.jsonl"]
    digests = [deterministic_digest(lines_of(done)) for done in (first, again, other)]
    assert digests[0] == digests[1] != digests[2]


def test_metrics_hold_the_printed_results_exactly(tiny, perform):
    done = perform(run.main, {**tiny, **ON})
    metrics = json.loads(done.files["metrics.json"])
    for name, label in (("roundtrip", "final_int8_zlib_roundtrip"), ("ttt", "final_int8_ttt_lora")):
        for key in ("val_loss", "val_bpb"):
            value = metrics[f"{name}_{key}"]
            assert float.fromhex(metrics["hex"][f"{name}_{key}"]) == value
            assert any(
                line.startswith(label) and f"{key}:{value:.8f}" in line for line in done.lines
            )
    assert metrics["steps"] == 3
    assert metrics["tokens"] == 3 * 256
    assert type(metrics["tokens"]) is int  # JSON tells 768 from 768.0
    assert f"model_params:{metrics['parameters']}" in done.lines
    assert metrics["artifact_bytes"] == len(done.files["final_model.int8.safetensors.z"])


def test_an_edited_line_breaks_the_chain(tiny, perform):
    done = perform(run.main, {**tiny, **ON, "ITERATIONS": "1"})
    raw = done.files["train.jsonl"]
    assert b'"step":1' in raw
    Path("edited.jsonl").write_bytes(raw.replace(b'"step":1', b'"step":2', 1))
    with pytest.raises(ContradictedError, match=r"edited\.jsonl:3: the chain breaks here"):
        read_run_log(Path("edited.jsonl"))


def test_a_seed_beyond_what_json_can_count_is_logged(tiny, perform):
    seed = str(2**63 - 1)
    done = perform(run.main, {**tiny, **ON, "ITERATIONS": "0", "SEED": seed})
    assert lines_of(done)[0]["seed"] == seed

"""pytest tests/train_gpt_style/vit_rft/test_vit_run.py — runs, logs, the command line, parity."""

import copy
import itertools
import json
import os
from functools import partial

import numpy as np
import pytest
import torch

from goldenseal.errors import ContradictedError, UsageError
from goldenseal.runlog import read_run_log
from train_gpt_style.kit import entry
from train_gpt_style.kit.context import Context
from train_gpt_style.kit.images import IDX_IMAGES, IDX_LABELS
from train_gpt_style.vit_rft import SYSTEM, flags, parity, probe_data
from train_gpt_style.vit_rft.dclr import DCLR, Rule
from train_gpt_style.vit_rft.features import telemetry
from train_gpt_style.vit_rft.run import main

NOISE = {"DATA_DIR": "", "SYNTHETIC_IMAGES": "10"}


def write_idx(folder):
    """A tiny data set as MNIST comes, plain and gzipped by turns."""
    rng = np.random.default_rng(3)
    folder.mkdir()
    for prefix, count in (("train", 12), ("t10k", 6)):
        for name, array in (
            (IDX_IMAGES, rng.integers(0, 256, (count, 7, 9), dtype=np.uint8)),
            (IDX_LABELS, (np.arange(count) % 3).astype(np.uint8)),
        ):
            header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
            (folder / f"{prefix}-{name}").write_bytes(header + array.tobytes())
    return str(folder)


def test_features_off_the_weights_and_lines_are_the_baselines(baseline, perform, tmp_path):
    idx = write_idx(tmp_path / "idx")
    for i, environ in enumerate(({}, {"DATA_DIR": idx}, NOISE)):
        theirs = perform(f"theirs {i}", main=baseline.main, **environ)
        ours = perform(f"ours {i}", **environ)
        assert theirs.weights == ours.weights
        timeless = [
            [line.split(" time:")[0] for line in run.printed if "data_dir" not in line]
            for run in (theirs, ours)
        ]
        assert timeless[0] == timeless[1]
        assert sorted(p.name for p in ours.folder.iterdir()) == ["final_model.safetensors"]


def test_a_line_tells_the_milliseconds_since_the_first_step_began(perform, monkeypatch):
    clock = itertools.count(3.0, 100.0)
    monkeypatch.setattr(Context, "now", lambda self: next(clock))
    times = [line.partition(" time:")[2] for line in perform().printed if " time:" in line]
    assert times == ["100000ms", "200000ms", "300000ms", "400000ms"]


def test_the_published_log_has_its_eleven_keys_in_order_and_canonical_numbers(perform):
    run = perform(TELEMETRY="1", DCLR_GAIN="0.5")
    lines = run.lines(telemetry.LOG)
    assert [tuple(line) for line in lines] == [telemetry.KEYS] * 4
    assert [line["step"] for line in lines] == [1, 2, 3, 4]
    for line in lines:
        assert line["mode"] == "RFT"
        assert 0 <= line["acc"] <= 1
        assert 0 <= line["drift"] <= 0.1
        assert 0.99875 <= line["coh"] <= 1
        assert 0 <= line["E_ret"] <= 1
        assert line["J_step"] is line["tempC"] is None  # nothing measured, nothing claimed
    assert [a["t"] < b["t"] for a, b in itertools.pairwise(lines)] == [True] * 3
    text = (run.folder / telemetry.LOG).read_text("utf-8")
    assert ", " not in text
    assert "NaN" not in text
    raw = run.lines(telemetry.ALIGNMENT)
    assert raw[0] == {"step": 1, "alignment": 0.0, "nonfinite": 0}
    assert len({line["alignment"] for line in raw}) == 4


def test_telemetry_changes_nothing_and_is_the_same_observer_in_both_arms(perform):
    plain, seen = perform("plain"), perform("seen", TELEMETRY="1", RUN_LOG="1")
    assert plain.weights == seen.weights
    base = seen.lines(telemetry.LOG)
    assert {line["mode"] for line in base} == {"BASE"}
    frozen = perform("frozen", TELEMETRY="1", DCLR_GAIN="0.5", DCLR_MEMORY="1")
    for a, b in zip(base, frozen.lines(telemetry.LOG), strict=True):  # the rate never moves
        assert {**a, "mode": "", "t": 0} == {**b, "mode": "", "t": 0}
    assert frozen.weights == plain.weights


def test_each_feature_that_is_on_says_its_settings(perform):
    printed = perform(TELEMETRY="1", DCLR_GAIN="0.5", DCLR_MEMORY="0.25").printed
    said = [line.split() for line in printed if line.startswith("feature ")]
    assert sorted(words[1] for words in said) == ["dclr", "telemetry"]
    assert {"dclr_gain:0.5", "dclr_memory:0.25"} < {word for words in said for word in words}
    assert not any(line.startswith("feature ") for line in perform("plain").printed)


def test_telemetry_sees_what_the_optimizer_saw_and_not_twice():
    optimizer = DCLR([torch.nn.Parameter(torch.ones(2))], Rule(gain=0.5))
    assert telemetry.watch_of(optimizer) is optimizer.watch


def test_on_noise_every_output_says_so(perform, capsys):
    run = perform(TELEMETRY="1", RUN_LOG="1", **NOISE)
    assert all(line.startswith("[synthetic] ") for line in run.printed)
    assert any("chance:" in line for line in run.printed)
    assert not any("acc:" in line for line in run.printed)
    for name in (telemetry.LOG, telemetry.ALIGNMENT):
        assert all(line["data"] == "synthetic" for line in run.lines(name))
    log = read_run_log(run.folder / "train.jsonl")
    assert all(line.get("data", "synthetic") == "synthetic" for line in log)
    assert sum("data" in line for line in log) >= len(log) - 1
    assert run.lines("metrics.json")[0]["data"] == "synthetic"
    manifest = parity.read_manifest(run.folder / telemetry.MANIFEST)
    assert manifest["shared"]["data"]["kind"] == "synthetic"
    assert b'"data":"synthetic"' in run.weights
    photos = perform("images", TELEMETRY="1")
    assert not any("synthetic]" in line or "chance" in line for line in photos.printed)
    assert b"synthetic" not in photos.weights


def test_the_run_log_is_chained_and_two_runs_write_the_same(perform):
    environ = {"RUN_LOG": "1", "RUN_LOG_STATE_EVERY": "2", "DCLR_GAIN": "0.5"}
    logs = []
    for name in ("a", "b"):
        lines = read_run_log(perform(name, **environ).folder / "train.jsonl")
        for line in lines:
            line.pop("clock", None)
        logs.append(lines)
    assert logs[0] == logs[1]
    kinds = [line["kind"] for line in logs[0]]
    assert kinds.count("step") == 4
    assert kinds.count("validation") == 2
    assert kinds[-2:] == ["trained", "end"]
    assert [line["step"] for line in logs[0] if "state" in line] == [2, 4, 4]
    assert "DATA_DIR" not in logs[0][0]["knobs"]


class FakeMeter:
    """Ten joules a window, or nothing."""

    def __init__(self, joules=10.0):
        self.joules, self.calls = joules, []

    def start(self):
        self.calls.append("start")

    def stop(self):
        self.calls.append("stop")
        return {"joules": self.joules, "seconds": 2.0, "source": "fake"}

    def temperature(self):
        return 40.5


@pytest.mark.parametrize(
    ("window", "expected", "calls"),
    [("0", [None, None, None, 2.5], 1), ("2", [None, 5, None, 5], 2), ("3", [None, None] * 2, 2)],
)
def test_a_meter_measures_windows_and_never_steps(perform, window, expected, calls):
    meter = FakeMeter()
    run = perform(meter=meter, TELEMETRY="1", TELEMETRY_WINDOW=window)
    if window == "3":  # the last window holds one step
        expected = [None, None, pytest.approx(10 / 3), 10.0]
    assert [line["J_step"] for line in run.lines(telemetry.LOG)] == expected
    assert {line["tempC"] for line in run.lines(telemetry.LOG)} == {40.5}
    assert meter.calls == ["start", "stop"] * calls
    energy = parity.read_manifest(run.folder / telemetry.MANIFEST)["energy"]
    assert energy["source"] == "fake"
    assert energy["windows"][-1]["steps"][1] == 4


def test_what_a_meter_could_not_measure_stays_null(perform):
    run = perform(meter=FakeMeter(None), TELEMETRY="1")
    assert {line["J_step"] for line in run.lines(telemetry.LOG)} == {None}


# -- parity ---------------------------------------------------------------------------------------


def test_both_modes_may_be_compared_and_read_the_device_equally_often(perform):
    base = perform("base", TELEMETRY="1")
    rft = perform("rft", TELEMETRY="1", DCLR_GAIN="0.5", DCLR_FEEDBACK="1")
    paths = [str(run.folder / telemetry.MANIFEST) for run in (base, rft)]
    a, b = map(parity.read_manifest, paths)
    assert parity.compare_manifests(a, b) == []
    assert a["shared"]["host_reads"] == b["shared"]["host_reads"] > 0
    assert parity.main(paths) == 0
    assert base.weights != rft.weights


@pytest.mark.parametrize(
    ("environ", "name"),
    [
        ({"SEED": "7"}, "data.order"),
        ({"SEED": "7"}, "initial_weights"),
        ({"BATCH": "4"}, "batch"),
        ({"STEPS": "5"}, "steps"),
        ({"LR": "0.5"}, "lr"),
        ({"ADAM_PATH": "foreach"}, "flags.foreach"),
        ({"ADAM_PATH": "for-loop"}, "flags.fused"),
        ({"BETA1": "0.25"}, "flags.betas"),
        ({"ADAM_EPS": "0.5"}, "flags.eps"),
        ({"LOG_EVERY": "3"}, "host_reads"),
        ({"EVAL_EVERY": "3"}, "knobs.EVAL_EVERY"),
        ({"RUN_LOG": "1"}, "knobs.RUN_LOG"),
        (NOISE, "data.kind"),
    ],
    ids=str,
)
def test_each_planted_difference_is_named(perform, environ, name):
    manifests = [
        parity.read_manifest(perform(n, TELEMETRY="1", **e).folder / telemetry.MANIFEST)
        for n, e in (("a", {}), ("b", environ))
    ]
    found = parity.compare_manifests(*manifests)
    assert any(line.startswith(f"{name}: ") for line in found), found
    with pytest.raises(ContradictedError, match="may not be compared"):
        parity.require_parity(*manifests)


def paths_of(table):
    """The keys that lead to each leaf of nested tables; a key may hold a dot itself."""
    for key, value in sorted(table.items()):
        if isinstance(value, dict) and value:
            yield from ([key, *rest] for rest in paths_of(value))
        else:
            yield [key]


def test_every_single_edit_of_a_manifest_is_found(perform, tmp_path, capsys):
    path = perform(TELEMETRY="1").folder / telemetry.MANIFEST
    manifest = parity.read_manifest(path)
    for *parents, last in paths_of(manifest["shared"]):
        name = ".".join([*parents, last])
        edited = copy.deepcopy(manifest)
        table = edited["shared"]
        for parent in parents:
            table = table[parent]
        table[last] = "another"
        assert [line.split(":")[0] for line in parity.compare_manifests(manifest, edited)] == [name]
        del table[last]
        assert [line.split(":")[0] for line in parity.compare_manifests(manifest, edited)] == [name]
    (tmp_path / "edited.json").write_text(json.dumps(edited))
    assert parity.main([str(path), str(tmp_path / "edited.json")]) == 1
    (tmp_path / "none.json").write_text("{}")
    assert parity.main([str(path), str(tmp_path / "none.json")]) == 2
    assert parity.main([str(path)]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 3


# -- the command line ------------------------------------------------------------------------------


def test_flags_and_variables_that_agree_are_one_and_others_an_error():
    def merge(environ=None, **given):
        return flags.merge(environ or {}, given)

    assert merge(mode="RFT") == {"DCLR_GAIN": "0.25", "TELEMETRY": "1"}
    assert merge(mode="BASE") == {"TELEMETRY": "1"}
    assert merge({"DCLR_GAIN": "0.5"}, mode="RFT")["DCLR_GAIN"] == "0.5"
    assert merge({"LR": "0.0005"}, lr="5e-4")["LR"] == "5e-4"
    assert merge(steps="3", batch="2", data_dir="d") == {
        "STEPS": "3",
        "BATCH": "2",
        "DATA_DIR": "d",
    }
    for environ, given, words in (
        ({"LR": "1"}, {"lr": "2"}, "--lr means LR=2, but LR=1 is set"),
        ({"DATA_DIR": "a"}, {"data_dir": "b"}, "DATA_DIR=a is set"),
        ({"STEPS": "x"}, {"steps": "3"}, "STEPS=x is set"),
        ({"DCLR_GAIN": "0"}, {"mode": "RFT"}, "--mode RFT needs a DCLR_GAIN of above 0"),
        ({"DCLR_GAIN": "0.5"}, {"mode": "BASE"}, "--mode BASE needs a DCLR_GAIN of 0"),
        ({"TELEMETRY": "0"}, {"mode": "BASE"}, "TELEMETRY=0 is set"),
    ):
        with pytest.raises(UsageError) as caught:
            merge(environ, **given)
        assert words in str(caught.value)


def test_the_published_command_line_runs_in_both_modes(monkeypatch, tmp_path, data, capsys):
    for name, value in probe_data.TINY.items():
        if name not in ("STEPS", "BATCH", "LR"):
            monkeypatch.setenv(name, value)
    modes, call = {}, partial(entry.cli, SYSTEM, main, environ_of=flags.environ_of)
    for mode in ("RFT", "BASE"):
        folder = tmp_path / mode
        folder.mkdir()
        monkeypatch.chdir(folder)
        published = ["--mode", mode, "--steps", "3", "--batch", "4", "--lr", "5e-4"]
        assert call([*published, "--data_dir", data["DATA_DIR"]]) == 0
        lines = (folder / telemetry.LOG).read_text("utf-8").splitlines()
        modes[mode] = [json.loads(line) for line in lines]
        assert {line["mode"] for line in modes[mode]} == {mode}
        assert tuple(modes[mode][0]) == telemetry.KEYS
    assert modes["RFT"][0]["loss"] == modes["BASE"][0]["loss"]
    capsys.readouterr()
    assert call(["--help"]) == 0
    assert "Example:" in capsys.readouterr().out
    assert call(["--mode", "FAST"]) == 2
    assert call(["--steps", "-3"]) == 2
    assert call(["--data_dir", "nowhere"]) == 2
    *_, last = capsys.readouterr().err.splitlines()
    assert last == "error: DATA_DIR=nowhere is no folder"
    assert "DCLR_GAIN" not in os.environ

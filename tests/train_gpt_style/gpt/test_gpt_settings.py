"""pytest tests/train_gpt_style/gpt/test_gpt_settings.py — knobs: names, ranges, contradictions.

The list of knobs is frozen in tests/golden/knobs.txt. After a wanted change, rewrite it with

    UPDATE_GOLDENS=1 pytest tests/train_gpt_style/gpt/test_gpt_settings.py
"""

import dataclasses
import os
import subprocess
import sys

import pytest

from tests.patience import patience
from tests.train_gpt_style import frozen_knobs
from train_gpt_style.gpt import SYSTEM
from train_gpt_style.kit import entry
from verify.errors import UsageError
from verify.knobs import check_declarations
from verify.runlog import read_run_log


def test_the_declarations_are_consistent():
    check_declarations(SYSTEM.baseline_knobs, [f.declaration for f in SYSTEM.features])


def test_every_knob_of_the_baseline_keeps_its_place_default_and_range(baseline):
    theirs = [
        (f.metadata["env"], f.type, f.default, f.metadata["low"], f.metadata["high"])
        for f in dataclasses.fields(baseline.Hyperparameters)
    ]
    assert theirs == [(k.name, k.type, k.default, k.low, k.high) for k in SYSTEM.baseline_knobs]


def test_the_frozen_list_of_knobs_is_unchanged(root):
    frozen_knobs.check(SYSTEM.knobs, SYSTEM.features, root / "tests/golden/knobs.txt")


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("PHINTA_ENABEL", "1", "did you mean PHINTA_ENABLE"),
        ("NUM_LAYER", "4", "did you mean NUM_LAYERS"),
        ("ut_loops", "4", "did you mean UT_LOOPS"),
        ("PHINTA_ENABLE", "yes", "0 or 1"),
        ("PHINTA_ENABLE", "-1", "0 or 1"),
        ("PHINTA_START", "maybe", "one of frozen, identity"),
        ("PHI_LR_SCALE", "0", "at least 1e-06"),
        ("PHI_LR_SCALE", "nan", "finite"),
        ("UT_LOOPS", "65", "at most 64"),
        ("UT_LOOPS", "0", "at least 1"),
        ("UT_LAYER_START", "-2", "at least 0"),
        ("SEED", "one", "an integer"),
        ("MUON_MOMENTUM", "1.5", "at most 1"),
        ("MODEL_DIM", "100", "NUM_HEADS=8"),
        ("NUM_KV_HEADS", "3", "must divide NUM_HEADS=8"),
        ("TTT_CHUNK_SIZE", "2048", "TTT_EVAL_SEQ_LEN=1024"),
        ("NUMERICS", "fast", "one of native, portable"),
        ("NUMERIC", "portable", "did you mean NUMERICS"),
        ("BETA2", "1", "less than 1"),
        ("TRAIN_BATCH_TOKENS", "1000", "TRAIN_SEQ_LEN=1024"),
        ("VAL_BATCH_SIZE", "8191", "8 times TRAIN_SEQ_LEN=1024"),
        ("RUN_ID", "../x", "plain file name"),
    ],
)
def test_a_bad_setting_is_one_line_that_names_the_knob_and_what_is_legal(name, text, words):
    with pytest.raises(UsageError) as caught:
        SYSTEM.read({name: text})
    message = str(caught.value)
    assert name in message
    assert words in message
    assert "\n" not in message


@pytest.mark.parametrize(("start", "end"), [("0", "0"), ("5", "3"), ("3", "3"), ("0", "99")])
def test_looping_no_block_or_blocks_that_do_not_exist_is_refused(start, end):
    environ = {"UT_LAYER_START": start, "UT_LAYER_END": end}
    with pytest.raises(UsageError, match="UT_LAYER_START < UT_LAYER_END <= NUM_LAYERS=9"):
        SYSTEM.read({**environ, "UT_LOOPS": "4"})
    assert SYSTEM.read(environ).ut_loops == 1  # dormant: no contradiction


def test_a_gain_without_anything_behind_it_is_refused():
    environ = {"PHINTA_START": "identity", "PHINTA_INIT_SCALE": "0"}
    with pytest.raises(UsageError, match="PHINTA_INIT_SCALE above 0"):
        SYSTEM.read({**environ, "PHINTA_ENABLE": "1"})
    SYSTEM.read(environ)


def test_settings_spelled_out_read_back_the_same():
    environ = {"UT_LOOPS": "4", "UT_LAYER_END": "9", "MATRIX_LR": "1e-3", "TIE_EMBEDDINGS": "0"}
    settings = SYSTEM.read(environ)
    assert dict(SYSTEM.read(settings.as_environment())) == dict(settings)


def test_the_command_line_helps_and_refuses_arguments(capsys, monkeypatch, tmp_path):
    assert entry.cli(SYSTEM, ["--help"]) == 0
    assert "goldenseal knobs" in capsys.readouterr().out
    assert entry.cli(SYSTEM, ["--iterations", "3"]) == 2
    assert "environment variables: --iterations" in capsys.readouterr().err
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ITERATION", "3")
    assert entry.cli(SYSTEM, []) == 2
    assert capsys.readouterr().err == "error: ITERATION is not a knob; did you mean ITERATIONS?\n"
    assert not list(tmp_path.iterdir())


def test_the_other_lane_is_refused_once_torch_is_imported(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NUMERICS", "portable")
    assert entry.cli(SYSTEM, []) == 2
    assert "enter the lane before the first import of torch" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("lane", ["native", "portable"])
def test_a_lane_is_entered_before_torch_and_named_in_the_log(tiny, tmp_path, root, lane):
    environ = {**tiny, "NUMERICS": lane, "RUN_LOG": "1", "ITERATIONS": "1", "NUM_LAYERS": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "train_gpt_style.gpt"],
        cwd=tmp_path,
        env={
            **environ,
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(root),
            "OMP_NUM_THREADS": "1",
        },
        capture_output=True,
        text=True,
        timeout=patience(120),
    )
    assert done.returncode == 0, done.stderr[-2000:]
    header = read_run_log(tmp_path / "train.jsonl")[0]
    assert header["numeric_class"]["lane"] == header["knobs"]["NUMERICS"] == lane

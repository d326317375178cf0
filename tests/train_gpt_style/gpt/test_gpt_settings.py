"""pytest tests/train_gpt_style/gpt/test_gpt_settings.py — knobs: names, ranges, contradictions.

What holds of every system: tests/train_gpt_style/test_every_system.py.
"""

import pytest

from goldenseal.errors import UsageError
from train_gpt_style.gpt import SYSTEM


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

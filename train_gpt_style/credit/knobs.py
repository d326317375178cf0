"""The baseline's knobs, and what must not be set together.

Names, defaults and ranges are those of the frozen baseline; a gate holds them there.
"""

from pathlib import Path

from goldenseal.errors import UsageError
from goldenseal.knobs import Knob, Settings
from train_gpt_style.credit.constants import (
    CREDIT_KNOB_LR,
    CREDIT_KNOB_W2_STD,
    CREDIT_KNOB_WEIGHT_DECAY,
)

BASELINE_KNOBS = (
    # data and run
    Knob("DATA_DIR", str, "", "IDX files, CIFAR batches or class folders; empty: a teacher"),
    Knob("ROLL", bool, False, "roll each image by rows and columns of its own, once"),
    Knob("AUGMENT", bool, False, "crop images padded by 4 pixels, and mirror half of them"),
    Knob("TEACHER_ALPHA", float, 1.0, "share of tanh in the teacher's nonlinearity", 0.0, 1.0),
    Knob("TEACHER_TRAIN", int, 20000, "training examples of the teacher", 1, unit="examples"),
    Knob("TEACHER_TEST", int, 4000, "test examples of the teacher", 1, unit="examples"),
    Knob("SEED", int, 42, "seed of every random draw", 0, 2**63 - 1),
    Knob("STEPS", int, 1000, "length of the run", 0, unit="steps"),
    Knob("BATCH", int, 128, "examples a step", 1, unit="examples"),
    Knob("EVAL_EVERY", int, 0, "test at this cadence; 0: at the end", 0, unit="steps"),
    Knob("LOG_EVERY", int, 10, "print the loss at this cadence; 0: never", 0, unit="steps"),
    # model
    Knob("DIM", int, 256, "width d of the residual stream", 1),
    Knob("DEPTH", int, 4, "blocks L", 1),
    Knob("W2_STD", float, CREDIT_KNOB_W2_STD, "standard deviation of w2 at the start", 0.0),
    Knob("RESIDUAL_ADD", bool, True, "add a block's output to its input"),
    # optimizer
    Knob("LR", float, CREDIT_KNOB_LR, "AdamW, learning rate at the start", 0.0),
    Knob("WEIGHT_DECAY", float, CREDIT_KNOB_WEIGHT_DECAY, "AdamW, weight decay", 0.0),
    Knob(
        *("SCHEDULE", str, "cosine", "the rate over the run: a cosine to 0, or constant"),
        choices=("cosine", "constant"),
    ),
)


def data(settings: Settings) -> dict[str, int]:
    """Path below DATA_DIR and size in bytes of each file there; nothing for the teacher."""
    if not settings.data_dir:
        return {}
    root = Path(settings.data_dir)
    files = sorted(path for path in root.rglob("*") if path.is_file())
    return {path.relative_to(root).as_posix(): path.stat().st_size for path in files}


def check(s: Settings) -> None:
    """Raise UsageError when baseline knobs contradict each other."""
    for name in ("ROLL", "AUGMENT"):
        if s[name] and not s.data_dir:
            raise UsageError(f"{name}=1 needs images: set DATA_DIR, or leave {name} at 0")

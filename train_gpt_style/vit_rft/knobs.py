"""The baseline's knobs, and what must not be set together.

Names, defaults and ranges are those of the frozen baseline; a gate holds them there.
"""

from pathlib import Path

from goldenseal.errors import UsageError
from goldenseal.knobs import Knob, Settings
from train_gpt_style.vit_rft.constants import (
    VIT_KNOB_ADAM_EPS,
    VIT_KNOB_BETA1,
    VIT_KNOB_BETA2,
    VIT_KNOB_LR,
)

ADAM_PATHS = ("for-loop", "foreach", "fused")

BASELINE_KNOBS = (
    # data and run
    Knob("DATA_DIR", str, "", "folder with train/ and val/, or IDX files; empty: synthetic data"),
    Knob("SEED", int, 1234, "seed of every random draw", 0, 2**63 - 1),
    Knob("STEPS", int, 1000, "length of the run", 0, unit="steps"),
    Knob("BATCH", int, 256, "images a step", 1, unit="images"),
    Knob("EVAL_EVERY", int, 0, "validate at this cadence; 0: at the end", 0, unit="steps"),
    Knob("LOG_EVERY", int, 10, "print the loss at this cadence; 0: never", 0, unit="steps"),
    Knob("SYNTHETIC_IMAGES", int, 512, "training images when synthetic", 1, unit="images"),
    # model
    Knob("IMAGE_SIZE", int, 224, "side of an image; a multiple of PATCH_SIZE", 1, unit="pixels"),
    Knob("PATCH_SIZE", int, 16, "side of a patch", 1, unit="pixels"),
    Knob("DIM", int, 192, "width of the residual stream; a multiple of HEADS", 1),
    Knob("DEPTH", int, 12, "blocks", 1),
    Knob("HEADS", int, 3, "attention heads", 1),
    Knob("CLASSES", int, 0, "outputs; 0: as many as the data has, 1000 when synthetic", 0),
    # optimizer
    Knob("LR", float, VIT_KNOB_LR, "Adam, learning rate", 0.0),
    Knob("BETA1", float, VIT_KNOB_BETA1, "Adam, mean of gradients", 0.0, 1.0),
    Knob("BETA2", float, VIT_KNOB_BETA2, "Adam, mean of their squares", 0.0, 1.0),
    Knob("ADAM_EPS", float, VIT_KNOB_ADAM_EPS, "Adam, added to the denominator", 0.0),
    Knob("ADAM_PATH", str, "fused", "torch's implementation of Adam", choices=ADAM_PATHS),
)


def data(settings: Settings) -> dict[str, int]:
    """Path below DATA_DIR and size in bytes of each file there; nothing when data is synthetic."""
    if not settings.data_dir:
        return {}
    root = Path(settings.data_dir)
    files = sorted(path for path in root.rglob("*") if path.is_file())
    return {path.relative_to(root).as_posix(): path.stat().st_size for path in files}


def check(s: Settings) -> None:
    """Raise UsageError when baseline knobs contradict each other."""
    if s.image_size % s.patch_size:
        raise UsageError(f"PATCH_SIZE={s.patch_size} must divide IMAGE_SIZE={s.image_size}")
    if s.dim % s.heads:
        raise UsageError(f"HEADS={s.heads} must divide DIM={s.dim}")
    for name in ("BETA1", "BETA2"):
        if s[name] == 1.0:
            raise UsageError(f"{name}=1.0 must be less than 1: Adam would never start to average")

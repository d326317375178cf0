"""The baseline's knobs, and what must not be set together.

Names, defaults and ranges are those of the frozen baseline; a gate holds them there.
"""

from pathlib import Path

from goldenseal.errors import UsageError
from goldenseal.knobs import Knob, Settings
from train_gpt_style.soup_student.constants import STUDENT_KNOB_LR, STUDENT_KNOB_NCE_TEMP

BASELINE_KNOBS = (
    # data and run
    Knob("DATA_DIR", str, "", "folder with train/ and val/, or IDX files; empty: synthetic"),
    Knob("TARGETS", str, "", "table of targets, a row an image; empty: synthetic"),
    Knob("SOUP", str, "", "weights of the soup that made the targets, for what needs it"),
    Knob("SEED", int, 1234, "seed of every random draw", 0, 2**63 - 1),
    Knob("EPOCHS", int, 20, "length of the run", 0, unit="epochs"),
    Knob("BATCH", int, 48, "images a step; the last of an epoch may be shorter", 1, unit="images"),
    Knob("EVAL_EVERY", int, 1, "validate at this cadence; 0: at the end", 0, unit="epochs"),
    Knob("LOG_EVERY", int, 10, "print the loss at this cadence; 0: never", 0, unit="steps"),
    Knob("SYNTHETIC_IMAGES", int, 512, "training images when synthetic", 1, unit="images"),
    # model
    Knob("IMG_SIZE", int, 224, "side of an image; a multiple of PATCH_SIZE", 1, unit="pixels"),
    Knob("PATCH_SIZE", int, 16, "side of a patch", 1, unit="pixels"),
    Knob("CHANNELS", int, 3, "1 or 3; of grey images all three are equal", 1, 3),
    Knob("DEPTH", int, 6, "layers", 1),
    Knob("DIM", int, 384, "width of the residual stream; a multiple of HEADS", 1),
    Knob("HEADS", int, 6, "attention heads", 1),
    Knob("FFN_DIM", int, 1536, "width of the feed-forward networks", 1),
    Knob("OUTPUT_DIM", int, 128, "dimension of the sphere; the targets' columns", 2),
    # optimizer and loss
    Knob("LR", float, STUDENT_KNOB_LR, "Adam, learning rate", 0.0),
    Knob("NCE_WEIGHT", float, 1.0, "weight of InfoNCE against the targets", 0.0),
    Knob("NCE_TEMP", float, STUDENT_KNOB_NCE_TEMP, "temperature of InfoNCE", 0.0078125),
    Knob("MSE_WEIGHT", float, 0.5, "weight of the mean squared error", 0.0),
)


def data(settings: Settings) -> dict[str, int]:
    """Name and size in bytes of each image file and of the targets; nothing if synthetic."""
    if not settings.data_dir:
        return {}
    root = Path(settings.data_dir)
    files = sorted(path for path in root.rglob("*") if path.is_file())
    found = {path.relative_to(root).as_posix(): path.stat().st_size for path in files}
    more = {"targets": settings.targets, "soup": settings.soup}
    return found | {name: Path(path).stat().st_size for name, path in more.items() if path}


def check(s: Settings) -> None:
    """Raise UsageError when baseline knobs contradict each other."""
    if s.img_size % s.patch_size:
        raise UsageError(f"PATCH_SIZE={s.patch_size} must divide IMG_SIZE={s.img_size}")
    if s.dim % s.heads:
        raise UsageError(f"HEADS={s.heads} must divide DIM={s.dim}")
    if s.channels == 2:
        raise UsageError("CHANNELS=2 must be 1 or 3")
    if bool(s.data_dir) != bool(s.targets):
        raise UsageError("DATA_DIR and TARGETS belong together: give both or neither")
    if s.soup and not s.targets:
        raise UsageError("SOUP needs TARGETS: the soup is the one that made them")
    if not s.nce_weight and not s.mse_weight:
        raise UsageError("NCE_WEIGHT and MSE_WEIGHT are both 0: there is nothing to learn")

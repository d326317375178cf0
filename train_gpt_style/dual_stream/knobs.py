"""The baseline's knobs, and what must not be set together.

Names, defaults and ranges are those of the frozen baseline; a gate holds them there.
"""

from pathlib import Path

from goldenseal.errors import UsageError
from goldenseal.knobs import Knob, Settings
from train_gpt_style.dual_stream.constants import (
    DUAL_KNOB_ANCHOR_DROP,
    DUAL_KNOB_INFONCE_TEMP,
    DUAL_KNOB_LR,
    DUAL_KNOB_WEIGHT_DECAY,
)

BASELINE_KNOBS = (
    # data and run
    Knob("DATA_DIR", str, "", "folder with train/ and val/, or IDX files; empty: synthetic data"),
    Knob("SEED", int, 1234, "seed of every random draw", 0, 2**63 - 1),
    Knob("EPOCHS", int, 20, "length of the run", 0, unit="epochs"),
    Knob("BATCH", int, 128, "images a step, each in two views", 2, unit="images"),
    Knob("LOG_EVERY", int, 10, "print the loss at this cadence; 0: never", 0, unit="steps"),
    Knob("SYNTHETIC_IMAGES", int, 512, "training images when synthetic", 1, unit="images"),
    Knob("CLASSES", int, 10, "outputs", 2),
    # model
    Knob("IMG_SIZE", int, 32, "side of an image; a multiple of PATCH_SIZE", 1, unit="pixels"),
    Knob("PATCH_SIZE", int, 4, "side of a patch", 1, unit="pixels"),
    Knob("EMBED_DIM", int, 384, "width of a token before the streams", 1),
    Knob("STREAM_DIM", int, 192, "width of a stream; a multiple of N_HEADS", 1),
    Knob("FUSED_DIM", int, 256, "width after the fusion; a multiple of N_HEADS", 1),
    Knob("N_DUAL_BLOCKS", int, 2, "blocks of two streams", 1),
    Knob("N_FUSED_BLOCKS", int, 4, "blocks after the fusion", 0),
    Knob("N_HEADS", int, 8, "attention heads", 1),
    Knob("OUTPUT_DIM", int, 128, "dimensions of the embedding", 2),
    Knob("N_ANCHORS", int, 64, "anchors; a multiple of N_COMP", 2),
    Knob("N_COMP", int, 8, "compartments of the patchwork", 1),
    Knob("D_COMP", int, 64, "outputs of a compartment", 1),
    Knob("ANCHOR_DROP", float, DUAL_KNOB_ANCHOR_DROP, "share of anchors dropped", 0.0, 1.0),
    # loss
    Knob("BCE_WEIGHT", float, 1.0, "weight of the classifier's sigmoid cross-entropy", 0.0),
    Knob("LABEL_SMOOTHING", float, 0.0, "share of a target spread over the classes", 0.0, 1.0),
    Knob("INFONCE_WEIGHT", float, 0.5, "weight of InfoNCE between the two views", 0.0),
    Knob("INFONCE_TEMP", float, DUAL_KNOB_INFONCE_TEMP, "temperature of InfoNCE", 2**-10),
    # optimizer
    Knob("LR", float, DUAL_KNOB_LR, "AdamW, learning rate", 0.0),
    Knob("WEIGHT_DECAY", float, DUAL_KNOB_WEIGHT_DECAY, "AdamW, of all but the anchors", 0.0),
    Knob("WARMUP", int, 5, "epochs in which the rate rises; then half a cosine", 0, unit="epochs"),
    Knob("GRAD_CLIP", float, 1.0, "largest norm of the gradient; 0: none", 0.0),
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
    if s.img_size % s.patch_size:
        raise UsageError(f"PATCH_SIZE={s.patch_size} must divide IMG_SIZE={s.img_size}")
    for name in ("STREAM_DIM", "FUSED_DIM"):
        if s[name] % s.n_heads:
            raise UsageError(f"N_HEADS={s.n_heads} must divide {name}={s[name]}")
    if s.n_anchors % s.n_comp:
        raise UsageError(f"N_COMP={s.n_comp} must divide N_ANCHORS={s.n_anchors}")
    if not (s.bce_weight or s.infonce_weight):
        raise UsageError("BCE_WEIGHT=0 and INFONCE_WEIGHT=0: there is nothing to train")

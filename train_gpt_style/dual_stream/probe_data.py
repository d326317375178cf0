"""Small real data for the gates: spots and stripes as image files, and digits-like IDX files.

Made from a seed; the same pixels come out on every call.
"""

from pathlib import Path

import numpy as np
import safetensors.numpy
from PIL import Image

CLASSES = ("spots", "stripes")
COUNTS = {"train": 6, "val": 3}
SIDE = 8


def picture(kind: str, number: int) -> np.ndarray:
    """(8, 8, 3) uint8: a pattern of its class over noise."""
    rng = np.random.default_rng([CLASSES.index(kind), number])
    pixels = rng.integers(0, 96, (SIDE, SIDE, 3), dtype=np.uint8)
    rows, columns = np.mgrid[:SIDE, :SIDE]
    spot = (rows - 3) ** 2 + (columns - 4) ** 2 < 9
    pixels[spot if kind == "spots" else (rows + number) % 4 < 2] += rng.integers(
        64, 160, 3, np.uint8
    )
    return pixels


def write(folder: Path) -> dict[str, str]:
    """Write train/, val/, and weights to start from; returns what points to them."""
    for split, count in COUNTS.items():
        for kind in CLASSES:
            (folder / split / kind).mkdir(parents=True)
            for i in range(count):
                image = Image.fromarray(picture(kind, i if split == "train" else 100 + i))
                image.save(folder / split / kind / f"{i:03d}.png")
    rng = np.random.default_rng(3)
    shapes = {"position": (4, 12), "patch.weight": (12, 48)}
    weights = {n: rng.normal(0, 1 / 32, s).astype(np.float32) for n, s in shapes.items()}
    safetensors.numpy.save_file(weights, folder / "warm.safetensors")
    return {"DATA_DIR": str(folder)}


def idx_bytes(array: np.ndarray) -> bytes:
    """The IDX file of an array of bytes."""
    header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    return header + array.astype(np.uint8).tobytes()


def idx_files() -> dict[str, bytes]:
    """Eight training and three validation images of two classes, by file name. All bytes ASCII."""
    found = {}
    for prefix, count in (("train", 8), ("t10k", 3)):
        pixels = np.random.default_rng(count).integers(0, 128, (count, 6, 7))
        found[f"{prefix}-images-idx3-ubyte"] = idx_bytes(pixels)
        found[f"{prefix}-labels-idx1-ubyte"] = idx_bytes(np.arange(count) % 2)
    return found


# A whole run, with validation, takes a fifth of a second.
TINY = {
    "IMG_SIZE": str(SIDE),
    "PATCH_SIZE": "4",
    "EMBED_DIM": "12",
    "STREAM_DIM": "8",
    "FUSED_DIM": "12",
    "N_DUAL_BLOCKS": "1",
    "N_FUSED_BLOCKS": "1",
    "N_HEADS": "2",
    "OUTPUT_DIM": "6",  # a norm takes one, and five rows need four of what is left
    "N_ANCHORS": "6",
    "N_COMP": "2",
    "D_COMP": "4",
    "CLASSES": "2",
    "EPOCHS": "2",
    "BATCH": "6",  # two steps an epoch
    "LOG_EVERY": "1",
    "LR": "0.015625",
    "WARMUP": "1",
}

SCENARIOS = {
    "folder": TINY,
    "synthetic": {
        **TINY,
        "DATA_DIR": "",
        "SYNTHETIC_IMAGES": "9",
        "PATCH_SIZE": "2",
        "BATCH": "3",
        "CLASSES": "5",
        "SEED": str(2**63 - 1),  # the last that there is
        "N_DUAL_BLOCKS": "2",
        "OUTPUT_DIM": "4",  # more anchors than dimensions, so that they repel
        "EPOCHS": "1",
        "LOG_EVERY": "2",
        "ANCHOR_DROP": "0.5",
        "BCE_WEIGHT": "0.75",
        "LABEL_SMOOTHING": "0.25",
        "INFONCE_WEIGHT": "0",
        "WEIGHT_DECAY": "0.25",
        "WARMUP": "3",
        "GRAD_CLIP": "0",
    },
    "idx": {
        **TINY,
        "DATA_DIR": "idx",  # in the folder of the run
        "BATCH": "5",
        "LOG_EVERY": "0",
        "N_FUSED_BLOCKS": "0",
        "N_COMP": "6",
        "ANCHOR_DROP": "0",
        "BCE_WEIGHT": "0",
        "INFONCE_WEIGHT": "0.25",
        "INFONCE_TEMP": "0.5",
        "GRAD_CLIP": "0.125",
        "WARMUP": "0",
    },
}

"""Small real data for the gates: coloured shapes as image files, in folders, and as IDX files.

Made from a seed; the same pixels come out on every call. Sizes differ, so that scaling and cutting
are exercised.
"""

from pathlib import Path

import numpy as np
from PIL import Image

CLASSES = ("circle", "cross", "stripes")
COUNTS = {"train": 6, "val": 3}
SUFFIXES = (".bmp", ".gif", ".jpeg", ".JPG", ".png", ".webp")  # of the circles
MODES = {"circle": "RGB", "cross": "L", "stripes": "RGBA"}  # of the validation images


def picture(kind: str, number: int) -> np.ndarray:
    """(H, W, 3) uint8: a pattern of its class, somewhere, over noise."""
    rng = np.random.default_rng([CLASSES.index(kind), number])
    height, width = 16 + number % 5, 16 + number % 3
    pixels = rng.integers(0, 96, (height, width, 3), dtype=np.uint8)
    rows, columns = np.mgrid[:height, :width]
    if kind == "circle":
        mask = (rows - 8) ** 2 + (columns - 8) ** 2 < 25
    elif kind == "cross":
        mask = (abs(rows - 8) < 2) | (abs(columns - 8) < 2)
    else:
        mask = (rows + number) % 4 < 2
    pixels[mask] += rng.integers(64, 160, 3, dtype=np.uint8)
    return pixels


def write(folder: Path) -> dict[str, str]:
    """Write train/ and val/; returns the environment that points to them.

    Each kind of file that can be read is there, and some that nobody asked for.
    """
    for split, count in COUNTS.items():
        for kind in CLASSES:
            (folder / split / kind).mkdir(parents=True)
            for i in range(count):
                number = i if split == "train" else 100 + i
                suffix = SUFFIXES[i] if (split, kind) == ("train", "circle") else ".png"
                mode = "RGB" if split == "train" else MODES[kind]
                image = Image.fromarray(picture(kind, number)).convert(mode)
                image.save(folder / split / kind / f"{number:03d}{suffix}")
        (folder / split / ".thumbnails").mkdir()
        (folder / split / "readme.txt").write_text("no class")
        (folder / split / "cross" / ".index").write_text("no image")
    return {"DATA_DIR": str(folder)}


def idx_bytes(array: np.ndarray, kind: int = 8) -> bytes:
    """The IDX file of an array of bytes."""
    header = bytes([0, 0, kind, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    return header + array.astype(np.uint8).tobytes()


def idx_files() -> dict[str, bytes]:
    """Eight training and three validation images of two classes, by file name. All bytes ASCII."""
    found = {}
    for prefix, count in (("train", 8), ("t10k", 3)):
        pixels = np.random.default_rng(count).integers(0, 128, (count, 8, 9))
        found[f"{prefix}-images-idx3-ubyte"] = idx_bytes(pixels)
        found[f"{prefix}-labels-idx1-ubyte"] = idx_bytes(np.arange(count) % 2)
    return found


# A whole run, with validation, takes a tenth of a second.
TINY = {
    "IMAGE_SIZE": "16",
    "PATCH_SIZE": "8",
    "DIM": "16",
    "DEPTH": "2",
    "HEADS": "2",
    "CLASSES": "4",
    "STEPS": "4",
    "BATCH": "5",  # three batches an epoch, three images left out
    "EVAL_EVERY": "2",
    "LOG_EVERY": "1",
    "LR": "0.00390625",
    "BETA1": "0.5",  # so short a memory that gradients agree and disagree within four steps
}

SCENARIOS = {
    "folder": TINY,
    "synthetic": {
        **TINY,
        "DATA_DIR": "",
        "SYNTHETIC_IMAGES": "13",
        "BATCH": "1",
        "ADAM_PATH": "for-loop",
        "CLASSES": "7",
        "PATCH_SIZE": "16",
        "EVAL_EVERY": "0",
        "LOG_EVERY": "2",
        "SEED": "1597",
        "LR": "0.0009765625",
    },
    "foreach": {
        **TINY,
        "ADAM_PATH": "foreach",
        "DATA_DIR": "",
        "SYNTHETIC_IMAGES": "18",
        "CLASSES": "0",  # a thousand
        "SEED": str(2**63 - 1),  # the last that there is
        "IMAGE_SIZE": "12",
        "PATCH_SIZE": "4",
        "DEPTH": "1",
        "STEPS": "3",
        "BATCH": "18",  # all images
        "LOG_EVERY": "0",
        "BETA2": "0.75",
        "ADAM_EPS": "0.0009765625",
    },
    "idx": {
        **TINY,
        "DATA_DIR": "idx",  # in the folder of the run
        "CLASSES": "0",  # as many as the data has
        "IMAGE_SIZE": "24",  # larger than the images, whose sides then differ by three
        "DEPTH": "1",
        "STEPS": "5",
        "BATCH": "4",  # two whole batches an epoch
        "EVAL_EVERY": "1",
    },
}

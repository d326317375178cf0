"""Small real data for the gates: coloured shapes as image files, in folders, and bad ones.

Made from a seed; the same pixels come out on every call. Sizes differ, so that scaling and cutting
are exercised.
"""

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from PIL import Image

CLASSES = ("circle", "cross", "stripes")
COUNTS = {"train": 6, "val": 3}


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
    """Write train/ and val/; returns the environment that points to them."""
    for split, count in COUNTS.items():
        for kind in CLASSES:
            (folder / split / kind).mkdir(parents=True)
            for i in range(count):
                number = i if split == "train" else 100 + i
                path = folder / split / kind / f"{number:03d}.png"
                Image.fromarray(picture(kind, number)).save(path)
    return {"DATA_DIR": str(folder)}


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
        "SYNTHETIC_IMAGES": "11",
        "BATCH": "4",
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
        "CLASSES": "0",  # as many as the data has
        "IMAGE_SIZE": "12",
        "PATCH_SIZE": "4",
        "DEPTH": "1",
        "STEPS": "3",
        "BATCH": "18",
        "LOG_EVERY": "0",
        "BETA2": "0.75",
        "ADAM_EPS": "0.0009765625",
    },
}

# -- bad input: each kind spoils the good data, or one setting, in one way -------------------------

SETTINGS: dict[str, tuple[dict[str, str], str]] = {
    "patches that do not divide the image": ({"PATCH_SIZE": "5"}, "PATCH_SIZE=5"),
    "heads that do not divide the width": ({"HEADS": "3"}, "HEADS=3"),
    "an average that never starts": ({"BETA1": "1.0"}, "BETA1=1.0"),
    "an unknown path": ({"ADAM_PATH": "slow"}, "ADAM_PATH=slow"),
    "too few classes": ({"CLASSES": "2"}, "CLASSES=2"),
    "a batch of more than there is": ({"BATCH": "19"}, "BATCH=19"),
    "no data": ({"DATA_DIR": "nowhere"}, "DATA_DIR=nowhere"),
}


def only_class(folder: Path) -> None:
    """Leave one class in train/."""
    for kind in CLASSES[1:]:
        shutil.rmtree(folder / "train" / kind)


def empty_class(folder: Path) -> None:
    """A class without an image."""
    for path in (folder / "train" / "cross").iterdir():
        path.unlink()


def other_class(folder: Path) -> None:
    """A class that only validation has."""
    (folder / "val" / "cross").rename(folder / "val" / "zigzag")


def cut_short(folder: Path) -> None:
    """An image whose header is whole and whose pixels are not."""
    for path in (folder / "train" / "circle").iterdir():
        path.write_bytes(path.read_bytes()[:200])


# By kind: what is done to a copy of the data, and words of the error.
FOLDERS: dict[str, tuple[Callable[[Path], object], str]] = {
    "no training split": (lambda f: shutil.rmtree(f / "train"), "no folder train/"),
    "no validation split": (lambda f: shutil.rmtree(f / "val"), "no folder val/"),
    "a single class": (only_class, "1 class folders"),
    "a class without images": (empty_class, "no image in it"),
    "a class that was not trained": (other_class, "class zigzag"),
    "a text among the images": (
        lambda f: (f / "train/cross/notes.txt").write_text("x"),
        "not an image",
    ),
    "a text that is called an image": (
        lambda f: (f / "val/cross/notes.png").write_text("x"),
        "corrupt",
    ),
    "images cut short": (cut_short, "corrupt"),
}

REFUSALS = {
    **{kind: words for kind, (_, words) in SETTINGS.items()},
    **{kind: words for kind, (_, words) in FOLDERS.items()},
}


def spoil(kind: str, folder: Path, data: Mapping[str, str]) -> dict[str, str]:
    """The variables that lead to bad input of that kind; `data` are those of the good."""
    if kind in SETTINGS:
        return SETTINGS[kind][0]
    copy = folder / "images"
    shutil.copytree(data["DATA_DIR"], copy)
    FOLDERS[kind][0](copy)
    return {"DATA_DIR": str(copy)}

"""Bad input for the gates: each kind spoils the probe's good data, or one setting, in one way."""

import gzip
import struct
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from train_gpt_style.credit.probe_data import FILES, idx_bytes

# By kind: the settings that are wrong, and words that the error must hold.
SETTINGS: dict[str, tuple[dict[str, str], str]] = {
    "an unknown schedule": ({"SCHEDULE": "linear"}, "SCHEDULE=linear"),
    "a roll of what is no image": ({"DATA_DIR": "", "ROLL": "1"}, "ROLL=1 needs images"),
    "a crop of what is no image": (
        {"DATA_DIR": "", "ROLL": "0", "AUGMENT": "1"},
        "AUGMENT=1 needs images",
    ),
    "a switch that is none": ({"RESIDUAL_ADD": "yes"}, "RESIDUAL_ADD=yes"),
    "a batch of more than there is": ({"BATCH": "25"}, "BATCH=25 exceeds the 24"),
    "no data": ({"DATA_DIR": "nowhere"}, "DATA_DIR=nowhere is no folder"),
    "a teacher of too few for its classes": (
        {"DATA_DIR": "", "ROLL": "0", "TEACHER_TRAIN": "8"},
        "has no training example",
    ),
}

Change = Callable[[bytes], bytes]


def changed(name: str, change: Change) -> Callable[[Path], object]:
    """One file has other bytes."""
    return lambda folder: (folder / name).write_bytes(change((folder / name).read_bytes()))


def removed(*names: str) -> Callable[[Path], object]:
    """Files that are not there."""
    return lambda folder: [(folder / name).unlink() for name in names]


def packed(name: str, change: Change) -> Callable[[Path], object]:
    """One file is there as a gzip of other bytes."""

    def spoil(folder: Path) -> None:
        data = gzip.compress((folder / name).read_bytes(), mtime=0)
        (folder / name).unlink()
        (folder / f"{name}.gz").write_bytes(change(data))

    return spoil


def none_at_all(folder: Path) -> None:
    """Training files of no image and of no label."""
    (folder / IMAGES).write_bytes(idx_bytes(np.zeros((0, 8, 9))))
    (folder / LABELS).write_bytes(idx_bytes(np.zeros(0)))


IMAGES, LABELS = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"
TEST_IMAGES, TEST_LABELS = "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"
LARGE = struct.pack(">III", 641, 6_700_417, 1)  # 2^32 + 1 bytes

# By kind: whose files, what is done to a copy of them, and words of the error.
FOLDERS: dict[str, tuple[str, Callable[[Path], object], str]] = {
    "no labels": ("idx", removed(LABELS), f"there is no {LABELS}"),
    "bytes of another kind": (
        *("idx", changed(IMAGES, lambda d: d[:2] + b"\7" + d[3:])),
        "no IDX file",
    ),
    "a header cut short": ("idx", changed(LABELS, lambda d: d[:7]), "no IDX file"),
    "more than is ever read": (
        *("idx", changed(IMAGES, lambda d: d[:4] + LARGE)),
        "holds 4294967297 bytes",
    ),
    "a pixel too few": ("idx", changed(IMAGES, lambda d: d[:-1]), "less than 3072 bytes"),
    "a pixel too many": ("idx", changed(IMAGES, lambda d: d + b"\0"), "more than 3072 bytes"),
    "a gzip cut short": ("idx", packed(IMAGES, lambda d: d[:-9]), "corrupt"),
    "a label too few": (
        *("idx", changed(LABELS, lambda d: idx_bytes(np.arange(23) % 3))),
        "24 train images, 23 labels",
    ),
    "neither image nor label": ("idx", none_at_all, "0 train images, 0 labels"),
    "labels of one class": (
        *("idx", changed(LABELS, lambda d: idx_bytes(np.zeros(24)))),
        "one class",
    ),
    "an empty class": (
        *("idx", changed(LABELS, lambda d: idx_bytes(np.arange(24) % 2 * 2))),
        "class 1 has no training example",
    ),
    "a label that was not trained": (
        *("idx", changed(TEST_LABELS, lambda d: idx_bytes(np.arange(11)))),
        "class 10 is in the test labels",
    ),
    "test images of another size": (
        *("idx", changed(TEST_IMAGES, lambda d: idx_bytes(np.zeros((11, 8, 8))))),
        "train images of (1, 8, 16)",
    ),
    "a folder of something else": (
        *("idx", removed(IMAGES, LABELS)),
        "no IDX files, no CIFAR batches",
    ),
    "a batch that is missing": (
        *("cifar10", removed("data_batch_3.bin")),
        "there is no data_batch_3.bin",
    ),
    "a record cut short": (
        *("cifar10", changed("test_batch.bin", lambda d: d[:-1])),
        "no whole number of records of 3073",
    ),
    "a batch of nothing": (
        *("cifar10", changed("data_batch_2.bin", lambda d: b"")),
        "0 bytes, no whole number of records",
    ),
    "a label beyond the classes": (
        *("cifar10", changed("data_batch_1.bin", lambda d: b"\x0a" + d[1:])),
        "label 10, there are 10 classes",
    ),
    "records of the other kind": (
        *("cifar100", changed("train.bin", lambda d: d[: 3073 * 4])),
        "no whole number of records of 3074",
    ),
}

REFUSALS = {kind: words for kind, (_, words) in SETTINGS.items()} | {
    kind: words for kind, (_, _, words) in FOLDERS.items()
}


def spoil(kind: str, folder: Path, data: Mapping[str, str]) -> dict[str, str]:
    """The variables that lead to bad input of that kind; `data` are those of the good."""
    if kind in SETTINGS:
        return SETTINGS[kind][0]
    whose, change, _ = FOLDERS[kind]
    copy = folder / "images"
    copy.mkdir()
    for name, content in FILES[whose]().items():
        (copy / name).write_bytes(content)
    change(copy)
    return {"DATA_DIR": str(copy)}

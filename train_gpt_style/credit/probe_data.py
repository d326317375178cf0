"""Small data for the gates, as text files can hold them: IDX files and CIFAR's binary batches.

Made from a seed; the same bytes come out on every call. All are below 128, which UTF-8 leaves as
they are.
"""

from pathlib import Path

import numpy as np

CLASSES = 10
SIDES = 8, 16  # of an IDX image


def idx_bytes(array: np.ndarray) -> bytes:
    """The IDX file of an array of bytes."""
    header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    return header + array.astype(np.uint8).tobytes()


def pictures(count: int, *shape: int) -> np.ndarray:
    """(count, *shape) uint8 below 128: noise, and a bright spot where its class says."""
    rng = np.random.default_rng(count)
    pixels = rng.integers(0, 32, (count, *shape), dtype=np.uint8)
    for i, image in enumerate(pixels):
        image[..., i % CLASSES % shape[-2], :2] += 64
    return pixels


def idx_files() -> dict[str, bytes]:
    """Two splits of grey images, 24 and 11, by file name."""
    found = {}
    for prefix, count in (("train", 24), ("t10k", 11)):
        found[f"{prefix}-images-idx3-ubyte"] = idx_bytes(pictures(count, *SIDES))
        found[f"{prefix}-labels-idx1-ubyte"] = idx_bytes(np.arange(count) % 3)
    return found


def cifar_files(label_bytes: int) -> dict[str, bytes]:
    """CIFAR-10 in six files with one label byte, CIFAR-100 in two with two."""
    if label_bytes == 1:
        names, count = [*(f"data_batch_{i}.bin" for i in range(1, 6)), "test_batch.bin"], 4
    else:
        names, count = ["train.bin", "test.bin"], 100
    found = {}
    for number, name in enumerate(names):
        at = number * count
        labels = np.arange(at, at + count) % (10 if label_bytes == 1 else 100)
        coarse = [labels // 5] * (label_bytes - 1)
        pixels = pictures(at + count, 3, 32, 32)[at:].reshape(count, -1)
        found[name] = np.column_stack([*coarse, labels, pixels]).astype(np.uint8).tobytes()
    return found


FILES = {"idx": idx_files, "cifar10": lambda: cifar_files(1), "cifar100": lambda: cifar_files(2)}


def leftovers(name: str) -> dict[str, str]:
    """The data files of a scenario of that name, as text by path."""
    files = FILES.get(name, dict)()
    return {f"data/{file}": content.decode("ascii") for file, content in files.items()}


def write(folder: Path) -> dict[str, str]:
    """Write IDX files; returns the environment that points to them."""
    folder = folder / "images"
    folder.mkdir()
    for name, content in idx_files().items():
        (folder / name).write_bytes(content)
    return {"DATA_DIR": str(folder)}


# Width 12, three blocks. Schedules, cadences, switches and data differ between the scenarios.
TINY = {
    "DIM": "12",
    "DEPTH": "3",
    "STEPS": "5",
    "BATCH": "8",
    "EVAL_EVERY": "2",
    "LOG_EVERY": "1",
    "W2_STD": "0.25",
}

SCENARIOS: dict[str, dict[str, str]] = {
    "tiny": {**TINY, "ROLL": "1"},
    "teacher": {
        **TINY,
        "DATA_DIR": "",
        "TEACHER_ALPHA": "0.25",
        "TEACHER_TRAIN": "50",
        "TEACHER_TEST": "11",
        "RESIDUAL_ADD": "0",
        "SCHEDULE": "constant",
        "SEED": str(2**63 - 1),  # the last that there is
        "DEPTH": "1",
        "STEPS": "3",
        "BATCH": "50",  # all examples
        "EVAL_EVERY": "0",
        "LOG_EVERY": "0",
        "LR": "0.0009765625",
    },
    "cifar10": {
        **TINY,
        "DATA_DIR": "data",  # in the folder of the run
        "AUGMENT": "1",
        "STEPS": "4",
        "DEPTH": "2",
        "WEIGHT_DECAY": "0.25",
        "LOG_EVERY": "3",
    },
    "cifar100": {**TINY, "DATA_DIR": "data", "STEPS": "1", "DEPTH": "1", "EVAL_EVERY": "0"},
}

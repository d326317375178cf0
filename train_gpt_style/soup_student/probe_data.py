"""Small images and targets for the gates, and the scenarios that use them; always the same."""

from pathlib import Path

import numpy as np
import safetensors.torch
import torch

from goldenseal.digest import tensor_digest
from train_gpt_style.geometry.anchors import unit
from train_gpt_style.geometry.readout import Readout
from train_gpt_style.kit.data.write_table import table_bytes
from train_gpt_style.kit.image_sets import images_digest

COUNTS, CLASSES, SPHERE = {"train": 20, "val": 6}, 3, 4
PREFIXES = {"train": "train", "val": "t10k"}


def idx_bytes(array: np.ndarray) -> bytes:
    """The IDX file of an array of bytes."""
    header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    return header + array.astype(np.uint8).tobytes()


def write_images(folder: Path) -> None:
    """Grey images of bars whose place and shade are their class's, as IDX files."""
    folder.mkdir(parents=True, exist_ok=True)
    for split, count in COUNTS.items():
        rng = np.random.default_rng(count)
        label = np.arange(count) % CLASSES
        pixels = rng.integers(0, 96, (count, 8, 8))
        for i, kind in enumerate(label):
            pixels[i, 2 * kind : 2 * kind + 3] += 50 * (kind + 1)
        (folder / f"{PREFIXES[split]}-images-idx3-ubyte").write_bytes(idx_bytes(pixels))
        (folder / f"{PREFIXES[split]}-labels-idx1-ubyte").write_bytes(idx_bytes(label))


def targets() -> list[torch.Tensor]:
    """(20, 4) and (6, 4): a direction a class, and noise; not normalised."""
    rng = np.random.default_rng(1597)
    centres = rng.standard_normal((CLASSES, SPHERE))
    return [
        torch.from_numpy(
            (centres[np.arange(n) % CLASSES] + 0.25 * rng.standard_normal((n, SPHERE))).astype("f4")
        )
        for n in COUNTS.values()
    ]


def write_soup(path: Path) -> str:
    """A soup of six anchors that nobody trained; returns its digest."""
    draw = torch.Generator().manual_seed(1597)
    readout = Readout(unit(torch.randn(6, SPHERE, generator=draw)), 2, 3, CLASSES)
    state = {
        f"readout.{name}": torch.randn(t.shape, generator=draw)
        for name, t in readout.state_dict().items()
    }
    path.write_bytes(safetensors.torch.save(state))
    return tensor_digest(state)


def write(folder: Path) -> dict[str, str]:
    """Write images and targets; returns the environment that points to them."""
    write_images(folder / "images")
    soup = folder / "soup.safetensors"
    about = {"images": images_digest(folder / "images"), "soup": write_soup(soup)}
    path = folder / "targets.safetensors"
    path.write_bytes(table_bytes(*targets(), about))
    return {"DATA_DIR": str(folder / "images"), "TARGETS": str(path), "SOUP": str(soup)}


# A whole run, with validation, takes a tenth of a second.
TINY = {
    "EPOCHS": "2",
    "BATCH": "7",  # three batches an epoch, the last of six images
    "EVAL_EVERY": "1",
    "LOG_EVERY": "1",
    "IMG_SIZE": "8",
    "PATCH_SIZE": "4",
    "DEPTH": "1",
    "DIM": "8",
    "HEADS": "2",
    "FFN_DIM": "12",
    "OUTPUT_DIM": str(SPHERE),
    "LR": "0.00390625",
    "NCE_TEMP": "0.25",
}

SCENARIOS = {
    "images": TINY,
    "synthetic": {
        **TINY,
        "DATA_DIR": "",
        "TARGETS": "",
        "SOUP": "",
        "SYNTHETIC_IMAGES": "7",
        "EPOCHS": "3",
        "BATCH": "7",  # all images
        "EVAL_EVERY": "2",
        "LOG_EVERY": "2",
        "CHANNELS": "1",
        "DEPTH": "2",
        "MSE_WEIGHT": "0.0",
        "SEED": str(2**63 - 1),  # the last that there is
    },
    # Its seed and the next are no numbers that a wrong wrap at 2**63 could bring to the same.
    "synthetic, another seed": {
        **TINY,
        "DATA_DIR": "",
        "TARGETS": "",
        "SOUP": "",
        "SYNTHETIC_IMAGES": "5",  # a batch an epoch, validated after each; two for validation
        "SEED": "1598",
    },
    "squares alone": {
        **TINY,
        "SOUP": "",
        "EPOCHS": "1",
        "BATCH": "3",
        "EVAL_EVERY": "0",
        "LOG_EVERY": "0",
        "IMG_SIZE": "12",
        "NCE_WEIGHT": "0.0",
        "SEED": "1597",
    },
}
